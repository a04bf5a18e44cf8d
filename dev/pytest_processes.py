"""pytest plugin: what a test run in several processes needs.

Each process has attachments of its own: pytest-odoo gives each a copy of the database
but lets all use one folder; what one of them deletes there, the others would miss. And
whatever starts further processes, browsers and servers, follows one after the other in
one of them: two at once are more than a small machine has room for.
"""

import contextlib

import pytest
import pytest_odoo
from bootstrap.database import copy_filestore, filestore
from bootstrap.paths import remove

# Files that open Chromium, and the base of those that start servers.
BROWSERS = ("_browser.py", "test_kiosk_page.py", "test_client_units.py")
SERVERS = "ServedCase"


@contextlib.contextmanager
def own_filestore(source, name):
    """Link the attachments of ``source`` for the database ``name``."""
    if source == name:
        yield
        return
    remove(filestore(name))
    copy_filestore(source, name)
    try:
        yield
    finally:
        remove(filestore(name))


def starts_processes(item) -> bool:
    """Tell whether a test opens browsers or starts servers."""
    bases = getattr(item.cls, "__mro__", ())
    return item.path.name.endswith(BROWSERS) or any(
        base.__name__ == SERVERS for base in bases
    )


def pytest_configure(config):
    """Take the place of what pytest-odoo does in its processes."""
    pytest_odoo._shared_filestore = own_filestore


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Keep the tests of a file together, and those that start processes."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = "processes" if starts_processes(item) else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
