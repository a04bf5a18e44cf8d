import logging
import time
from datetime import timedelta
from math import ceil

from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...tools.sms_text import count, with_suffix
from ..segment.customer_segment_refresh import RETRIABLE
from .mailing_state import UNDER_WAY

_logger = logging.getLogger(__name__)

SLICE_SECONDS = 2.0
BATCH = 1000
# When the queue looks again at a campaign under a rate, and at one that was in the way.
RATE_MINUTES = 5
BUSY_MINUTES = 1


class MailingMailing(models.Model):
    """What follows a launch: the snapshot, then message after message, in batches.

    Each batch is one transaction: the recipients that it takes, their messages, traces
    and trackers are written together or not at all. So a crash repeats nothing and
    loses nothing; the next slice goes on.
    """

    _inherit = "mailing.mailing"

    def _get_remaining_recipients(self):
        """Core's question of whether something is left to do; there it may be stopped.

        :return: its own id, or nothing
        :rtype: list[int]
        """
        if self.audience_mode == "odoo":
            return super()._get_remaining_recipients()
        # Put in the queue by a bare write, past the checks: nobody answers for it.
        if not self.launched_at:
            return []
        if self.is_stopped:
            return self.ids if self.state in UNDER_WAY else []
        if self.is_prepared and not self._is_unsent():
            return []
        return self.ids

    def _is_unsent(self):
        """Whether recipients wait, or their messages for the line."""
        return bool(
            self.env.execute_query(
                SQL(
                    """
                    SELECT FROM mailing_recipient r WHERE %(waiting)s
                 UNION ALL
                    SELECT FROM sms_sms WHERE mailing_id = %(id)s AND state = 'outgoing'
                     LIMIT 1
                    """,
                    id=self.id,
                    waiting=self._waiting(),
                )
            )
        )

    def action_send_sms(self, res_ids=None):
        """One slice of the work; core's queue calls again while something is left."""
        ours = self.filtered(lambda mailing: mailing.audience_mode != "odoo")
        if ours and not self.env.su:
            raise AccessError(
                self.env._("A group message goes to those chosen in it, by its Send.")
            )
        for mailing in ours:
            mailing._work_off()
        if self - ours:
            return super(MailingMailing, self - ours).action_send_sms(res_ids)
        return True

    def _work_off(self):
        """Prepare and queue for about two seconds; commits after each batch."""
        stop = time.monotonic() + SLICE_SECONDS
        cron = self.env["ir.cron"]
        cron._commit_progress()
        engine = self.env["customer.segment.refresh"]
        try:
            while engine._in_turn(self._work_off_batch):
                cron._commit_progress(1)
                if time.monotonic() > stop:
                    self._continue()
                    break
        except RETRIABLE as error:
            _logger.info("Campaign %s waits: %s", self.id, type(error).__name__)
            self._continue(BUSY_MINUTES)
        else:
            self._finish()
        cron._commit_progress(1)

    def _continue(self, minutes=0):
        """Let the queue come again: its own turn is once a day."""
        cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").sudo()
        cron._trigger(fields.Datetime.now() + timedelta(minutes=minutes))

    def _finish(self):
        """Done at once when nothing was handed over; else with the last message."""
        if not self.is_prepared or self.state != "sending" or self._is_unsent():
            return
        traces = self.env["mailing.trace"].sudo()
        if not traces.search_count([("mass_mailing_id", "=", self.id)], limit=1):
            self.sudo().write({"state": "done", "sent_date": fields.Datetime.now()})

    def _work_off_batch(self):
        """One batch, in this transaction.

        :return: whether something may be left
        :rtype: bool
        """
        self.ensure_one()
        if not self._claim_turn():
            return False
        if self.is_stopped:
            return self._take_back()
        return self._queue_batch() if self.is_prepared else self._prepare()

    def _claim_turn(self):
        """Take the campaign for this transaction, as it is by now.

        :return: whether it is there to be worked on
        :rtype: bool
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.launched_at IS NOT NULL AND m.state = ANY(%s)
                   AND (m.is_stopped OR coalesce(m.schedule_date <= %s, TRUE))
                  FROM mailing_progress p JOIN mailing_mailing m
                    ON m.progress_id = p.id
                 WHERE m.id = %s FOR NO KEY UPDATE OF p SKIP LOCKED
                """,
                list(UNDER_WAY),
                fields.Datetime.now(),
                self.id,
            )
        )
        if not rows:
            # Somebody else is at it, perhaps what a killed server has left behind.
            self._continue(BUSY_MINUTES)
            return False
        self.invalidate_recordset()
        self.sudo().progress_id.invalidate_recordset()
        return rows[0][0]

    def _next_due(self):
        """When its messages may leave: advertising waits for the line's hours.

        :rtype: datetime
        """
        now = fields.Datetime.now()
        line = self.line_id.sudo()
        if line.message_class != "advertising":
            return now
        return line._next_due(now)

    # === MESSAGES === #

    def _queue_batch(self):
        """Write the messages of the next recipients.

        :return: whether there were any
        :rtype: bool
        """
        limit = self._room_this_hour()
        if not limit:
            return False
        rows = self._next_waiting(
            SQL("r.id, r.partner_id, r.lead_id, r.segment_id, r.number"), limit
        )
        if not rows:
            return False
        texts = self._render_rows(rows)
        # Once: each look at it is a copy of all its texts.
        frozen = self.launched_text or {}
        results = self.line_id.sudo()._queue_messages(
            [
                self._prepare_message(frozen, row, texts.get(row[0]) or "")
                for row in rows
            ]
        )
        self._hold(
            {
                row[0]: reason
                for row, (_sms_id, reason) in zip(rows, results, strict=True)
            }
        )
        queued = [
            (row[0], self._as_sent(texts[row[0]], sms_id))
            for row, (sms_id, _reason) in zip(rows, results, strict=True)
            if sms_id
        ]
        parts = self._note_queued(queued)
        price = self.line_id.sudo().price_per_part or 0.0
        self.sudo().progress_id._add(-len(rows), len(queued), parts * price)
        return True

    def _prepare_message(self, frozen, row, text):
        """A message for the line's one door; there refusals of meanwhile count."""
        row_id, partner_id, lead_id, segment_id, number = row
        source = frozen.get("variants", {}).get(str(segment_id)) or frozen
        template_id = source.get("template")
        return {
            "number": number,
            "body": text,
            "partner_id": partner_id,
            "lead_id": lead_id,
            "mailing_id": self.id,
            # The last word on «never twice».
            "source": f"mailing.recipient,{row_id}",
            "template_id": template_id,
            "res_id": None if lead_id else partner_id,
        }

    def _room_this_hour(self):
        """How many may be queued now under the campaign's own rate."""
        if not self.rate_per_hour:
            return BATCH
        if minutes := self._minutes_held_up():
            self._continue(minutes)
            return 0
        self.env["mailing.recipient"].flush_model(["state", "queued_at"])
        [(used,)] = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM mailing_recipient WHERE mailing_id = %s"
                " AND state = 'queued' AND queued_at > %s",
                self.id,
                fields.Datetime.now() - timedelta(hours=1),
            )
        )
        room = max(0, min(BATCH, self.rate_per_hour - used))
        if not room:
            self._continue(RATE_MINUTES)
        return room

    def _minutes_held_up(self):
        """How long nothing can leave over the line: what is handed over meanwhile would
        leave all at once, however few an hour were asked for.
        """
        line = self.line_id.sudo()
        if self.mailing_type != "sms":
            return 0
        if line.paused or not line.active:
            return RATE_MINUTES
        wait = self._next_due() - fields.Datetime.now()
        return ceil(wait / timedelta(minutes=1))

    def _hold(self, reasons):
        held = {row_id: reason for row_id, reason in reasons.items() if reason}
        if held:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE mailing_recipient r SET state = 'held', reason = h.reason
                      FROM unnest(%s::int[], %s::varchar[]) AS h(id, reason)
                     WHERE r.id = h.id
                    """,
                    list(held),
                    list(held.values()),
                )
            )

    def _note_queued(self, queued):
        """Write down with the recipients what was queued for them.

        :param list queued: ``(recipient id, text)``
        :return: how many parts the texts have
        :rtype: int
        """
        if not queued:
            return 0
        line = self.line_id.sudo()
        suffix = line.optout_suffix or ""
        parts = [count(with_suffix(text, suffix)).parts for _row, text in queued]
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_recipient r
                   SET state = 'queued', queued_at = %(now)s, part_count = m.parts,
                       cost = m.parts * %(price)s
                  FROM unnest(%(ids)s::int[], %(parts)s::int[]) AS m(id, parts)
                 WHERE r.id = m.id
                """,
                ids=[row_id for row_id, _text in queued],
                parts=parts,
                now=fields.Datetime.now(),
                price=line.price_per_part or 0.0,
            )
        )
        self.env["mailing.recipient"].invalidate_model(flush=False)
        return sum(parts)
