from odoo import api, fields, models


class SaleLineGuidanceMixin(models.AbstractModel):
    """What a line should open at, and where it should stop."""

    _name = "sale.line.guidance.mixin"
    _description = "Guidance on a Quotation Line"

    # Core's own, named here for the prices below.
    currency_id = fields.Many2one("res.currency")
    opening_price = fields.Monetary(
        string="Suggested price",
        compute="_compute_opening_price",
        groups="base.group_user",
        help="Where to open for a customer whose discount has a ceiling, so that the "
        "margin is left after it.",
    )
    price_floor = fields.Monetary(
        string="Price floor",
        compute="_compute_opening_price",
        groups="base.group_user",
        help="Cost and minimum margin; empty where no cost is known.",
    )

    @api.depends(
        "product_id",
        "product_uom_id",
        "product_uom_qty",
        "tax_ids",
        "order_id.partner_id.trait_ids",
        "order_id.pricelist_id",
        "order_id.currency_id",
    )
    def _compute_opening_price(self):
        for line in self:
            trait = line.order_id and line.order_id._get_limiting_trait()
            line.opening_price = line.price_floor = 0
            if not trait or line.display_type or not line.product_id:
                continue
            floor = line._get_price_floor()
            list_price = line._get_list_price()
            line.price_floor = floor
            line.opening_price = line._get_opening_price(
                list_price, floor, trait.discount_ceiling_pct
            )

    def _get_opening_price(self, list_price, floor, ceiling_pct):
        """Where to open so that the floor is left after the whole discount.

        opening = max(list, floor ÷ (1 − ceiling)), above the list price only if the
        company allows it; without a known cost the list price.
        Source: content of the product, traits, haggler.

        :param float list_price: price per unit before discount
        :param float floor: lowest price per unit, 0 when no cost is known
        :param float ceiling_pct: discount ceiling in percent, below 100
        :return: price per unit, in the currency of the order
        :rtype: float
        """
        company = self.order_id.company_id or self.env.company
        if not floor or not company.guidance_above_list:
            return list_price
        return self.currency_id.round(max(list_price, floor / (1 - ceiling_pct / 100)))

    def _get_price_floor(self):
        """Cost × (1 + minimum margin) per unit of the line, 0 when no cost is known.

        In the order's currency and, where the price includes taxes, with them.
        """
        order = self.order_id
        company = order.company_id or self.env.company
        product = self.product_id.with_company(company).sudo()
        cost = product.standard_price
        if cost <= 0:
            return 0.0
        if self.product_uom_id:
            cost = product.uom_id._compute_price(cost, self.product_uom_id)
        cost = product.cost_currency_id._convert(
            cost,
            order.currency_id or company.currency_id,
            company,
            order.date_order or fields.Date.today(),
            round=False,
        )
        floor = cost * (1 + company.guidance_min_margin_pct / 100)
        included = self.tax_ids.filtered("price_include")
        if included:
            floor = included.compute_all(
                floor,
                currency=order.currency_id,
                product=product,
                partner=order.partner_id,
                handle_price_include=False,
                rounding_method="round_globally",
            )["total_included"]
        return self.currency_id.round(floor)

    def _get_list_price(self):
        """The price per unit that the price list shows, before any discount."""
        self.ensure_one()
        if not self.product_id or self.display_type:
            return 0.0
        return self._get_display_price()

    def _get_net_price(self):
        """What a unit costs the customer."""
        return self.price_unit * (1 - (self.discount or 0) / 100)

    def _get_given_discount_pct(self):
        """The discount of the line in percent: the column, or below the list price."""
        list_price = self._get_list_price()
        below = 100 * (1 - self._get_net_price() / list_price) if list_price else 0
        return max(self.discount or 0, below)
