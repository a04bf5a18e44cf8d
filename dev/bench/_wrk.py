"""The load generator: wrk, the machine's own or Debian's unpacked beside the rest."""

import contextlib
import itertools
import json
import os
import platform
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bootstrap import archive
from bootstrap.archive import Package
from bootstrap.paths import LOCAL, SetupError, fingerprint, is_stamped, remove, stamp

PREFIX = LOCAL / "wrk"
SCRIPT = Path(__file__).with_name("checkin.lua")
PACKAGES = [
    Package(
        "wrk",
        "bookworm",
        "4.1.0-3+b2",
        "b0206dc74df85365a248ddac2433c0ee3f210579fc5ed83758e73354bb1bbefb",
    ),
    Package(
        "libluajit-5.1-2",
        "bookworm",
        "2.1.0~beta3+git20220320+dfsg-4.1+deb12u1",
        "1f0ea919d09d47420993aca0102ec0aed46338b2bf7e072a4b4566c5616f09d2",
    ),
]
# The pins are of one architecture; elsewhere apt's own verification has to do.
PINNED_MACHINE = "x86_64"


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    p50: float
    p99: float
    server_errors: int
    refused: int
    sockets: int
    timeouts: int
    example: str

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def _packages():
    if platform.machine() == PINNED_MACHINE:
        return PACKAGES
    return [Package(package.name, package.suite, "any", "") for package in PACKAGES]


def _command() -> tuple[str, dict]:
    """Return wrk's path and the environment it needs.

    :raise SetupError: when there is none and none can be fetched
    """
    own = shutil.which("wrk")
    if own:
        return own, dict(os.environ)
    wanted = fingerprint(*_packages())
    if not is_stamped(PREFIX, wanted):
        incoming = PREFIX.with_name("wrk.incoming")
        remove(incoming)
        try:
            files = archive.fetch(_packages())
        except SetupError as error:
            raise SetupError(
                f"the measurements need wrk (Debian package wrk):\n{error}"
            ) from error
        for path, _version in files.values():
            archive.unpack(path, incoming)
        stamp(incoming, wanted)
        remove(PREFIX)
        incoming.rename(PREFIX)
    libraries = [str(path) for path in PREFIX.glob("usr/lib/*-linux-gnu*")]
    path = os.pathsep.join([*libraries, os.environ.get("LD_LIBRARY_PATH", "")])
    return str(PREFIX / "usr/bin/wrk"), {**os.environ, "LD_LIBRARY_PATH": path}


class Wrk:
    """Runs wrk with one thread; numbers and event ids never come twice.

    :param list tokens: of the devices, used in turn
    :param int first_new: the first number nobody has
    """

    def __init__(self, tokens, first_new):
        self.tokens = tokens
        self.next_new = first_new
        self._command, self._env = _command()
        self._runs = itertools.count(1)
        self._id = secrets.token_hex(4)

    def run(self, server, kind, connections=8, seconds=3.0) -> Load:
        """Load a server with one kind of request.

        :param OdooServer server: which one
        :param str kind: ``constant``, ``known`` or ``new``
        :raise SetupError: when wrk fails or a check-in is refused: such figures would
            mean nothing
        """
        run_id = f"{self._id}{next(self._runs):04d}"
        result = subprocess.run(
            [
                *(self._command, "-t", "1", "-c", str(connections)),
                *("-d", f"{max(1, round(seconds))}s", "--timeout", "30s"),
                *("-s", str(SCRIPT), server.url, "--"),
                *(kind, run_id, str(self.next_new), *self.tokens),
            ],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        answer = None
        for line in result.stdout.splitlines():
            if line.startswith('{"requests"'):
                with contextlib.suppress(ValueError):
                    answer = json.loads(line)
        if answer is None:
            raise SetupError(f"wrk failed:\n{result.stdout}{result.stderr}")
        if kind == "new":
            self.next_new += answer["sent"] + 1
        del answer["sent"]
        load = Load(**answer)
        if load.refused:
            raise SetupError(f"{load.refused} requests were refused: {load.example}")
        return load
