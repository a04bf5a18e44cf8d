from odoo import api, fields, models

from .typed_day import read_days

# On the lead, and on the contact that it becomes.
WISHES = ("expected_product_id", "expected_delivery_date")
AMOUNTS = ("budget", "capital")
FACTS = ("employee_count", *WISHES, *AMOUNTS)


class LeadFactsMixin(models.AbstractModel):
    """What a lead says before there is a customer; handed over on conversion."""

    _name = "lead.facts.mixin"
    _description = "Facts on a Lead"

    # Core's own, named here for the amounts below.
    company_currency = fields.Many2one("res.currency")
    budget = fields.Monetary(
        currency_field="company_currency", groups="base.group_user", tracking=True
    )
    expected_product_id = fields.Many2one(
        "product.product",
        string="Expected product",
        groups="base.group_user",
        ondelete="set null",
        index="btree_not_null",
    )
    expected_delivery_date = fields.Date(
        string="Wants delivery by", groups="base.group_user"
    )
    employee_count = fields.Integer(
        string="Number of employees", groups="base.group_user"
    )
    capital = fields.Monetary(
        currency_field="company_currency", groups="base.group_user"
    )
    customer_event_ids = fields.One2many(
        "customer.event",
        "lead_id",
        string="Events",
        groups="customer_segmentation.customer_segmentation_group_club_user",
    )

    _facts_positive = models.Constraint(
        "CHECK(employee_count >= 0 AND capital >= 0 AND budget >= 0)",
        "Employees, capital and budget cannot be negative.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            read_days(self.env, vals, ["expected_delivery_date"])
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("expected_delivery_date"):
            vals = dict(vals)
            read_days(self.env, vals, ["expected_delivery_date"])
        return super().write(vals)

    # === CONVERSION === #

    def convert_opportunity(self, partner, user_ids=False, team_id=False):
        """Hand the facts over to the customer of the opportunity."""
        result = super().convert_opportunity(partner, user_ids, team_id)
        self._hand_over_facts()
        return result

    def _handle_partner_assignment(
        self, force_partner_id=False, create_missing=True, with_parent=None
    ):
        result = super()._handle_partner_assignment(
            force_partner_id, create_missing, with_parent
        )
        self._hand_over_facts()
        return result

    def _hand_over_facts(self):
        """Copy what the leads say to their contacts.

        What the customer wants (budget, product, date) is newer on the lead and
        replaces; what the company is (employees, capital) only fills what is empty.
        """
        for lead in self.filtered("partner_id"):
            partner = lead.partner_id
            values = {
                name: lead[name].id if name.endswith("_id") else lead[name]
                for name in WISHES
                if lead[name]
            }
            if lead.employee_count and not partner.employee_count:
                values["employee_count"] = lead.employee_count
            values.update(lead._prepare_partner_amounts(partner))
            if values:
                partner.write(values)

    def _prepare_partner_amounts(self, partner):
        """Budget and capital in the currency the contact's amounts are kept in."""
        values = {}
        company = self.company_id or self.env.company
        today = fields.Date.context_today(self)
        for name, target in (
            ("budget", partner),
            ("capital", partner.commercial_partner_id),
        ):
            amount = self[name]
            if not amount or (name == "capital" and target.capital):
                continue
            currency = target.own_currency_id
            if not currency:
                currency = self.company_currency
                target.own_currency_id = currency
            values[name] = self.company_currency._convert(
                amount, currency, company, today
            )
        return values

    # === MERGING === #

    @api.model
    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), *FACTS]

    def _merge_dependences(self, opportunities):
        """Events move to the lead that stays."""
        result = super()._merge_dependences(opportunities)
        opportunities.sudo().customer_event_ids.lead_id = self.id
        return result

    def _merge_opportunity(
        self, user_id=False, team_id=False, auto_unlink=True, max_length=5
    ):
        lead = super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        lead._hand_over_facts()
        return lead
