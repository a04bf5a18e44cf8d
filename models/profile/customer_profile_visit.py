from odoo import models
from odoo.tools import SQL


class CustomerProfileVisit(models.AbstractModel):
    """Visits to the club: one row per person."""

    _name = "customer.profile.visit"
    _description = "Figures of Visits"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "visit_count",
        "first_visit_date",
        "last_visit_date",
        "visit_gap_days",
    )

    def _group(self, scope):
        """Counts from the members, who keep what retention takes from the journal."""
        return SQL(
            """
            WITH gap AS (
                SELECT partner_id, day - lag(day) OVER (PARTITION BY partner_id
                                                        ORDER BY day) AS days
                  FROM (SELECT m.partner_id, %(day)s AS day
                          FROM club_checkin c JOIN club_member m ON m.id = c.member_id
                         WHERE c.company_id = %(company)s AND c.counted
                           AND m.partner_id IS NOT NULL AND %(only)s) visit_day),
            rhythm AS (
                SELECT partner_id,
                       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY days)
                             ::numeric)::int AS days
                  FROM gap WHERE days > 0 GROUP BY partner_id)
            SELECT m.partner_id, sum(m.visit_count)::int AS visit_count,
                   min(%(first)s) AS first_visit_date,
                   max(%(last)s) AS last_visit_date,
                   min(rhythm.days) AS visit_gap_days
              FROM club_member m LEFT JOIN rhythm ON rhythm.partner_id = m.partner_id
             WHERE m.company_id = %(company)s AND m.partner_id IS NOT NULL AND %(only)s
               AND m.visit_count > 0
             GROUP BY m.partner_id
            """,
            day=scope.day("c", "occurred_at"),
            first=scope.day("m", "first_visit"),
            last=scope.day("m", "last_visit"),
            company=scope.company_id,
            only=scope.only("m", "partner_id"),
        )
