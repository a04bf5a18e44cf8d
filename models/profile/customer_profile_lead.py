from odoo import models
from odoo.tools import SQL


class CustomerProfileLead(models.AbstractModel):
    """Leads and opportunities: on the person's row and on the company's."""

    _name = "customer.profile.lead"
    _description = "Figures of Leads"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "open_lead_count",
        "first_lead_date",
        "last_lead_date",
        "lead_source_id",
        "lead_probability",
    )

    def _group(self, scope):
        return SQL(
            """
            SELECT subject.id AS partner_id,
                   (count(*) FILTER (WHERE l.active AND l.won_status = 'pending'))::int
                       AS open_lead_count,
                   min(%(day)s) AS first_lead_date, max(%(day)s) AS last_lead_date,
                   (array_agg(l.source_id ORDER BY l.id)
                    FILTER (WHERE l.source_id IS NOT NULL))[1] AS lead_source_id,
                   round(max(CASE WHEN l.is_assured THEN 100 ELSE l.probability END)
                         FILTER (WHERE l.active AND l.won_status = 'pending'))::int
                       AS lead_probability
              FROM crm_lead l
              JOIN res_partner p ON p.id = l.partner_id
              LEFT JOIN res_users u ON u.id = l.user_id
             CROSS JOIN LATERAL (SELECT DISTINCT unnest(
                   ARRAY[p.id, p.commercial_partner_id])) subject (id)
             WHERE coalesce(l.company_id, u.company_id, %(company)s) = %(company)s
               AND %(only)s
             GROUP BY subject.id
            """,
            day=scope.day("l", "create_date"),
            company=scope.company_id,
            only=scope.only("l", "partner_id"),
        )
