from odoo import fields, models


class MailingTraceReport(models.Model):
    """Core's analysis of mailings knows no companies; campaigns belong to one."""

    _inherit = "mailing.trace.report"

    company_id = fields.Many2one("res.company", readonly=True)
    mailing_id = fields.Many2one("mailing.mailing", readonly=True)

    def _report_get_request_select_items(self):
        items = super()._report_get_request_select_items()
        return [*items, "mailing.company_id", "mailing.id AS mailing_id"]

    def _report_get_request_group_by_items(self):
        items = super()._report_get_request_group_by_items()
        return [*items, "mailing.company_id", "mailing.id"]
