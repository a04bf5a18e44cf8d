"""Keep a segment and a group, and ask them who, why and since when, over JSON-2."""

import os
import sys

import requests

SEGMENT, GROUP = "Tehran (JSON-2)", "Invited (JSON-2)"


def main(url, db, login, secret):
    """Create segment and group unless they exist, and report on their members.

    :param str login: not used, the key says whose it is
    :param str secret: an API key of a marketer
    :rtype: dict
    """
    session = requests.Session()
    session.headers.update({"Authorization": f"bearer {secret}", "X-Odoo-Database": db})

    def call(model, method, **kwargs):
        endpoint = f"{url}/json/2/{model}/{method}"
        response = session.post(endpoint, json=kwargs, timeout=30)
        response.raise_for_status()
        return response.json()

    def find_or_create(model, **values):
        found = call(model, "search", domain=[["name", "=", values["name"]]], limit=1)
        return (found or call(model, "create", vals_list=[values]))[0]

    segment_id = find_or_create(
        "customer.segment",
        name=SEGMENT,
        kind="dynamic",
        domain="['|', ('city', '=', 'Tehran'), ('city', '=', 'تهران')]",
    )
    changed = call("customer.segment", "refresh", ids=[segment_id])
    of_segment = [["segment_ids", "in", [segment_id]]]
    member_ids = call("res.partner", "search", domain=of_segment)
    # By hand: a write on the members becomes «always in».
    group_id = find_or_create("customer.segment", name=GROUP, kind="static")
    invited = [[4, member_id] for member_id in member_ids[:2]]
    call(
        "customer.segment",
        "write",
        ids=[group_id],
        vals={"included_partner_ids": invited},
    )
    events = call(
        "customer.segment.event",
        "search_read",
        domain=[["segment_id", "in", [segment_id, group_id]]],
        fields=["segment_id", "partner_id", "kind", "cause", "date"],
    )
    answer = {
        "segment": call(
            "customer.segment",
            "read",
            ids=[segment_id],
            fields=["member_count", "state", "last_refresh"],
        )[0],
        "changed": changed,
        "members": member_ids,
        "group": call(
            "customer.segment", "read", ids=[group_id], fields=["partner_ids"]
        )[0],
        "events": events,
    }
    if member_ids:
        subject = {"ids": [segment_id], "record_id": member_ids[0]}
        answer["why"] = call("customer.segment", "why", **subject)
        answer["since"] = call(
            "customer.segment", "members_at", ids=[segment_id], date=events[-1]["date"]
        )
    return answer


if __name__ == "__main__":
    names = ("ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_SECRET")
    print(main(*(sys.argv[1:5] or [os.environ[name] for name in names])))
