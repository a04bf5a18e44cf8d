from odoo import api, models
from odoo.fields import Domain


class CustomerSegmentCondition(models.AbstractModel):
    """Which fields a condition uses."""

    _inherit = "customer.segment.condition"

    @api.model
    def _fields_of(self, model, domain):
        """Fields that a condition names, along its paths and within its parts.

        :param model: the model the condition is about
        :param domain: ``odoo.fields.Domain``
        :return: pairs of model name and field name
        :rtype: set[tuple[str, str]]
        """
        found = set()
        for condition in domain.iter_conditions():
            current = model
            for name in condition.field_expr.split("."):
                found.add((current._name, name))
                field = current._fields.get(name)
                if field is None or not field.relational:
                    break
                current = self.env[field.comodel_name]
            else:
                if condition.operator in ("any", "not any"):
                    found |= self._fields_of(current, Domain(condition.value))
        return found
