"""Probe."""

import time
from pathlib import Path

from bootstrap.paths import step

from ._figures import Figure

FILL = Path(__file__).with_name("_purchases.sql")


def main(club, quick=False):
    from odoo.tools import SQL

    with step("orders"), club.cursor() as cr:
        cr.execute(FILL.read_text(), {"orders": 300000, "company": club.company_id})
    with club.orm() as env:
        company = env["res.company"].browse(club.company_id)
        st = env["customer.profile.statement"]
        scope = env["customer.profile"]._scope(company, None)
        env.cr.execute("SHOW work_mem")
        print("work_mem", env.cr.fetchone())
        env.cr.execute("SHOW jit")
        print("jit", env.cr.fetchone())
        env.cr.execute("SET LOCAL work_mem = '256MB'")
        for _ in range(4):
            env.cr.execute("TRUNCATE customer_profile")
            t0 = time.perf_counter()
            for name, g in st._groups().items():
                t = time.perf_counter()
                env.execute_query(SQL("SELECT count(q) FROM (%s) q", g._group(scope)))
                if _ == 0:
                    print(name, round(time.perf_counter() - t, 3))
            t1 = time.perf_counter()
            env["customer.profile"]._refresh(company)
            t2 = time.perf_counter()
            env.cr.execute("ANALYZE customer_profile")
            t2 = time.perf_counter()
            env.execute_query(st._count(scope))
            t3 = time.perf_counter()
            print(
                "bare",
                round(t1 - t0, 2),
                "first",
                round(t2 - t1, 2),
                "count",
                round(t3 - t2, 2),
                "ratio first",
                round((t2 - t1) / (t1 - t0), 2),
                "again",
                round((t3 - t2) / (t1 - t0), 2),
            )
        env.cr.execute(
            SQL("EXPLAIN (ANALYZE, BUFFERS OFF, TIMING ON) %s", st._count(scope))
        )
        Path(f"/tmp/d2prof_plan.txt").write_text(
            "\n".join(r[0] for r in env.cr.fetchall())
        )
        env.cr.rollback()
    return [Figure("x", 1)]
