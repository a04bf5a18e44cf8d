"""Databases: a template with the dependencies, and cheap copies of it."""

import contextlib
import os
import shutil

from .environment import Environment
from .paths import (
    DATA,
    LANGUAGES,
    LOG,
    MODULE,
    SETUP_LOG,
    SetupError,
    fingerprint,
    manifest,
    records_hash,
    remove,
    source_hash,
    step,
)

TEMPLATE_PREFIX = "cs_template_"


def filestore(name: str):
    """Return the folder of a database's attachments."""
    return DATA / "filestore" / name


@contextlib.contextmanager
def cursor(environment: Environment, name: str = "postgres"):
    """Yield an autocommit cursor."""
    import psycopg2

    server = environment.server
    options = {"host": server.host} if server.host else {}
    connection = psycopg2.connect(
        dbname=name, port=server.port, user=server.user, **options
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cr:
            yield cr
    finally:
        connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def exists(environment: Environment, name: str) -> bool:
    """Tell whether a database exists."""
    with cursor(environment) as cr:
        cr.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return bool(cr.fetchone())


def drop(environment: Environment, name: str) -> None:
    """Drop a database with its attachments, if it exists."""
    with cursor(environment) as cr:
        cr.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")
    remove(filestore(name))


def rename(environment: Environment, old: str, new: str) -> None:
    """Rename a database nobody is connected to, with its attachments."""
    if filestore(old).exists():
        remove(filestore(new))
        filestore(old).rename(filestore(new))
    with cursor(environment) as cr:
        cr.execute(f"ALTER DATABASE {_quoted(old)} RENAME TO {_quoted(new)}")


def note(environment: Environment, name: str) -> str:
    """Return the comment on a database: what it was built from."""
    with cursor(environment) as cr:
        cr.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = %s",
            [name],
        )
        return (cr.fetchone() or [""])[0] or ""


def set_note(environment: Environment, name: str, text: str) -> None:
    """Write down what a database was built from."""
    with cursor(environment) as cr:
        cr.execute(f"COMMENT ON DATABASE {_quoted(name)} IS %s", [text])


def install(environment: Environment, name: str, modules, log, *options) -> None:
    """Install modules into a database, which is created when missing.

    Commits need not wait for the disk: an interrupted installation starts over.
    """
    environment.run_odoo(
        *("-c", environment.write_conf("install"), "-d", name),
        *("-i", ",".join(modules), "--stop-after-init", "--no-http", *options),
        log=log,
        what=f"installing {', '.join(modules)}",
        env={"PGOPTIONS": "-c synchronous_commit=off"},
    )


def template(environment: Environment) -> str:
    """Return the template database: the dependencies and languages, no demo data."""
    depends = manifest()["depends"]
    name = TEMPLATE_PREFIX + fingerprint(environment.odoo.version, depends, LANGUAGES)
    if exists(environment, name):
        return name
    with cursor(environment) as cr:
        cr.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s",
            [TEMPLATE_PREFIX.replace("_", r"\_") + "%"],
        )
        outdated = [row[0] for row in cr.fetchall()]
    for old in outdated:
        drop(environment, old)
    incoming = f"{name}_new"
    with step(f"template database: {', '.join(depends)}"):
        install(
            environment,
            incoming,
            depends,
            SETUP_LOG / "template.log",
            f"--load-language={LANGUAGES}",
        )
        rename(environment, incoming, name)
    return name


def copy(environment: Environment, source: str, name: str) -> None:
    """Copy a database; attachments are linked, since Odoo never rewrites them."""
    drop(environment, name)
    with cursor(environment) as cr:
        cr.execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(source)}")
        cr.execute(f"ALTER DATABASE {_quoted(name)} SET synchronous_commit = off")
    copy_filestore(source, name)


def copy_filestore(source: str, name: str) -> None:
    """Link the attachments of a database for another one."""
    if filestore(source).exists():
        shutil.copytree(filestore(source), filestore(name), copy_function=os.link)


def fresh(environment: Environment, name: str, log_name: str = "install") -> None:
    """Make a database with only this addon and what it depends on, no demo data."""
    base = template(environment)
    drop(environment, name)
    copy(environment, base, name)
    with step(f"{MODULE} installed in {name}"):
        install(environment, name, [MODULE], LOG / f"{log_name}.log")
    set_note(environment, name, f"{base} {records_hash()} {source_hash()}")


def current(environment: Environment, name: str, log_name: str = "install") -> None:
    """Make or update a kept database so that it matches the sources.

    Changed records need a new one: an update neither makes those that people may
    delete nor touches those that they may edit.
    """
    state, wanted = note(environment, name), source_hash()
    made_of = f"{template(environment)} {records_hash()}"
    if state == f"{made_of} {wanted}":
        return
    if not state.startswith(f"{made_of} "):
        fresh(environment, name, log_name)
        return
    update(environment, name, log_name)
    set_note(environment, name, f"{made_of} {wanted}")


def update(environment: Environment, name: str, log_name: str = "install") -> None:
    """Update this addon in a database."""
    with step(f"{MODULE} updated in {name}"):
        environment.run_odoo(
            *("-c", environment.write_conf("install"), "-d", name),
            *("-u", MODULE, "--stop-after-init", "--no-http"),
            log=LOG / f"{log_name}.log",
            what=f"updating {MODULE}",
        )


def check_name(name: str) -> str:
    """Return a database name that Odoo's filters and file names can take.

    :raise SetupError: for any other
    """
    if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii():
        raise SetupError(f"{name!r} is no database name: letters, digits, - and _ only")
    return name
