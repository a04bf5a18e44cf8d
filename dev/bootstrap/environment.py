"""The way in: fetch what is missing, start PostgreSQL, say how to start Odoo."""

import contextlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import chromium, node, odoo, postgres, python_env
from .paths import (
    ADDONS,
    BIN,
    CONF,
    DATA,
    LOCAL,
    LOG,
    MODULE,
    ROOT,
    SetupError,
    clean_environment,
    lock,
)

BASE_OPTIONS = {
    "unaccent": "True",
    "list_db": "False",
    "with_demo": "False",
    "http_interface": "127.0.0.1",
    "max_cron_threads": "0",
    "workers": "0",
}


@dataclass(frozen=True)
class Environment:
    """Everything a script needs to run Odoo."""

    odoo: odoo.Odoo
    python: Path
    server: postgres.Server

    @property
    def env(self) -> dict:
        """Return the environment variables of Odoo's processes."""
        return {
            **clean_environment(),
            **self.server.env,
            "PYTHONPATH": str(self.odoo.library),
            "PATH": python_env.search_path(BIN, *node.bin_folders()),
        }

    def write_conf(self, name: str, addons: Path = ADDONS, **options) -> Path:
        """Write ``.local/conf/<name>.conf`` and return its path."""
        values = {
            **BASE_OPTIONS,
            "addons_path": ",".join(map(str, [*self.odoo.addons, addons])),
            "data_dir": DATA,
            "db_host": self.server.host or "False",
            "db_port": self.server.port,
            "db_user": self.server.user,
            **options,
        }
        path = CONF / f"{name}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{key} = {value}" for key, value in values.items()]
        path.write_text("\n".join(["[options]", *lines]) + "\n")
        return path

    def command(self, *arguments) -> list[str]:
        """Return a command line of Odoo's own script."""
        return list(map(str, [self.python, self.odoo.script, *arguments]))

    def run_odoo(self, *arguments, log: Path, what: str, env=None) -> None:
        """Run Odoo to its end, its output in ``log``.

        :param dict env: further environment variables
        :raise SetupError: with the log's errors when it fails
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            result = subprocess.run(
                self.command(*arguments),
                env={**self.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if result.returncode:
            lines = log.read_text(errors="replace").splitlines()
            tail = [line for line in lines if " INFO " not in line][-40:] or lines[-20:]
            where = log.relative_to(ROOT)
            raise SetupError("\n".join([f"{what} failed (see {where}):", *tail]))


def _link_addon() -> None:
    ADDONS.mkdir(parents=True, exist_ok=True)
    link = ADDONS / MODULE
    if not link.is_symlink():
        link.symlink_to("../..")


@contextlib.contextmanager
def ready(browser: bool = False):
    """Yield an :class:`Environment` with PostgreSQL running.

    Missing parts are fetched side by side; PostgreSQL is left to its last user.
    """
    if os.environ.get("CUSTOMER_SEGMENTATION_READY"):
        # Inside a script that has it running already, such as the test run.
        yield Environment(odoo.ensure(), python_env.PYTHON, postgres.own_server())
        return
    LOG.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with lock("setup", "waiting for another command to finish its setup"):
            _link_addon()
            environment = _fetch(stack, browser)
        yield environment


def _fetch(stack, browser: bool) -> Environment:
    with ThreadPoolExecutor() as pool:
        venv = pool.submit(python_env.ensure)
        code = pool.submit(odoo.ensure)
        modules = pool.submit(node.ensure, venv.result)
        cluster = postgres.running(venv.result)
        server = pool.submit(stack.enter_context, cluster)
        tasks = [venv, code, modules, server]
        if browser:
            tasks.append(pool.submit(chromium.ensure))
        errors = list(filter(None, (task.exception() for task in tasks)))
    if errors:
        for error in errors:
            if not isinstance(error, SetupError):
                raise error
        raise SetupError("\n".join(dict.fromkeys(map(str, errors))))
    odoo.add_left_out(code.result(), modules.result())
    python_env.activate()
    return Environment(code.result(), venv.result(), server.result())


def script_environment(environment: Environment) -> dict:
    """Return variables for a child script that calls :func:`ready` itself."""
    return {
        **environment.env,
        "CUSTOMER_SEGMENTATION_READY": "1",
        "PYTHONPATH": os.pathsep.join(
            [str(environment.odoo.library), str(ROOT / "dev")]
        ),
        "CUSTOMER_SEGMENTATION_LOCAL": str(LOCAL),
    }
