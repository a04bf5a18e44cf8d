from odoo import api, fields, models

# Whoever sees names and guidance; the others, on shared screens, the neutral label.
GUIDED = (
    "customer_segmentation.customer_segmentation_group_club_user,"
    "sales_team.group_sale_salesman"
)
URGENCIES = [("1", "Heed first"), ("2", "Good to know"), ("3", "By the way")]


class CustomerTrait(models.Model):
    """What somebody is like, and how to treat them."""

    _name = "customer.trait"
    _description = "Trait"
    _order = "urgency, sequence, id"
    _rec_names_search = ["name"]

    name = fields.Char(required=True, translate=True, groups=GUIDED)
    neutral_label = fields.Char(
        required=True,
        translate=True,
        help="Shown instead of the name to whoever works at a shared screen.",
    )
    family = fields.Selection(
        [
            ("temperament", "Temperament"),
            ("personality", "Personality"),
            ("attitude", "Attitude"),
            ("lifestyle", "Lifestyle"),
            ("values", "Values"),
            ("interests", "Interests"),
            ("social_status", "Social status"),
        ],
        string="Kind of trait",
        required=True,
        default="temperament",
        groups=GUIDED,
    )
    urgency = fields.Selection(
        URGENCIES, required=True, default="2", help="The most urgent stands first."
    )
    sequence = fields.Integer(default=10)
    color = fields.Integer(aggregator=None)
    icon = fields.Char(
        default="fa-user-o", help="Name of a Font Awesome 4 icon, such as fa-comments."
    )
    active = fields.Boolean(default=True)
    recognise = fields.Text(string="How to recognise", translate=True, groups=GUIDED)
    guidance_do = fields.Text(string="Do", translate=True, groups=GUIDED)
    guidance_avoid = fields.Text(string="Avoid", translate=True, groups=GUIDED)
    guidance_opening = fields.Text(string="Opening line", translate=True, groups=GUIDED)
    guidance_offer = fields.Text(string="Offer", translate=True, groups=GUIDED)
    limits_discount = fields.Boolean(string="Limit the discount", groups=GUIDED)
    discount_ceiling_pct = fields.Float(
        string="Discount ceiling (%)",
        digits=(5, 2),
        aggregator=None,
        groups=GUIDED,
        help="The most that a quotation gives. Of several traits the lowest holds.",
    )
    price_headroom_pct = fields.Float(
        string="Price headroom (%)",
        digits=(5, 2),
        aggregator=None,
        groups=GUIDED,
        help="How far above the list price such customers usually accept.",
    )

    _percentages = models.Constraint(
        "CHECK(discount_ceiling_pct >= 0 AND discount_ceiling_pct < 100 "
        "AND price_headroom_pct >= 0)",
        "A ceiling is at least 0 and below 100 percent, headroom never negative.",
    )

    @api.depends("name", "neutral_label")
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        label = "name" if self._sees_guidance() else "neutral_label"
        for trait in self:
            trait.display_name = trait[label]

    @api.model
    def _search_display_name(self, operator, value):
        if self._sees_guidance():
            return super()._search_display_name(operator, value)
        return [("neutral_label", operator, value)]

    @api.model
    def _sees_guidance(self):
        """Whether names and guidance are for this user."""
        return self.env.su or self.env.user.has_groups(GUIDED)
