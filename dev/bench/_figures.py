"""Figures, their limits, and the one table at the end."""

import math
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from bootstrap.paths import say


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    :param str name: what was measured
    :param float measured: the value
    :param float limit: what it is compared with; None for a figure that only informs
    :param str sense: ``>=`` or ``<=``: how a good value relates to the limit
    :param str unit: appended to both numbers
    :param str note: what the value was made of
    """

    name: str
    measured: float
    limit: float | None = None
    sense: str = ">="
    unit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        good = (
            self.measured >= self.limit
            if self.sense == ">="
            else self.measured <= self.limit
        )
        return "ok" if good else "NOT OK"


def number(value: float, unit: str = "") -> str:
    """Return a value with as many digits as mean something."""
    if math.isnan(value):
        return "none"
    if value == int(value) and abs(value) < 100:
        text = f"{value:.0f}"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.2f}"
    return text + unit


def ratio(values, bases) -> float:
    """Return the median of the rounds' own ratios: noise that meets a whole round
    meets both sides of it.
    """
    return statistics.median(
        value / base if base else float("nan")
        for value, base in zip(values, bases, strict=True)
    )


def processor(env):
    """Seconds that Odoo's process and its PostgreSQL process have worked (Linux)."""
    env.cr.execute("SELECT pg_backend_pid()")
    [pid] = env.cr.fetchone()
    return time.process_time() + worked(pid)


def worked(pid) -> float:
    """Return the seconds that a process has worked (Linux)."""
    # After the name, which may hold blanks: user time is field 14, system time 15.
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def print_table(figures) -> None:
    """Print figure, limit, measured value and verdict."""
    rows = [("figure", "limit", "measured", "", "")]
    for figure in figures:
        limit = ""
        if figure.limit is not None:
            limit = f"{figure.sense} {number(figure.limit, figure.unit)}"
        measured = number(figure.measured, figure.unit)
        rows.append((figure.name, limit, measured, figure.verdict, figure.note))
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    for at, row in enumerate(rows):
        cells = [
            row[0].ljust(widths[0]),
            row[1].rjust(widths[1]),
            row[2].rjust(widths[2]),
            row[3].ljust(widths[3]),
            row[4],
        ]
        say("  ".join(cells).rstrip())
        if not at:
            say("  ".join("-" * width for width in widths))
