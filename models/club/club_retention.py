import logging

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

BATCH_SIZE = 10_000


class ClubRetention(models.AbstractModel):
    """Forgets raw visits and texts after the months that each company keeps them."""

    _name = "club.retention"
    _description = "Club Retention"

    @api.model
    def _cron_forget(self):
        """One batch of each kind; runs again at once while something is left."""
        cron = self.env["ir.cron"]
        forgotten = self._forget_checkins() + self._forget_messages()
        _logger.info("Retention: %s rows forgotten", forgotten)
        cron._commit_progress(forgotten, remaining=1 if forgotten else 0)

    def _forget_checkins(self, limit=BATCH_SIZE):
        """Fold old visits into their member's count and remove the rows.

        Rows still in preparation and rows that a device could send again stay.

        :return: rows removed
        :rtype: int
        """
        self.env.flush_all()
        total = 0
        companies = self.env["res.company"].sudo()
        for company in companies.search([("club_retention_checkin_months", ">", 0)]):
            before = fields.Datetime.now() - relativedelta(
                months=company.club_retention_checkin_months
            )
            rows = self.env.execute_query(
                SQL(
                    """
                    WITH old AS (
                        SELECT id FROM club_checkin
                         WHERE company_id = %(company)s
                           AND arrived_at < %(before)s AND state <> 'pending'
                         ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
                    gone AS (
                        DELETE FROM club_checkin c USING old
                              WHERE c.id = old.id
                          RETURNING c.member_id, c.counted, c.occurred_at),
                    folded AS (
                        SELECT member_id, count(*) AS visits,
                               min(occurred_at) AS first, max(occurred_at) AS last
                          FROM gone WHERE counted AND member_id IS NOT NULL
                         GROUP BY member_id),
                    kept AS (
                        UPDATE club_member m
                           SET imported_visits = coalesce(m.imported_visits, 0)
                                                 + f.visits,
                               imported_first_visit =
                                   least(m.imported_first_visit, f.first),
                               imported_last_visit =
                                   greatest(m.imported_last_visit, f.last)
                          FROM folded f WHERE m.id = f.member_id)
                    SELECT count(*) FROM gone
                    """,
                    company=company.id,
                    before=before,
                    limit=limit,
                )
            )
            total += rows[0][0]
        self.env.invalidate_all()
        return total

    def _forget_messages(self, limit=BATCH_SIZE):
        """Remove the texts of messages that are done with.

        :return: rows removed
        :rtype: int
        """
        total = 0
        companies = self.env["res.company"].sudo()
        for company in companies.search([("club_retention_sms_months", ">", 0)]):
            before = fields.Datetime.now() - relativedelta(
                months=company.club_retention_sms_months
            )
            messages = (
                self.env["sms.sms"]
                .sudo()
                .search(
                    [
                        ("company_id", "=", company.id),
                        # What core's own apps sent is not ours to forget.
                        ("line_id", "!=", False),
                        ("create_date", "<", before),
                        ("state", "in", ("pending", "sent", "error", "canceled")),
                    ],
                    limit=limit,
                )
            )
            total += len(messages)
            messages.unlink()
        return total
