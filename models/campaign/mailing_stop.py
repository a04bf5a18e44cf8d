import time

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..segment.customer_segment_refresh import RETRIABLE
from .mailing_queue import SLICE_SECONDS
from .mailing_state import UNDER_WAY

# Taken back in one transaction.
TAKEN_BACK = 10_000


class MailingMailing(models.Model):
    """Stop at once: from then on nothing leaves, see ``sms.queue``; what waits is taken
    back, here if nobody else works on it just now, else by the queue.
    """

    _inherit = "mailing.mailing"

    def action_stop(self):
        """What has not left yet does not leave any more.

        :raise UserError: when nothing is left to stop
        """
        for mailing in self.filtered(lambda mailing: mailing.audience_mode != "odoo"):
            is_under_way = mailing.state in UNDER_WAY
            if not is_under_way and not mailing._has_outgoing_mails():
                raise UserError(self.env._("Only a campaign under way can be stopped."))
            mailing.check_access("write")
            mailing.sudo().is_stopped = True
            mailing.env.flush_all()
            mailing.sudo()._stop_now()
        return True

    def _stop_now(self):
        """Take back what can be in about two seconds; the queue goes on."""
        stop = time.monotonic() + SLICE_SECONDS
        try:
            with self.env.cr.savepoint():
                while self._claim_turn() and self._take_back():
                    if time.monotonic() > stop:
                        break
        except RETRIABLE:
            # The queue is at it, or the line sends: a newer state than we see.
            self.env.invalidate_all(flush=False)
        if self.state in UNDER_WAY:
            self._continue()
        else:
            self._cancel_mails()

    def _is_stopping(self):
        """Whether somebody has stopped it by now."""
        self.invalidate_recordset(["is_stopped"])
        return self.is_stopped

    def _take_back(self):
        """Let the next ones that wait wait no more, set-based: it may be a million.

        Messages end as in core's ``action_set_canceled``, and their traces.

        :return: whether more may be left
        :rtype: bool
        """
        progress = self.sudo().progress_id
        recipients = self._take_back_recipients()
        progress._add(waiting=-recipients)
        messages = self._take_back_messages()
        self.env.invalidate_all()
        if TAKEN_BACK in (recipients, messages):
            return True
        progress.write({"slices": False, "waiting_count": 0})
        self.sudo().write({"state": "done", "sent_date": fields.Datetime.now()})
        self._cancel_mails()
        return False

    def _take_back_recipients(self):
        rows = self._next_waiting(SQL("r.id"), TAKEN_BACK)
        self.env.cr.execute(
            SQL(
                "UPDATE mailing_recipient SET state = 'held', reason = 'halted'"
                " WHERE id = ANY(%s)",
                [row[0] for row in rows],
            )
        )
        return len(rows)

    def _take_back_messages(self):
        """Those that the line does not send just now; it asks before it does.

        :return: how many there were
        :rtype: int
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH mine AS MATERIALIZED (
                    SELECT id FROM sms_sms
                     WHERE mailing_id = %s AND state = 'outgoing'
                     LIMIT %s FOR NO KEY UPDATE SKIP LOCKED)
                UPDATE sms_sms SET state = 'canceled', failure_type = NULL
                 WHERE id IN (SELECT id FROM mine) RETURNING id, number
                """,
                self.id,
                TAKEN_BACK,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_trace
                   SET trace_status = 'cancel', failure_type = NULL,
                       failure_reason = NULL
                 WHERE sms_id_int = ANY(%s) AND trace_status = 'outgoing'
                """,
                [sms_id for sms_id, _number in rows],
            )
        )
        [(count, cost)] = self.env.execute_query(
            SQL(
                """
                WITH back AS (
                    UPDATE mailing_recipient SET state = 'held', reason = 'halted'
                     WHERE mailing_id = %s AND number = ANY(%s) AND reason IS NULL
                       AND state = 'queued'
                 RETURNING cost)
                SELECT count(*), coalesce(sum(cost), 0) FROM back
                """,
                self.id,
                [number for _sms_id, number in rows],
            )
        )
        self.sudo().progress_id._add(queued=-count, cost=-cost)
        return len(rows)
