from odoo import models
from odoo.tools import SQL


class CustomerProfileQuotation(models.AbstractModel):
    """Quotations that may still be accepted: one row per commercial entity."""

    _name = "customer.profile.quotation"
    _description = "Figures of Quotations"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "open_quotation_count",
        "open_quotation_total",
        "open_quotation_date",
    )

    def _group(self, scope):
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id,
                   count(*)::int AS open_quotation_count,
                   round(sum(o.amount_untaxed
                             / coalesce(nullif(o.currency_rate, 0), 1)::numeric),
                         %(digits)s) AS open_quotation_total,
                   max(%(day)s) AS open_quotation_date
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id = %(company)s AND o.state IN ('draft', 'sent')
               AND (o.validity_date IS NULL OR o.validity_date >= %(today)s)
               AND %(only)s
             GROUP BY p.commercial_partner_id
            """,
            digits=scope.digits,
            day=scope.day("o", "date_order"),
            company=scope.company_id,
            today=scope.today,
            only=scope.only("o", "partner_id"),
        )
