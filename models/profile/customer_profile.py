from odoo import api, fields, models
from odoo.tools import SQL

from .customer_profile_rank import RANKED

# What a cashier or a colleague from the workshop need not know.
EARNINGS = (
    "sales_team.group_sale_salesman,"
    "customer_segmentation.customer_segmentation_group_marketer"
)

NUMBERS = ("integer", "float", "monetary")


class CustomerProfile(models.Model):
    """Every computed figure of one contact in one company; written by SQL only.

    Purchases, open amounts, costs and RFM stand on the row of the commercial entity;
    visits, answers and last contact on the person's. A contact of which nothing is
    known has no row.
    """

    _name = "customer.profile"
    _description = "Customer"
    _order = "purchase_total DESC NULLS LAST, purchase_count DESC NULLS LAST, id"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade", index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    changed_at = fields.Datetime(
        string="Last change",
        readonly=True,
        help="When a figure changed, or was asked for, last.",
    )
    computed_at = fields.Datetime(
        string="Computed on",
        compute="_compute_computed_at",
        help="When these figures were worked out last, changed or not.",
    )

    # === BUYS === #

    first_purchase_date = fields.Date(string="First purchase", readonly=True)
    last_purchase_date = fields.Date(string="Last purchase", readonly=True)
    next_purchase_due_date = fields.Date(
        string="Next purchase due",
        readonly=True,
        help="The last purchase and the usual gap between two of this customer's own.",
    )
    purchase_gap_days = fields.Integer(
        string="Days between purchases",
        readonly=True,
        aggregator="avg",
        help="Median of the gaps between days with a purchase.",
    )
    purchase_count = fields.Integer(string="Purchases", readonly=True)
    purchase_total = fields.Monetary(
        string="Bought for",
        readonly=True,
        help="Without taxes, less credit notes, at the rate of each document.",
    )
    purchase_average = fields.Monetary(
        string="Average purchase", readonly=True, aggregator="avg"
    )
    discount_share = fields.Float(
        readonly=True,
        digits=(5, 4),
        aggregator="avg",
        help="Discounts as a share of the prices before discount.",
    )
    purchase_margin = fields.Monetary(
        string="Margin",
        readonly=True,
        groups=EARNINGS,
        help="Of what was bought, where the cost is known.",
    )
    cost_to_serve = fields.Monetary(
        readonly=True,
        groups=EARNINGS,
        help="Calls, meetings, messages, tickets and returns, at the costs in the "
        "settings.",
    )
    profit = fields.Monetary(
        readonly=True, groups=EARNINGS, help="Margin less cost to serve."
    )
    open_quotation_count = fields.Integer(string="Open quotations", readonly=True)
    open_quotation_total = fields.Monetary(string="Quoted for", readonly=True)
    open_quotation_date = fields.Date(string="Newest open quotation", readonly=True)
    unpaid_total = fields.Monetary(string="Unpaid", readonly=True)
    overdue_total = fields.Monetary(string="Overdue", readonly=True)

    # === SCORES === #

    rfm_recency = fields.Integer(string="R", readonly=True, aggregator="avg")
    rfm_frequency = fields.Integer(string="F", readonly=True, aggregator="avg")
    rfm_monetary = fields.Integer(string="M", readonly=True, aggregator="avg")
    rfm_cell = fields.Char(
        string="RFM",
        readonly=True,
        help="Recency, frequency and amount, 1 to 5 each; 5 is best.",
    )
    expected_purchases = fields.Float(readonly=True, digits=(12, 2))
    expected_value = fields.Monetary(
        readonly=True, help="What this customer may buy for in the time to come."
    )
    expected_value_sureness = fields.Selection(
        [("low", "A guess"), ("medium", "Fair"), ("high", "Good")],
        string="How sure",
        readonly=True,
    )
    score = fields.Integer(readonly=True, aggregator="avg")
    grade = fields.Selection(
        [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")], readonly=True
    )

    # === VISITS === #

    visit_count = fields.Integer(string="Visits so far", readonly=True)
    first_visit_date = fields.Date(string="Day of the first visit", readonly=True)
    last_visit_date = fields.Date(string="Day of the last visit", readonly=True)
    visit_gap_days = fields.Integer(
        string="Days between visits",
        readonly=True,
        aggregator="avg",
        help="Median of the gaps between days with a visit.",
    )

    # === ANSWERS === #

    engagement = fields.Integer(
        readonly=True,
        help="Messages opened, clicked and answered, forms and downloads in 90 days.",
    )
    first_contact_date = fields.Date(string="First contact", readonly=True)
    last_contact_date = fields.Date(string="Last contact", readonly=True)
    mail_response_rate = fields.Float(
        string="Answers e-mail",
        readonly=True,
        digits=(5, 4),
        aggregator="avg",
        help="Share of the e-mails of campaigns that were clicked or answered.",
    )
    sms_response_rate = fields.Float(
        string="Answers SMS",
        readonly=True,
        digits=(5, 4),
        aggregator="avg",
        help="Share of the SMS of campaigns that were clicked or answered.",
    )
    best_channel = fields.Selection([("mail", "E-mail"), ("sms", "SMS")], readonly=True)
    open_lead_count = fields.Integer(string="Open leads", readonly=True)
    last_lead_date = fields.Date(string="Last lead", readonly=True)
    lead_source_id = fields.Many2one(
        "utm.source",
        string="Came through",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )

    # === OF THE CONTACT === #

    is_company = fields.Boolean(related="partner_id.is_company")
    city = fields.Char(related="partner_id.city")
    country_id = fields.Many2one(related="partner_id.country_id")
    user_id = fields.Many2one(related="partner_id.user_id")

    _partner_company_unique = models.Constraint(
        "unique(partner_id, company_id)", "This contact has its figures already."
    )

    @api.depends("changed_at")
    def _compute_computed_at(self):
        runs = self.env["customer.profile.run"].sudo()
        last = {
            run.company_id: run.started_at
            for run in runs.search(
                [("kind", "=", "all"), ("company_id", "in", self.company_id.ids)]
            )
        }
        for profile in self:
            days = (profile.changed_at, last.get(profile.company_id))
            profile.computed_at = max((day for day in days if day), default=False)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Unknown figures come last, whichever way a list is sorted."""
        nulls = nulls or SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        """An unknown number is 0, as it is for a search: one group, not two.

        A customer without a place among the others stays in the group without one.
        """
        value = super()._read_group_groupby(alias, groupby_spec, query)
        field = self._fields.get(groupby_spec)
        if field and field.type in NUMBERS and field.name not in RANKED:
            value = SQL("coalesce(%s, 0)", value)
        return value

    # === ACTIONS === #

    def action_refresh(self):
        """Work out these customers now.

        :rtype: bool
        """
        self._refresh_now(self.partner_id)
        return True

    def action_open_partner(self):
        """Open the contact."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "view_mode": "form",
        }
