from odoo import models
from odoo.tools import SQL

from ...tools.refusal import FAILURE_TYPES
from .sms_line_test import TEST_SOURCE


class SmsQueue(models.AbstractModel):
    """The rule of who may be reached once more, when messages leave.

    Between its queueing and its leaving a message may wait a night, or be changed by
    hand: what counts is what people have said by then.
    """

    _inherit = "sms.queue"

    def _claim_rows(self, line, batch, limit, now):
        while rows := super()._claim_rows(line, batch, limit, now):
            refused = self._get_refused(line, rows)
            if refused:
                self._cancel_claimed(rows, refused)
            if kept := [row for row in rows if row["id"] not in refused]:
                return kept
        return []

    def _get_refused(self, line, rows):
        """Claimed messages that may not leave.

        :return: reason of ``tools.refusal.REASONS`` by id
        :rtype: dict[int, str]
        """
        reasons = {}
        tests = [row for row in rows if self._is_test(row)]
        for judged, judge in (
            (tests, line._judge_tests),
            ([row for row in rows if row not in tests], line._judge_waiting),
        ):
            if judged:
                numbers = [row["number"] for row in judged]
                refused = judge(numbers, [row["partner_id"] for row in judged])
                reasons.update(
                    (row["id"], refused[row["number"]])
                    for row in judged
                    if row["number"] in refused
                )
        if line.message_class == "service":
            for row in rows:
                if row["message_class"] == "advertising":
                    reasons[row["id"]] = "wrong_class"
        return reasons

    def _is_test(self, row):
        return (row["source"] or "").startswith(TEST_SOURCE)

    def _cancel_claimed(self, rows, reasons):
        """Cancel claimed messages, with their reasons.

        :param dict reasons: of ``tools.refusal.REASONS`` by id
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_sms s
                   SET state = 'canceled', failure_type = o.failure_type,
                       outcome = NULL, claimed_at = NULL, batch = NULL
                  FROM unnest(%s::int[], %s::varchar[]) AS o(id, failure_type)
                 WHERE s.id = o.id
                """,
                list(reasons),
                [FAILURE_TYPES[reason] for reason in reasons.values()],
            )
        )
        self._update_trackers(
            [
                (
                    row["uuid"],
                    "canceled",
                    {"failure_type": FAILURE_TYPES[reasons[row["id"]]]},
                )
                for row in rows
                if row["id"] in reasons
            ]
        )
