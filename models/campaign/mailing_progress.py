from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.placeholder import format_number


class MailingMailing(models.Model):
    """How far a campaign is: counts that are kept with it, batch after batch, so that
    opening it reads no recipients, however many there are.
    """

    _inherit = "mailing.mailing"

    waiting_count = fields.Integer(string="Waiting", readonly=True, copy=False)
    queued_count = fields.Integer(string="Sent out", readonly=True, copy=False)
    queued_cost = fields.Float(string="Cost", readonly=True, copy=False)
    # The recipient up to whom nobody waits any more.
    handled_id = fields.Integer(readonly=True, copy=False)
    progress_sentence = fields.Char(
        string="Progress", compute="_compute_progress_sentence"
    )

    @api.depends("state", "is_prepared", "schedule_date", "waiting_count")
    @api.depends_context("lang")
    def _compute_progress_sentence(self):
        """How far it is, while it is under way."""
        for mailing in self:
            under_way = mailing.audience_mode != "odoo" and mailing.state in (
                "in_queue",
                "sending",
            )
            mailing.progress_sentence = under_way and mailing._say_progress()

    def _say_progress(self):
        if self.audience_slices:
            return self.env._(
                "Its recipients are being taken: %s so far.",
                format_number(self.waiting_count, self.env.lang),
            )
        now = fields.Datetime.now()
        if not self.is_prepared:
            if self.schedule_date and self.schedule_date > now:
                return self.env._(
                    "It waits until %s; then its recipients are taken.",
                    self._say_moment(self.schedule_date),
                )
            return self.env._("It waits for its turn; then its recipients are taken.")
        sentence = self.env._(
            "%(queued)s of %(total)s are handed over.",
            queued=format_number(self.queued_count, self.env.lang),
            total=format_number(self.queued_count + self.waiting_count, self.env.lang),
        )
        if self.mailing_type == "sms" and self.line_id.sudo().paused:
            sentence += " " + self.env._(
                "The line “%s” is paused: they wait on it.", self.line_id.sudo().name
            )
        elif self.mailing_type == "sms" and (due := self._next_due()) > now:
            sentence += " " + self.env._(
                "What has not left leaves from %s, in the line's hours.",
                self._say_moment(due),
            )
        return sentence

    def _say_moment(self, moment):
        tz = self.line_id.sudo().tz or self.company_id.club_tz or "UTC"
        return self.env["sms.placeholder"]._moment(moment, tz, self.env.lang)

    def _waiting(self):
        """Whether a recipient ``r`` waits, for a query in the order of their ids."""
        return SQL(
            """
            r.mailing_id = %(id)s AND r.state = 'waiting' AND r.id > coalesce(
                (SELECT handled_id FROM mailing_mailing WHERE id = %(id)s), 0)
            """,
            id=self.id,
        )

    def _next_waiting(self, columns, limit):
        """Lock who is next, as many as may be; whoever changes one of them just now is
        waited for.

        :param SQL columns: of ``mailing_recipient``, its id first
        :return: rows
        :rtype: list[tuple]
        """
        self.env["mailing.recipient"].flush_model()
        self.flush_recordset(["handled_id"])
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM mailing_recipient r WHERE %s"
                " ORDER BY r.id LIMIT %s FOR NO KEY UPDATE OF r",
                columns,
                self._waiting(),
                limit,
            )
        )
        if rows:
            self.env.cr.execute(
                SQL(
                    "UPDATE mailing_mailing SET handled_id = %s WHERE id = %s",
                    rows[0][0] - 1,
                    self.id,
                )
            )
            self.invalidate_recordset(["handled_id"], flush=False)
        return rows

    def _note_progress(self, left, queued, cost=0.0):
        """Count a batch, in its transaction.

        :param int left: how many do not wait any more
        :param int queued: how many of them were handed over
        :param float cost: in the company's currency
        """
        names = ["waiting_count", "queued_count", "queued_cost"]
        self.flush_recordset(names)
        # Not by write: neither who wrote last nor when is of interest here.
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_mailing
                   SET waiting_count = coalesce(waiting_count, 0) - %(left)s,
                       queued_count = coalesce(queued_count, 0) + %(queued)s,
                       queued_cost = coalesce(queued_cost, 0) + %(cost)s
                 WHERE id = %(id)s
                """,
                left=left,
                queued=queued,
                cost=cost,
                id=self.id,
            )
        )
        self.invalidate_recordset(names)
