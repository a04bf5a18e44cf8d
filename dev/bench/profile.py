"""How long the figures of all customers take, beside the bare queries of the same.

100,000 contacts with two visits each and three orders, or other numbers of contacts.
Rounds take turns; their seconds are those that Odoo and PostgreSQL worked.
"""

import itertools
import time
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.paths import step

from . import _club
from ._figures import Figure, number, processor, ratio

OWN_DATABASES = True
SIZES = (100_000,)
FILL = Path(__file__).with_name("_purchases.sql")
ORDERS_EACH = 3
LIST_ROUNDS = 15
# A tenfold number of contacts may take this much more than ten times as long.
GROWTH_LIMIT = 1.5


@dataclass
class Timings:
    """Seconds of work of each round; of the slices, seconds that passed."""

    rows: int = 0
    groups: list = field(default_factory=list)
    bare: list = field(default_factory=list)
    first: list = field(default_factory=list)
    stored: list = field(default_factory=list)
    difference: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    nightly: list = field(default_factory=list)
    slices: list = field(default_factory=list)
    few: list = field(default_factory=list)


def main(environment, quick=False, sizes=None) -> list[Figure]:
    """Measure the refresh of all figures, and reading them through contacts.

    :param environment: of the databases
    :param bool quick: fewer rounds
    :param list sizes: numbers of contacts
    :return: the figures
    """
    figures, measured = [], {}
    for size in sorted(sizes or SIZES):
        rounds = 1 if size > max(SIZES) else 2 if quick else 5
        with _club.ready(environment, size, "bench_profile") as club:
            _buy(club, size * ORDERS_EACH)
            with club.orm() as env:
                company = env["res.company"].browse(club.company_id)
                measured[size] = _measure(env, company, rounds)
                figures += _figures_of(measured[size])
                figures += _contacts(env, size)
                env.cr.rollback()
    return figures + _growth(measured)


def _buy(club, orders):
    with step(f"{orders:,} orders"), club.cursor() as cr:
        cr.execute("SET session_replication_role = replica")
        cr.execute(FILL.read_text(), {"orders": orders, "company": club.company_id})


def _growth(measured):
    """How much longer a contact takes among more contacts."""
    figures = []
    for small, large in itertools.pairwise(sorted(measured)):
        for way, label in (
            ("bare", "bare queries"),
            ("first", "first time"),
            ("unchanged", "nothing changed"),
            ("nightly", "at night, in slices"),
        ):
            a_contact = [
                min(getattr(measured[size], way)) / size for size in (large, small)
            ]
            figures.append(
                Figure(
                    f"figures, {label}: a contact among {large:,}, of one among "
                    f"{small:,}",
                    a_contact[0] / a_contact[1],
                    GROWTH_LIMIT,
                    "<=",
                )
            )
    return figures


def _measure(env, company, rounds):
    """Let all ways take turns.

    :rtype: Timings
    """
    profiles, timings = env["customer.profile"], Timings()
    statement = env["customer.profile.statement"]
    scope = profiles._scope(company, None)
    some = env["res.partner"].search([("phone_sanitized", "like", "+98912")], limit=100)
    _make_twin(env)
    for _round in range(rounds):
        env.cr.execute("TRUNCATE customer_profile, bench_profile")
        groups = _work(env, lambda: _bare(env, scope))
        timings.first.append(_work(env, lambda: profiles._refresh(company)))
        env.cr.execute("ANALYZE customer_profile")
        timings.groups.append(groups)
        timings.bare.append(groups + _work(env, lambda: _among(env, scope)))
        timings.stored.append(_work(env, lambda: _store(env)))
        timings.difference.append(_work(env, lambda: _count(env, statement, scope)))
        timings.unchanged.append(_work(env, lambda: _again(profiles, company)))
        timings.nightly.append(
            _work(env, lambda: timings.slices.extend(_nightly(env, company)))
        )
        timings.few.append(_work(env, lambda: profiles._refresh(company, some.ids)))
    env.cr.execute("DROP TABLE bench_profile")
    env.cr.execute("SELECT count(*) FROM customer_profile")
    [timings.rows] = env.cr.fetchone()
    return timings


def _figures_of(timings):
    bare, stored, first = timings.bare, timings.stored, timings.first
    floor = [query + write for query, write in zip(bare, stored, strict=True)]
    return [
        Figure(
            f"figures of {timings.rows:,} customers, first time, of queries and a bare "
            "INSERT",
            ratio(first, floor),
            1.5,
            "<=",
            note=f"{number(first[-1])} s, {number(bare[-1])} + {number(stored[-1])} s",
        ),
        Figure("the same, of the bare queries alone", ratio(first, bare)),
        Figure(
            "figures, nothing changed, of the bare queries",
            ratio(timings.unchanged, bare),
            1.5,
            "<=",
            note=f"{number(timings.unchanged[-1])} s",
        ),
        Figure(
            "the same, of the queries without RFM and what is expected",
            ratio(timings.unchanged, timings.groups),
            note=f"{number(timings.groups[-1])} s",
        ),
        Figure(
            "figures, nothing changed, of the query that finds it",
            ratio(timings.unchanged, timings.difference),
            1.3,
            "<=",
            note=f"{number(timings.difference[-1])} s",
        ),
        Figure(
            "figures at night, in slices, of the bare queries",
            ratio(timings.nightly, bare),
            note=f"{number(timings.nightly[-1])} s, at most "
            f"{number(max(timings.slices))} s a slice",
        ),
        Figure("figures of 100 contacts", min(timings.few), unit=" s"),
    ]


def _again(profiles, company):
    changed = profiles._refresh(company)
    if changed:
        raise AssertionError(f"{changed} rows written for nothing")


def _nightly(env, company):
    """All contacts in slices, and what depends on all of them, as the nightly job.

    :return: seconds of each slice
    """
    touch, runs = env["customer.profile.touch"], env["customer.profile.run"]
    runs._note(company, "slices", 0)
    run = runs.search([("company_id", "=", company.id), ("kind", "=", "slices")])
    seconds, is_last = [], False
    while not is_last:
        began = time.perf_counter()
        is_last = touch._refresh_slice(run)
        seconds.append(time.perf_counter() - began)
    changed = run.changed_count
    touch._end_run(run)
    if changed:
        raise AssertionError(f"{changed} rows written for nothing")
    return seconds


def _make_twin(env):
    """A table like that of the figures, with its indexes and references."""
    env.cr.execute("CREATE TABLE bench_profile (LIKE customer_profile INCLUDING ALL)")
    env.cr.execute(
        """
        SELECT pg_get_constraintdef(oid) FROM pg_constraint
         WHERE contype = 'f' AND conrelid = 'customer_profile'::regclass
        """
    )
    for (definition,) in env.cr.fetchall():
        env.cr.execute(f"ALTER TABLE bench_profile ADD {definition}")


def _store(env):
    """The same rows once more, by a bare INSERT."""
    env.cr.execute("INSERT INTO bench_profile SELECT * FROM customer_profile")


def _count(env, statement, scope):
    """The query that finds what changed, with the memory that the refresh takes."""
    env.cr.execute("SET LOCAL work_mem = '256MB'")
    env.execute_query(statement._count(scope))
    env.cr.execute("SET LOCAL work_mem TO DEFAULT")


def _bare(env, scope):
    """The queries of all groups, each on its own: nothing compared, nothing written."""
    from odoo.tools import SQL

    env.cr.execute("SET LOCAL work_mem = '256MB'")
    for group in env["customer.profile.statement"]._groups().values():
        env.execute_query(SQL("SELECT count(q) FROM (%s) q", group._group(scope)))
    env.cr.execute("SET LOCAL work_mem TO DEFAULT")


def _among(env, scope):
    """The query of RFM, tenths and what is expected, over figures that are there."""
    from odoo.tools import SQL

    env.cr.execute("SET LOCAL work_mem = '256MB'")
    statement = env["customer.profile.statement"]
    env.execute_query(
        SQL("%s SELECT count(f) FROM fresh f", statement._among_all(scope))
    )
    env.cr.execute("SET LOCAL work_mem TO DEFAULT")


def _contacts(env, size):
    """Sorting, grouping and filtering contacts by a figure and by a core column."""
    partners = env["res.partner"]
    figures = []
    for what, figure, core in (
        (
            "sorted by a figure",
            lambda: partners.search([], order="purchase_total desc", limit=80).ids,
            lambda: partners.search([], order="create_date desc", limit=80).ids,
        ),
        (
            "grouped by a figure",
            lambda: partners._read_group([], ["rfm_cell"], ["__count"]),
            lambda: partners._read_group([], ["city"], ["__count"]),
        ),
        (
            "filtered by a figure",
            lambda: partners.search_count([("purchase_total", ">", 500)]),
            lambda: partners.search_count([("color", ">", 5)]),
        ),
    ):
        ours, theirs = zip(
            *((_seconds(figure), _seconds(core)) for _ in range(LIST_ROUNDS)),
            strict=True,
        )
        figures.append(
            Figure(
                f"{size:,} contacts {what}, of a core column",
                ratio(ours, theirs),
                5,
                "<=",
                note=f"{number(ours[-1] * 1000)} ms, {number(theirs[-1] * 1000)} ms",
            )
        )
    return figures


def _work(env, work):
    """How long Odoo and PostgreSQL work for it; what else runs does not count."""
    began = processor(env)
    work()
    return processor(env) - began


def _seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
