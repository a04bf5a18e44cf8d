from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

SENSITIVE = "customer_segmentation.customer_segmentation_group_sensitive"


class CustomerSegmentCondition(models.AbstractModel):
    """Which fields a condition uses, and whether somebody may read them."""

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

    @api.model
    def _is_readable(self, model, domain):
        """Whether the user may read every field and model that a condition names.

        :param model: with the rights of that user
        :param Domain domain: parsed
        :rtype: bool
        """
        for condition in domain.iter_conditions():
            comodel = model
            for name in condition.field_expr.split("."):
                field = comodel._fields.get(name)
                if field is None or not comodel._has_field_access(field, "read"):
                    return False
                if not field.relational:
                    # What follows is a part of a date or a custom property.
                    break
                comodel = model.env[field.comodel_name]
                if not comodel.has_access("read"):
                    return False
            value = condition.value
            if condition.operator in ("any", "not any") and not self._is_readable(
                comodel, Domain(value)
            ):
                return False
        return True

    @api.model
    def _may_know(self, model, domain):
        """Whether the user may learn for whom a condition holds: its fields may be
        read, and so may the segments it asks for.

        :param model: with the rights of that user
        :param Domain domain: parsed
        :rtype: bool
        """
        if not self._is_readable(model, domain):
            return False
        found = set()
        self._collect_segments(domain, found)
        segments = model.env["customer.segment"].browse(found).exists()
        return segments._filtered_access("read") == segments

    @api.model
    def _sensitive_field(self, model, domain):
        """A sensitive fact that a condition asks for.

        :param model: the model the condition is about
        :param Domain domain: parsed
        :return: the field, or None
        """
        for model_name, name in sorted(self._fields_of(model, domain)):
            field = self.env[model_name]._fields.get(name)
            if field is not None and SENSITIVE in (field.groups or ""):
                return field
        return None

    @api.model
    def _check_discreet(self, model, domain):
        """Refuse a condition on sensitive facts where everybody sees whom it holds for.

        :param model: the model the condition is about
        :param Domain domain: parsed
        :raise ValidationError: naming the field, or the segment that asks for one
        """
        if field := self._sensitive_field(model, domain):
            raise ValidationError(
                self.env._(
                    "“%s” is a sensitive fact, and whoever sees the result would "
                    "learn it. Ask for it in a confidential segment only.",
                    field._description_string(self.env),
                )
            )
        used = set()
        self._collect_segments(domain, used)
        segments = self.env["customer.segment"].sudo().browse(used).exists()
        segments._refuse_sensitive()
