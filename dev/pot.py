"""``make pot``: export the translation template and merge it into ``i18n/fa.po``.

Existing Persian texts are kept, new terms come in empty and vanished ones go. With
``--check`` nothing is written: it fails when the files are not up to date or a term
has no Persian text.
"""

import argparse
import os
import re
import shutil

from bootstrap import database, environment, python_env
from bootstrap.paths import (
    LOCAL,
    LOG,
    MODULE,
    ROOT,
    addon_files,
    lock,
    main,
    remove,
    say,
)

STAGE = LOCAL / "i18n"
DATABASE = "test"
TEMPLATE = ROOT / "i18n" / f"{MODULE}.pot"
PERSIAN = ROOT / "i18n" / "fa.po"


def export(env) -> dict:
    """Export from a copy of the addon: Odoo would follow the links in ``.local``.

    :return: file name -> text
    """
    remove(STAGE)
    addon = STAGE / "addons" / MODULE
    for path in addon_files():
        target = addon / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (addon / "i18n").mkdir(exist_ok=True)
    conf = env.write_conf("i18n", addons=STAGE / "addons")
    env.run_odoo(
        *("i18n", "export", "-c", conf, "-d", DATABASE),
        *("-l", "pot", "fa", "--", MODULE),
        log=LOG / "i18n.log",
        what="exporting the translations",
    )
    return {name: addon / "i18n" / name for name in (TEMPLATE.name, PERSIAN.name)}


def merged(template_path, persian_path, kept_path):
    """Return the new Persian catalogue.

    Texts in the repository win over those exported from the database, which may
    belong to another module that has the same term.
    """
    import polib

    template = polib.pofile(str(template_path))
    persian = polib.POFile(wrapwidth=template.wrapwidth)
    persian.metadata = {**polib.pofile(str(persian_path)).metadata}
    known = {}
    if kept_path.exists():
        kept = polib.pofile(str(kept_path))
        persian.metadata.update(kept.metadata)
        persian.header = kept.header
        known = {(e.msgctxt, e.msgid): e for e in kept if not e.obsolete}
    for entry in template:
        old = known.get((entry.msgctxt, entry.msgid))
        if old:
            # A text equal to its term is none, says po-pretty-format.
            entry.msgstr = "" if old.msgstr == entry.msgid else old.msgstr
            entry.flags = old.flags or entry.flags
            entry.tcomment = old.tcomment
        persian.append(entry)
    for key in ("POT-Creation-Date", "PO-Revision-Date"):
        persian.metadata.pop(key, None)
    return persian


def has_words(term: str) -> bool:
    """Tell whether there is anything to translate: codes and placeholders stay."""
    return bool(re.search("[a-z]{2}", re.sub(r"\{\{.*?\}\}|<[^>]*>", "", term)))


def without_dates(text: str) -> str:
    """Drop the header's dates: they would change on every export."""
    dates = ('"POT-Creation-Date', '"PO-Revision-Date')
    return "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith(dates)
    )


def differing(new: dict) -> list[str]:
    """Return the files whose text is not the given one."""
    return [
        str(path.relative_to(ROOT))
        for path, text in new.items()
        if not path.exists() or path.read_text() != text
    ]


def run() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    with (
        lock("suite", "waiting for another test run to end"),
        environment.ready() as env,
    ):
        python_env.activate()
        database.current(env, DATABASE)
        files = export(env)
    persian = merged(files[TEMPLATE.name], files[PERSIAN.name], PERSIAN)
    new = {
        TEMPLATE: without_dates(files[TEMPLATE.name].read_text()),
        PERSIAN: str(persian).rstrip("\n") + "\n",
    }
    changed = differing(new)
    missing = [
        entry
        for entry in persian.untranslated_entries() + persian.fuzzy_entries()
        if has_words(entry.msgid)
    ]
    say(f"{len(persian)} terms, {len(missing)} without a Persian text")
    for entry in missing[:20]:
        say(f"  {entry.msgid.splitlines()[0]!r}")
    if arguments.check:
        for name in changed:
            say(f"not up to date: {name} (make pot)")
        return int(bool(changed or missing))
    TEMPLATE.parent.mkdir(exist_ok=True)
    for path, text in new.items():
        path.write_text(text)
    say("written: " + (", ".join(changed) or "nothing changed"))
    return 0


if __name__ == "__main__":
    main(run)
