from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class PartnerCompanyMixin(models.AbstractModel):
    """A contact seen as its whole company: documents belong to all of it."""

    _name = "partner.company.mixin"
    _description = "Partner Company"

    whole_company_ids = fields.Many2many(
        "res.partner",
        string="Company with all its contacts",
        compute="_compute_whole_company_ids",
        search="_search_whole_company_ids",
        groups="base.group_user",
        help="This contact, its company and everybody there: an order or an invoice of "
        "one of them counts for all.",
    )

    def _compute_whole_company_ids(self):
        families = (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search([("commercial_partner_id", "in", self.commercial_partner_id.ids)])
            .grouped("commercial_partner_id")
        )
        for partner in self:
            partner.whole_company_ids = families.get(
                partner.commercial_partner_id, partner._origin
            )

    def _search_whole_company_ids(self, operator, value):
        """Contacts of whose company somebody meets a condition, archived ones too.

        :raise AccessError: for portal users, whom a field's group does not stop here
        """
        if not (self.env.su or self.env.user._is_internal()):
            raise AccessError(self.env._("Only employees may search by company."))
        if operator == "any":
            inner = Domain(value)
        elif operator == "in":
            inner = Domain("id", "in", [id_ for id_ in value if id_])
        elif operator in ("like", "ilike", "=like", "=ilike"):
            inner = Domain("display_name", operator, value)
        else:
            return NotImplemented
        partners = self.env["res.partner"]
        query = partners._search(inner & Domain("active", "in", [True, False]))
        column = partners._field_to_sql(query.table, "commercial_partner_id", query)
        return Domain("commercial_partner_id", "in", query.subselect(column))
