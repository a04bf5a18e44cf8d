"""Set up a club device and read today's visits, over JSON-2."""

import os
import sys
from datetime import datetime, timezone

import requests

DEVICE = "Front desk (JSON-2)"
TEXT = "Our services: coffee, cakes, breakfast."


def main(url, db, login, secret):
    """Create the device unless it exists, and report on today.

    :param str login: not used, the key says whose it is
    :param str secret: an API key of a club manager
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

    group_id = find_or_create("customer.segment", name=DEVICE, kind="static")
    coffee_id = find_or_create("res.partner.category", name="Coffee")
    tags = [  # the second only asks for a text: it has no contact tag
        {"digit": 1, "label": "Coffee", "color": "#7B3F00", "category_id": coffee_id},
        {"digit": 2, "label": "Our services", "color": "#0066CC", "first_text": TEXT},
    ]
    device_id = find_or_create(
        "club.device",
        name=DEVICE,
        group_id=group_id,
        country_id=call("res.country", "search", domain=[["code", "=", "IR"]])[0],
        tag_ids=[[0, 0, tag] for tag in tags],
    )
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0)
    since = midnight.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    checkins = call(
        "club.checkin",
        "search_read",
        domain=[["arrived_at", ">=", since]],
        fields=[
            "arrived_at",
            "member_id",
            "digit",
            "counted",
            "visit_no",
            "message_state",
        ],
    )
    members = call(
        "club.member",
        "read",
        ids=list({row["member_id"][0] for row in checkins if row["member_id"]}),
        fields=["phone_e164", "partner_id", "visit_count", "first_visit", "last_visit"],
    )
    return {
        "device_id": device_id,
        "code": call("club.device", "generate_pairing_code", ids=[device_id]),
        "checkins": checkins,
        "members": members,
        "visits": sum(row["counted"] for row in checkins),
    }


if __name__ == "__main__":
    names = ("ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_SECRET")
    print(main(*(sys.argv[1:5] or [os.environ[name] for name in names])))
