"""Opening a contact's form: what the web client reads, with and without this addon.

The fields are those of the form's own view, as the web client asks for them: what
stands in a late part (static/src/late_part) is read when its page is opened, and is
measured on its own. Without the addon it is the same call less the addon's fields. Over
HTTP, calls take turns.
"""

import http.cookiejar
import json
import random
import re
import time
import urllib.request
from pathlib import Path

from bootstrap.paths import MODULE, step
from lxml import etree

from ._figures import Figure, number, ratio

FILL = Path(__file__).with_name("_purchases.sql")
ORDERS = 300_000
LIMIT = 1.3
ROUNDS = 40
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
    """Measure reading contacts for their form.

    :param Club club: the database
    :param bool quick: fewer rounds
    :return: the figures
    """
    with step("orders, figures, scores and guidance"):
        with club.cursor() as cr:
            cr.execute(FILL.read_text(), {"orders": ORDERS, "company": club.company_id})
        with club.orm() as env:
            ids = _prepare(env)
            ours, theirs, late = _specifications(env)
    with club.server(name="bench-form") as server:
        call = _login(server)
        times = {"ours": [], "theirs": [], "late": []}
        calls = (("theirs", theirs), ("ours", ours), ("late", late))
        chooser = random.Random(5)
        for at in range(5 + (ROUNDS // 4 if quick else ROUNDS)):
            id_ = chooser.choice(ids)
            for name, specification in calls:
                began = time.perf_counter()
                call("web_read", [[id_]], specification=specification)
                if at >= 5:  # the first ones fill caches
                    times[name].append(time.perf_counter() - began)
    return [
        Figure(
            "contact form, of the same without this addon",
            ratio(times["ours"], times["theirs"]),
            LIMIT,
            "<=",
            note=f"{number(1000 * min(times['ours']))} ms, "
            f"{number(1000 * min(times['theirs']))} ms; "
            f"{len(ours)} fields, {len(theirs)}",
        ),
        Figure(
            f"all its pages of this addon at once ({len(late)} fields)",
            1000 * min(times["late"]),
            unit=" ms",
        ),
    ]


def _prepare(env):
    """Figures of all, a pack of rules, and contacts with traits and a class."""
    admin = env.ref("base.user_admin")
    admin.password = "admin"
    env["customer.score.template"].with_user(admin).use_pack("shop")
    env["customer.profile"].refresh()
    sets = env["customer.segment.set.template"].with_user(admin).search([])
    for template in sets[:2]:
        template.use()
    contacts = env["res.partner"].search([("purchase_count", ">", 2)], limit=200)
    contacts.trait_ids = env["customer.trait"].search([], limit=2)
    env.cr.commit()
    return contacts.ids


def _specifications(env):
    """What the web client asks for: with this addon, without it, and its late parts."""
    me = env["res.partner"].with_user(env.ref("base.user_admin"))
    arch = etree.fromstring(me.get_view(view_type="form")["arch"])
    everything = _specification(me, arch)
    words = set()
    for part in arch.findall(".//div[@class='o_late_part']"):
        part.getparent().remove(part)
    for node in arch.iter("*"):
        for modifier in MODIFIERS:
            words.update(re.findall(r"\w+", node.get(modifier, "")))
    ours = _specification(me, arch)
    ours |= {name: everything[name] for name in words & everything.keys()}
    theirs = {
        name: value
        for name, value in ours.items()
        if MODULE not in me._fields[name]._modules
    }
    late = {name: everything[name] for name in everything.keys() - ours.keys()}
    return ours, theirs, late


def _specification(model, node):
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
            fields = _specification(comodel, inner[0]) if inner else {}
            value = {"fields": fields or {"display_name": {}}, "limit": 40}
        found[name] = value
    return found


def _parents(node, top):
    parent = node.getparent()
    while parent is not None and parent is not top:
        yield parent
        parent = parent.getparent()


def _login(server):
    """Log in as the administrator.

    :return: a caller of methods of contacts
    """
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def post(path, params):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        request = urllib.request.Request(
            f"{server.url}{path}", body.encode(), {"Content-Type": "application/json"}
        )
        with opener.open(request, timeout=60) as answer:
            result = json.load(answer)
        if "error" in result:
            raise RuntimeError(result["error"]["data"]["message"])
        return result["result"]

    login = {"db": "bench", "login": "admin", "password": "admin"}
    post("/web/session/authenticate", login)

    def call(method, args, **kwargs):
        return post(
            f"/web/dataset/call_kw/res.partner/{method}",
            {"model": "res.partner", "method": method, "args": args, "kwargs": kwargs},
        )

    return call
