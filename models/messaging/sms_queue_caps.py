from odoo import models
from odoo.tools import SQL

CAPS_LOCK = 0x534D5341  # of pg_advisory_xact_lock, beside the company


class SmsQueue(models.AbstractModel):
    """The caps per person once more, when messages leave.

    Who queues at the same time does not see the others' messages yet, and what waited
    for days meets what was sent meanwhile. So advertising is counted again in the
    transaction that claims it, one company after the other, by the time it leaves.
    """

    _inherit = "sms.queue"

    def _claim_rows(self, line, batch, limit, now):
        company = line.company_id
        if line.message_class != "advertising" or not (
            company.sms_cap_week or company.sms_cap_day
        ):
            return super()._claim_rows(line, batch, limit, now)
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(%s, %s)",
                CAPS_LOCK,
                company.id,
            )
        )
        while rows := super()._claim_rows(line, batch, limit, now):
            counted = [row for row in rows if not self._is_test(row)]
            over = self._get_over_caps(company, counted, now)
            if over:
                self._cancel_claimed(rows, over)
            if kept := [row for row in rows if row["id"] not in over]:
                self._count_as_sent(kept, now)
                return kept
        return []

    def _get_over_caps(self, company, rows, now):
        """Claimed messages to people who got enough by now; the older ones go first.

        :return: reason by id
        :rtype: dict[int, str]
        """
        week, day = company.sms_cap_week, company.sms_cap_day
        used = self.env["customer.consent"]._used_statement(
            company,
            now,
            SQL("s.state = 'outgoing' OR a.sms_uuid IN (SELECT uuid FROM mine)"),
        )
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    WITH mine AS MATERIALIZED (
                        SELECT id, uuid, number, row_number() OVER (
                                   PARTITION BY number ORDER BY id) - 1 AS before
                          FROM sms_sms WHERE id = ANY(%(ids)s)),
                    wanted AS (SELECT DISTINCT number FROM mine),
                    used AS (%(used)s)
                    SELECT * FROM (
                        SELECT m.id,
                               CASE WHEN %(week)s > 0 AND
                                         coalesce(u.week, 0) + m.before >= %(week)s
                                    THEN 'cap_week'
                                    WHEN %(day)s > 0 AND
                                         coalesce(u.day, 0) + m.before >= %(day)s
                                    THEN 'cap_day' END AS reason
                          FROM mine m LEFT JOIN used u ON u.number = m.number) judged
                     WHERE reason IS NOT NULL
                    """,
                    ids=[row["id"] for row in rows],
                    used=used,
                    week=week,
                    day=day,
                )
            )
        )

    def _count_as_sent(self, rows, now):
        """What counts is the time it leaves, not the time it was meant to."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_advertising a SET due_at = %s
                  FROM sms_sms s
                 WHERE s.id = ANY(%s) AND a.company_id = s.company_id
                   AND a.number = s.number AND a.sms_uuid = s.uuid
                """,
                now,
                [row["id"] for row in rows],
            )
        )
