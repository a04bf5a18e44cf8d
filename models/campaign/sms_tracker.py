from odoo import models


class SmsTracker(models.Model):
    """What reports on messages do to mailings."""

    _inherit = "sms.tracker"

    def _update_sms_traces(
        self, trace_status, failure_type=False, failure_reason=False
    ):
        """Whoever clicked or replied got it: a report that comes later is no news."""
        answered = self.filtered(
            lambda tracker: tracker.mailing_trace_id.trace_status in ("open", "reply")
        )
        return super(SmsTracker, self - answered)._update_sms_traces(
            trace_status, failure_type=failure_type, failure_reason=failure_reason
        )

    def _update_sms_mailings(self, trace_status, traces):
        """Core calls a mailing done as soon as no message is on its way; a campaign
        that is prepared batch after batch has more to come.
        """
        unfinished = traces.mass_mailing_id.filtered(
            lambda mailing: (
                mailing.audience_mode != "odoo" and mailing._get_remaining_recipients()
            )
        )
        others = traces.filtered(lambda trace: trace.mass_mailing_id not in unfinished)
        if others:
            return super()._update_sms_mailings(trace_status, others)
        return None
