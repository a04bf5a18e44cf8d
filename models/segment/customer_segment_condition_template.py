import ast
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class CustomerSegmentConditionTemplate(models.Model):
    """A condition, or a whole segment, with blanks to fill in.

    Its domain is a literal list; ``{key}`` in a text is replaced by the blank of that
    key. A text that is nothing but ``{key}`` becomes the blank's own value.
    """

    _name = "customer.segment.condition.template"
    _description = "Ready Condition"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    description = fields.Text(translate=True)
    guidance = fields.Text(
        translate=True, help="What to do with these people; copied to the segment."
    )
    usage = fields.Selection(
        [("condition", "Ready condition"), ("segment", "Ready segment (gallery)")],
        default="condition",
        required=True,
    )
    category = fields.Selection(
        [
            ("contact", "The contact"),
            ("place", "Place and language"),
            ("sales", "Orders and quotations"),
            ("invoices", "Invoices and contracts"),
            ("opportunities", "Opportunities and projects"),
            ("visits", "Visits"),
            ("segments", "Groups and segments"),
        ],
        default="contact",
        required=True,
    )
    model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")],
        string="Holds",
        default="res.partner",
        required=True,
    )
    domain = fields.Text(
        string="Condition",
        default="[]",
        required=True,
        help="A condition as Odoo writes it, with {key} where a blank goes.",
    )
    requires = fields.Char(
        string="Needs fields",
        help="Offered only where these fields exist too; separated by commas.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", ondelete="cascade", index="btree_not_null"
    )
    blank_ids = fields.One2many(
        "customer.segment.condition.blank", "template_id", string="Blanks", copy=True
    )
    is_available = fields.Boolean(
        string="Offered",
        compute="_compute_is_available",
        search="_search_is_available",
        help="Its fields exist in this database and you may read them.",
    )

    # === COMPUTE METHODS === #

    @api.depends("domain", "model", "requires")
    @api.depends_context("uid")
    def _compute_is_available(self):
        for template in self:
            template.is_available = template._is_usable()

    def _search_is_available(self, operator, value):
        if operator != "in":
            return NotImplemented
        # A few dozen records: what they need can only be asked one by one.
        usable = self.search([("domain", "!=", False)]).filtered(
            lambda template: template._is_usable()
        )
        return [("id", "in", usable.ids)]

    # === CONSTRAINTS === #

    @api.constrains("domain")
    def _check_domain(self):
        for template in self:
            template._parse()

    # === ACTIONS === #

    def action_use(self):
        """Make a segment of this template, asking for its blanks first."""
        self.ensure_one()
        if not self.blank_ids:
            return self.use({})
        return {
            "type": "ir.actions.client",
            "tag": "customer_segment_use_template",
            "params": {"template": self._offer()},
        }

    # === BUSINESS METHODS === #

    @api.model
    def offered(self, model, usage="condition"):
        """Ready conditions that this user can use in this database.

        :param str model: ``res.partner`` or ``crm.lead``
        :param str usage: ``condition`` or ``segment``
        :return: ``[{"id", "name", "description", "category", "blanks": [...]}]``
        :rtype: list[dict]
        """
        domain = [("model", "=", model), ("usage", "=", usage)]
        return [
            template._offer()
            for template in self.search(domain)
            if template._is_usable()
        ]

    def fill(self, values):
        """The condition with its blanks filled in.

        :param dict values: value per key of the blanks
        :return: the domain as text, a literal list
        :rtype: str
        :raise ValidationError: for a blank that is missing or does not fit
        """
        self.ensure_one()
        self.check_access("read")
        unknown = self._keys() - set(self.blank_ids.mapped("key"))
        if unknown:
            raise ValidationError(
                self.env._(
                    "“%(name)s” has no blank called %(keys)s.",
                    name=self.name,
                    keys=", ".join(sorted(unknown)),
                )
            )
        filled = {blank.key: blank._read(values) for blank in self.blank_ids}
        return repr(list(Domain(self._replace(self._parse(), filled))))

    def use(self, values):
        """Make a segment of this template; whoever does answers for it.

        :param dict values: value per key of the blanks
        :return: the action that opens the new segment
        :rtype: dict
        """
        self.ensure_one()
        segment = self.env["customer.segment"].create(
            {
                "name": self.name,
                "kind": "dynamic",
                "model": self.model,
                "domain": self.fill(values),
                "guidance": self.guidance,
                "note": self.description,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.segment",
            "res_id": segment.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _offer(self):
        categories = dict(self._fields["category"]._description_selection(self.env))
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description or "",
            "category": categories[self.category],
            "blanks": [blank._offer() for blank in self.blank_ids],
        }

    def _parse(self):
        """The domain with its blanks still open, as a list."""
        condition = self.env["customer.segment.condition"]
        condition._parse(self.domain)
        return ast.literal_eval(self.domain)

    def _keys(self):
        return set(PLACEHOLDER.findall(self.domain))

    def _replace(self, node, filled):
        if isinstance(node, str):
            whole = PLACEHOLDER.fullmatch(node)
            if whole:
                return filled[whole[1]]
            return PLACEHOLDER.sub(lambda match: str(filled[match[1]]), node)
        if isinstance(node, (list, tuple)):
            return type(node)(self._replace(item, filled) for item in node)
        return node

    def _is_usable(self):
        """Whether its fields exist in this database and the user may read them."""
        self.ensure_one()
        model = self.env[self.model]
        if self._keys() - set(self.blank_ids.mapped("key")):
            return False
        requires = [name.strip() for name in (self.requires or "").split(",")]
        if any(name and name not in model._fields for name in requires):
            return False
        if not all(blank._is_usable() for blank in self.blank_ids):
            return False
        condition = self.env["customer.segment.condition"]
        return condition._is_readable(model, Domain(self._parse()))
