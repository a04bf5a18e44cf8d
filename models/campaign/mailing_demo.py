from datetime import timedelta

from odoo import api, fields, models


class CustomerDemo(models.AbstractModel):
    _inherit = "customer.demo"

    @api.model
    def _send_campaign(self, mailing_id, days_ago):
        """Let a group message have left some days ago, with what came of it.

        :param int mailing_id: a draft
        :param int days_ago: when it left
        """
        admin = self.env.ref("base.user_admin")
        mailing = self.env["mailing.mailing"].browse(mailing_id)
        mailing = mailing.with_user(admin).with_context(
            allowed_company_ids=mailing.company_id.ids
        )
        mailing.action_put_in_queue()
        while mailing._work_off_batch():
            continue
        left = fields.Datetime.now() - timedelta(days=days_ago)
        mailing = mailing.sudo()
        messages = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        blocked = messages[:1]
        (messages - blocked)._update_sms_state_and_trackers("sent")
        blocked._update_sms_state_and_trackers("error", failure_type="sms_blocked")
        traces = mailing.mailing_trace_ids
        traces.filtered(lambda trace: trace.trace_status == "sent").sent_datetime = left
        advertising = self.env["sms.advertising"].search(
            [("sms_uuid", "in", messages.mapped("uuid"))]
        )
        advertising.due_at = left
        mailing.recipient_ids.filtered("queued_at").queued_at = left
        mailing.write({"launched_at": left, "sent_date": left, "state": "done"})
        mailing.refresh_results()
