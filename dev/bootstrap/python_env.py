"""Virtual environments: Odoo's, and the one of the lint tools."""

import importlib.util
import os
import site
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

from . import archive
from .archive import Package
from .paths import (
    DEV,
    LOCAL,
    SetupError,
    clean_environment,
    fingerprint,
    is_stamped,
    remove,
    run,
    stamp,
    step,
)

VENV = LOCAL / "venv"
LINT_VENV = LOCAL / "lint-venv"
PYTHON = VENV / "bin" / "python"
# Only unpacked where the machine's own venv cannot bring pip along.
PIP_PACKAGE = Package(
    "python3-pip-whl",
    "bookworm",
    "23.0.1+dfsg-1",
    "cc373690a1cb469fb301b9fe0125048e3102f2e365d1b2d27cab091ec89fccdc",
)
_pip_lock = threading.Lock()


def ensure() -> Path:
    """Return the Python that runs Odoo and the tests."""
    return _ensure(VENV, DEV / "requirements.txt", "Python packages")


def ensure_lint() -> Path:
    """Return the bin folder of the lint tools."""
    return _ensure(LINT_VENV, DEV / "requirements-lint.txt", "lint tools").parent


def activate() -> None:
    """Let this process import Odoo's Python packages (psycopg2, coverage)."""
    for folder in VENV.glob("lib/python*/site-packages"):
        site.addsitedir(str(folder))


def _ensure(venv: Path, requirements: Path, label: str) -> Path:
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        raise SetupError("Odoo 19 runs on Python 3.10 to 3.13; set PYTHON=python3.11")
    # A venv holds absolute paths: a moved clone makes a new one.
    wanted = fingerprint(requirements, str(venv), sys.version, sys.executable)
    python = venv / "bin" / "python"
    if is_stamped(venv, wanted) and python.exists():
        return python
    with step(label):
        remove(venv)
        pip = _make(venv)
        run(
            [*pip, "install", "--quiet", "--no-input", "-r", requirements],
            f"pip-{venv.name}",
            "pip install",
            env=_pip_environment(),
        )
        stamp(venv, wanted)
    return python


def pip_install(target: Path, requirement: str) -> None:
    """Install one wheel into a folder of its own."""
    run(
        [
            *(*_pip(VENV), "install", "--quiet", "--no-input", "--no-deps"),
            *("--target", target, requirement),
        ],
        "pip-extra",
        f"pip install {requirement}",
        env=_pip_environment(),
    )


def _pip_environment() -> dict:
    return {
        **clean_environment(),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_WARN_SCRIPT_LOCATION": "1",
    }


def _has_ensurepip() -> bool:
    if importlib.util.find_spec("ensurepip") is None:
        return False
    # Debian's ensurepip is only whole with python3-venv, which brings the wheels.
    probe = "import ensurepip; ensurepip.version()"
    return not subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, check=False
    ).returncode


def _make(venv: Path) -> list:
    """Create a venv and return the command of a pip that installs into it."""
    env = clean_environment()
    if _has_ensurepip():
        run([sys.executable, "-m", "venv", venv], "venv", "python -m venv", env=env)
    else:
        run(
            [sys.executable, "-m", "venv", "--without-pip", venv],
            "venv",
            "python -m venv",
            env=env,
        )
    return _pip(venv)


def _pip(venv: Path) -> list:
    python = venv / "bin" / "python"
    version = sysconfig.get_python_version()
    if (venv / f"lib/python{version}/site-packages/pip").is_dir():
        return [python, "-m", "pip"]
    return [python, _pip_wheel() / "pip"]


def _pip_wheel() -> Path:
    """Return Debian's pip wheel: a zip file that Python can run."""
    folder = LOCAL / "pip"
    with _pip_lock:
        if not is_stamped(folder, "1"):
            remove(folder)
            path, _version = archive.fetch([PIP_PACKAGE])[PIP_PACKAGE.name]
            archive.unpack(path, folder)
            stamp(folder, "1")
    return next((folder / "usr/share/python-wheels").glob("pip-*.whl"))


def search_path(*first: Path) -> str:
    """Return a ``PATH`` that finds the given folders before the machine's."""
    folders = [*map(str, first), str(VENV / "bin"), os.environ.get("PATH", "")]
    return os.pathsep.join(folders)
