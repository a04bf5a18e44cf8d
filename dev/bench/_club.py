"""The database of the measurements: a club of many members with eight devices."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from bootstrap import database
from bootstrap.paths import fingerprint, source_hash, step
from bootstrap.server import OdooServer

ADDONS = Path(__file__).with_name("_addons")
FILL = Path(__file__).with_name("_fill.sql")
BASE = "bench_base"  # kept, filled once
NAME = "bench"  # a copy of it, thrown away at the end
MEMBERS = 100_000
DEVICES = 8
COUNTRY = "base.ir"
WELCOME = "{{ object.name }}, welcome to the club"
REPEAT = "Nice to see you again, {{ object.name }}"


@dataclass(frozen=True)
class Club:
    """What the measurements need to know of the database.

    :param list tokens: of the devices, in the order of ``device_ids``
    :param int first_new: number (the part after 0912) that nobody has
    :param str name: of the database
    """

    environment: object
    company_id: int
    device_ids: list
    category_id: int
    tokens: list
    first_new: int = MEMBERS
    name: str = NAME

    def server(self, db=None, **options) -> OdooServer:
        """Return a server with the constant route beside the club's own.

        As docs/operations.md advises: with a ``dbfilter`` every request without a
        session opens a new connection to PostgreSQL, which hides everything else.
        """
        conf = {
            "log_level": "warn",
            "dbfilter": "",
            "addons_path": self._addons_path(),
            "server_wide_modules": "base,rpc,web,club_bench",
            **options.pop("conf", {}),
        }
        return OdooServer(
            db or self.name, conf=conf, environment=self.environment, **options
        )

    def _addons_path(self) -> str:
        path = self.environment.write_conf("bench-path")
        for line in path.read_text().splitlines():
            if line.startswith("addons_path = "):
                return f"{line.removeprefix('addons_path = ')},{ADDONS}"
        raise LookupError("addons_path")

    @contextlib.contextmanager
    def cursor(self):
        """Yield an autocommit cursor on the database."""
        with database.cursor(self.environment, self.name) as cr:
            yield cr

    @contextlib.contextmanager
    def orm(self):
        """Yield an Odoo environment of the superuser in this process."""
        with opened(self.environment, self.name) as env:
            yield env


@contextlib.contextmanager
def ready(environment, members=MEMBERS, name=NAME):
    """Yield a fresh :class:`Club`; its database goes at the end.

    :param int members: how many
    :param str name: of the database
    """
    base = BASE if members == MEMBERS else f"{BASE}_{members}"
    state = _ensure_base(environment, base, members)
    with step(f"database with {members:,} members"):
        database.copy(environment, base, name)
        with database.cursor(environment) as cr:
            # A copy is told not to wait for the disk; measurements do.
            cr.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')
    try:
        yield Club(environment, **state, first_new=members, name=name)
    finally:
        database.drop(environment, name)


def _ensure_base(environment, base, members) -> dict:
    """Make the kept database unless it matches the sources.

    :return: company, devices and tokens
    """
    wanted = fingerprint(
        database.template(environment), source_hash(), FILL, Path(__file__)
    )
    if database.exists(environment, base):
        note = json.loads(database.note(environment, base) or "{}")
        if note.get("built_from") == wanted:
            return note["state"]
    incoming = f"{base}_new"
    database.fresh(environment, incoming, "bench-install")
    with step(f"club of {members:,} members"):
        with opened(environment, incoming) as env:
            state = _build_club(env)
        with database.cursor(environment, incoming) as cr:
            _fill(cr, state, members)
    database.drop(environment, base)
    database.rename(environment, incoming, base)
    note = {"built_from": wanted, "state": state}
    database.set_note(environment, base, json.dumps(note))
    return state


@contextlib.contextmanager
def opened(environment, name):
    """Yield an Odoo environment of the superuser on a database."""
    from odoo import SUPERUSER_ID, api, sql_db
    from odoo.modules.registry import Registry
    from odoo.tools import config

    conf = environment.write_conf("bench-orm", db_name=name, log_level="warn")
    config.parse_config(["-c", str(conf)], setup_logging=True)
    registry = Registry(name)
    try:
        with registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})
    finally:
        Registry.delete(name)
        sql_db.close_db(name)


def _build_club(env) -> dict:
    """Create the company's texts, its group, devices and tags, as people would."""
    country = env.ref(COUNTRY)
    company = env.company
    company.country_id = country
    company._get_sms_line("service").gateway = "test"
    template = {
        "model_id": env["ir.model"]._get_id("res.partner"),
        "company_id": company.id,
        "message_class": "service",
    }
    welcome, repeat = env["sms.template"].create(
        [
            {"name": "Welcome", "body": WELCOME, **template},
            {"name": "Repeat", "body": REPEAT, **template},
        ]
    )
    company.club_welcome_template_id = welcome
    company.club_repeat_template_id = repeat
    group = env["customer.segment"].create({"name": "Visitors"})
    categories = env["res.partner.category"].create(
        [{"name": f"Bench {digit}"} for digit in (1, 2, 3)]
    )
    devices = env["club.device"].create(
        [
            {
                "name": f"Desk {number}",
                "group_id": group.id,
                "country_id": country.id,
                "lang": "en_US",
                "tag_ids": [
                    (0, 0, {"digit": at, "label": f"Tag {at}", "category_id": tag.id})
                    for at, tag in enumerate(categories, start=1)
                ],
            }
            for number in range(1, DEVICES + 1)
        ]
    )
    tokens = [
        device._pair(device.generate_pairing_code(), f"S{number}", "", "", "")["token"]
        for number, device in enumerate(devices)
    ]
    return {
        "company_id": company.id,
        "device_ids": devices.ids,
        "category_id": categories[0].id,
        "tokens": tokens,
    }


def _fill(cr, state, members) -> None:
    """Members with contacts and past visits; and devices that are never too fast."""
    cr.execute("SET synchronous_commit = off")
    # The rows fit each other: without asking for each reference it takes half the time.
    cr.execute("SET session_replication_role = replica")
    cr.execute(
        FILL.read_text(),
        {
            "members": members,
            "company": state["company_id"],
            "devices": state["device_ids"],
            "category": state["category_id"],
        },
    )
    cr.execute("VACUUM ANALYZE")
