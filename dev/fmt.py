"""``make fmt``: let ruff and prettier lay out the files."""

import re
import subprocess

from bootstrap.paths import ROOT, addon_files, clean_environment, main, say
from lint import PRETTIER_SUFFIXES, fetch, prettier_command, prettier_environment

XML_HEADER = '<?xml version="1.0" encoding="UTF-8" ?>'


def set_headers(names) -> None:
    """Give XML files the header the OCA checks want."""
    for name in names:
        text = (ROOT / name).read_text()
        new = re.sub(r"\A<\?xml [^>]*\?>", XML_HEADER, text)
        if name.endswith(".xml") and new != text:
            (ROOT / name).write_text(new)


def run() -> int:
    bin_folder, modules = fetch()
    ruff, env = bin_folder / "ruff", clean_environment()
    # Import order first: it can change line lengths.
    sort = [ruff, "check", "--no-cache", "--select", "I", "--fix", "--quiet", ROOT]
    status = subprocess.run(sort, env=env, check=False).returncode
    layout = [ruff, "format", "--no-cache", "--quiet", ROOT]
    status |= subprocess.run(layout, env=env, check=False).returncode
    files = addon_files()
    names = [str(p.relative_to(ROOT)) for p in files if p.suffix in PRETTIER_SUFFIXES]
    if names:
        set_headers(names)
        result = subprocess.run(
            prettier_command(modules, "--write", names),
            cwd=ROOT,
            env=prettier_environment(),
            stdout=subprocess.DEVNULL,
            check=False,
        )
        status |= result.returncode
    say("formatted" if not status else "not everything could be formatted")
    return int(bool(status))


if __name__ == "__main__":
    main(run)
