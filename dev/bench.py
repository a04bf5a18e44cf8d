"""``make bench``: run the measurements in ``dev/bench`` and print one table.

Each is a module with ``main(club, quick)`` that returns figures; one with
``OWN_DATABASES`` makes its own and has ``main(environment, quick, sizes)``. They run in
Odoo's virtual environment with PostgreSQL up. A figure beyond its limit is shown, not
punished: on a busy machine it may be noise. Only errors end with a status.
"""

import argparse
import contextlib
import importlib
import os
import subprocess
import sys

from bootstrap import environment
from bootstrap.paths import DEV, ROOT, SetupError, lock, main, say

BENCH = DEV / "bench"


def names() -> list[str]:
    """Return the measurements there are."""
    found = []
    for path in sorted(BENCH.glob("*.py")):
        if not path.name.startswith("_") and "def main(" in path.read_text():
            found.append(path.stem)
    return found


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(names())}")
    parser.add_argument("--quick", action="store_true", help="a rough idea, sooner")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        help="contacts of the segment measurements, such as 10000,100000,1000000",
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(chosen, quick, sizes) -> None:
    """Run measurements inside the virtual environment and print their figures."""
    from bench import _club, _figures

    figures, club = [], None
    with environment.ready() as env, contextlib.ExitStack() as stack:
        for name in chosen:
            say(f"== {name}")
            module = importlib.import_module(f"bench.{name}")
            if hasattr(module, "OWN_DATABASES"):
                figures += module.main(env, quick, sizes)
                continue
            club = club or stack.enter_context(_club.ready(env))
            figures += module.main(club, quick)
    say("")
    _figures.print_table(figures)
    missed = sum(figure.verdict == "NOT OK" for figure in figures)
    say(
        "\nRatios compare what ran side by side; other work on this machine blurs them."
        + (f"\n{missed} beyond their limit: run again when it is quiet." * bool(missed))
    )


def run() -> int:
    os.chdir(ROOT)
    arguments = parse_arguments()
    known = names()
    unknown = [name for name in arguments.names if name not in known]
    if unknown or not known:
        raise SetupError(f"no measurement {unknown}; there are: {', '.join(known)}")
    chosen, sizes = arguments.names or known, arguments.sizes
    if arguments.inside:
        # The package bench/ and this script share their name.
        sys.modules.pop("bench", None)
        measure(chosen, arguments.quick, arguments.sizes)
        return 0
    with lock("suite", "waiting for a test run to end"), environment.ready() as env:
        return subprocess.run(
            [
                *(env.python, __file__, "--inside"),
                *(["--quick"] if arguments.quick else []),
                *(["--sizes", ",".join(map(str, sizes))] if sizes else []),
                *chosen,
            ],
            env=environment.script_environment(env),
            check=False,
        ).returncode


if __name__ == "__main__":
    main(run)
