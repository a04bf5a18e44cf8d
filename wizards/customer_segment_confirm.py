from odoo import api, fields, models
from odoo.tools import format_datetime

from ..models.segment.customer_segment_use import CONFIRMED


class CustomerSegmentConfirm(models.TransientModel):
    """Asks before the last good members of a stopped segment are used."""

    _name = "customer.segment.confirm"
    _description = "Use of a Stopped Segment"
    _inherit = ["customer.segment.chosen.mixin"]

    segment_id = fields.Many2one("customer.segment", required=True, ondelete="cascade")
    method = fields.Selection(
        [
            ("action_open_members", "Open"),
            ("action_send_sms", "Send SMS"),
            ("action_send_mail", "Send e-mail"),
            ("action_add_activity", "Add activity"),
            ("action_export", "Export"),
        ],
        required=True,
    )
    message = fields.Text(compute="_compute_message")
    error = fields.Text(related="segment_id.error", related_sudo=False)

    @api.depends("segment_id")
    def _compute_message(self):
        for wizard in self:
            segment = wizard.segment_id
            date = format_datetime(self.env, segment.last_refresh)
            wizard.message = self.env._(
                "“%(name)s” has stopped. Its %(count)s members are those as of "
                "%(date)s. Go on with them?",
                name=segment.name,
                count=segment.member_count,
                date=date or "–",
            )

    def action_continue(self):
        """Do it all the same."""
        self.ensure_one()
        segment = self.segment_id.with_context(**{CONFIRMED: True})
        return getattr(segment, self.method)()
