from odoo import models
from odoo.tools import SQL


class CustomerProfilePurchase(models.AbstractModel):
    """What a company or a single person bought: one row per commercial entity.

    A purchase is a confirmed order, an invoice that no order produced, or an order of
    the point of sale; posted credit notes count against the amount. In a company whose
    visits are purchases, counted check-ins take their place and amounts stay empty.
    """

    _name = "customer.profile.purchase"
    _description = "Figures of Purchases"
    _inherit = "customer.profile.group"
    _figure_names = (
        "first_purchase_date",
        "last_purchase_date",
        "purchase_gap_days",
        "purchase_count",
        "recent_purchase_count",
        "purchase_total",
        "return_count",
    )

    def _group(self, scope):
        documents = self._visits(scope)
        if not scope.visits_are_purchases:
            documents = self._documents(scope)
        # One pass over the sorted documents; a gap of no days is a day's second one.
        return SQL(
            """
            WITH step AS (
                SELECT d.*,
                       CASE WHEN exact THEN day - max(day) FILTER (WHERE exact) OVER (
                            PARTITION BY partner_id ORDER BY day
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS gap
                  FROM (%(documents)s) d)
            SELECT partner_id,
                   min(day) FILTER (WHERE bought) AS first_purchase_date,
                   max(day) FILTER (WHERE bought) AS last_purchase_date,
                   round((percentile_cont(0.5) WITHIN GROUP (ORDER BY gap)
                          FILTER (WHERE gap > 0))::numeric)::int AS purchase_gap_days,
                   sum(purchases)::int AS purchase_count,
                   coalesce(sum(purchases) FILTER (WHERE day > %(year_ago)s), 0)::int
                       AS recent_purchase_count,
                   round(sum(amount)::numeric, %(digits)s) AS purchase_total,
                   sum(returns)::int AS return_count
              FROM step
             GROUP BY partner_id
            """,
            documents=documents,
            digits=scope.digits,
            year_ago=SQL("(%s::date - interval '12 months')::date", scope.today),
        )

    def _documents(self, scope):
        """Rows of (entity, day, purchases, bought, exact, amount, returns)."""
        parts = [self._orders(scope), self._invoices(scope)]
        if "pos.order" in self.env:
            parts.append(self._pos_orders(scope))
        return SQL(" UNION ALL ").join(parts)

    def _orders(self, scope):
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id, %(day)s AS day,
                   1 AS purchases, TRUE AS bought, TRUE AS exact,
                   o.amount_untaxed / coalesce(nullif(o.currency_rate, 0), 1)::numeric
                       AS amount,
                   0 AS returns
              FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
             WHERE o.company_id = %(company)s AND o.state = 'sale' AND %(only)s
            """,
            day=scope.day("o", "date_order"),
            company=scope.company_id,
            only=scope.only("o", "partner_id"),
        )

    def _invoices(self, scope):
        return SQL(
            """
            SELECT p.commercial_partner_id, m.invoice_date,
                   (m.move_type <> 'out_refund')::int, m.move_type <> 'out_refund',
                   m.move_type <> 'out_refund', m.amount_untaxed_signed,
                   (m.move_type = 'out_refund')::int
              FROM account_move m JOIN res_partner p ON p.id = m.partner_id
             WHERE %(ours)s AND %(only)s
            """,
            ours=self._is_own_invoice(scope),
            only=scope.only("m", "partner_id"),
        )

    def _is_own_invoice(self, scope):
        """Posted invoices that no order produced, and all credit notes."""
        own = SQL(
            """
            m.company_id = %s AND m.state = 'posted'
            AND m.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
            AND (m.move_type = 'out_refund' OR NOT EXISTS (
                    SELECT FROM sale_order_line_invoice_rel produced
                      JOIN account_move_line line ON line.id = produced.invoice_line_id
                     WHERE line.move_id = m.id))
            """,
            scope.company_id,
        )
        if "pos.order" not in self.env:
            return own
        return SQL(
            "%s AND NOT EXISTS ("
            "SELECT FROM pos_order pos WHERE pos.account_move = m.id)",
            own,
        )

    def _pos_orders(self, scope):
        """Paid orders of the point of sale; its refunds count against the amount.

        Where one settles a sale order, that one is the purchase: of the till's order
        counts what was bought besides.
        """
        settled = SQL("SELECT NULL::numeric AS amount")
        if "sale_order_origin_id" in self.env["pos.order.line"]._fields:
            settled = SQL(
                "SELECT sum(line.price_subtotal) AS amount FROM pos_order_line line "
                "WHERE line.order_id = o.id AND line.sale_order_origin_id IS NOT NULL"
            )
        return SQL(
            """
            SELECT p.commercial_partner_id, %(day)s, %(bought)s::int, %(bought)s,
                   %(bought)s,
                   (o.amount_total - o.amount_tax - coalesce(settled.amount, 0))
                       / coalesce(nullif(o.currency_rate, 0), 1)::numeric,
                   (o.amount_total < 0)::int
              FROM pos_order o JOIN res_partner p ON p.id = o.partner_id
             CROSS JOIN LATERAL (%(settled)s) settled
             WHERE o.company_id = %(company)s
               AND o.state IN ('paid', 'done', 'invoiced') AND %(only)s
            """,
            day=scope.day("o", "date_order"),
            bought=SQL("(o.amount_total >= 0 AND settled.amount IS NULL)"),
            company=scope.company_id,
            settled=settled,
            only=scope.only("o", "partner_id"),
        )

    def _visits(self, scope):
        """Counted check-ins as purchases; of imported ones the days are not known."""
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id, %(day)s AS day,
                   1 AS purchases, TRUE AS bought, TRUE AS exact,
                   NULL::numeric AS amount, 0 AS returns
              FROM club_checkin c JOIN club_member m ON m.id = c.member_id
              JOIN res_partner p ON p.id = m.partner_id
             WHERE c.company_id = %(company)s AND c.counted AND %(only)s
             UNION ALL
            SELECT p.commercial_partner_id, end_of.day, end_of.purchases, TRUE, FALSE,
                   NULL, 0
              FROM club_member m JOIN res_partner p ON p.id = m.partner_id
             CROSS JOIN LATERAL (VALUES
                   (%(first)s, coalesce(m.imported_visits, 0)), (%(last)s, 0))
                   end_of (day, purchases)
             WHERE m.company_id = %(company)s AND m.imported_visits > 0 AND %(only)s
            """,
            day=scope.day("c", "occurred_at"),
            first=scope.day("m", "imported_first_visit"),
            last=scope.day("m", "imported_last_visit"),
            company=scope.company_id,
            only=scope.only("m", "partner_id"),
        )
