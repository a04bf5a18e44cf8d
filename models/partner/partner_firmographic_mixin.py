from odoo import api, fields, models

from ..profile.typed_day import read_days
from .rare_fields import RARE, Tags, shown

OWNERSHIPS = [
    ("private", "Private"),
    ("family", "Family business"),
    ("listed", "Listed on the stock exchange"),
    ("cooperative", "Cooperative"),
    ("semi_public", "Semi-public"),
    ("public", "Public"),
    ("non_profit", "Non-profit"),
]
# What a contact shows of its company: the field, and where the company keeps it.
FIRMOGRAPHICS = {
    "employee_count": "own_employee_count",
    "capital": "own_capital",
    "capital_currency_id": "own_currency_id",
    "ownership": "own_ownership",
    "technology_ids": "own_technology_ids",
    "contract_type_ids": "own_contract_type_ids",
}


def _of_company(kind, name, **arguments):
    """A field that every contact of a company shares: kept there, found everywhere."""
    return kind(
        related=f"commercial_partner_id.{FIRMOGRAPHICS[name]}",
        readonly=False,
        groups="base.group_user",
        **arguments,
    )


class PartnerFirmographicMixin(models.AbstractModel):
    """The company a contact belongs to: kept once, on the commercial entity.

    A condition, a sorting or a score reads it through there, so that a contact has
    what its company has, also when the company changes or two are merged.
    """

    _name = "partner.firmographic.mixin"
    _description = "Partner Firmographics"

    # Core's own, named here for the related fields below.
    commercial_partner_id = fields.Many2one("res.partner")
    own_employee_count = fields.Integer(
        string="Number of employees (own record)",
        groups="base.group_user",
        prefetch=RARE,
    )
    own_capital = fields.Monetary(
        string="Capital (own record)",
        currency_field="own_currency_id",
        groups="base.group_user",
        prefetch=RARE,
    )
    own_currency_id = fields.Many2one(
        "res.currency",
        string="Currency of amounts (own record)",
        groups="base.group_user",
        prefetch=RARE,
        ondelete="restrict",
        index="btree_not_null",
    )
    own_ownership = fields.Selection(
        OWNERSHIPS,
        string="Ownership (own record)",
        groups="base.group_user",
        prefetch=RARE,
    )
    own_technology_ids = Tags(
        "customer.attribute",
        "customer_partner_technology_rel",
        "partner_id",
        "attribute_id",
        string="Technologies (own record)",
        groups="base.group_user",
    )
    own_contract_type_ids = Tags(
        "customer.attribute",
        "customer_partner_contract_rel",
        "partner_id",
        "attribute_id",
        string="Contract types (own record)",
        groups="base.group_user",
    )
    employee_count = _of_company(
        shown(fields.Integer), "employee_count", string="Number of employees"
    )
    capital = _of_company(
        shown(fields.Monetary),
        "capital",
        string="Capital",
        currency_field="capital_currency_id",
    )
    capital_currency_id = _of_company(
        shown(fields.Many2one), "capital_currency_id", string="Currency of the capital"
    )
    ownership = _of_company(shown(fields.Selection), "ownership", string="Ownership")
    technology_ids = _of_company(
        Tags,
        "technology_ids",
        string="Technologies used",
        domain=[("kind", "=", "technology")],
        context={"default_kind": "technology"},
    )
    contract_type_ids = _of_company(
        Tags,
        "contract_type_ids",
        string="Contract types",
        domain=[("kind", "=", "contract")],
        context={"default_kind": "contract"},
    )
    budget = fields.Monetary(
        currency_field="own_currency_id",
        groups="base.group_user",
        prefetch=RARE,
        help="What this contact means to spend, as its last lead said.",
    )
    expected_product_id = fields.Many2one(
        "product.product",
        string="Expects",
        groups="base.group_user",
        prefetch=RARE,
        ondelete="set null",
        index="btree_not_null",
    )
    expected_delivery_date = fields.Date(
        string="Wants delivery by", groups="base.group_user", prefetch=RARE
    )

    _own_amounts_positive = models.Constraint(
        "CHECK(own_employee_count >= 0 AND own_capital >= 0 AND budget >= 0)",
        "Employees, capital and budget cannot be negative.",
    )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """The places where a company keeps its facts are not offered for conditions."""
        descriptions = super().fields_get(allfields, attributes)
        for name in FIRMOGRAPHICS.values():
            description = descriptions.get(name, {})
            for attribute in {"searchable", "sortable", "groupable"} & set(description):
                description[attribute] = False
        return descriptions

    def _field_to_sql(self, alias, field_expr, query=None):
        """Sort, group and sum by the groups of the field: core follows a related one
        as superuser, and portal users may ask for that of their own contact.
        """
        if field_expr in FIRMOGRAPHICS:
            self._check_field_access(self._fields[field_expr], "read")
        return super()._field_to_sql(alias, field_expr, query)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            read_days(self.env, vals, ["expected_delivery_date"])
        partners = super().create(vals_list)
        partners._set_own_currency()
        return partners

    def write(self, vals):
        if vals.get("expected_delivery_date"):
            vals = dict(vals)
            read_days(self.env, vals, ["expected_delivery_date"])
        result = super().write(vals)
        if {"own_capital", "budget"} & set(vals):
            self._set_own_currency()
        if set(FIRMOGRAPHICS.values()) & set(vals):
            # Its contacts have changed with it.
            self.search(
                [("commercial_partner_id", "in", self.ids), ("id", "not in", self.ids)]
            )._touch_segments()
        return result

    def _set_own_currency(self):
        """An amount without a currency is in the company's."""
        for partner in self:
            if (partner.own_capital or partner.budget) and not partner.own_currency_id:
                company = partner.company_id or self.env.company
                partner.own_currency_id = company.currency_id
