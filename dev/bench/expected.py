"""How far off expected purchases and values are, on customers nobody here made up.

The CDNOW sample: figures as of 30 September 1997, judged by the 39 weeks that follow,
beside BG/NBD of the package `lifetimes` (its own environment in .local) and beside «the
same as in the last 39 weeks».
"""

import json
import math
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import cdnow
from bootstrap.paths import LOCAL, run, step

from ._figures import Figure

VENV = LOCAL / "lifetimes-venv"
REQUIREMENTS = ("setuptools<80", "numpy", "scipy", "pandas", "autograd", "dill")
PREDICT = Path(__file__).with_name("_bgnbd.py")
HORIZON_DAYS = (cdnow.HOLDOUT_END - cdnow.CALIBRATION_END).days
# The simple estimate may be this much worse than the fitted model.
WORSE = 1.1


def main(club, quick=False) -> list[Figure]:
    """Compare the estimate with what came.

    :param Club club: the database
    :param bool quick: the same
    :return: the figures
    """
    rows = cdnow.purchases()
    known = [row for row in rows if row.day <= cdnow.CALIBRATION_END]
    came = defaultdict(lambda: (0, 0.0))
    for row in rows:
        if row.day > cdnow.CALIBRATION_END:
            count, value = came[row.customer]
            came[row.customer] = (count + 1, value + row.amount)
    past = defaultdict(list)
    for row in known:
        past[row.customer].append(row)
    guesses = {
        "this addon": _ours(club, known),
        "BG/NBD": _bgnbd(past),
        "same as last period": {
            customer: (len(bought), sum(row.amount for row in bought))
            for customer, bought in past.items()
        },
    }
    errors = {
        name: (_error(guess, came, past, 0), _error(guess, came, past, 1))
        for name, guess in guesses.items()
    }
    figures = []
    for at, what in enumerate(("purchases", "value")):
        ours, model, same = (errors[name][at] for name in guesses)
        note = f"RMSE {ours[1]:.2f}; BG/NBD {model[1]:.2f}; same as last {same[1]:.2f}"
        figures += [
            Figure(
                f"error of expected {what}, of BG/NBD's",
                ours[0] / model[0],
                WORSE,
                "<=",
                note=f"mean {ours[0]:.2f}, {model[0]:.2f}; {note}",
            ),
            Figure(
                f"error of expected {what}, of «same as last period»",
                ours[0] / same[0],
                1,
                "<=",
                note=f"mean {ours[0]:.2f}, {same[0]:.2f}",
            ),
        ]
    return figures


def _error(guess, came, customers, at):
    """Mean absolute and root mean square error over all customers."""
    errors = [guess[customer][at] - came[customer][at] for customer in customers]
    return (
        sum(map(abs, errors)) / len(errors),
        math.sqrt(sum(error**2 for error in errors) / len(errors)),
    )


def _ours(club, rows):
    """Expected purchases and value as the addon works them out."""
    with club.orm() as env:
        company = env["res.company"].create(
            {"name": "Records", "profile_horizon_days": HORIZON_DAYS}
        )
        company.club_tz = "UTC"
        env.flush_all()
        cdnow.load(env.cr, company.id, rows)
        profiles = env["customer.profile"]
        profiles._refresh(company, today=cdnow.CALIBRATION_END)
        found = {
            int(profile.partner_id.ref.split()[1]): (
                profile.expected_purchases,
                profile.expected_value,
            )
            for profile in profiles.search([("company_id", "=", company.id)])
        }
        env.cr.rollback()
    return found


def _bgnbd(past):
    """Expected purchases of the fitted model, times the customer's own average."""
    customers = sorted(past)
    task = {"horizon": HORIZON_DAYS / 7, "customers": []}
    for customer in customers:
        days = sorted({row.day for row in past[customer]})
        task["customers"].append(
            (
                len(days) - 1,
                (days[-1] - days[0]).days / 7,
                (cdnow.CALIBRATION_END - days[0]).days / 7,
            )
        )
    answer = subprocess.run(
        [_python(), PREDICT],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        customer: (
            count,
            count * sum(row.amount for row in past[customer]) / len(past[customer]),
        )
        for customer, count in zip(customers, json.loads(answer.stdout), strict=True)
    }


def _python():
    """The Python that has `lifetimes`, made at the first time."""
    python = VENV / "bin" / "python"
    if not (VENV / "done").exists():
        with step("lifetimes, for comparison"):
            install = [python, "-m", "pip", "install", "--quiet"]
            for command in (
                [sys.executable, "-m", "venv", "--clear", VENV],
                [*install, *REQUIREMENTS],
                [*install, "--no-deps", cdnow.PACKAGE],
            ):
                run(command, "lifetimes", "installing lifetimes")
            (VENV / "done").touch()
    return python
