from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .customer_profile import EARNINGS

COMPARED = ("<", "<=", ">", ">=", "in")


class CustomerProfile(models.Model):
    """What the classes of customers ask for besides the figures people read."""

    _inherit = "customer.profile"

    recent_purchase_count = fields.Integer(
        string="Purchases in 12 months", readonly=True
    )
    purchase_lateness = fields.Float(
        string="Lateness",
        compute="_compute_purchase_lateness",
        search="_search_purchase_lateness",
        digits=(8, 2),
        aggregator=None,
        help="Days since the last purchase, divided by the usual gap between two: more "
        "than 1 is later than usual. 0 where there is no usual gap yet.",
    )
    last_quotation_date = fields.Date(string="Newest quotation", readonly=True)
    sent_quotation_count = fields.Integer(string="Quotations sent", readonly=True)
    assured_quotation_count = fields.Integer(
        string="Assured quotations",
        readonly=True,
        help="Open quotations that the salesperson marked as assured.",
    )
    quotation_is_newer = fields.Boolean(
        string="Quotation after the last purchase",
        readonly=True,
        help="An open quotation is newer than the last purchase, or nothing was "
        "bought.",
    )
    lead_probability = fields.Integer(
        string="Chance (%)",
        readonly=True,
        aggregator="max",
        help="The best chance among the open leads; 100 where the salesperson marked "
        "one as assured.",
    )
    last_answer_date = fields.Date(
        string="Last answer",
        readonly=True,
        help="The last click, reply, form, download or visit to the website.",
    )
    main_category_id = fields.Many2one(
        "product.category", string="Main category", readonly=True, ondelete="set null"
    )
    main_category_share = fields.Float(
        string="Share of the main category",
        readonly=True,
        digits=(5, 4),
        aggregator="avg",
        help="How much of what was bought is in that category.",
    )
    discount_tenth = fields.Integer(
        string="Discount, in tenths",
        readonly=True,
        aggregator="avg",
        help="1 to 10 among the customers: 9 and 10 are the fifth with most discount.",
    )
    cost_tenth = fields.Integer(
        string="Cost to serve, in tenths",
        readonly=True,
        aggregator="avg",
        groups=EARNINGS,
        help="1 to 10 among the customers: 6 and more is above the median.",
    )
    profit_tenth = fields.Integer(
        string="Profit, in tenths",
        readonly=True,
        aggregator="avg",
        groups=EARNINGS,
        help="1 to 10 among the customers: 6 and more is above the median.",
    )

    @api.depends("last_purchase_date", "purchase_gap_days", "company_id.club_tz")
    def _compute_purchase_lateness(self):
        for profile in self:
            lateness = 0
            if profile.last_purchase_date and profile.purchase_gap_days:
                company = profile.company_id.sudo()
                today = fields.Date.context_today(
                    self.with_context(tz=company.club_tz or "UTC")
                )
                days = (today - profile.last_purchase_date).days
                lateness = days / profile.purchase_gap_days
            profile.purchase_lateness = lateness

    def _search_purchase_lateness(self, operator, value):
        """By how late somebody is, compared with a number, or with some.

        :raise UserError: for other operators and values
        """
        numbers = value if operator == "in" else [value]
        if operator not in COMPARED or not all(
            isinstance(number, int | float) for number in numbers
        ):
            raise UserError(self.env._("Compare the lateness with a number."))
        lateness = self._lateness(SQL("customer_profile"))
        if operator == "in":
            value = tuple(number or 0 for number in numbers)
        return [
            (
                "id",
                "in",
                SQL(
                    "(SELECT id FROM customer_profile WHERE coalesce(%s, 0) %s %s)",
                    lateness,
                    SQL(operator),
                    value,
                ),
            )
        ]

    def _lateness(self, table):
        """Days since the last purchase ÷ usual gap, by the company's day, as shown."""
        return SQL(
            """
            round(((now() AT TIME ZONE coalesce(
                        (SELECT c.club_tz FROM res_company c
                          WHERE c.id = %(table)s.company_id), 'UTC'))::date
                   - %(table)s.last_purchase_date)::numeric
                  / nullif(%(table)s.purchase_gap_days, 0), 2)
            """,
            table=table,
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Read the lateness where it is asked, so that lists sort by it."""
        if field_expr != "purchase_lateness":
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        return self._lateness(SQL.identifier(alias))
