from datetime import timedelta

from odoo import api, fields, models

KEPT_DAYS = 2


class SmsEarlyReport(models.Model):
    """A delivery report that came before the answer to the call it belongs to."""

    _name = "sms.early.report"
    _description = "SMS Early Report"
    _log_access = False

    line_id = fields.Many2one("sms.line", required=True, index=True, ondelete="cascade")
    provider_id = fields.Char(required=True)
    state = fields.Char(required=True)
    code = fields.Char()
    received_at = fields.Datetime(required=True, default=fields.Datetime.now)

    @api.autovacuum
    def _gc_early_reports(self):
        before = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search([("received_at", "<", before)], limit=10_000).unlink()
