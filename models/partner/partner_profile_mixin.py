from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..profile.customer_profile import EARNINGS
from .rare_fields import Shown

PROFILE = "customer_profile_id"
TOUCH_CRON = "customer_segmentation.customer_profile_touch_cron"


class _Figure(Shown):
    """A figure of the profile, shown on the contact; nothing is stored there.

    Label, help and choices come from the related field; core's search through it would
    not do: it checks no groups and takes contacts without figures for «> 0», too.
    """

    def _search_related(self, records, operator, value):
        return records._search_figure(self, operator, value)


FIELD_CLASSES = {
    field_class: type(field_class.__name__, (_Figure, field_class), {})
    for field_class in (
        fields.Boolean,
        fields.Char,
        fields.Date,
        fields.Float,
        fields.Integer,
        fields.Many2one,
        fields.Monetary,
        fields.Selection,
    )
}


def _figure(field_class, name, groups="base.group_user", **options):
    if field_class is fields.Monetary:
        options["currency_field"] = "customer_currency_id"
    field_class = FIELD_CLASSES[field_class]
    return field_class(related=f"{PROFILE}.{name}", groups=groups, **options)


class PartnerProfileMixin(models.AbstractModel):
    """The figures of a contact in the current company.

    They can be searched, sorted, grouped and summed: ``customer_profile_id`` is a join
    on contact and company.
    """

    _name = "partner.profile.mixin"
    _description = "Partner Profile"

    no_profiling = fields.Boolean(
        groups="base.group_user",
        tracking=True,
        help="No score, traits, classes or figures beyond what documents show.",
    )
    customer_profile_id = fields.Many2one(
        "customer.profile",
        string="Customer figures",
        compute="_compute_customer_profile_id",
        search="_search_customer_profile_id",
        groups="base.group_user",
    )
    customer_entity_profile_ids = fields.Many2many(
        "customer.profile",
        string="Figures of the company",
        compute="_compute_customer_entity_profile_ids",
        groups="base.group_user",
        help="Purchases belong to the whole company; its persons show them from there.",
    )
    customer_currency_id = _figure(
        fields.Many2one, "currency_id", string="Currency of the figures"
    )
    customer_computed_at = fields.Datetime(
        string="Figures computed on",
        compute="_compute_customer_computed_at",
        groups="base.group_user",
    )

    first_purchase_date = _figure(fields.Date, "first_purchase_date")
    last_purchase_date = _figure(fields.Date, "last_purchase_date")
    next_purchase_due_date = _figure(fields.Date, "next_purchase_due_date")
    purchase_gap_days = _figure(fields.Integer, "purchase_gap_days")
    purchase_count = _figure(fields.Integer, "purchase_count")
    purchase_total = _figure(fields.Monetary, "purchase_total")
    purchase_average = _figure(fields.Monetary, "purchase_average")
    recent_purchase_count = _figure(fields.Integer, "recent_purchase_count")
    purchase_lateness = _figure(fields.Float, "purchase_lateness")
    discount_tenth = _figure(fields.Integer, "discount_tenth")
    cost_tenth = _figure(fields.Integer, "cost_tenth", EARNINGS)
    profit_tenth = _figure(fields.Integer, "profit_tenth", EARNINGS)
    main_category_id = _figure(fields.Many2one, "main_category_id")
    main_category_share = _figure(fields.Float, "main_category_share")
    discount_share = _figure(fields.Float, "discount_share")
    purchase_margin = _figure(fields.Monetary, "purchase_margin", EARNINGS)
    cost_to_serve = _figure(fields.Monetary, "cost_to_serve", EARNINGS)
    profit = _figure(fields.Monetary, "profit", EARNINGS)
    open_quotation_count = _figure(fields.Integer, "open_quotation_count")
    open_quotation_total = _figure(fields.Monetary, "open_quotation_total")
    open_quotation_date = _figure(fields.Date, "open_quotation_date")
    last_quotation_date = _figure(fields.Date, "last_quotation_date")
    sent_quotation_count = _figure(fields.Integer, "sent_quotation_count")
    assured_quotation_count = _figure(fields.Integer, "assured_quotation_count")
    quotation_is_newer = _figure(fields.Boolean, "quotation_is_newer")
    unpaid_total = _figure(fields.Monetary, "unpaid_total")
    overdue_total = _figure(fields.Monetary, "overdue_total")
    rfm_recency = _figure(fields.Integer, "rfm_recency")
    rfm_frequency = _figure(fields.Integer, "rfm_frequency")
    rfm_monetary = _figure(fields.Integer, "rfm_monetary")
    rfm_cell = _figure(fields.Char, "rfm_cell")
    expected_purchases = _figure(fields.Float, "expected_purchases")
    expected_value = _figure(fields.Monetary, "expected_value")
    expected_value_sureness = _figure(fields.Selection, "expected_value_sureness")
    visit_count = _figure(fields.Integer, "visit_count")
    first_visit_date = _figure(fields.Date, "first_visit_date")
    last_visit_date = _figure(fields.Date, "last_visit_date")
    visit_gap_days = _figure(fields.Integer, "visit_gap_days")
    engagement = _figure(fields.Integer, "engagement")
    first_contact_date = _figure(fields.Date, "first_contact_date")
    last_contact_date = _figure(fields.Date, "last_contact_date")
    mail_response_rate = _figure(fields.Float, "mail_response_rate")
    sms_response_rate = _figure(fields.Float, "sms_response_rate")
    best_channel = _figure(fields.Selection, "best_channel")
    open_lead_count = _figure(fields.Integer, "open_lead_count")
    last_lead_date = _figure(fields.Date, "last_lead_date")
    last_answer_date = _figure(fields.Date, "last_answer_date")
    lead_probability = _figure(fields.Integer, "lead_probability")
    lead_source_id = _figure(fields.Many2one, "lead_source_id")

    # === THE PROFILE OF THE CURRENT COMPANY === #

    @api.depends_context("company")
    def _compute_customer_profile_id(self):
        profiles = self._profiles_of(self._origin)
        for partner in self:
            partner.customer_profile_id = profiles.get(partner._origin)

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_customer_entity_profile_ids(self):
        profiles = self._profiles_of(self.commercial_partner_id._origin)
        for partner in self:
            partner.customer_entity_profile_ids = profiles.get(
                partner.commercial_partner_id._origin
            )

    @api.depends("customer_profile_id.computed_at")
    @api.depends_context("company")
    def _compute_customer_computed_at(self):
        for partner in self:
            partner.customer_computed_at = (
                partner.sudo().customer_profile_id.computed_at
            )

    def _profiles_of(self, partners):
        """Profiles of contacts in the current company, by contact."""
        profiles = self.env["customer.profile"].sudo()
        # What every form shows comes along; the rest is read when it is asked for.
        found = profiles.search_fetch(
            [
                ("partner_id", "in", partners.ids),
                ("company_id", "=", self.env.company.id),
            ],
            ["partner_id", "score", "grade"],
            order="id",
        )
        return found.grouped("partner_id")

    def action_refresh_customer_profile(self):
        """Work out the figures of these contacts now; open over RPC to their readers.

        :rtype: bool
        """
        self.check_access("read")
        self.env["customer.profile"]._refresh_now(self)
        return True

    def _forget_profile(self):
        """What leads say and the chart of scores go at once, figures within seconds.

        The mark is written after this: the job that is woken here comes later.
        """
        result = super()._forget_profile()
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        leads = leads.search([("partner_id", "in", self.ids)])
        leads.customer_event_ids.unlink()
        leads.trait_ids = False
        snapshots = self.env["customer.score.snapshot"].sudo()
        snapshots.search([("partner_id", "in", self.ids)]).unlink()
        self.env.ref(TOUCH_CRON).sudo()._trigger()
        return result

    # === SEARCH, SORT, GROUP === #

    def _search_customer_profile_id(self, operator, value):
        """Contacts by their profile in the current company, or without one."""
        if operator == "any":
            self._check_figure(self._fields[PROFILE])
            return self._having(Domain(value))
        if operator == "in":
            self._check_figure(self._fields[PROFILE])
            wanted = Domain("id", "in", [id_ for id_ in value if id_])
            found = self._having(wanted, bypass_access=True)
            return found | ~self._having(Domain.TRUE, True) if False in value else found
        return NotImplemented

    def _search_figure(self, field, operator, value):
        """Contacts by one figure; without a profile it is empty, or 0."""
        self._check_figure(field)
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        name = field.related.rpartition(".")[2]
        wanted = Domain(name, operator, value)
        found = self._having(wanted, bypass_access=True)
        if self.env["customer.profile"].new({}).sudo().filtered_domain(wanted):
            found |= ~self._having(Domain.TRUE, bypass_access=True)
        return found

    def _having(self, domain, bypass_access=False):
        domain &= Domain("company_id", "=", self.env.company.id)
        query = self.env["customer.profile"]._search(
            domain, bypass_access=bypass_access
        )
        # By its table: the condition may have joined another one that has contacts.
        contact = SQL.identifier(query.table, "partner_id")
        return Domain("id", "in", query.subselect(contact))

    def _check_figure(self, field):
        """Refuse what the user may not read: core checks no groups without a column."""
        if not self._has_field_access(field, "read"):
            raise AccessError(
                self.env._("You may not search or sort by this figure of customers.")
            )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Read figures through one join, so that they sort, group and sum."""
        field = self._fields.get(field_expr)
        if not isinstance(field, _Figure) and field_expr != PROFILE:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_figure(field)
        profile = self._join_profile(alias, query)
        if field_expr == PROFILE:
            return SQL.identifier(profile, "id")
        name = field.related.rpartition(".")[2]
        return self.env["customer.profile"].sudo()._field_to_sql(profile, name, query)

    def _join_profile(self, alias, query):
        """LEFT JOIN the profile of the current company.

        :return: its alias
        :rtype: str
        """
        profile = query.make_alias(alias, "own_profile")
        query.add_join(
            "LEFT JOIN",
            profile,
            "customer_profile",
            SQL(
                "%s = %s AND %s = %s",
                SQL.identifier(profile, "partner_id"),
                SQL.identifier(alias, "id"),
                SQL.identifier(profile, "company_id"),
                self.env.company.id,
            ),
        )
        return profile

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Group by a figure as the profile does: an unknown number is 0."""
        field = self._fields.get(groupby_spec.partition(":")[0])
        if not isinstance(field, _Figure):
            return super()._read_group_groupby(alias, groupby_spec, query)
        self._check_figure(field)
        _path, colon, interval = groupby_spec.partition(":")
        return (
            self.env["customer.profile"]
            .sudo()
            ._read_group_groupby(
                self._join_profile(alias, query),
                field.related.rpartition(".")[2] + colon + interval,
                query,
            )
        )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Contacts without a figure come last, whichever way a list is sorted."""
        if isinstance(self._fields.get(field_name), _Figure):
            nulls = nulls or SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
