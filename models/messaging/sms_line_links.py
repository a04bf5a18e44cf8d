import re

from odoo import fields, models

LINK = re.compile(
    r"https?://|www\.|\{\{\s*(?:profile_link|company_website|links)\b", re.I
)


class SmsLine(models.Model):
    """Lines that refuse texts with a link."""

    _inherit = "sms.line"

    links_allowed = fields.Boolean(string="Links", default=True)

    def _forbids_links(self, text):
        """Whether this line would refuse a template because of its links.

        :param str text: before its placeholders are filled in
        :rtype: bool
        """
        return bool(self and not self.sudo().links_allowed and LINK.search(text or ""))
