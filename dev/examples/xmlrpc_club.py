"""Set up a club device and read today's visits, over XML-RPC."""

import os
import sys
import xmlrpc.client
from datetime import datetime, timezone

DEVICE = "Front desk (XML-RPC)"
TEXT = "Our services: coffee, cakes, breakfast."


def main(url, db, login, secret):
    """Create the device unless it exists, and report on today.

    :param str secret: the password or an API key of a club manager
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
        country_id=call("res.country", "search", [("code", "=", "IR")])[0],
        tag_ids=[(0, 0, tag) for tag in tags],
    )
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0)
    since = midnight.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    checkins = call(
        "club.checkin",
        "search_read",
        [("arrived_at", ">=", since)],
        ["arrived_at", "member_id", "digit", "counted", "visit_no", "message_state"],
    )
    members = call(
        "club.member",
        "read",
        list({row["member_id"][0] for row in checkins if row["member_id"]}),
        ["phone_e164", "partner_id", "visit_count", "first_visit", "last_visit"],
    )
    return {
        "device_id": device_id,
        "code": call("club.device", "generate_pairing_code", [device_id]),
        "checkins": checkins,
        "members": members,
        "visits": sum(row["counted"] for row in checkins),
    }


if __name__ == "__main__":
    names = ("ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_SECRET")
    print(main(*(sys.argv[1:5] or [os.environ[name] for name in names])))
