"""How long the figures of all customers take, beside the bare queries of the same.

100,000 contacts with two visits each, 300,000 orders. Rounds take turns.
"""

import time
from pathlib import Path

from bootstrap.paths import step

from ._figures import Figure, number, ratio

FILL = Path(__file__).with_name("_purchases.sql")
ORDERS = 300_000


def main(club, quick=False) -> list[Figure]:
    """Measure the refresh of all figures, and reading them through contacts.

    :param Club club: the database
    :param bool quick: fewer rounds
    :return: the figures
    """
    rounds = 2 if quick else 5
    with step("300,000 orders"), club.cursor() as cr:
        cr.execute(FILL.read_text(), {"orders": ORDERS, "company": club.company_id})
    with club.orm() as env:
        figures = _refresh(env, club.company_id, rounds)
        figures += _contacts(env, rounds)
        env.cr.rollback()
    return figures


def _refresh(env, company_id, rounds):
    company = env["res.company"].browse(company_id)
    profiles = env["customer.profile"]
    statement = env["customer.profile.statement"]
    scope = profiles._scope(company, None)
    first, unchanged, bare, stored, difference = [], [], [], [], []
    _make_twin(env)
    for _round in range(rounds):
        env.cr.execute("TRUNCATE customer_profile, bench_profile")
        bare.append(_seconds(lambda: _bare(env, scope)))
        first.append(_seconds(lambda: profiles._refresh(company)))
        env.cr.execute("ANALYZE customer_profile")
        stored.append(_seconds(lambda: _store(env)))
        difference.append(_seconds(lambda: _count(env, statement, scope)))
        began = time.perf_counter()
        changed = profiles._refresh(company)
        unchanged.append(time.perf_counter() - began)
        if changed:
            raise AssertionError(f"{changed} rows written for nothing")
    env.cr.execute("DROP TABLE bench_profile")
    floor = [query + write for query, write in zip(bare, stored, strict=True)]
    env.cr.execute("SELECT count(*) FROM customer_profile")
    [rows] = env.cr.fetchone()
    some = env["res.partner"].search([("phone_sanitized", "like", "+98912")], limit=100)
    few = [_seconds(lambda: profiles._refresh(company, some.ids)) for _ in first]
    return [
        Figure(
            f"figures of {rows:,} customers, first time, of queries and a bare INSERT",
            ratio(first, floor),
            1.5,
            "<=",
            note=f"{number(first[-1])} s, {number(bare[-1])} + {number(stored[-1])} s",
        ),
        Figure(
            "figures, nothing changed, of the bare queries",
            ratio(unchanged, bare),
            1.5,
            "<=",
            note=f"{number(unchanged[-1])} s",
        ),
        Figure(
            "figures, nothing changed, of the query that finds it",
            ratio(unchanged, difference),
            1.3,
            "<=",
            note=f"{number(difference[-1])} s",
        ),
        Figure("figures of 100 contacts", min(few), unit=" s"),
    ]


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


def _contacts(env, rounds):
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
        ours = [_seconds(figure) for _ in range(rounds)]
        theirs = [_seconds(core) for _ in range(rounds)]
        figures.append(
            Figure(
                f"100,000 contacts {what}, of a core column",
                ratio(ours, theirs),
                5,
                "<=",
                note=f"{number(ours[-1] * 1000)} ms, {number(theirs[-1] * 1000)} ms",
            )
        )
    return figures


def _seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
