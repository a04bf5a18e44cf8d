from odoo import api, fields, models
from odoo.tools import formatLang

SALES_MANAGER = "sales_team.group_sale_manager"
TOLERANCE_PCT = 0.005


class SaleGuidanceMixin(models.AbstractModel):
    """How to treat the customer of a quotation, and how much to give."""

    _name = "sale.guidance.mixin"
    _description = "Guidance on a Quotation"

    # Core's own, named here for the related field below.
    partner_id = fields.Many2one("res.partner")
    trait_ids = fields.Many2many(
        related="partner_id.trait_ids",
        string="Traits",
        readonly=False,
        groups="base.group_user",
        help="The customer's; noted here, they stand on the contact.",
    )
    guidance_card = fields.Json(
        string="Guidance", compute="_compute_guidance_card", groups="base.group_user"
    )
    discount_ceiling_text = fields.Text(
        string="Discount warning",
        compute="_compute_discount_ceiling_text",
        groups="base.group_user",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "partner_id.trait_ids",
        "partner_id.no_profiling",
        "order_line.opening_price",
        "order_line.price_floor",
        "order_line.product_uom_qty",
    )
    @api.depends_context("uid", "lang")
    def _compute_guidance_card(self):
        for order in self:
            order.guidance_card = order._prepare_guidance_card()

    def _prepare_guidance_card(self):
        cards = self.env["customer.guidance"]._prepare_cards(
            self.partner_id, company=self.company_id
        )
        limiting = self._get_limiting_trait()
        text = limiting and self._prepare_price_text()
        if text and self.env["customer.trait"]._sees_guidance():
            for card in cards:
                if card["key"] == f"trait-{limiting.id}":
                    line = {"label": self.env._("Open at"), "text": text}
                    card["lines"].insert(0, line)
        return cards

    def _prepare_price_text(self):
        """«12,400,000, floor 11,100,000» over the whole quotation."""
        lines = self._get_priced_lines()
        if not lines:
            return ""
        opening = sum(line.opening_price * line.product_uom_qty for line in lines)
        text = formatLang(self.env, opening, currency_obj=self.currency_id)
        if all(line.price_floor for line in lines):
            floor = sum(line.price_floor * line.product_uom_qty for line in lines)
            text = self.env._(
                "%(opening)s, floor %(floor)s",
                opening=text,
                floor=formatLang(self.env, floor, currency_obj=self.currency_id),
            )
        return text

    @api.depends(
        "partner_id.trait_ids",
        "order_line.price_unit",
        "order_line.discount",
        "order_line.product_uom_qty",
        "order_line.product_id",
    )
    @api.depends_context("uid", "lang")
    def _compute_discount_ceiling_text(self):
        for order in self:
            order.discount_ceiling_text = (
                order.state in ("draft", "sent") and order._get_discount_excess()
            )

    # === BUSINESS METHODS === #

    def _get_limiting_trait(self):
        """The trait with the lowest ceiling of the customer, as its company keeps it.

        Read as superuser: the ceiling holds for a cashier too, who sees no trait.
        """
        self.ensure_one()
        partner = self.sudo().partner_id
        if partner.no_profiling:
            return partner.trait_ids.browse()
        return partner.trait_ids.filtered(
            lambda trait: trait.active and trait.limits_discount
        ).sorted("discount_ceiling_pct")[:1]

    def _get_priced_lines(self):
        """Lines that sell something at a price of its own."""
        return self.order_line.filtered(
            lambda line: (
                not line.display_type
                and not line.is_downpayment
                and line.product_id
                and line.product_uom_qty > 0
                and line.price_unit >= 0
                and line._get_list_price() > 0
            )
        )

    def _get_discount_excess(self):
        """What goes beyond the ceiling, in words, or "".

        A discount is one in the column, a price below the list price, or an amount
        taken off the whole quotation.
        """
        self.ensure_one()
        trait = self._get_limiting_trait()
        if not trait:
            return ""
        ceiling = trait.discount_ceiling_pct
        lines = self._get_priced_lines()
        given = {line: line._get_given_discount_pct() for line in lines}
        number = self.env["customer.guidance"]._number
        texts = [
            self.env._(
                "%(product)s: %(discount)s %%",
                # Isolated: a name of the other direction would turn the number.
                product=f"\u2068{line.product_id.display_name}\u2069",
                discount=number(round(discount, 2)),
            )
            for line, discount in given.items()
            if discount > ceiling + TOLERANCE_PCT
        ]
        whole = self._get_whole_discount_pct(lines)
        if not texts and whole > ceiling + TOLERANCE_PCT:
            texts.append(self.env._("whole quotation: %s %%", number(round(whole, 2))))
        if not texts:
            return ""
        return self.env._(
            "More than the %(ceiling)s %% discount meant for this customer: %(lines)s",
            ceiling=number(ceiling),
            lines=", ".join(texts),
        )

    def _get_whole_discount_pct(self, lines):
        """What the whole quotation gives off the list price, amounts off included."""
        full = sum(line._get_list_price() * line.product_uom_qty for line in lines)
        off = self.order_line.filtered(
            lambda line: (
                not line.display_type
                and not line.is_downpayment
                and line.price_unit * line.product_uom_qty < 0
            )
        )
        if not full or not off:
            return 0.0
        paid = sum(line._get_net_price() * line.product_uom_qty for line in lines | off)
        return 100 * (1 - paid / full)

    def _confirmation_error_message(self):
        """Stop whoever is no manager; a customer who accepts online is not stopped."""
        message = super()._confirmation_error_message()
        user = self.env.user
        if message or self.env.su or not user._is_internal():
            return message
        excess = not user.has_group(SALES_MANAGER) and self._get_discount_excess()
        if not excess:
            return message
        return self.env._("%s\nA sales manager may confirm it.", excess)

    def action_confirm(self):
        """Confirm; a discount beyond the ceiling is noted in the chatter."""
        excesses = {order: order._get_discount_excess() for order in self}
        result = super().action_confirm()
        for order, excess in excesses.items():
            if excess:
                order._message_log(
                    body=self.env._(
                        "Confirmed by %(user)s. %(excess)s",
                        user=self.env.user.display_name,
                        excess=excess,
                    )
                )
        return result
