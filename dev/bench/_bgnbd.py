"""BG/NBD of the package `lifetimes`, in an environment of its own: JSON in, JSON out.

Run by expected.py; in: horizon and a list of (repeats, recency, age) in weeks.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")


def run() -> None:
    import pandas
    from lifetimes import BetaGeoFitter

    task = json.load(sys.stdin)
    table = pandas.DataFrame(task["customers"], columns=["repeats", "recency", "age"])
    fitter = BetaGeoFitter()
    fitter.fit(table.repeats, table.recency, table.age)
    guess = fitter.predict(task["horizon"], table.repeats, table.recency, table.age)
    json.dump([float(value) for value in guess], sys.stdout)


if __name__ == "__main__":
    run()
