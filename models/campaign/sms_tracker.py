from odoo import models


class SmsTracker(models.Model):
    """Core calls a mailing done as soon as no message is on its way; a campaign that is
    prepared batch after batch has more to come.
    """

    _inherit = "sms.tracker"

    def _update_sms_mailings(self, trace_status, traces):
        unfinished = traces.mass_mailing_id.filtered(
            lambda mailing: (
                mailing.audience_mode != "odoo" and mailing._get_remaining_recipients()
            )
        )
        others = traces.filtered(lambda trace: trace.mass_mailing_id not in unfinished)
        if others:
            return super()._update_sms_mailings(trace_status, others)
        return None
