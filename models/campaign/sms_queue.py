from odoo import models
from odoo.tools import SQL

from ...tools.sms_text import trace_links


class SmsQueue(models.AbstractModel):
    """The links of a campaign say whose they are, so that a click is somebody's; and
    what was on its way when a campaign was stopped, and did not leave then, stays.
    """

    _inherit = "sms.queue"

    def _get_row_sql(self):
        return SQL("%s, sms.mailing_id", super()._get_row_sql())

    def _prepare_item(self, row):
        item = super()._prepare_item(row)
        if not row["mailing_id"]:
            return item
        base_url = self.env["sms.sms"].get_base_url()
        return item._replace(text=trace_links(item.text, base_url, row["id"]))

    def _get_refused(self, line, rows):
        refused = super()._get_refused(line, rows)
        ids = {row["mailing_id"] for row in rows if row["mailing_id"]}
        mailings = self.env["mailing.mailing"].browse(ids)
        stopped = mailings.filtered("is_stopped")._ids
        halted = [row["id"] for row in rows if row["mailing_id"] in stopped]
        return {**refused, **dict.fromkeys(halted, "halted")}
