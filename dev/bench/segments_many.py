"""Many segments at once: after one contact was edited, and when all of them are due.

Fifty segments are refreshed for one contact, against their full refresh; two hundred
new ones are brought up to date by the worker, slice by slice.
"""

import statistics
import time

from bootstrap.paths import step

from . import _audience
from ._conditions import Conditions
from ._figures import Figure, number, ratio
from .segments import _forget_peak, _resident

OWN_DATABASES = True
SIZE = 100_000
FEW, MANY = 50, 200
ONE_CONTACT_LIMIT = 1 / 100
# A slice ends after two seconds; the segment it is at is finished.
SLICE_SECONDS = 2
RUN_SECONDS = 300
MEMORY_MB = 100


def main(environment, quick=False, sizes=None) -> list[Figure]:
    """Measure many segments.

    :param environment: of the database
    :param bool quick: fewer rounds
    :param list sizes: the first is the number of contacts
    :return: the figures
    """
    size = max(sizes or [SIZE])
    with _audience.ready(environment, size) as audience, audience.orm() as env:
        domains = Conditions.of(env).many(MANY)
        with step(f"{FEW} segments for one of {size:,} contacts"):
            segments = _segments(env, audience, domains[:FEW])
            figures = [_one_contact(env, segments, 3 if quick else 5)]
        with step(f"{MANY} segments of {size:,} contacts"):
            segments += _segments(env, audience, domains[FEW:])
            figures += _all_due(env, segments)
    return figures


def _segments(env, audience, domains):
    segments = env["customer.segment"].create(
        [
            {
                "name": f"Segment {number}",
                "kind": "dynamic",
                "domain": str(domain),
                "user_id": audience.user_id,
                "company_id": audience.company_id,
            }
            for number, domain in enumerate(domains, 1)
        ]
    )
    env.cr.commit()
    return segments


def _one_contact(env, segments, rounds):
    segments.refresh()
    env.cr.execute(
        "SELECT partner_id FROM customer_segment_partner_rel "
        "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %s",
        [rounds],
    )
    busiest = [row[0] for row in env.cr.fetchall()]
    everybody, one = [], []
    for partner_id in busiest:
        everybody.append(_seconds(env, segments.refresh))
        one.append(_seconds(env, segments.refresh, [partner_id]))
    milliseconds = statistics.median(one) * 1000
    return Figure(
        f"one contact over {len(segments)} segments, of their full refresh",
        ratio(one, everybody),
        ONE_CONTACT_LIMIT,
        "<=",
        note=f"{number(milliseconds)} ms, {number(statistics.median(everybody))} s",
    )


def _all_due(env, segments):
    """Everything is new, and the worker is called until nothing is left."""
    env.cr.execute("TRUNCATE customer_segment_partner_rel, customer_segment_event")
    env.cr.execute("UPDATE customer_segment SET state = 'stale', last_refresh = NULL")
    env.cr.commit()
    env.invalidate_all()
    before, slices = _resident("VmRSS"), []
    _forget_peak()
    while env["customer.segment"]._due():
        slices.append(_seconds(env, env["customer.segment.refresh"]._cron_refresh))
    slowest = max(segments.mapped("refresh_seconds"))
    members = sum(segments.mapped("member_count"))
    return [
        Figure(
            f"{len(segments)} new segments",
            sum(slices),
            RUN_SECONDS,
            "<=",
            " s",
            note=f"{members:,} members, {len(slices)} slices",
        ),
        Figure(
            "longest slice of the worker, less its slowest segment",
            max(slices) - slowest,
            SLICE_SECONDS + 0.5,
            "<=",
            " s",
            note=f"slowest segment {number(slowest)} s",
        ),
        Figure(
            f"memory of the process at its peak, {len(segments)} segments",
            _resident("VmHWM") - before,
            MEMORY_MB,
            "<=",
            " MB",
        ),
    ]


def _seconds(env, work, *arguments):
    env.cr.rollback()
    env.invalidate_all()
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began
