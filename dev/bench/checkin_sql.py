"""How fast a check-in is, beside the same work as plain SQL: what Odoo and HTTP add.

PostgreSQL's own pgbench runs ``checkin.sql`` with as many connections, in turn with
check-ins over HTTP. The figure only informs.
"""

import os
import re
import shutil
import statistics
import subprocess
from pathlib import Path

from bootstrap.paths import say
from bootstrap.postgres import machine_binaries

from ._club import NAME
from ._figures import Figure, number, ratio
from ._wrk import Wrk

SCRIPT = Path(__file__).with_name("checkin.sql")
CONNECTIONS = 8
TPS = re.compile(r"tps = ([0-9.]+)")


def main(club, quick=False) -> list[Figure]:
    """Measure check-ins of known phones both ways.

    :param Club club: the database
    :param bool quick: shorter and fewer rounds
    :return: the figures, none where there is no pgbench
    """
    pgbench = _find()
    if not pgbench:
        say("  no pgbench on this machine (Debian package postgresql): left out")
        return []
    wrk = Wrk(club.tokens, club.first_new)
    seconds, rounds = (1, 2) if quick else (3, 3)
    http, sql = [], []
    with club.server(name="bench-sql") as server:
        wrk.run(server, "known", seconds=1)
        for _round in range(rounds):
            http.append(wrk.run(server, "known", CONNECTIONS, seconds).rate)
            sql.append(_run(pgbench, club, seconds))
    return [
        Figure(
            "a check-in, of the same work as plain SQL",
            ratio(http, sql),
            note=f"{number(statistics.median(http))} of "
            f"{number(statistics.median(sql))} a second, {CONNECTIONS} connections",
        )
    ]


def _find() -> str | None:
    beside = machine_binaries()
    return shutil.which("pgbench") or shutil.which("pgbench", path=beside or "")


def _run(pgbench, club, seconds) -> float:
    """Transactions a second; one that fails ends the measurement."""
    result = subprocess.run(
        [
            *(pgbench, "-n", "-M", "prepared", "-f", str(SCRIPT)),
            *("-c", str(CONNECTIONS), "-j", "1", "-T", str(seconds)),
            *("-D", f"device={club.device_ids[0]}"),
            *("-D", f"company={club.company_id}"),
            NAME,
        ],
        env={**os.environ, **club.environment.server.env},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(TPS.search(result.stdout)[1])
