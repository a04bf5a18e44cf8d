from odoo import api, models
from odoo.exceptions import UserError, ValidationError


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_segment_condition(self):
        """A custom field that a condition uses goes only when the condition lets it."""
        self._check_no_segment_condition()

    def write(self, vals):
        if "name" in vals:
            self.filtered(
                lambda field: field.name != vals["name"]
            )._check_no_segment_condition()
        return super().write(vals)

    def _check_no_segment_condition(self):
        """Refuse what would stop a segment, naming which ones.

        :raise UserError: with the segments whose condition uses these custom fields
        """
        wanted = {
            (field.model, field.name) for field in self if field.state == "manual"
        }
        names = wanted and self._segments_with_condition_on(wanted)
        if names:
            raise UserError(
                self.env._(
                    "The condition of these segments uses this field: %s. Change them "
                    "first.",
                    ", ".join(names),
                )
            )

    def _segments_with_condition_on(self, wanted):
        condition = self.env["customer.segment.condition"]
        segments = (
            self.env["customer.segment"]
            .sudo()
            .with_context(active_test=False)
            .search([("kind", "=", "dynamic")])
        )
        names = []
        for segment in segments:
            if not any(name in segment.domain for _model, name in wanted):
                continue
            try:
                domain = condition._parse(segment.domain)
            except ValidationError:
                continue
            if wanted & condition._fields_of(self.env[segment.model], domain):
                names.append(segment.name)
        return names
