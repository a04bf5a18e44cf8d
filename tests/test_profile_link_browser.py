import contextlib
import os

from odoo.tests import tagged

from .kiosk_browser import Browser
from .test_profile_link import ProfileLinkCommon


@tagged("post_install", "-at_install", "customer_segmentation")
class TestProfileLinkBrowser(ProfileLinkCommon):
    """A telephone opens the link, in Persian."""

    @contextlib.contextmanager
    def live(self):
        """Let the server answer the page, which sends no cookie."""
        self.env.flush_all()
        with self.allow_requests(all_requests=True):
            yield
        self.env.invalidate_all()

    def keep(self, tab, name):
        """Keep a picture where somebody asked for them."""
        folder = os.environ.get("CLUB_SCREENSHOTS")
        if folder:
            tab.screenshot(f"{folder}/{name}.png")

    def test_customer_answers_on_a_phone(self):
        """Nothing wider than the screen; mistakes are said; the answers arrive."""
        self.partner.lang = "fa_IR"
        browser = self.enterContext(Browser())
        with self.live():
            tab = browser.tab(self.base_url() + self.url, width=390, height=844)
            tab.wait("!!document.querySelector('form')")
            self.assertEqual(tab.run("document.dir"), "rtl")
            self.assertEqual(tab.run("document.querySelectorAll('fieldset').length"), 5)
            self.assertTrue(
                tab.run("document.documentElement.scrollWidth <= window.innerWidth")
            )
            self.keep(tab, "profile_link_fa")
            tab.run(
                "(() => { document.querySelector('#name').value = 'سارا احمدی';"
                "document.querySelector('#birthday').value = '۱۳۷۰/۱۳/۴۰';"
                "document.querySelector('button').click(); })()"
            )
            tab.wait("!!document.querySelector('[role=alert]')")
            self.assertEqual(tab.value("#name"), "سارا احمدی")
            self.keep(tab, "profile_link_problem_fa")
            tab.run(
                "(() => { document.querySelector('#birthday').value = '۱۳۷۰/۵/۱۲';"
                "document.querySelector('[name=consent][value=yes]').click();"
                "document.querySelector('button').click(); })()"
            )
            tab.wait("!!document.querySelector('#thanks')")
            self.keep(tab, "profile_link_thanks_fa")
        self.assertEqual(self.partner.name, "سارا احمدی")
        self.assertEqual(str(self.partner.birthdate_date), "1991-08-03")
        consents = self.env["customer.consent"].search([])
        self.assertEqual(consents.kind, "consent")
