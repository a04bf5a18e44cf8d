from odoo import api, fields, models
from odoo.exceptions import ValidationError

CONDITION = {"domain", "kind", "model", "exclude_segment_ids"}


class CustomerSegment(models.Model):
    """Segments that tell a sensitive fact of their members.

    Record rules keep them, their history and campaigns from whoever may not see these
    facts, managers and the responsible included.
    """

    _inherit = "customer.segment"

    is_sensitive = fields.Boolean(
        string="Asks for sensitive facts",
        compute="_compute_is_sensitive",
        compute_sudo=True,
        store=True,
        help="Its condition, or a segment that it uses, does.",
    )

    # === COMPUTE METHODS === #

    @api.depends(*CONDITION)
    def _compute_is_sensitive(self):
        for segment in self:
            segment.is_sensitive = segment._asks_for_sensitive() or any(
                segment._uses().mapped("is_sensitive")
            )

    def _asks_for_sensitive(self):
        """Whether the condition itself does."""
        if self.kind != "dynamic":
            return False
        condition = self.env["customer.segment.condition"]
        try:
            domain = condition._parse(self.domain)
        except ValidationError:
            return False
        return bool(condition._sensitive_field(self.env[self.model], domain))

    # === CONSTRAINTS === #

    @api.constrains("confidential", *CONDITION)
    def _check_confidential(self):
        condition = self.env["customer.segment.condition"]
        for segment in self.filtered(lambda one: not one.confidential):
            if segment.kind == "dynamic":
                domain = condition._parse(segment.domain)
                condition._check_discreet(self.env[segment.model], domain)
            segment.sudo().exclude_segment_ids._refuse_sensitive()

    @api.constrains("set_id", "active", *CONDITION)
    def _check_sensitive_set(self):
        self.sudo().set_id._check_sensitive()

    def _refuse_sensitive(self):
        """Refuse to use these where everybody sees the result.

        :raise ValidationError: naming one of them
        """
        if found := self.filtered("is_sensitive")[:1]:
            raise ValidationError(
                self.env._(
                    "“%s” asks for sensitive facts, and whoever sees the result would "
                    "learn them. Use it in a confidential segment only.",
                    found.name,
                )
            )

    # === CRUD METHODS === #

    def write(self, vals):
        """What uses these tells what these tell, and is hidden like these."""
        if not CONDITION & vals.keys():
            return super().write(vals)
        before = self._sensitive()
        result = super().write(vals)
        changed = before ^ self._sensitive()
        while changed:
            users = self.browse(changed).with_context(active_test=False)._dependents()
            before = users._sensitive()
            users._compute_is_sensitive()
            users._check_sensitive_set()
            changed = before ^ users._sensitive()
        return result

    def _sensitive(self):
        return set(self.sudo().filtered("is_sensitive").ids)


class CustomerSegmentSet(models.Model):
    _inherit = "customer.segment.set"

    @api.constrains("exclusive")
    def _check_sensitive(self):
        """With one class per contact, who is missing from an open class may be known to
        be in a sensitive one: such classes stand among themselves."""
        for set_ in self.sudo().filtered("exclusive"):
            for classes in set_.segment_ids.grouped("model").values():
                sensitive = classes.filtered("is_sensitive")
                if sensitive and sensitive != classes:
                    seen = sensitive.with_env(self.env)._filtered_access("read")
                    raise ValidationError(
                        self.env._(
                            "“%(name)s” asks for sensitive facts. “%(set)s” has one "
                            "class per contact, so whoever is missing from its other "
                            "classes would be known to be in that one. Keep classes "
                            "that ask for sensitive facts in a set of their own, or in "
                            "one that allows several classes per contact.",
                            name=seen[:1].name or self.env._("A hidden class"),
                            set=set_.name,
                        )
                    )
