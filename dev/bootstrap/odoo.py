"""Odoo itself: Debian's package in a prefix, or the developer's own checkout."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import archive
from .archive import Package
from .paths import LOCAL, SetupError, fingerprint, is_stamped, remove, stamp, step

PREFIX = LOCAL / "odoo"
PACKAGES = [
    Package(
        "odoo-19",
        "sid",
        "19.0.0+dfsg-1",
        "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf",
    ),
    # The package's files link into these. Two come from Debian 12: the newer Font
    # Awesome has no fontawesome-webfont.*, the newer Inconsolata no Inconsolata.otf.
    Package(
        "fonts-font-awesome",
        "bookworm",
        "5.0.10+really4.7.0~dfsg-4.1",
        "5f09e1adce26d59628a239c538882d53e58978b958233864fc617be9a510018e",
    ),
    Package(
        "fonts-inconsolata",
        "bookworm",
        "001.010-6",
        "bb5015c631cd47aa7d9d6e0ecd101f0e1234300f935e7719ea32ed9b640f0ac4",
    ),
    Package(
        "fonts-montserrat",
        "sid",
        "9.000-6",
        "c5f603701f86661a7eed820ff0b0d19e0aa697b316053b7885cc7346370128c1",
    ),
    Package(
        "fonts-ocr-b",
        "sid",
        "0.3.1~dfsg-2",
        "c3760c25162b33ef4b19f0801a2ffbe956634c1fbbef42610c718edfb06baca9",
    ),
    Package(
        "fonts-roboto-unhinted",
        "sid",
        "2:3.016-1",
        "e08ef58b6b92ab2554cc5047b84c3eb03fe0df36d9eddaa1326f80783687c2e8",
    ),
    Package(
        "libjs-jquery",
        "sid",
        "3.7.1+dfsg+~3.5.33-1",
        "818d6383b5b8f33734f682076b02fe3e765af23251ff6bf2b47747a4484e19d3",
    ),
    Package(
        "libjs-jquery-form",
        "sid",
        "12-4",
        "fbfeedcd3eaf519b3cdcc88e93a1c79f6775da71657bac763f1430fe66e8a1da",
    ),
    Package(
        "libjs-underscore",
        "sid",
        "1.13.8~dfsg+~1.13.0-1",
        "4bd04d6b3695e10228b4d479d6963d6b768bcd9aa22e9cef2a014814f5de2906",
    ),
]


@dataclass(frozen=True)
class Odoo:
    """Where Odoo's code is and how it is started."""

    script: Path
    library: Path
    addons: tuple[Path, ...]
    version: str


def ensure() -> Odoo:
    """Return Odoo, fetching Debian's package when ``ODOO_HOME`` names no checkout."""
    if os.environ.get("ODOO_HOME"):
        return _checkout(Path(os.environ["ODOO_HOME"]).expanduser().resolve())
    # A newer package than the pinned one is kept until the pins change.
    wanted = fingerprint(*PACKAGES)
    if not is_stamped(PREFIX, wanted):
        _unpack(wanted)
    library = PREFIX / "usr/lib/python3/dist-packages"
    version = (PREFIX / "version").read_text()
    return Odoo(PREFIX / "usr/bin/odoo", library, (), version)


def _checkout(home: Path) -> Odoo:
    script = home / "odoo-bin"
    if not script.is_file():
        raise SetupError(f"ODOO_HOME={home} holds no odoo-bin")
    release = (home / "odoo" / "release.py").read_text()
    match = re.search(r"^version_info = \((\d+), (\d+)", release, re.M)
    if not match or match.groups() != ("19", "0"):
        raise SetupError(f"ODOO_HOME={home} is not a checkout of Odoo 19.0")
    return Odoo(script, home, (home / "addons",), f"checkout {home}")


def _unpack(wanted: str) -> None:
    with step("Odoo downloaded"):
        files = archive.fetch(PACKAGES)
    incoming = PREFIX.with_name("odoo.incoming")
    remove(incoming)
    with step("Odoo unpacked"):
        for path, _version in files.values():
            archive.unpack(path, incoming)
        dangling = [
            str(path.relative_to(incoming))
            for path in incoming.rglob("*")
            if path.is_symlink() and not path.exists()
        ]
        if dangling:
            raise SetupError("links into nothing in Odoo's files: " + str(dangling[:5]))
        (incoming / "version").write_text(files["odoo-19"][1])
        stamp(incoming, wanted)
        remove(PREFIX)
        incoming.rename(PREFIX)


def add_left_out(odoo: Odoo, node_modules: Path) -> None:
    """Put back the script Debian's package leaves out.

    Without it the web client logs a console error, which fails every browser test.
    """
    name = "selfie_segmentation"
    base = odoo.library / "odoo" / "addons" / "mail"
    if not base.is_dir():
        return  # a checkout is complete
    target = base / "static" / "lib" / name / f"{name}.js"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        shutil.copyfile(node_modules / "@mediapipe" / name / f"{name}.js", partial)
        partial.rename(target)
