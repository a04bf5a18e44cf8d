from odoo import models
from odoo.tools import SQL


class CustomerProfileQuotation(models.AbstractModel):
    """Quotations, above all those that may still be accepted: one row per entity."""

    _name = "customer.profile.quotation"
    _description = "Figures of Quotations"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "open_quotation_count",
        "open_quotation_total",
        "open_quotation_date",
        "last_quotation_date",
        "sent_quotation_count",
        "assured_quotation_count",
    )

    def _group(self, scope):
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id,
                   (count(*) FILTER (WHERE %(open)s))::int AS open_quotation_count,
                   round(sum(o.amount_untaxed
                             / coalesce(nullif(o.currency_rate, 0), 1)::numeric)
                         FILTER (WHERE %(open)s), %(digits)s) AS open_quotation_total,
                   max(%(day)s) FILTER (WHERE %(open)s) AS open_quotation_date,
                   max(%(day)s) AS last_quotation_date,
                   (count(*) FILTER (WHERE %(open)s AND o.state = 'sent'))::int
                       AS sent_quotation_count,
                   (count(*) FILTER (WHERE %(open)s AND o.is_assured))::int
                       AS assured_quotation_count
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id = %(company)s AND o.state IN ('draft', 'sent')
               AND %(only)s
             GROUP BY p.commercial_partner_id
            """,
            digits=scope.digits,
            day=scope.day("o", "date_order"),
            company=scope.company_id,
            open=SQL("(o.validity_date IS NULL OR o.validity_date >= %s)", scope.today),
            only=scope.only("o", "partner_id"),
        )
