"""How fast new visitors are prepared, beside creating them one by one.

Each round prepares as many new phones in both ways, in turn.
"""

import time
import uuid

from ._figures import Figure, number, ratio

MINIMUM_RATIO = 5.0


def main(club, quick=False) -> list[Figure]:
    """Measure the batch step against single ORM creations.

    :param Club club: the database
    :param bool quick: fewer phones
    :return: the figures
    """
    count, rounds = (100, 3) if quick else (1000, 3)
    batch, single = [], []
    with club.orm() as env:
        device = env["club.device"].browse(club.device_ids[0])
        first = club.first_new + 500_000
        for round_no in range(rounds):
            start = first + round_no * 2 * count
            batch.append(count / _prepare(env, device, start, count))
            single.append(count / _create(env, device, start + count, count))
        env.cr.rollback()
    return [
        Figure(
            f"{count} new phones prepared, of single creations",
            ratio(batch, single),
            MINIMUM_RATIO,
            note=f"{number(batch[-1])} a second, {number(single[-1])}",
        )
    ]


def _prepare(env, device, start, count):
    """Seconds of the batch step for check-ins that are stored already."""
    row = device._get_intake_row()
    intake = env["club.checkin.intake"]
    for phone in range(start, start + count):
        item = {"event_id": str(uuid.uuid4()), "phone": f"0912{phone:07d}", "tag": 1}
        intake._receive(row, item)
    env.flush_all()
    env.invalidate_all()
    began = time.perf_counter()
    while env["club.checkin.followup"]._follow_up_batch():
        env.flush_all()
    return time.perf_counter() - began


def _create(env, device, start, count):
    """Seconds of the ordinary way: contact, tag, group and message one by one."""
    # A group of its own: writing on one of 100,000 people would measure that alone.
    group = env["customer.segment"].create({"name": f"One by one {start}"})
    tag = device.tag_ids[0]
    line = env.company._get_sms_line("service")
    template = env.company.club_welcome_template_id
    began = time.perf_counter()
    for phone in range(start, start + count):
        partner = env["res.partner"].create(
            {
                "name": f"0912{phone:07d}",
                "phone": f"+98912{phone:07d}",
                "company_id": env.company.id,
                "country_id": device.country_id.id,
            }
        )
        partner.category_id += tag.category_id
        group.included_partner_ids += partner
        env["sms.sms"].create(
            {
                "number": f"+98912{phone:07d}",
                "body": template._render_field("body", partner.ids)[partner.id],
                "partner_id": partner.id,
                "line_id": line.id,
            }
        )
        env.flush_all()
    return time.perf_counter() - began
