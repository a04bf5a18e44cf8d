"""Debian packages without root: a private apt beside the machine's own.

apt keeps its state, cache and sources below ``.local/apt``; the archive's address and
its keyring are those of the machine. apt verifies the signatures, we compare SHA-256.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from .paths import LOCAL, SetupError, run, say, step

APT = LOCAL / "apt"
PACKAGES = APT / "packages"
_index_lock = threading.Lock()
_index_ready = threading.Event()

_SUITE = re.compile(
    r"^(bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing"
    r"|unstable)$"
)

CONFIGURATION = """\
Dir::State "{apt}/state";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
Dir::Etc::sourcelist "{apt}/private.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
// The state belongs to whoever calls us; root does not hand it to user _apt.
APT::Sandbox::User "";
// The machine's own hooks concern its own packages.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg;
"""


@dataclass(frozen=True)
class Package:
    """A pinned package: suite, version and the hash of its file."""

    name: str
    suite: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """One entry of the machine's apt sources."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    @property
    def is_debian(self) -> bool:
        return "main" in self.components and any(map(_SUITE.match, self.suites))

    @property
    def rank(self) -> tuple:
        """Sort key: the archive itself before anything that merely looks like it."""
        return (
            "debian-archive" not in self.signed_by,
            not re.search(r"debian(\.list)?/?$", self.uri),
            self.uri,
        )


def _parse_deb822(text: str) -> list[Source]:
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        fields, last = {}, ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and last:
                fields[last] += "\n" + line[1:]
            elif ":" in line:
                last, value = line.split(":", 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        found += [
            Source(
                uri,
                tuple(fields.get("suites", "").split()),
                tuple(fields.get("components", "").split()),
                fields.get("signed-by", ""),
            )
            for uri in fields.get("uris", "").split()
        ]
    return found


def _parse_one_line(text: str) -> list[Source]:
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            options, uri, suite, components = match.groups()
            signed = re.search(r"signed-by=(\S+)", options or "")
            found.append(
                Source(
                    uri,
                    (suite,),
                    tuple(components.split()),
                    signed.group(1) if signed else "",
                )
            )
    return found


def machine_source(etc: Path = Path("/etc/apt")) -> Source:
    """Return the Debian archive the machine itself installs from.

    :raise SetupError: when its apt sources name none.
    """
    found = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix in (".list", ".sources") and path.is_file():
            text = path.read_text(errors="replace")
            deb822 = path.suffix == ".sources"
            found += _parse_deb822(text) if deb822 else _parse_one_line(text)
    candidates = sorted((s for s in found if s.is_debian), key=lambda s: s.rank)
    if not candidates:
        raise SetupError(
            "no Debian archive in /etc/apt/sources.list(.d); "
            "use a checkout of Odoo 19.0 instead: ODOO_HOME=/path/to/odoo"
        )
    return candidates[0]


def _apt(*command) -> list[str]:
    return [command[0], "-c", str(APT / "apt.conf"), *command[1:]]


def _write_configuration(suites) -> None:
    source = machine_source()
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    PACKAGES.mkdir(exist_ok=True)
    (APT / "status").touch()
    (APT / "apt.conf").write_text(CONFIGURATION.format(apt=APT))
    lines = [
        "Types: deb",
        f"URIs: {source.uri}",
        f"Suites: {' '.join(suites)}",
        "Components: main",
    ]
    if source.signed_by:
        lines.append(f"Signed-By: {source.signed_by}")
    (APT / "private.sources").write_text("\n".join(lines) + "\n")


def refresh_index() -> None:
    """Fetch the package lists once per process."""
    with _index_lock:
        if _index_ready.is_set():
            return
        for tool in ("apt-get", "dpkg-deb"):
            if not shutil.which(tool):
                raise SetupError(
                    f"{tool} is missing: not a Debian machine? "
                    "Use a checkout of Odoo 19.0 instead: ODOO_HOME=/path/to/odoo"
                )
        _write_configuration(["sid", "bookworm"])
        with step("package lists"):
            run(_apt("apt-get", "update", "-q"), "apt", "apt-get update")
        _index_ready.set()


def _offered(package: Package) -> str:
    """Return the version to download: the pinned one, else what the suite offers."""
    listed = subprocess.run(
        _apt("apt-cache", "madison", package.name),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    versions = {}
    for line in listed.splitlines():
        _name, version, origin = (part.strip() for part in line.split("|"))
        versions.setdefault(version, origin)
    if package.version in versions:
        return package.version
    for version, origin in versions.items():
        if f" {package.suite}/" in origin:
            return version
    raise SetupError(f"the Debian archive has no {package.name} in {package.suite}")


def _kept(package: Package) -> Path | None:
    path = PACKAGES / f"{package.name}_{package.sha256[:16]}.deb"
    return path if path.exists() else None


def fetch(packages) -> dict[str, tuple[Path, str]]:
    """Download packages that are not kept from an earlier run.

    :param list packages: of :class:`Package`
    :return: name -> (path of the .deb, version)
    :raise SetupError: when a file is not the pinned one although its version is
    """
    result = {p.name: (_kept(p), p.version) for p in packages if _kept(p)}
    missing = [p for p in packages if p.name not in result]
    if not missing:
        return result
    refresh_index()
    versions = {p.name: _offered(p) for p in missing}
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=APT) as incoming:
        _download(versions, Path(incoming))
        for package in missing:
            result[package.name] = _keep(package, versions, Path(incoming))
    return result


def _download(versions: dict, incoming: Path) -> None:
    wanted = [f"{name}={version}" for name, version in versions.items()]
    run(
        _apt("apt-get", "download", "-q", *wanted),
        "apt",
        "downloading Debian packages",
        cwd=incoming,
    )


def _keep(package: Package, versions: dict, incoming: Path) -> tuple[Path, str]:
    path = next(incoming.glob(f"{package.name}_*.deb"))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    version = versions[package.name]
    if version == package.version:
        if sha256 != package.sha256:
            raise SetupError(f"{path.name} is not the file that was pinned")
    else:
        say(
            f"  the archive has moved on: {package.name} {version} instead of "
            f"{package.version} (apt has verified its signature)"
        )
    target = PACKAGES / f"{package.name}_{sha256[:16]}.deb"
    path.rename(target)
    return target, version


def unpack(path: Path, prefix: Path) -> None:
    """Unpack a .deb into a folder."""
    run(["dpkg-deb", "-x", path, prefix], "dpkg", f"unpacking {path.name}")
