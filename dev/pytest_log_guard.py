"""pytest plugin: an unexpected WARNING or ERROR in Odoo's log fails the run.

It listens to the log of each test process and, at the end, reads the logs of other
Odoo processes in ``.local/log``: the installation and servers that tests started.
What is expected stands in ``dev/log_allowed.txt``, each with its reason.
"""

import json
import logging
import re

import pytest
from bootstrap.paths import DEV, LOG

OWN_LOG = "test.log"
RESULT = LOG / "test-result.json"
_LINE = re.compile(
    r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ "
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) \S+ (?P<logger>\S+?): (?P<text>.*)$"
)
# A job that runs while its process is asked to end finds its connection closed.
_STOPPED = re.compile(r"odoo\.service\.server: Initiating shutdown")
_STARTED = re.compile(r"odoo: Odoo version")
_ENDING = re.compile(r"(cursor|connection) already closed")
_ANY_LINE = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ [A-Z]+ ")


def allowed_patterns():
    """Read the allow-list: a pattern and its reason, two spaces and # between."""
    patterns = []
    for line in (DEV / "log_allowed.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern, separator, reason = line.partition("  # ")
        if not separator or not reason.strip():
            raise ValueError(f"log_allowed.txt: no reason given for {pattern!r}")
        patterns.append(re.compile(pattern.strip(), re.DOTALL))
    return patterns


class LogGuard(logging.Handler):
    """Collect what nobody expected."""

    def __init__(self, worker_output=None):
        super().__init__(logging.WARNING)
        # Where one of several processes leaves what it found.
        self.worker_output = worker_output
        self.allowed = allowed_patterns()
        self.unexpected = []
        self.test = "outside any test"

    def emit(self, record):
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        self.judge(record.levelname, record.name, text, self.test)

    def judge(self, level, logger, text, where, more=()):
        """Keep one message unless a pattern matches ``logger: text``."""
        line = f"{logger}: {text}"
        if not any(pattern.search(line) for pattern in (*self.allowed, *more)):
            self.unexpected.append(f"[{where}] {level} {line.strip()}")

    def read(self, path):
        """Judge the log of another Odoo process."""
        expected = path.with_suffix(".expected")
        more = []
        if expected.exists():
            lines = expected.read_text().splitlines()
            more = [re.compile(line, re.DOTALL) for line in lines if line]
        found, is_ending = None, False
        for line in [*path.read_text(errors="replace").splitlines(), None]:
            if line is not None and not _ANY_LINE.match(line):
                if found:
                    found[2] += "\n" + line
                continue
            if found:
                self.judge(*found, path.name, [*more, _ENDING] if is_ending else more)
            is_ending = bool(_STOPPED.search(line or "")) or (
                is_ending and not _STARTED.search(line or "")
            )
            match = _LINE.match(line or "")
            serious = match and match["level"] in ("WARNING", "ERROR", "CRITICAL")
            found = list(match.group("level", "logger", "text")) if serious else None

    # === PYTEST === #

    def pytest_runtest_logstart(self, nodeid):
        self.test = nodeid.rsplit("/", 1)[-1]

    def pytest_runtest_logfinish(self):
        self.test = "outside any test"

    def pytest_sessionfinish(self, session):
        logging.getLogger().removeHandler(self)
        if self.worker_output is not None:
            self.worker_output["unexpected"] = self.unexpected
            return
        for path in sorted(LOG.glob("*.log")):
            if path.name != OWN_LOG:
                self.read(path)
        if self.unexpected and not session.exitstatus:
            session.exitstatus = 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.unexpected += getattr(node, "workeroutput", {}).get("unexpected", ())

    def pytest_terminal_summary(self, terminalreporter):
        stats = terminalreporter.stats
        failed = sum(
            len(reports)
            for kind, reports in stats.items()
            if kind in ("failed", "error") or kind.endswith(" failed")
        )
        if self.unexpected:
            terminalreporter.section("unexpected lines in Odoo's log", red=True)
            for text in self.unexpected:
                terminalreporter.write_line(_shortened(text))
        counts = {
            "passed": len(stats.get("passed", ())),
            "failed": failed + bool(self.unexpected),
            "skipped": len(stats.get("skipped", ())),
        }
        RESULT.write_text(json.dumps(counts))


def _shortened(text, lines=25):
    parts = text.splitlines()
    if len(parts) <= lines:
        return text
    half = lines // 2
    return "\n".join([*parts[:half], "  ...", *parts[-half:]])


def pytest_configure(config):
    guard = LogGuard(getattr(config, "workeroutput", None))
    logging.getLogger().addHandler(guard)
    config.pluginmanager.register(guard, "log_guard")
