"""pytest plugin: each of several test processes has attachments of its own.

pytest-odoo gives each process a copy of the database but lets all use one folder of
attachments; what one of them deletes there, the others would miss.
"""

import contextlib

import pytest_odoo
from bootstrap.database import copy_filestore, filestore
from bootstrap.paths import remove


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


def pytest_configure(config):
    """Take the place of what pytest-odoo does in its processes."""
    pytest_odoo._shared_filestore = own_filestore
