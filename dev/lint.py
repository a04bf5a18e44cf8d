"""``make lint``: ruff, pylint-odoo and the OCA checks on a staged copy.

Both OCA tools look for the manifest below git's top level; in this repository, whose
root is the addon, they would silently report nothing. So the files are copied into a
throw-away repository first, and each tool has to find a planted fault there.
"""

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bootstrap import node, python_env
from bootstrap.paths import (
    LOCAL,
    MODULE,
    ROOT,
    SetupError,
    addon_files,
    clean_environment,
    lock,
    main,
    remove,
    say,
)

STAGE = LOCAL / "lint"
COPY = STAGE / "addons" / MODULE
PROBE = STAGE / "addons" / "lint_probe"
PRETTIER_SUFFIXES = (".xml", ".js", ".scss")

# One fault for each tool; the tool's name for it stands in TOOLS.
PROBE_FILES = {
    "__init__.py": "from . import models\n",
    "__manifest__.py": (
        '{\n    "name": "Probe",\n    "version": "19.0.1.0.0",\n    "author": "x",\n'
        '    "license": "LGPL-3",\n    "depends": ["base"],\n'
        '    "data": ["data/probe.xml"],\n}\n'
    ),
    "models.py": (
        "import os\n\nfrom odoo import models\n\n\n"
        'class Probe(models.Model):\n    _name = "probe"\n'
        '    _description = "Probe"\n\n    def probe( self ):\n'
        "        self.env.cr.commit()\n"
    ),
    "data/probe.xml": (
        '<?xml version="1.0" encoding="utf-8" ?>\n<odoo>\n'
        '    <record id="probe" model="res.partner" />\n'
        '    <record id="probe" model="res.partner" />\n</odoo>\n'
    ),
    "i18n/fa.po": (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        "#. module: lint_probe\n#: code:addons/lint_probe/models.py:0\n"
        'msgid "one %s"\nmsgstr "two"\n\n'
        "#. module: lint_probe\n#: code:addons/lint_probe/models.py:0\n"
        'msgid "one %s"\nmsgstr "three"\n'
    ),
}


@dataclass
class Tool:
    """A lint command, and how its finding of the planted fault reads."""

    name: str
    command: list
    probe_command: list
    fault: str


def stage() -> list[Path]:
    """Copy the addon's files into the throw-away repository.

    :return: their paths there
    """
    remove(STAGE)
    copied = []
    for path in addon_files():
        target = COPY / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        copied.append(target)
    for name, text in PROBE_FILES.items():
        target = PROBE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    shutil.copyfile(ROOT / "pyproject.toml", STAGE / "pyproject.toml")
    git = ["git", "-c", "user.name=lint", "-c", "user.email=lint@localhost"]
    for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "stage"]):
        # The staged repository must not take this one's GIT_DIR from a hook.
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        subprocess.run([*git, *command], cwd=STAGE, check=True, env=env)
    return copied


def tools(bin_folder: Path, copied) -> list[Tool]:
    """Return the commands, run from the top of the throw-away repository."""
    addon, probe = f"addons/{MODULE}", "addons/lint_probe"
    ruff = str(bin_folder / "ruff")
    # Enabling all of odoolint enables OCA's rule about its own authorship, too. And a
    # large model is several files here, one idea each.
    pylint = [str(bin_folder / "pylint"), "--rcfile", "pyproject.toml"]
    unwanted = "manifest-required-author,consider-merging-classes-inherited"
    pylint += ["--disable", unwanted]
    module_check = [str(bin_folder / "oca-checks-odoo-module")]
    # Markdown, as everything here.
    module_check += ["--disable", "prefer-readme-rst"]
    po_check = str(bin_folder / "oca-checks-po")
    found = [
        Tool(
            "ruff format",
            [ruff, "format", "--no-cache", "--diff", "--quiet", addon],
            [ruff, "format", "--no-cache", "--diff", "--quiet", probe],
            "def probe(self)",
        ),
        Tool(
            "ruff check",
            [ruff, "check", "--no-cache", "--quiet", "--no-fix", addon],
            [ruff, "check", "--no-cache", "--quiet", "--no-fix", probe],
            "F401",
        ),
    ]
    if (COPY / "__manifest__.py").exists():
        found += [
            Tool(
                "pylint-odoo",
                [*pylint, addon],
                [*pylint, probe],
                "invalid-commit",
            ),
            Tool(
                "oca-checks-odoo-module",
                [*module_check, f"{addon}/__manifest__.py"],
                [*module_check, f"{probe}/__manifest__.py"],
                "xml-duplicate-record-id",
            ),
        ]
    catalogues = [str(p.relative_to(STAGE)) for p in copied if p.suffix == ".po"]
    if catalogues:
        found.append(
            Tool(
                "oca-checks-po",
                [po_check, *catalogues],
                [po_check, f"{probe}/i18n/fa.po"],
                "po-duplicate-message-definition",
            )
        )
    return found


def call(command) -> tuple[int, str]:
    result = subprocess.run(
        command,
        cwd=STAGE,
        env={
            **clean_environment(),
            "NO_COLOR": "1",
            "PYLINTHOME": str(LOCAL / "pylint"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


def check(tool: Tool) -> tuple[Tool, str, float]:
    """Run a tool.

    :return: it, its findings (empty when there are none), and the seconds it took
    """
    start = time.monotonic()
    status, output = call(tool.command)
    _status, probe_output = call(tool.probe_command)
    findings = output if status else ""
    if status and not findings.strip():
        findings = f"exit status {status}"
    if tool.fault not in probe_output:
        findings += f"\n{tool.name} did not find the planted fault {tool.fault}:\n"
        findings += probe_output
    return tool, findings, time.monotonic() - start


def check_layout(copied, modules: Path) -> None:
    """Note what prettier would change; layout never fails the lint."""
    names = [str(p.relative_to(COPY)) for p in copied if p.suffix in PRETTIER_SUFFIXES]
    if not names:
        return
    result = subprocess.run(
        prettier_command(modules, "--list-different", names),
        cwd=COPY,
        env=prettier_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    for name in result.stdout.split():
        say(f"note: prettier would change {name} (make fmt)")
    if result.returncode > 1:
        say("note: prettier: " + result.stderr.strip())


def prettier_command(modules: Path, mode: str, names) -> list[str]:
    """Return a prettier command line."""
    plugin = modules / "@prettier" / "plugin-xml" / "src" / "plugin.js"
    return [
        *(str(modules / ".bin" / "prettier"), mode, "--no-config", "--no-editorconfig"),
        *("--plugin", str(plugin), "--print-width", "88", "--no-bracket-spacing"),
        *("--xml-whitespace-sensitivity", "preserve", "--trailing-comma", "es5"),
        *("--tab-width", "4", "--ignore-unknown", "--"),
        *names,
    ]


def prettier_environment() -> dict:
    """Return an environment in which prettier finds node."""
    return {
        **clean_environment(),
        "PATH": python_env.search_path(*node.bin_folders()),
    }


def fetch() -> tuple[Path, Path]:
    """Return the lint tools' bin folder and the Node modules."""
    with lock("setup", "waiting for another command to finish its setup"):
        with ThreadPoolExecutor() as pool:
            lint = pool.submit(python_env.ensure_lint)
            modules = pool.submit(node.ensure, python_env.ensure)
        return lint.result(), modules.result()


def run() -> int:
    bin_folder, modules = fetch()
    with lock("lint", "waiting for another lint to end"):
        copied = stage()
        if not copied:
            raise SetupError("git lists no files")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            layout = pool.submit(check_layout, copied, modules)
            results = list(pool.map(check, tools(bin_folder, copied)))
        layout.result()
    failed = 0
    for tool, findings, seconds in results:
        say(f"{'FAILED' if findings else 'ok':6} {tool.name} ({seconds:.0f} s)")
        if findings:
            failed += 1
            say(findings.strip().replace(f"addons/{MODULE}/", ""))
    return int(bool(failed))


if __name__ == "__main__":
    main(run)
