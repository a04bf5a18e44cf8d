import re

from odoo import models

from .sms_line import LINK

# Placeholders that become a link.
LINK_PLACEHOLDER = re.compile(r"\{\{\s*(?:profile_link|company_website|links)\b")


class SmsLine(models.Model):
    """Lines that refuse texts with a link."""

    _inherit = "sms.line"

    def _forbids_links(self, text):
        """Whether this line would refuse a template because of its links.

        :param str text: before its placeholders are filled in
        :rtype: bool
        """
        text = text or ""
        has_link = LINK.search(text) or LINK_PLACEHOLDER.search(text)
        return bool(self and has_link and not self.sudo().links_allowed)
