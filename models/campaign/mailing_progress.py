from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.placeholder import format_number
from .mailing_state import UNDER_WAY

PROGRESS = ["waiting_count", "queued_count", "queued_cost"]


class MailingProgress(models.Model):
    """How far a campaign is, batch after batch: opening it reads no recipients,
    however many there are.

    A row of its own: whoever works on the campaign holds it, so that nobody who stops
    the campaign, or changes its rate, meets a row that changes all the time.
    """

    _name = "mailing.progress"
    _description = "Campaign Progress"
    _log_access = False

    slices = fields.Json(string="Recipients to be taken")
    """Those of ``mailing.audience`` that are still to be taken."""
    waiting_count = fields.Integer(string="Waiting", required=True, default=0)
    queued_count = fields.Integer(string="Sent out", required=True, default=0)
    queued_cost = fields.Float(string="Cost", required=True, default=0.0)
    handled_id = fields.Integer(string="Handled up to", required=True, default=0)
    """The recipient up to whom nobody waits any more."""

    def _add(self, waiting=0, queued=0, cost=0.0):
        """Count, in the transaction of what is counted.

        :param int waiting: how many more wait, negative for fewer
        :param int queued: how many more were handed over
        :param float cost: in the company's currency
        """
        self.ensure_one()
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_progress
                   SET waiting_count = greatest(0, waiting_count + %s),
                       queued_count = queued_count + %s,
                       queued_cost = queued_cost + %s
                 WHERE id = %s
                """,
                waiting,
                queued,
                cost,
                self.id,
            )
        )
        self.invalidate_recordset(flush=False)
        self.env["mailing.mailing"].invalidate_model(PROGRESS, flush=False)


class MailingMailing(models.Model):
    """Says how far it is."""

    _inherit = "mailing.mailing"

    progress_id = fields.Many2one(
        "mailing.progress",
        string="Counts",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    waiting_count = fields.Integer(
        related="progress_id.waiting_count", string="Waiting"
    )
    queued_count = fields.Integer(related="progress_id.queued_count", string="Sent out")
    queued_cost = fields.Float(related="progress_id.queued_cost", string="Cost")
    progress_sentence = fields.Char(
        string="Progress", compute="_compute_progress_sentence"
    )

    def unlink(self):
        progress = self.sudo().progress_id
        result = super().unlink()
        progress.unlink()
        return result

    @api.depends("state", "is_prepared", "is_stopped", "schedule_date", "progress_id")
    @api.depends_context("lang")
    def _compute_progress_sentence(self):
        """How far it is, while it is under way."""
        for mailing in self:
            under_way = mailing.audience_mode != "odoo" and mailing.state in UNDER_WAY
            mailing.progress_sentence = under_way and mailing._say_progress()

    def _say_progress(self):
        if self.is_stopped:
            return self.env._("It is being stopped; nothing more leaves.")
        if self.sudo().progress_id.slices:
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
                (SELECT handled_id FROM mailing_progress WHERE id = %(progress)s), 0)
            """,
            id=self.id,
            progress=self.sudo().progress_id.id or None,
        )

    def _next_waiting(self, columns, limit):
        """Lock who is next, as many as may be; whoever changes one of them just now is
        waited for.

        :param SQL columns: of ``mailing_recipient``, its id first
        :return: rows
        :rtype: list[tuple]
        """
        self.env["mailing.recipient"].flush_model()
        progress = self.sudo().progress_id
        progress.flush_recordset()
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
            progress.handled_id = rows[0][0] - 1
        return rows
