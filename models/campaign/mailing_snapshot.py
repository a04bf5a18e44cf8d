import logging
import time

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

LARGE = 10_000


class MailingMailing(models.Model):
    """The snapshot of who gets a campaign and who does not: taken slice after slice,
    each a transaction of its own, so that no size is too large and a crash costs one.
    """

    _inherit = "mailing.mailing"

    def _prepare(self):
        """Take the next slice of the snapshot; the first brings the segments, and what
        came of an earlier campaign, up to date.

        :return: whether something may be left to do
        :rtype: bool
        """
        segments = self.sudo().audience_segment_ids | (
            self.sudo().audience_exclude_segment_ids
        )
        progress = self.sudo().progress_id
        is_first = not progress.slices
        if is_first:
            dynamic = segments.filtered(lambda segment: segment.kind == "dynamic")
            self.env["customer.segment.refresh"].sudo()._refresh_now(dynamic)
            if self.audience_mode == "previous":
                self.sudo().previous_mailing_id.refresh_results()
        try:
            self._check_needs()
        except UserError as error:
            self._back_to_draft(str(error))
            return False
        audience = self.env["mailing.audience"]
        slices = progress.slices
        if is_first:
            slices = audience._slices(self, self._sender())
            self._forget_snapshot()
        waiting = self._take_slice(slices[0]) if slices else 0
        progress._add(waiting=waiting)
        progress.slices = slices[1:] or False
        if len(slices) <= 1:
            self._finish_snapshot()
        return True

    def _finish_snapshot(self):
        """Everybody was taken: what follows sends from here only."""
        waiting = self.waiting_count
        if waiting >= LARGE:
            # Else each batch is planned as if there were next to none, and sorts all.
            self.env.cr.execute("ANALYZE mailing_recipient")
        held_back = self.env["mailing.recipient"].sudo()
        held_back = self.holdout_percent and held_back.search_count(
            [("mailing_id", "=", self.id), ("state", "=", "holdout")]
        )
        self.sudo().write(
            {
                "is_prepared": True,
                "state": "sending",
                "result_counts": {"holdout": {"count": held_back}},
            }
        )
        _logger.info("Campaign %s: %s recipients", self.id, waiting)

    def _take_slice(self, part):
        """Choose and judge a slice, and keep it.

        :param list part: as :meth:`mailing.audience._slices` cuts it
        :return: how many of them get it
        :rtype: int
        """
        audience = self.env["mailing.audience"]
        if self.mailing_type == "mail":
            audience._build_mail(self, self._sender(), part)
        else:
            audience._build(self, self._sender(), self._next_due(), part)
        return audience._store(self)

    def _prepare_until(self, stop):
        """Take slices, a transaction each, until the time is over.

        :param float stop: of ``time.monotonic``
        :return: whether there is more to do now; before the snapshot is complete,
            nobody is written to
        :rtype: bool
        """
        while self._claim_turn():
            if not (self.is_prepared or self.is_stopped) and not self._prepare():
                return False
            if self.is_prepared or self.is_stopped:
                return True
            if time.monotonic() > stop:
                self._continue()
                return False
            self.env["ir.cron"]._commit_progress(1)
        return False

    def _forget_snapshot(self):
        """Whoever was taken does not count."""
        self.env["mailing.recipient"].flush_model()
        self.env.cr.execute(
            SQL("DELETE FROM mailing_recipient WHERE mailing_id = ANY(%s)", self.ids)
        )
        self.env["mailing.recipient"].invalidate_model(flush=False)
        self.invalidate_recordset(["recipient_ids"])
        self.sudo().result_counts = False
        self.sudo().progress_id.write(
            {
                "slices": False,
                "handled_id": 0,
                "waiting_count": 0,
                "queued_count": 0,
                "queued_cost": 0.0,
            }
        )

    def _back_to_draft(self, reason):
        """Nothing has left, and nothing will before its sender looked at it again."""
        in_charge = self.sudo()._in_charge()
        self.sudo().action_cancel()
        self.sudo().activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Not sent: %s", self.subject or ""),
            note=reason,
            user_id=in_charge.id,
        )
