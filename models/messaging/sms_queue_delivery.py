import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.gateways import BadSettings, NotTaken, Refused, Status, Unclear
from .sms_queue_store import POLL_MINUTES

_logger = logging.getLogger(__name__)

# What later reports mean to core's trackers: a state, or a provider's error.
TRACKER_STATES = {"sent": "pending", "delivered": "sent"}
TRACKER_ERRORS = {
    "undelivered": "not_delivered",
    "blocked": "not_allowed",
    "refused": "rejected",
}
FAILURES = {
    "undelivered": "unknown",
    "blocked": "sms_blocked",
    "refused": "unknown",
}
EARLY_REPORTS = 1000  # kept per line


class SmsQueue(models.AbstractModel):
    """Delivery: what providers push, and what they tell when asked."""

    _inherit = "sms.queue"

    # === APPLYING === #

    @api.model
    def _apply_statuses(self, line, statuses):
        """Let messages follow what the provider says of them, never backwards.

        Only ids of this line's own messages count. An id nobody knows is kept for a
        while when a call of this line is under way: the report may be faster than the
        answer to the call.

        :param line: ``sms.line``
        :param list statuses: of ``tools.gateways.Status``
        """
        latest = {status.provider_id: status for status in statuses}
        known = [("line_id", "=", line.id), ("provider_id", "in", list(latest))]
        # Trackers are what outlives messages; most messages have none.
        trackers = self.env["sms.tracker"].search(known)
        messages = self.env["sms.sms"].search(known)
        groups = defaultdict(lambda: [trackers.browse(), messages.browse()])
        for at, records in enumerate((trackers, messages)):
            for record in records:
                status = latest[record.provider_id]
                groups[status.state, status.code][at] |= record
        for (state, code), group in groups.items():
            self._apply_status(state, code, *group)
        found = {*trackers.mapped("provider_id"), *messages.mapped("provider_id")}
        if unknown := set(latest) - found:
            self._keep_early_reports(line, [latest[one] for one in unknown])

    def _apply_status(self, status, code, trackers, messages):
        if status == "lost":
            messages.poll_at = False
            return
        # Delivered is the last word, and «sent» tells nothing to who knows more.
        trackers = trackers.filtered(lambda one: one.delivery != "delivered")
        messages = messages.filtered(lambda sms: sms.state != "sent")
        if status == "sent":
            trackers = trackers.filtered(lambda one: not one.delivery)
            messages = messages.filtered(lambda sms: sms.state != "error")
        if state := TRACKER_STATES.get(status):
            trackers.delivery = status
            trackers._action_update_from_sms_state(state)
            values = {"state": state, "failure_type": False, "fail_code": False}
            if state == "sent":
                values["poll_at"] = False
            messages.write(values)
        elif error := TRACKER_ERRORS.get(status):
            trackers.delivery = "failed"
            trackers._action_update_from_provider_error(error)
            messages.write(
                {
                    "state": "error",
                    "failure_type": FAILURES[status],
                    "fail_code": code,
                    "fail_message": self._get_state_words(status),
                    "poll_at": False,
                }
            )
            if status == "blocked":
                for line, group in messages.grouped("line_id").items():
                    self._note_blocks(line, group.mapped("number"))

    def _get_state_words(self, state):
        return {
            "undelivered": self.env._("The provider could not deliver it"),
            "blocked": self.env._("The number takes no advertising"),
            "refused": self.env._("The operator refused the text"),
        }[state]

    def _keep_early_reports(self, line, statuses):
        """Keep reports of ids that a call under way may still bring."""
        reports = self.env["sms.early.report"]
        under_way = self.env["sms.sms"].search_count(
            [("line_id", "=", line.id), ("outcome", "in", ("claimed", "unknown"))],
            limit=1,
        )
        if not under_way or (
            reports.search_count([("line_id", "=", line.id)], limit=EARLY_REPORTS)
            >= EARLY_REPORTS
        ):
            return
        reports.create(
            [
                {
                    "line_id": line.id,
                    "provider_id": status.provider_id[:64],
                    "state": status.state,
                    "code": status.code[:32],
                }
                for status in statuses
                if status.state != "lost"
            ]
        )

    @api.model
    def _match_early_reports(self, line):
        """Apply reports that came before the answer they belong to."""
        reports = self.env["sms.early.report"].search([("line_id", "=", line.id)])
        if not reports:
            return
        known = set(
            self.env["sms.sms"]
            .search(
                [
                    ("line_id", "=", line.id),
                    ("provider_id", "in", reports.mapped("provider_id")),
                ]
            )
            .mapped("provider_id")
        )
        matched = reports.filtered(lambda report: report.provider_id in known)
        if matched:
            self._apply_statuses(
                line,
                [Status(one.provider_id, one.state, one.code or "") for one in matched],
            )
            matched.unlink()

    # === ASKING === #

    @api.model
    def _poll_slice(self):
        """Ask one line's provider about the delivery of one batch.

        :return: messages asked about
        :rtype: int
        """
        claim = self._retried("_claim_polls")
        if not claim:
            return 0
        line_id, provider_ids = claim
        line = self.env["sms.line"].sudo().browse(line_id)
        try:
            with line._connect() as gateway:
                statuses = gateway.status(provider_ids)
        except (BadSettings, NotTaken, Unclear, Refused) as error:
            # Asked again at the next step of the schedule.
            _logger.info("Line %s: no statuses: %s", line_id, type(error).__name__)
            return len(provider_ids)
        self._retried("_store_statuses", line_id, statuses)
        return len(provider_ids)

    @api.model
    def _store_statuses(self, line_id, statuses):
        self._apply_statuses(self.env["sms.line"].browse(line_id), statuses)

    @api.model
    def _claim_polls(self):
        """Take messages to ask about and set their next turn, or none after the last.

        :return: the line's id and the provider's ids
        """
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.line_id FROM sms_sms s JOIN sms_line l ON l.id = s.line_id
                 WHERE s.poll_at <= %s AND l.paused IS NOT TRUE
                 ORDER BY s.poll_at LIMIT 1
                """,
                now,
            )
        )
        if not rows:
            return None
        line = self.env["sms.line"].browse(rows[0][0])
        self.env.cr.execute(
            SQL(
                """
                WITH due AS MATERIALIZED (
                    SELECT id FROM sms_sms
                     WHERE line_id = %(line)s AND poll_at <= %(now)s
                     ORDER BY poll_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                UPDATE sms_sms sms
                   SET poll_count = coalesce(sms.poll_count, 0) + 1,
                       poll_at = sms.claimed_at + make_interval(mins =>
                           (%(minutes)s::int[])[coalesce(sms.poll_count, 0) + 2])
                  FROM due
                 WHERE sms.id = due.id
             RETURNING sms.provider_id
                """,
                minutes=list(POLL_MINUTES),
                line=line.id,
                now=now,
                limit=line._get_caps().poll_batch,
            )
        )
        return line.id, [row[0] for row in self.env.cr.fetchall() if row[0]]
