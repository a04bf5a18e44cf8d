from odoo import models
from odoo.tools import SQL


class SmsTracker(models.Model):
    """Core calls a mailing done as soon as no message is on its way; a campaign that is
    prepared batch after batch has more to come.
    """

    _inherit = "sms.tracker"

    def _update_sms_mailings(self, trace_status, traces):
        unfinished = traces.mass_mailing_id.filtered(
            lambda mailing: mailing.audience_mode != "odoo" and mailing._has_work_left()
        )
        others = traces.filtered(lambda trace: trace.mass_mailing_id not in unfinished)
        if others:
            return super()._update_sms_mailings(trace_status, others)
        return None


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    def _has_work_left(self):
        """Whether recipients wait for their message."""
        self.ensure_one()
        if self.state == "in_queue" or not self.is_prepared:
            return self.state in ("in_queue", "sending")
        return bool(
            self.env.execute_query(
                SQL(
                    "SELECT 1 FROM mailing_recipient"
                    " WHERE mailing_id = %s AND state = 'waiting' LIMIT 1",
                    self.id,
                )
            )
        )
