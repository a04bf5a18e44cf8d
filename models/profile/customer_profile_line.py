from odoo import models
from odoo.tools import SQL


class CustomerProfileLine(models.AbstractModel):
    """Discount, margin and main category, from the lines of the same documents."""

    _name = "customer.profile.line"
    _description = "Figures of Discount and Margin"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "discount_share",
        "purchase_margin",
        "main_category_id",
        "main_category_share",
    )

    def _group(self, scope):
        if scope.visits_are_purchases:
            # Nothing is sold through Odoo here.
            return SQL(
                "SELECT NULL::int AS partner_id, NULL::numeric AS discount_share, "
                "NULL::numeric AS purchase_margin, NULL::int AS main_category_id, "
                "NULL::numeric AS main_category_share WHERE FALSE"
            )
        parts = [self._order_lines(scope), self._invoice_lines(scope)]
        if "pos.order" in self.env:
            parts.append(self._pos_lines(scope))
        return SQL(
            """
            SELECT partner_id,
                   round((sum(discount) / nullif(sum(gross), 0))::numeric, 4)
                       AS discount_share,
                   round(sum(margin)::numeric, %(digits)s) AS purchase_margin,
                   (array_agg(categ_id ORDER BY amount DESC, categ_id)
                    FILTER (WHERE amount > 0 AND categ_id IS NOT NULL))[1]
                       AS main_category_id,
                   round((max(amount) FILTER (WHERE amount > 0
                                                AND categ_id IS NOT NULL)
                          / nullif(greatest(sum(amount), 0), 0))::numeric, 4)
                       AS main_category_share
              FROM (SELECT partner_id, categ_id, sum(discount) AS discount,
                           sum(gross) AS gross, sum(margin) AS margin,
                           sum(amount) AS amount
                      FROM (%(lines)s) line
                     GROUP BY partner_id, categ_id) category
             GROUP BY partner_id
            """,
            lines=SQL(" UNION ALL ").join(parts),
            digits=scope.digits,
        )

    def _order_lines(self, scope):
        """Lines of orders: gross, discount and, where a cost is known, margin."""
        if "purchase_price" in self.env["sale.order.line"]._fields:
            cost = SQL("nullif(l.purchase_price, 0) * l.product_uom_qty")
            join = self._product_joins()
        else:
            cost, join = self._standard_cost(
                scope, SQL("l.product_uom_qty"), SQL("l.product_uom_id")
            )
            cost = SQL("%s * %s", cost, SQL("coalesce(nullif(o.currency_rate, 0), 1)"))
        company = self.env["res.company"].browse(scope.company_id)
        return SQL(
            """
            SELECT p.commercial_partner_id AS partner_id,
                   greatest(l.price_unit * l.product_uom_qty, 0) / rate.value AS gross,
                   CASE WHEN l.product_id = %(discount)s THEN -l.price_subtotal
                        ELSE l.price_unit * l.product_uom_qty * l.discount / 100
                    END / rate.value AS discount,
                   (l.price_subtotal - %(cost)s) / rate.value AS margin,
                   l.price_subtotal / rate.value AS amount, template.categ_id
              FROM sale_order o
              JOIN sale_order_line l ON l.order_id = o.id
              JOIN res_partner p ON p.id = o.partner_id
             CROSS JOIN LATERAL (
                   SELECT coalesce(nullif(o.currency_rate, 0), 1)::numeric) rate (value)
                   %(join)s
             WHERE o.company_id = %(company)s AND o.state = 'sale' AND %(only)s
               AND l.display_type IS NULL AND l.is_downpayment IS NOT TRUE
            """,
            discount=company.sale_discount_product_id.id or 0,
            cost=cost,
            join=join,
            company=scope.company_id,
            only=scope.only("o", "partner_id"),
        )

    def _invoice_lines(self, scope):
        """Lines of invoices that no order produced; credit notes count against."""
        cost, join = self._standard_cost(
            scope, SQL("l.quantity"), SQL("l.product_uom_id")
        )
        return SQL(
            """
            SELECT p.commercial_partner_id,
                   CASE WHEN m.move_type = 'out_refund' THEN 0
                        ELSE l.price_unit * l.quantity
                    END / rate.value,
                   CASE WHEN m.move_type = 'out_refund' THEN 0
                        ELSE l.price_unit * l.quantity * l.discount / 100
                    END / rate.value,
                   -l.balance
                   - CASE WHEN m.move_type = 'out_refund' THEN -1 ELSE 1 END * %(cost)s,
                   -l.balance, template.categ_id
              FROM account_move m
              JOIN account_move_line l ON l.move_id = m.id
              JOIN res_partner p ON p.id = m.partner_id
             CROSS JOIN LATERAL (
                   SELECT coalesce(nullif(m.invoice_currency_rate, 0), 1)::numeric
                   ) rate (value)
                   %(join)s
             WHERE %(ours)s AND %(only)s AND l.display_type = 'product'
            """,
            cost=cost,
            join=join,
            ours=self.env["customer.profile.purchase"]._is_own_invoice(scope),
            only=scope.only("m", "partner_id"),
        )

    def _pos_lines(self, scope):
        own = SQL("TRUE")
        if "sale_order_origin_id" in self.env["pos.order.line"]._fields:
            # The others are in the sale order that they settle.
            own = SQL("l.sale_order_origin_id IS NULL")
        return SQL(
            """
            SELECT p.commercial_partner_id,
                   greatest(l.price_unit * l.qty, 0) / rate.value,
                   greatest(l.price_unit * l.qty, 0) * l.discount / 100 / rate.value,
                   l.price_subtotal / rate.value - nullif(l.total_cost, 0),
                   l.price_subtotal / rate.value, template.categ_id
              FROM pos_order o
              JOIN pos_order_line l ON l.order_id = o.id
              JOIN res_partner p ON p.id = o.partner_id
             CROSS JOIN LATERAL (
                   SELECT coalesce(nullif(o.currency_rate, 0), 1)::numeric) rate (value)
                   %(join)s
             WHERE o.company_id = %(company)s
               AND o.state IN ('paid', 'done', 'invoiced') AND %(own)s AND %(only)s
            """,
            own=own,
            company=scope.company_id,
            join=self._product_joins(),
            only=scope.only("o", "partner_id"),
        )

    def _product_joins(self):
        return SQL(
            """
            LEFT JOIN product_product product ON product.id = l.product_id
            LEFT JOIN product_template template ON template.id = product.product_tmpl_id
            """
        )

    def _standard_cost(self, scope, quantity, unit):
        """Cost of a line by the product's cost in the company, and the joins for it."""
        cost = SQL(
            """
            nullif((product.standard_price ->> %s)::numeric, 0) * %s
            * coalesce(line_unit.factor / nullif(own_unit.factor, 0), 1)::numeric
            """,
            str(scope.company_id),
            quantity,
        )
        joins = SQL(
            """
            %s
            LEFT JOIN uom_uom own_unit ON own_unit.id = template.uom_id
            LEFT JOIN uom_uom line_unit ON line_unit.id = %s
            """,
            self._product_joins(),
            unit,
        )
        return cost, joins
