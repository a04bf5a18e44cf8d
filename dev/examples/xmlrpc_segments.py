"""Keep a segment and a group, and ask them who, why and since when, over XML-RPC."""

import os
import sys
import xmlrpc.client

SEGMENT, GROUP = "Tehran (XML-RPC)", "Invited (XML-RPC)"


def main(url, db, login, secret):
    """Create segment and group unless they exist, and report on their members.

    :param str secret: the password or an API key of a marketer
    :rtype: dict
    """
    common = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/common")
    uid = common.authenticate(db, login, secret, {})
    if not uid:
        raise PermissionError("Odoo refused the login")
    models = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/object", allow_none=True)

    def call(model, method, *args, **kwargs):
        return models.execute_kw(db, uid, secret, model, method, args, kwargs)

    def find_or_create(model, **values):
        found = call(model, "search", [("name", "=", values["name"])], limit=1)
        return found[0] if found else call(model, "create", values)

    segment_id = find_or_create(
        "customer.segment",
        name=SEGMENT,
        kind="dynamic",
        domain="['|', ('city', '=', 'Tehran'), ('city', '=', 'تهران')]",
    )
    changed = call("customer.segment", "refresh", [segment_id])
    member_ids = call("res.partner", "search", [("segment_ids", "in", [segment_id])])
    # By hand: a write on the members becomes «always in».
    group_id = find_or_create("customer.segment", name=GROUP, kind="static")
    invited = [(4, member_id) for member_id in member_ids[:2]]
    call("customer.segment", "write", [group_id], {"included_partner_ids": invited})
    events = call(
        "customer.segment.event",
        "search_read",
        [("segment_id", "in", [segment_id, group_id])],
        ["segment_id", "partner_id", "kind", "cause", "date"],
    )
    answer = {
        "segment": call(
            "customer.segment",
            "read",
            [segment_id],
            ["member_count", "state", "last_refresh"],
        )[0],
        "changed": changed,
        "members": member_ids,
        "group": call("customer.segment", "read", [group_id], ["partner_ids"])[0],
        "events": events,
    }
    if member_ids:
        answer["why"] = call("customer.segment", "why", [segment_id], member_ids[0])
        answer["since"] = call(
            "customer.segment", "members_at", [segment_id], events[-1]["date"]
        )
    return answer


if __name__ == "__main__":
    names = ("ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_SECRET")
    print(main(*(sys.argv[1:5] or [os.environ[name] for name in names])))
