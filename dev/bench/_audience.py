"""Databases of contacts with orders, for the measurements of segments."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from bootstrap import database
from bootstrap.paths import fingerprint, source_hash, step

FILL = Path(__file__).with_name("_segments.sql")
BASE = "bench_audience_{}"  # kept, filled once for each size
NAME = "bench_segments"  # a copy of one, thrown away at the end


@dataclass(frozen=True)
class Audience:
    """What the measurements need to know of the database.

    :param int size: how many contacts it was filled with
    :param int user_id: the responsible of all segments, a marketer
    """

    environment: object
    size: int
    company_id: int
    user_id: int

    @contextlib.contextmanager
    def cursor(self):
        """Yield an autocommit cursor on the database."""
        with database.cursor(self.environment, NAME) as cr:
            yield cr

    @contextlib.contextmanager
    def orm(self, **options):
        """Yield an Odoo environment of the superuser in this process.

        :param options: of the configuration file
        """
        with opened(self.environment, NAME, **options) as env:
            yield env


@contextlib.contextmanager
def ready(environment, size):
    """Yield a fresh :class:`Audience` of ``size`` contacts; its database goes at the
    end.
    """
    state = _ensure_base(environment, size)
    with step(f"database with {size:,} contacts"):
        database.copy(environment, BASE.format(size), NAME)
        with database.cursor(environment) as cr:
            # A copy is told not to wait for the disk; measurements do.
            cr.execute(f'ALTER DATABASE "{NAME}" RESET synchronous_commit')
    try:
        yield Audience(environment, size, **state)
    finally:
        database.drop(environment, NAME)


@contextlib.contextmanager
def opened(environment, name, **options):
    """Yield an Odoo environment of the superuser on a database, in this process."""
    from odoo import SUPERUSER_ID, api, sql_db
    from odoo.modules.registry import Registry
    from odoo.tools import config

    conf = environment.write_conf(
        "bench-orm", db_name=name, log_level="warn", **options
    )
    config.parse_config(["-c", str(conf)], setup_logging=True)
    registry = Registry(name)
    try:
        with registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})
    finally:
        Registry.delete(name)
        sql_db.close_db(name)


def _ensure_base(environment, size) -> dict:
    """Make the kept database unless it matches the sources.

    :return: ids of company and responsible
    """
    base = BASE.format(size)
    template = database.template(environment)
    filled = fingerprint(template, FILL, Path(__file__))
    note = {}
    if database.exists(environment, base):
        note = json.loads(database.note(environment, base) or "{}")
    if note.get("filled_from") != filled:
        incoming = f"{base}_new"
        database.fresh(environment, incoming, "bench-install")
        with step(f"{size:,} contacts with orders"):
            with opened(environment, incoming) as env:
                state = _people(env)
            with database.cursor(environment, incoming) as cr:
                _fill(cr, size, state)
        with step("their figures"), opened(environment, incoming) as env:
            # Conditions count with them: «at least two purchases».
            env["customer.profile"]._refresh(env.company)
            env.cr.commit()
        with database.cursor(environment, incoming) as cr:
            cr.execute("VACUUM ANALYZE")
        database.drop(environment, base)
        database.rename(environment, incoming, base)
        note = {"filled_from": filled, "sources": source_hash(), "state": state}
        database.set_note(environment, base, json.dumps(note))
    elif note["sources"] != source_hash():
        # The facts stay: filling a million contacts takes minutes.
        database.update(environment, base, "bench-install")
        note["sources"] = source_hash()
        database.set_note(environment, base, json.dumps(note))
    return {key: note["state"][key] for key in ("company_id", "user_id")}


def _people(env) -> dict:
    """The responsible of all segments, with the rights a marketer usually has."""
    company = env.company
    user = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": "Marketer",
                "login": "bench-marketer",
                "company_id": company.id,
                "company_ids": [(6, 0, company.ids)],
                "group_ids": [
                    (4, env.ref(group).id)
                    for group in (
                        "customer_segmentation.customer_segmentation_group_marketer",
                        "sales_team.group_sale_manager",
                        "account.group_account_invoice",
                    )
                ],
            }
        )
    )
    journal = env["account.journal"].create(
        {"name": "Bench", "code": "BENCH", "type": "general"}
    )
    env.cr.commit()
    return {"company_id": company.id, "user_id": user.id, "journal": journal.id}


def _fill(cr, size, state) -> None:
    cr.execute("SET synchronous_commit = off")
    cr.execute(
        FILL.read_text(),
        {
            "contacts": size,
            "company": state["company_id"],
            "user": state["user_id"],
            "journal": state["journal"],
        },
    )
    cr.execute("ANALYZE")
