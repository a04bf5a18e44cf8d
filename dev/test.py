"""``make test``: the suite on a fresh database, or some files on a kept one."""

import argparse
import json
import os
import subprocess
import sys

from bootstrap import database, environment
from bootstrap.paths import (
    ADDONS,
    DEV,
    LOG,
    MODULE,
    ROOT,
    SetupError,
    lock,
    main,
    say,
)

DATABASE = "test"
RESULT = LOG / "test-result.json"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="test_x or test_x::TestX::test_y")
    parser.add_argument("-k", dest="keyword", help="passed on to pytest")
    parser.add_argument("--jobs", type=int, default=1, help="test processes")
    parser.add_argument("--soak", action="store_true", help="the long tests only")
    parser.add_argument("--cov", action="store_true", help="branch coverage")
    return parser.parse_args()


def resolve(files) -> list[str]:
    """Turn ``test_x`` and ``test_x::Class`` into paths below the link."""
    tests = ADDONS / MODULE / "tests"
    if not files:
        return [str(tests)]
    found = []
    for entry in files:
        name, _, rest = entry.partition("::")
        name = name.removeprefix("tests/").removesuffix(".py")
        paths = sorted(tests.rglob(f"{name}.py"))
        if not paths:
            raise SetupError(f"no tests/{name}.py")
        found += [f"{path}::{rest}" if rest else str(path) for path in paths]
    return found


def forget_logs() -> None:
    """Remove the last run's logs: the log guard reads whatever is there."""
    LOG.mkdir(parents=True, exist_ok=True)
    for path in [*LOG.glob("*.log"), *LOG.glob("*.expected"), RESULT]:
        path.unlink(missing_ok=True)


def pytest_command(env, arguments) -> list:
    conf = env.write_conf(
        "test",
        db_name=DATABASE,
        dbfilter=f"^{DATABASE}$",
        logfile=LOG / "test.log",
        screenshots=LOG / "screenshots",
    )
    command = [env.python, "-m", "pytest", "-c", ROOT / "pyproject.toml"]
    # Seen through the link only: from above, the clone itself looks like a package.
    command += ["--rootdir", ADDONS, "--confcutdir", ADDONS, "-p", "pytest_log_guard"]
    command += ["-p", "pytest_processes"]
    command += ["-m", "soak" if arguments.soak else "not soak"]
    command += ["--odoo-config", conf, "--odoo-database", DATABASE]
    command += ["--odoo-log-level", "info", "--odoo-http"]
    if arguments.jobs > 1:
        # Each process has a copy of the database; see dev/pytest_processes.py.
        command += ["-n", str(arguments.jobs), "--dist", "loadgroup"]
    if arguments.keyword:
        command += ["-k", arguments.keyword]
    if arguments.cov:
        command += ["--cov", "--cov-config", ROOT / "pyproject.toml", "--cov-branch"]
        command += ["--cov-report", "term-missing:skip-covered"]
        if arguments.files or arguments.keyword:
            command += ["--cov-fail-under", "0"]
    return [*command, *resolve(arguments.files)]


def closing_line(status: int) -> tuple[str, int]:
    """Return the last line and the exit status."""
    try:
        counts = json.loads(RESULT.read_text())
    except (OSError, ValueError):
        counts = {"passed": 0, "failed": 1, "skipped": 0}
    if status and not counts["failed"]:
        counts["failed"] = 1  # nothing collected, interrupted, or coverage too low
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        line += f", {counts['skipped']} skipped"
    return line, int(bool(status or counts["failed"]))


def run() -> int:
    arguments = parse_arguments()
    os.chdir(ROOT)
    partial = bool(arguments.files or arguments.keyword)
    with (
        lock("suite", "waiting for another test run to end"),
        environment.ready(browser=True) as env,
    ):
        forget_logs()
        try:
            if partial:
                database.current(env, DATABASE)
            else:
                database.fresh(env, DATABASE)
        except SetupError as error:
            say(f"error: {error}")
            say("0 passed, 1 failed")
            return 1
        child_env = environment.script_environment(env)
        child_env.update(
            COVERAGE_FILE=str(ROOT / ".local" / "coverage"), LANG="C.UTF-8"
        )
        status = subprocess.run(
            list(map(str, pytest_command(env, arguments))),
            env=child_env,
            check=False,
        ).returncode
        line, status = closing_line(status)
        say(line)
        return status


if __name__ == "__main__":
    sys.path.insert(0, str(DEV))
    main(run)
