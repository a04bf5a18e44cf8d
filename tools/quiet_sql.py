"""Keep failing statements, which hold names and numbers, out of the log."""

import contextlib
import logging
import threading


class _NotThisThread(logging.Filter):
    def __init__(self):
        super().__init__()
        self.thread_id = threading.get_ident()

    def filter(self, record):
        return record.thread != self.thread_id


@contextlib.contextmanager
def quiet_sql():
    """Silence ``odoo.sql_db`` for this thread: its «bad query» lines quote the values.

    The caller logs what failed, by ids.
    """
    logger = logging.getLogger("odoo.sql_db")
    not_this_thread = _NotThisThread()
    logger.addFilter(not_this_thread)
    try:
        yield
    finally:
        logger.removeFilter(not_this_thread)
