"""``make bench``: run the measurements in ``dev/bench``, each a module with ``main()``.

They run in Odoo's virtual environment with PostgreSQL up, and may use
:class:`bootstrap.server.OdooServer` and :mod:`bootstrap.database`.
"""

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


def measure(chosen) -> int:
    """Run measurements inside the virtual environment."""
    status = 0
    for name in chosen:
        say(f"== {name}")
        status |= int(bool(importlib.import_module(f"bench.{name}").main()))
    return status


def run() -> int:
    os.chdir(ROOT)
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        # The package bench/ and this script share their name.
        sys.modules.pop("bench", None)
        return measure(arguments[1:])
    known = names()
    unknown = [name for name in arguments if name not in known]
    if unknown or not known:
        raise SetupError(f"no measurement {unknown}; there are: {', '.join(known)}")
    with lock("suite", "waiting for a test run to end"), environment.ready() as env:
        return subprocess.run(
            [env.python, __file__, "--inside", *(arguments or known)],
            env=environment.script_environment(env),
            check=False,
        ).returncode


if __name__ == "__main__":
    main(run)
