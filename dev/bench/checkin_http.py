"""How fast a check-in is, beside a constant answer.

Each round runs every way once, in turn, on the same machine state; a ratio is the
median of the rounds' own ratios.
"""

import statistics
from collections import defaultdict

from bootstrap.paths import say

from ._figures import Figure, number, ratio
from ._wrk import Wrk

MINIMUM_RATIO = 0.7
MAXIMUM_P99_RATIO = 2.0
KINDS = ("constant", "known", "new")
LABELS = {"known": "known phone", "new": "new phone"}


def main(club, quick=False) -> list[Figure]:
    """Measure threaded and prefork servers and pgbench.

    :param Club club: the database
    :param bool quick: shorter and fewer rounds
    :return: the figures
    """
    wrk = Wrk(club.tokens, club.first_new)
    seconds, rounds = (1, 3) if quick else (3, 4)
    # No worker in these servers: it would work off one way's check-ins during the next.
    with club.server(name="bench-threaded") as server:
        threaded = _interleave(club, wrk, server, seconds, rounds)
    with club.server(name="bench-busy", cron_threads=3) as server:
        errors, busiest = _server_errors(wrk, server, seconds, 1 if quick else 2)
    with club.server(name="bench-prefork", workers=2) as server:
        prefork = _interleave(club, wrk, server, seconds, rounds - 1)
    return [
        *_compare("threaded", threaded, limited=True),
        Figure(
            "threaded, 32 connections: answers 5xx",
            errors,
            0,
            "<=",
            note=f"of {busiest:,} with the worker in the same process",
        ),
        *_compare("prefork (2 workers)", prefork),
    ]


def _interleave(club, wrk, server, seconds, rounds):
    """Run all kinds in turn, ``rounds`` times.

    :return: loads by kind
    """
    for kind in KINDS:
        wrk.run(server, kind, seconds=1)
    loads = defaultdict(list)
    for round_no in range(rounds):
        # Each round starts with another kind: none is always first after a pause.
        turn = round_no % len(KINDS)
        for kind in KINDS[turn:] + KINDS[:turn]:
            loads[kind].append(wrk.run(server, kind, seconds=seconds))
        say(
            f"  {server.name} round {round_no + 1}: "
            + ", ".join(f"{kind} {loads[kind][-1].rate:,.0f}/s" for kind in KINDS)
        )
    return loads


def _compare(label, loads, limited=False):
    """Ratios of known and new phones to the constant route."""
    figures = []
    base = loads["constant"]
    for kind, name in LABELS.items():
        rates = [load.rate for load in loads[kind]]
        figures.append(
            Figure(
                f"{label}, {name}: throughput of the constant route's",
                ratio(rates, [load.rate for load in base]),
                MINIMUM_RATIO if limited else None,
                note=f"{number(statistics.median(rates))} of "
                f"{number(statistics.median(load.rate for load in base))} a second, "
                "8 connections",
            )
        )
        slow = [load.p99 for load in loads[kind]]
        figures.append(
            Figure(
                f"{label}, {name}: p99 of the constant route's",
                ratio(slow, [load.p99 for load in base]),
                MAXIMUM_P99_RATIO if limited else None,
                "<=",
                note=f"{number(statistics.median(slow))} ms, "
                f"{number(statistics.median(load.p99 for load in base))} ms",
            )
        )
    failed = sum(load.server_errors for some in loads.values() for load in some)
    figures.append(
        Figure(f"{label}: answers 5xx", failed, 0 if limited else None, "<=")
    )
    return figures


def _server_errors(wrk, server, seconds, rounds):
    """Count 5xx answers at 32 connections, with the worker working meanwhile."""
    errors = total = 0
    for _round in range(rounds):
        for kind in ("known", "new"):
            load = wrk.run(server, kind, connections=32, seconds=seconds)
            errors += load.server_errors + load.sockets + load.timeouts
            total += load.requests
    return errors, total
