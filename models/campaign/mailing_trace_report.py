from odoo import fields, models


class MailingTraceReport(models.Model):
    """Core's analysis of mailings knows no companies; campaigns belong to one."""

    _inherit = "mailing.trace.report"

    company_id = fields.Many2one("res.company", readonly=True)

    def _report_get_request_select_items(self):
        return [*super()._report_get_request_select_items(), "mailing.company_id"]

    def _report_get_request_group_by_items(self):
        return [*super()._report_get_request_group_by_items(), "mailing.company_id"]
