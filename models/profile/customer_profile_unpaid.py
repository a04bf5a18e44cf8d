from odoo import models
from odoo.tools import SQL


class CustomerProfileUnpaid(models.AbstractModel):
    """What is still to be paid: one row per commercial entity."""

    _name = "customer.profile.unpaid"
    _description = "Figures of Unpaid Invoices"
    _inherit = ["customer.profile.group"]
    _figure_names = ("unpaid_total", "overdue_total")

    def _group(self, scope):
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id,
                   sum(m.amount_residual_signed) AS unpaid_total,
                   coalesce(sum(m.amount_residual_signed)
                            FILTER (WHERE m.move_type <> 'out_refund'
                                      AND m.invoice_date_due < %(today)s), 0)
                       AS overdue_total
              FROM account_move m JOIN res_partner p ON p.id = m.partner_id
             WHERE m.company_id = %(company)s AND m.state = 'posted'
               AND m.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
               AND m.amount_residual_signed <> 0 AND %(only)s
             GROUP BY p.commercial_partner_id
            """,
            today=scope.today,
            company=scope.company_id,
            only=scope.only("m", "partner_id"),
        )
