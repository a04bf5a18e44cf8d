import time

from odoo import fields, models
from odoo.tools import SQL

from .mailing_queue import BATCH, SLICE_SECONDS


class MailingMailing(models.Model):
    """Campaigns by e-mail: the snapshot is ours, the rest is core's composer."""

    _inherit = "mailing.mailing"

    def _action_send_mail(self, res_ids=None):
        """E-mails of a campaign go to core's composer batch after batch, too.

        Core commits in the middle of a batch. After a crash whoever has a trace was
        written to, and everybody else is next.
        """
        ours = self.filtered(
            lambda mailing: (
                mailing.audience_mode != "odoo" and mailing.mailing_type == "mail"
            )
        )
        stop = time.monotonic() + SLICE_SECONDS
        for mailing in ours:
            if not mailing.is_prepared:
                mailing._prepare()
            mailing._note_mailed(SQL("EXISTS (%s)", mailing._traces_of_recipient()))
            while batch := mailing._next_mail_batch():
                partner_ids = [partner_id for _id, partner_id in batch if partner_id]
                super(MailingMailing, mailing)._action_send_mail(res_ids=partner_ids)
                mailing._note_mailed(
                    SQL("r.id = ANY(%s)", [row_id for row_id, _partner_id in batch])
                )
                if time.monotonic() > stop:
                    break
            if mailing._get_remaining_recipients():
                mailing.state = "sending"
                mailing._continue()
        return super(MailingMailing, self - ours)._action_send_mail(res_ids=res_ids)

    def _traces_of_recipient(self):
        return SQL(
            "SELECT FROM mailing_trace t WHERE t.mass_mailing_id = r.mailing_id"
            " AND t.model = 'res.partner' AND t.res_id = r.partner_id"
        )

    def _note_mailed(self, condition):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE mailing_recipient r SET state = 'queued', queued_at = %s"
                " WHERE r.mailing_id = %s AND r.state = 'waiting' AND %s",
                fields.Datetime.now(),
                self.id,
                condition,
            )
        )
        self.env["mailing.recipient"].invalidate_model(flush=False)

    def _next_mail_batch(self):
        """Who is next.

        :return: ``(recipient id, partner id)``
        :rtype: list[tuple]
        """
        return self.env.execute_query(
            SQL(
                "SELECT id, partner_id FROM mailing_recipient"
                " WHERE mailing_id = %s AND state = 'waiting' ORDER BY id LIMIT %s",
                self.id,
                BATCH // 2,
            )
        )
