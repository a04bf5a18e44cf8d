"""Keys that stand in an address, since whoever calls it can send nothing else, are kept
out of Odoo's access log.
"""

import logging
import re

# /sms_line/<id>/<secret>/… of providers and /cp/<key> of profile links
KEYED = re.compile(r"(/sms_line/\d+/|/cp/)[^/?#\s\"]+")


class KeyMask(logging.Filter):
    """As core's own filter of that log: it changes records and drops none."""

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(
                KEYED.sub(r"\1***", one) if isinstance(one, str) else one
                for one in record.args
            )
        return True


def mask_keys():
    """Put the mask on the access log of this process, once."""
    logger = logging.getLogger("werkzeug")
    if not any(isinstance(one, KeyMask) for one in logger.filters):
        logger.addFilter(KeyMask())
