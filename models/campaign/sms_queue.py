from odoo import models
from odoo.tools import SQL

from ...tools.sms_text import trace_links


class SmsQueue(models.AbstractModel):
    """The links of a campaign say whose they are, so that a click is somebody's."""

    _inherit = "sms.queue"

    def _get_row_sql(self):
        return SQL("%s, sms.mailing_id", super()._get_row_sql())

    def _prepare_item(self, row):
        item = super()._prepare_item(row)
        if not row["mailing_id"]:
            return item
        base_url = self.env["sms.sms"].get_base_url()
        return item._replace(text=trace_links(item.text, base_url, row["id"]))
