"""Twenty scoring rules over 100,000 contacts, beside the bare sums they stand for.

Twelve rules ask for fields of the contact, eight for orders, tags, visits and events.
The limit is one scan with a sum of CASE over the very conditions of the ORM.
"""

import statistics
import time
from pathlib import Path

from odoo.tools import SQL

from ._figures import Figure, ratio

ORDERS = Path(__file__).with_name("_orders.sql")
SCAN_LIMIT, DIFFERENCE_LIMIT, LIST_LIMIT = 1.5, 1.3, 5.0
# Conditions of the contact itself …
SIMPLE = [
    "[('is_company', '=', True)]",
    "[('city', '=', 'City 7')]",
    "[('city', 'in', ['City 1', 'City 2', 'City 3'])]",
    "[('function', 'ilike', 'manager')]",
    "[('color', '>=', 90)]",
    "[('color', '<', 10)]",
    "[('create_date', '>=', 'today -30d')]",
    "[('create_date', '<', 'today -200d')]",
    "[('country_id.code', '=', 'IR')]",
    "[('email', '=', False)]",
    "[('lang', '=', 'en_US')]",
    "[('employee_count', '>', 50)]",
]
# … and of what belongs to it.
RELATED = [
    "[('sale_order_ids', 'any', [('state', '=', 'sale')])]",
    "[('sale_order_ids', 'any', [('state', '=', 'sale'), "
    "('date_order', '>=', 'today -60d')])]",
    "[('sale_order_ids', 'any', [('amount_total', '>', 3000)])]",
    "[('sale_order_ids', 'not any', [('state', '=', 'sale')])]",
    "[('category_id.name', 'ilike', 'bench 1')]",
    "[('club_visit_count', '>=', 2)]",
]
EVENTS = [
    {"event_source": "visit", "repeat": "event", "cap": 15},
    {
        "event_source": "purchase",
        "repeat": "event",
        "cap": 20,
        "half_life_days": 90,
    },
]


def main(club, quick=False) -> list[Figure]:
    """Measure working scores out, and lists by score.

    :param Club club: the database
    :param bool quick: fewer rounds
    :return: the figures
    """
    rounds = 2 if quick else 5
    with club.orm() as env:
        env.cr.execute(ORDERS.read_text(), {"company": env.company.id})
        _make_rules(env)
        figures = [*_measure_first(env), *_measure_again(env, rounds)]
        figures += _measure_lists(env, rounds)
        env.cr.rollback()
    return figures


def _make_rules(env):
    marketer = env["res.users"].create(
        {
            "name": "Bench",
            "login": "bench-scores",
            "group_ids": [
                (4, env.ref(name).id)
                for name in (
                    "customer_segmentation.customer_segmentation_group_club_manager",
                    "sales_team.group_sale_manager",
                )
            ],
        }
    )
    values = [{"domain": domain} for domain in SIMPLE + RELATED] + EVENTS
    env["customer.score.rule"].create(
        [
            {
                "name": f"Rule {number}",
                "points": 5 if number % 4 else -5,
                "user_id": marketer.id,
                **rule,
            }
            for number, rule in enumerate(values, 1)
        ]
    )
    env.flush_all()


def _timed(function, *arguments):
    began = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - began, result


def _prepared(env):
    engine = env["customer.score.refresh"]
    rules = env["customer.score.rule"]._valid_rules(env.company, "res.partner")
    return engine._prepare(env.company, "res.partner", rules, {})


def _run(env, query):
    env.cr.execute("SET LOCAL work_mem = '256MB'")
    rows = env.execute_query(query)
    env.cr.execute("SET LOCAL work_mem TO DEFAULT")
    return rows[0]


def _sum_of_case(env):
    """One scan, a sum of CASE: nothing is compared, nothing is kept."""
    scan = env["customer.score.scan"]
    query = scan._begin(env.company, "res.partner")
    rules = env["customer.score.rule"]._valid_rules(env.company, "res.partner")
    columns = [scan._column(rule, query) for rule in rules]
    return SQL(
        "SELECT count(*), sum(total) FROM (SELECT res_partner.id, %s AS total "
        "FROM %s WHERE %s OFFSET 0) s",
        SQL(" + ").join(column.points for column in columns),
        query.from_clause,
        query.where_clause,
    )


def _difference(env):
    target, columns = _prepared(env)
    engine = env["customer.score.refresh"]
    return SQL(
        "SELECT count(*) FROM (%s) d",
        engine._difference(env.company, "res.partner", target, columns),
    )


def _bare_fill(env):
    """The same lines and scores by bare INSERTs, in one statement."""
    target, columns = _prepared(env)
    values = SQL(", ").join(
        SQL("(%s, %s)", column.rule.id, SQL.identifier("t", f"p{number}"))
        for number, column in enumerate(columns, 1)
    )
    return SQL(
        """
        WITH target AS MATERIALIZED (%(target)s),
        lines AS (INSERT INTO customer_score_line
                              (rule_id, partner_id, company_id, points, since)
                  SELECT v.rule_id, t.id, %(company)s, v.points, now()
                    FROM target t CROSS JOIN LATERAL (VALUES %(values)s)
                         v (rule_id, points)
                   WHERE v.points <> 0 RETURNING 1),
        scores AS (INSERT INTO customer_profile (partner_id, company_id, score, grade)
                   SELECT id, %(company)s, score, grade FROM target RETURNING 1)
        SELECT (SELECT count(*) FROM lines), (SELECT count(*) FROM scores)
        """,
        target=target,
        values=values,
        company=env.company.id,
    )


def _written(env):
    """Rows that this transaction wrote so far."""
    env.cr.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
    )
    return env.cr.fetchone()[0]


def _measure_first(env):
    """First fill: once each, from nothing."""
    env.cr.execute("SAVEPOINT first_fill")
    bare, (lines, scores) = _timed(_run, env, _bare_fill(env))
    env.cr.execute("ROLLBACK TO SAVEPOINT first_fill")
    engine = env["customer.score.refresh"]
    ours, _changed = _timed(engine._refresh, env.company, "res.partner")
    env.cr.execute("ANALYZE customer_score_line; ANALYZE customer_profile")
    return [
        Figure(
            "20 rules, first fill, of bare INSERTs",
            ours / bare,
            SCAN_LIMIT,
            "<=",
            note=f"{lines:,} lines, {scores:,} scores, {ours:.2f} s",
        )
    ]


def _measure_again(env, rounds):
    """Nothing changed: the usual case."""
    engine = env["customer.score.refresh"]
    scans, differences, ours, daily = [], [], [], []
    written = 0
    for _round in range(rounds):
        scans.append(_timed(_run, env, _sum_of_case(env))[0])
        differences.append(_timed(_run, env, _difference(env))[0])
        before = _written(env)
        seconds, changed = _timed(engine._refresh, env.company, "res.partner")
        ours.append(seconds)
        written += _written(env) - before + changed
        daily.append(_timed(engine._refresh, env.company, "res.partner", None, True)[0])
    env.cr.execute("SELECT partner_id FROM club_member LIMIT 100")
    some = [id_ for (id_,) in env.cr.fetchall()]
    touched = statistics.median(
        _timed(engine._refresh, env.company, "res.partner", some)[0]
        for _round in range(rounds)
    )
    middle = statistics.median
    return [
        Figure(
            "20 rules, nothing changed, of one scan with a sum of CASE",
            ratio(ours, scans),
            SCAN_LIMIT,
            "<=",
            note=f"{middle(ours):.3f} s, {middle(scans):.3f}",
        ),
        Figure(
            "20 rules, nothing changed, of the query of the differences",
            ratio(ours, differences),
            DIFFERENCE_LIMIT,
            "<=",
            note=f"{middle(differences):.3f} s",
        ),
        Figure("rows written when nothing changed", written, 0, "<="),
        Figure(
            "the daily run, which compares every line, of one scan",
            ratio(daily, scans),
            note=f"{middle(daily):.3f} s",
        ),
        Figure("20 rules for 100 touched contacts", touched * 1000, unit=" ms"),
    ]


def _measure_lists(env, rounds):
    """Sorting, grouping and filtering by score, of the same by a stored column."""
    partners = env["res.partner"]
    # By id, as the search view writes it: how many share a code nobody can estimate.
    mine = [("country_id", "=", env.ref("base.ir").id)]

    def query(function):
        env.invalidate_all()
        return _timed(function)[0]

    kinds = {
        "sorted": (
            lambda: partners.search(mine, order="customer_score desc, id", limit=80),
            lambda: partners.search(mine, order="color desc, id", limit=80),
        ),
        "grouped": (
            lambda: partners._read_group(mine, ["customer_grade"], ["__count"]),
            lambda: partners._read_group(mine, ["color"], ["__count"]),
        ),
        "filtered": (
            lambda: partners.search_count([*mine, ("customer_score", ">=", 30)]),
            lambda: partners.search_count([*mine, ("color", ">=", 30)]),
        ),
    }
    figures = []
    for name, (by_score, by_column) in kinds.items():
        scores, columns = [], []
        for _round in range(rounds):
            columns.append(query(by_column))
            scores.append(query(by_score))
        figures.append(
            Figure(
                f"100,000 contacts {name} by score, of a stored column",
                ratio(scores, columns),
                LIST_LIMIT,
                "<=",
                note=f"{statistics.median(scores) * 1000:.0f} ms",
            )
        )
    return figures
