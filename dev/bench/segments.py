"""How long a segment takes beside the bare SQL of the same, and how that grows.

For each size, three conditions in turns: who is in for the first time, against an
INSERT of the very query into the empty relation table; and a refresh that finds nothing
changed, against the query of the difference. Every way commits.
"""

import gc
import itertools
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.paths import step

from odoo.tools import SQL

from . import _audience
from ._conditions import Conditions
from ._figures import Figure, number, ratio

OWN_DATABASES = True
SIZES = (10_000, 100_000)
FIRST_LIMIT, UNCHANGED_LIMIT = 2.5, 1.5
PREVIEW_SECONDS = 2
JUDGED_SIZE = 100_000
MEMORY_MB = 100
# A tenfold number of contacts may take this much more than ten times as long.
GROWTH_LIMIT = 1.5


@dataclass
class Timings:
    """Seconds of each round, for one condition at one size."""

    members: int = 0
    written: int = 0
    bare: list = field(default_factory=list)
    first: list = field(default_factory=list)
    difference: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    preview: list = field(default_factory=list)


def main(environment, quick=False, sizes=None) -> list[Figure]:
    """Measure segments of several sizes.

    :param environment: of the databases
    :param bool quick: fewer rounds
    :param list sizes: numbers of contacts
    :return: the figures
    """
    measured, peaks, figures = {}, {}, []
    for size in sorted(sizes or SIZES):
        rounds = 3 if quick or size > JUDGED_SIZE else 7
        with (
            _audience.ready(environment, size) as audience,
            audience.orm() as env,
            step(f"segments of {size:,} contacts"),
        ):
            measured[size], peaks[size] = _measure(env, audience, rounds)
        figures += _figures_of(size, measured[size])
    figures += _growth(measured)
    smallest, largest = min(peaks), max(peaks)
    if smallest < largest:
        figures.append(
            Figure(
                f"memory of the process at its peak, {largest:,} contacts more than "
                f"{smallest:,}",
                peaks[largest] - peaks[smallest],
                MEMORY_MB,
                "<=",
                " MB",
            )
        )
    return figures


def _measure(env, audience, rounds):
    """Let all ways take turns.

    :return: timings by condition, and the growth of the process in MB
    """
    timings = {}
    for name, domain in Conditions.of(env).named().items():
        segment = _segment(env, audience, name, domain)
        # The first time everything is looked up that is kept from then on.
        _fill(env, segment)
        timings[name] = Timings()
    segments = env["customer.segment"].search([("kind", "=", "dynamic")], order="id")
    gc.collect()
    before = _resident("VmRSS")
    _forget_peak()
    for _round in range(rounds):
        for segment in segments:
            _take_turns(env, segment, timings[segment.name])
    return timings, _resident("VmHWM") - before


def _segment(env, audience, name, domain):
    """A segment of the marketer, which nothing has computed yet."""
    segment = env["customer.segment"].create(
        {
            "name": name,
            "kind": "dynamic",
            "domain": str(domain),
            "user_id": audience.user_id,
            "company_id": audience.company_id,
        }
    )
    env.cr.commit()
    return segment


def _take_turns(env, segment, timings):
    condition = env["customer.segment.condition"]
    query = condition._query(segment).select()
    timings.bare.append(_fill(env, segment, lambda: _bare_fill(env, segment, query)))
    timings.first.append(_fill(env, segment))
    timings.difference.append(_seconds(env, lambda: _difference(env, segment, query)))
    timings.unchanged.append(_seconds(env, segment.refresh))
    timings.written += _written(env, segment)
    timings.members = segment.member_count
    marketer = segment.with_user(segment.user_id)
    timings.preview.append(
        _seconds(env, lambda: marketer.preview({"domain": segment.domain}, 60))
    )


def _fill(env, segment, way=None):
    """Seconds to fill a segment whose table is empty."""
    _empty(env)
    return _seconds(env, way or segment.refresh)


def _empty(env):
    env.cr.execute("TRUNCATE customer_segment_partner_rel, customer_segment_event")
    env.cr.commit()
    env.invalidate_all()


def _bare_fill(env, segment, query):
    env.cr.execute(
        SQL(
            "INSERT INTO customer_segment_partner_rel (segment_id, partner_id) "
            "SELECT %s, q.id FROM (%s) q(id)",
            segment.id,
            query,
        )
    )
    env.cr.commit()


def _difference(env, segment, query):
    """Who is in only one of both: nothing but reading."""
    env.cr.execute(
        SQL(
            """
            SELECT count(*) FILTER (WHERE r.id IS NULL),
                   count(*) FILTER (WHERE t.id IS NULL)
              FROM (%s) t(id)
              FULL JOIN (SELECT partner_id AS id FROM customer_segment_partner_rel
                          WHERE segment_id = %s) r ON r.id = t.id
            """,
            query,
            segment.id,
        )
    )
    if env.cr.fetchone() != (0, 0):
        raise AssertionError("members differ from the condition")


def _written(env, segment):
    """Rows that a refresh without a change writes, but for its own time stamp."""
    engine = env["customer.segment.refresh"]
    # What transactions before this one wrote may still be counted.
    before = _rows_written(env)
    engine._refresh_unit(engine._lock(segment))
    written = _rows_written(env) - before
    env.cr.rollback()
    return written


def _rows_written(env):
    env.cr.execute(
        "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) "
        "FROM pg_stat_xact_user_tables WHERE relname <> 'customer_segment'"
    )
    return int(env.cr.fetchone()[0])


def _seconds(env, work):
    env.cr.rollback()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _forget_peak():
    """Let the peak of this process begin anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def _resident(name):
    """Memory of this process in MB, ``VmRSS`` now or ``VmHWM`` at its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def _figures_of(size, timings):
    figures = []
    for name, times in timings.items():
        what = f"{size:,} contacts, {name} condition"
        middle = statistics.median
        figures += [
            Figure(
                f"{what}: first fill, of the bare INSERT",
                ratio(times.first, times.bare),
                FIRST_LIMIT,
                "<=",
                note=f"{times.members:,} members, {number(middle(times.first))} s",
            ),
            Figure(
                f"{what}: nothing changed, of the bare difference",
                ratio(times.unchanged, times.difference),
                # Below that it is all fixed cost: locks, rights, time stamp.
                UNCHANGED_LIMIT if size >= JUDGED_SIZE else None,
                "<=",
                note=f"{number(middle(times.unchanged) * 1000)} ms, "
                f"{number(middle(times.difference) * 1000)} ms",
            ),
            Figure(
                f"{what}: rows written when nothing changed", times.written, 0, "<="
            ),
            Figure(
                f"{what}: audience preview",
                middle(times.preview),
                PREVIEW_SECONDS if size <= JUDGED_SIZE else None,
                "<=",
                " s",
            ),
        ]
    return figures


def _growth(measured):
    """How much longer a contact takes among more contacts."""
    figures, sizes = [], sorted(measured)
    for small, large in itertools.pairwise(sizes):
        for name in measured[small]:
            for way in "first", "unchanged":
                bare = {"first": "bare", "unchanged": "difference"}[way]
                label = {"first": "first fill", "unchanged": "nothing changed"}[way]
                ours, theirs = (
                    _a_contact(measured[large][name], large, of)
                    / _a_contact(measured[small][name], small, of)
                    for of in (way, bare)
                )
                figures.append(
                    Figure(
                        f"{name} condition, {label}: a contact among {large:,}, of one "
                        f"among {small:,}",
                        ours,
                        GROWTH_LIMIT,
                        "<=",
                        note=f"bare SQL: {number(theirs)}",
                    )
                )
    return figures


def _a_contact(timings, size, way):
    return statistics.median(getattr(timings, way)) / size
