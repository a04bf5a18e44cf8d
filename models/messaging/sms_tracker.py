from odoo import fields, models


class SmsTracker(models.Model):
    """Carries what became of a message to the check-in it belongs to.

    ``sms.sms`` rows are purged by core soon after sending, trackers are not.
    """

    _inherit = "sms.tracker"

    checkin_id = fields.Many2one("club.checkin", ondelete="cascade")
    line_id = fields.Many2one("sms.line", ondelete="set null", readonly=True)
    provider_id = fields.Char(readonly=True)
    source = fields.Char(readonly=True)
    delivery = fields.Selection(
        [("sent", "Sent"), ("delivered", "Delivered"), ("failed", "Failed")],
        readonly=True,
        help="The last thing the provider said; it never goes back from delivered.",
    )

    _checkin_unique = models.UniqueIndex(
        "(checkin_id) WHERE checkin_id IS NOT NULL",
        "A check-in has one message.",
    )
    _source_unique = models.UniqueIndex(
        "(source) WHERE source IS NOT NULL", "One source makes one message."
    )
    _provider_id_index = models.Index(
        "(provider_id, line_id) WHERE provider_id IS NOT NULL"
    )

    def _action_update_from_sms_state(
        self, sms_state, failure_type=False, failure_reason=False
    ):
        if sms_state == "outgoing":
            self._wait_again()
        result = super()._action_update_from_sms_state(
            sms_state, failure_type=failure_type, failure_reason=failure_reason
        )
        self._set_checkin_message_state(sms_state)
        return result

    def _wait_again(self):
        """Core never comes back from «process», nor cancels there; what the gateway
        surely did not take waits again, and may be cancelled.
        """
        on_line = self.filtered("line_id")
        on_line.mail_notification_id.filtered(
            lambda one: one.notification_status == "process"
        ).notification_status = "ready"
        on_line.mailing_trace_id.filtered(
            lambda one: one.trace_status == "process"
        ).trace_status = "outgoing"

    def _action_update_from_provider_error(self, provider_error):
        result = super()._action_update_from_provider_error(provider_error)
        self._set_checkin_message_state("error")
        return result

    def _set_checkin_message_state(self, sms_state):
        """Copy the state, never back from delivered."""
        checkins = self.sudo().checkin_id.filtered(
            lambda checkin: checkin.message_state != "sent"
        )
        checkins.write({"message_state": sms_state})
