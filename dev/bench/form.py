"""Opening a contact's form over HTTP, with this addon and without it.

Without is a copy of the database in which the addon was uninstalled: the same contacts
and orders. Two servers take turns. What opens a form is two calls of the web
client: ``get_views`` (which the browser then keeps) and ``web_read`` of the fields in
the form's own view. What stands in a late part (static/src/late_part) is read when its
page is opened, and is measured on its own.
"""

import contextlib
import http.cookiejar
import json
import random
import re
import statistics
import time
import urllib.request
from pathlib import Path

from bootstrap import database
from bootstrap.paths import MODULE, step
from lxml import etree

from ._club import NAME, opened
from ._figures import Figure, number, worked

FILL = Path(__file__).with_name("_purchases.sql")
BARE = "bench_bare"
ORDERS = 300_000
LIMIT = 1.3
BLOCKS, BLOCK = 9, 20  # blocks of so many calls each
# As in static/src/late_part/late_part.js.
MODIFIERS = (
    "column_invisible",
    "context",
    "domain",
    "invisible",
    "options",
    "readonly",
    "required",
)


def main(club, quick=False) -> list[Figure]:
    """Measure opening contacts.

    :param Club club: the database
    :param bool quick: fewer blocks
    :return: the figures
    """
    with step("orders, figures, scores and guidance"):
        with club.cursor() as cr:
            cr.execute(FILL.read_text(), {"orders": ORDERS, "company": club.company_id})
        with club.orm() as env:
            known, others = _prepare(env)
            first, late = _specification(env)
    with _without(club) as bare_server, club.server(name="bench-form") as server:
        with opened(club.environment, BARE) as env:
            bare_first, _none = _specification(env)
        ours, bare = _Side(club, server), _Side(club, bare_server)
        for _block in range(1 + (BLOCKS // 3 if quick else BLOCKS)):
            for side, specification in ((ours, first), (bare, bare_first)):
                side.ask("views", [_views()] * BLOCK)
                side.ask("known", _readings(known, specification))
                side.ask("other", _readings(others, specification))
            ours.ask("late", _readings(known, late))
    return [
        *_figures("contact with score, traits and segments", ours, bare, "known"),
        *_figures("contact of whom nothing is known", ours, bare, "other"),
        Figure(
            f"all its pages of this addon at once ({len(late)} fields)",
            1000 * min(ours.waits["late"]),
            unit=" ms",
        ),
    ]


def _figures(name, ours, bare, kind):
    """Opening the form, and reading it, of the same without the addon."""
    found = []
    for what, keys in (
        ("opened", ("views", kind)),
        ("read, its view being known", (kind,)),
    ):
        work = [sum(side.work(key) for key in keys) for side in (ours, bare)]
        waits = [sum(min(side.waits[key]) for key in keys) for side in (ours, bare)]
        found.append(
            Figure(
                f"{name}: {what}, of the same without this addon",
                work[0] / work[1],
                LIMIT,
                "<=",
                note="answered in {} and {} ms at best".format(
                    *(number(1000 * wait) for wait in waits)
                ),
            )
        )
    return found


class _Side:
    """A server that is asked, and how much it works for that.

    Judged by the time that Odoo's and PostgreSQL's processes work: waiting for each
    other, and for whatever else runs on the machine, does not count.
    """

    def __init__(self, club, server):
        self.club, self.server = club, server
        self.call = _caller(server)
        self.waits, self.blocks = {}, {}

    def ask(self, kind, calls):
        """Make some calls in a row; the first block of a kind only fills caches."""
        before = self._worked()
        waits = [self.call(method, args, **options) for method, args, options in calls]
        took = (self._worked() - before) / len(calls)
        if kind not in self.blocks:
            self.blocks[kind], self.waits[kind] = [], []
            return
        self.blocks[kind].append(took)
        self.waits[kind] += waits

    def work(self, kind):
        """Seconds of work for one call: the median of the blocks."""
        return statistics.median(self.blocks[kind])

    def _worked(self):
        with database.cursor(self.club.environment) as cr:
            cr.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s", [self.server.db]
            )
            pids = [pid for (pid,) in cr.fetchall()]
        return sum(worked(pid) for pid in (self.server.pid, *pids))


def _views():
    options = {"toolbar": True, "load_filters": False, "action_id": False}
    return "get_views", [[[False, "form"]]], {"options": options}


def _readings(ids, specification):
    """A block of readings of contacts by chance."""
    return [
        ("web_read", [[id_]], {"specification": specification})
        for id_ in random.Random(5).choices(ids, k=BLOCK)
    ]


def _prepare(env):
    """Figures of all, a pack of rules, and contacts with traits and classes.

    :return: ids of contacts with everything, and of contacts with nothing
    """
    admin = env.ref("base.user_admin")
    admin.password = "admin"
    env["customer.score.template"].with_user(admin).use_pack("shop")
    sets = env["customer.segment.set.template"].with_user(admin).search([])
    env["customer.profile"].refresh()
    for template in sets[:2]:
        template.use()
    contacts = env["res.partner"]
    known = contacts.search([("purchase_count", ">", 2)], limit=200)
    known.trait_ids = env["customer.trait"].search([], limit=2)
    others = contacts.create([{"name": f"Contact {n}"} for n in range(200)])
    env.cr.commit()
    return known.ids, others.ids


@contextlib.contextmanager
def _without(club):
    """Serve a copy of the database from which the addon was uninstalled."""
    environment = club.environment
    with step("a copy without this addon"):
        database.copy(environment, NAME, BARE)
        with opened(environment, BARE) as env:
            module = env["ir.module.module"].search([("name", "=", MODULE)])
            module.button_immediate_uninstall()
        for name in (NAME, BARE):
            with database.cursor(environment, name) as cr:
                cr.execute("VACUUM ANALYZE")
    try:
        with club.server(BARE, name="bench-bare") as server:
            yield server
    finally:
        database.drop(environment, BARE)


def _specification(env):
    """What the web client asks for when a contact opens, and what it asks for later.

    :return: two specifications of ``web_read``
    """
    me = env["res.partner"].with_user(env.ref("base.user_admin"))
    arch = etree.fromstring(me.get_view(view_type="form")["arch"])
    everything = _fields_of(me, arch)
    words = set()
    for part in arch.findall(".//div[@class='o_late_part']"):
        part.getparent().remove(part)
    for node in arch.iter("*"):
        for modifier in MODIFIERS:
            words.update(re.findall(r"\w+", node.get(modifier, "")))
    first = _fields_of(me, arch)
    first |= {name: everything[name] for name in words & everything.keys()}
    late = {name: everything[name] for name in everything.keys() - first.keys()}
    return first, late


def _fields_of(model, node):
    found = {}
    for field in node.iterfind(".//field"):
        if any(parent.tag == "field" for parent in _parents(field, node)):
            continue
        name = field.get("name")
        column = model._fields[name]
        value = {}
        if column.type == "many2one":
            value = {"fields": {"display_name": {}}}
        elif column.type in ("one2many", "many2many"):
            comodel = model.env[column.comodel_name]
            inner = [child for child in field if child.tag in ("list", "kanban")]
            fields = _fields_of(comodel, inner[0]) if inner else {}
            value = {"fields": fields or {"display_name": {}}, "limit": 40}
        found[name] = value
    return found


def _parents(node, top):
    parent = node.getparent()
    while parent is not None and parent is not top:
        yield parent
        parent = parent.getparent()


def _caller(server):
    """Log in as the administrator.

    :return: calls a method of contacts and returns the seconds until its answer
    """
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def post(path, params):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        request = urllib.request.Request(
            f"{server.url}{path}", body.encode(), {"Content-Type": "application/json"}
        )
        began = time.perf_counter()
        with opener.open(request, timeout=60) as answer:
            text = answer.read()
        taken = time.perf_counter() - began
        result = json.loads(text)
        if "error" in result:
            raise RuntimeError(result["error"]["data"]["message"])
        return taken

    login = {"db": server.db, "login": "admin", "password": "admin"}
    post("/web/session/authenticate", login)

    def call(method, args, **kwargs):
        return post(
            f"/web/dataset/call_kw/res.partner/{method}",
            {"model": "res.partner", "method": method, "args": args, "kwargs": kwargs},
        )

    return call
