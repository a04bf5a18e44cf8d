from odoo import models
from odoo.tools import SQL


class MailMail(models.Model):
    """E-mails of campaigns at the mail server's door."""

    _inherit = "mail.mail"

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        """Of a campaign that was stopped none leaves any more, whoever sends them."""
        mailings = self.sudo().mailing_id
        mailings.invalidate_recordset(["is_stopped"])
        stopped = mailings.filtered("is_stopped")
        halted = self.filtered(lambda mail: mail.sudo().mailing_id in stopped)
        for mailing in stopped:
            mailing._cancel_mails()
        return super(MailMail, self - halted).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    def _has_outgoing_mails(self):
        waiting = [("mailing_id", "=", self.id), ("state", "=", "outgoing")]
        return bool(self.env["mail.mail"].sudo().search_count(waiting, limit=1))

    def _cancel_mails(self):
        """Cancel its e-mails that wait for the mail server, and their traces."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "UPDATE mail_mail SET state = 'cancel'"
                " WHERE mailing_id = %s AND state = 'outgoing' RETURNING id",
                self.id,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE mailing_trace SET trace_status = 'cancel'"
                " WHERE mail_mail_id_int = ANY(%s) AND trace_status = 'outgoing'",
                [row[0] for row in rows],
            )
        )
        self.env.invalidate_all(flush=False)
