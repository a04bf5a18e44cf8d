"""Chromium for the browser tests."""

import os
import shutil

from .paths import BIN, SetupError, lock, run, say, step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Odoo's test runner looks for this name first.
WRAPPER = BIN / "google-chrome"
QUIET = [
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--no-proxy-server",
    "--metrics-recording-only",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1'",
]


def find() -> str | None:
    """Return the path of the machine's browser, never that of our wrapper."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if folder != str(BIN))
    return next(filter(None, (shutil.which(name, path=path) for name in NAMES)), None)


def ensure() -> None:
    """Find or install a browser, and wrap it so that it talks to this machine only."""
    browser = find()
    if not browser:
        if os.geteuid() or not shutil.which("apt-get"):
            raise SetupError(
                "the browser tests need Chromium; install it as root: "
                "apt-get install --no-install-recommends chromium"
            )
        with lock("chromium"), step("Chromium"):
            _install()
        browser = find()
    if not browser:
        raise SetupError("Chromium was installed but is not on PATH")
    BIN.mkdir(parents=True, exist_ok=True)
    text = f'#!/bin/sh\nexec "{browser}" {" ".join(QUIET)} "$@"\n'
    if not WRAPPER.exists() or WRAPPER.read_text() != text:
        partial = WRAPPER.with_suffix(".partial")
        partial.write_text(text)
        partial.chmod(0o755)
        partial.rename(WRAPPER)


def _install() -> None:
    say("  installing Debian's chromium (the only thing put on the machine itself)")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
    try:
        run(command, "chromium", "apt-get install chromium", env=env)
    except SetupError:
        # Package lists missing or too old.
        run(["apt-get", "update", "-q"], "chromium", "apt-get update", env=env)
        run(command, "chromium", "apt-get install chromium", env=env)
