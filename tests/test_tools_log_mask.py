"""Keys that stand in an address do not stand in the access log."""

import logging

from odoo.tests import HttpCase, tagged

from ..tools.log_mask import KeyMask, mask_keys


@tagged("post_install", "-at_install")
class TestLogMask(HttpCase):
    def test_addresses_with_keys(self):
        """Of the pages of customers and of providers; others stay as they are."""
        with self.assertLogs("werkzeug") as caught:
            for path in (
                "/cp/TopSecretKey",
                "/cp/TopSecretKey?next=1",
                "/sms_line/7/TopSecretKey/delivery?id=5",
                "/club/kiosk",
            ):
                self.url_open(path)
        log = "\n".join(caught.output)
        self.assertNotIn("TopSecret", log)
        for kept in (
            '"GET /cp/*** HTTP',
            '"GET /cp/***?next=1 HTTP',
            '"GET /sms_line/7/***/delivery?id=5 HTTP',
            '"GET /club/kiosk HTTP',
        ):
            self.assertIn(kept, log)

    def test_once(self):
        """A registry that is loaded again adds no second one."""
        mask_keys()
        filters = logging.getLogger("werkzeug").filters
        self.assertEqual([type(one) for one in filters].count(KeyMask), 1)
