"""Where things live, and the few helpers every part shares."""

import ast
import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

MODULE = "customer_segmentation"
ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "dev"
LOCAL = ROOT / ".local"
# Logs of Odoo processes lie in LOG itself (the log guard reads them), those of
# installers in LOG/setup.
LOG = LOCAL / "log"
SETUP_LOG = LOG / "setup"
ADDONS = LOCAL / "addons"
BIN = LOCAL / "bin"
DATA = LOCAL / "data"
CONF = LOCAL / "conf"
STAMP = ".stamp"
LANGUAGES = "en_US,fa_IR"

_print_lock = threading.Lock()


class SetupError(Exception):
    """Something a developer has to know or do; shown without a traceback."""


def say(message: str) -> None:
    """Print one progress line; safe from any thread."""
    with _print_lock:
        print(message, flush=True)


@contextlib.contextmanager
def step(label: str):
    """Announce how long a slow step took, once it is over."""
    start = time.monotonic()
    yield
    say(f"  {label} ({time.monotonic() - start:.0f} s)")


def fingerprint(*parts) -> str:
    """Return a short hash of strings and file contents."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def is_stamped(folder: Path, value: str) -> bool:
    """Tell whether ``folder`` was completed for ``value``."""
    try:
        return (folder / STAMP).read_text() == value
    except OSError:
        return False


def stamp(folder: Path, value: str) -> None:
    """Mark ``folder`` as complete. Always the last step of an installation."""
    (folder / STAMP).write_text(value)


def remove(path: Path) -> None:
    """Delete a file, link or tree, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def run(command, log: str, what: str, **options) -> None:
    """Run an installer quietly, its output in ``.local/log/setup/<log>.log``.

    :raise SetupError: with the end of that output when it fails.
    """
    SETUP_LOG.mkdir(parents=True, exist_ok=True)
    path = SETUP_LOG / f"{log}.log"
    with path.open("ab") as output:
        start = output.tell()
        result = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            **options,
        )
    if result.returncode:
        with path.open("rb") as output:
            output.seek(start)
            tail = output.read().decode(errors="replace").splitlines()[-15:]
        raise SetupError(
            "\n".join([f"{what} failed (see {path.relative_to(ROOT)}):", *tail])
        )


@contextlib.contextmanager
def lock(name: str, waiting: str = ""):
    """Hold ``.local/<name>.lock``; say ``waiting`` when someone else has it."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """Return a TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def manifest() -> dict:
    """Return the addon's manifest."""
    return ast.literal_eval((ROOT / "__manifest__.py").read_text())


def addon_files() -> list[Path]:
    """Return the addon's files that git knows or would take, in a stable order."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = sorted(set(filter(None, listed.split("\0"))))
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def source_hash() -> str:
    """Return a hash of what the database is built from: code and data, no tests."""
    parts = []
    for path in addon_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in ("tests", "dev", "docs"):
            continue
        if path.suffix in (".py", ".xml", ".csv", ".po", ".sql"):
            parts += [name, path]
    return fingerprint(*parts)


def records_hash() -> str:
    """Return a hash of the records that an update may leave as they are."""
    folders = [ROOT / "data", ROOT / "security"]
    return fingerprint(*sorted(p for f in folders for p in f.glob("*.xml")))


def main(function) -> None:
    """Run a script: errors meant for people without a traceback, Ctrl-C quietly."""
    try:
        sys.exit(function())
    except SetupError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error}")


def clean_environment() -> dict:
    """Return this process's environment without what would redirect Python."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "ODOO_RC", "PGDATABASE")
    return {key: value for key, value in os.environ.items() if key not in dropped}
