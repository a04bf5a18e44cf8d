from odoo import api, models
from odoo.exceptions import UserError, ValidationError


class CustomerSegment(models.Model):
    """Which segments use which others, and what uses a segment."""

    _inherit = "customer.segment"

    @api.constrains("domain", "exclude_segment_ids", "kind")
    def _check_cycle(self):
        for segment in self:
            segment._find_cycle()

    def _uses(self):
        """Segments that this one's condition or exclusion uses.

        :return: ``customer.segment`` recordset
        """
        self.ensure_one()
        used = self.sudo().exclude_segment_ids
        if self.kind == "dynamic" and "segment_ids" in (self.domain or ""):
            try:
                ids = self.env["customer.segment.condition"]._segment_ids(self)
            except ValidationError:
                ids = ()
            used |= self.sudo().browse(ids).exists() if ids else used
        return used

    def _find_cycle(self):
        """Refuse that a segment depends on itself, naming the path."""

        def walk(segment, path):
            for used in segment._uses():
                if used in path:
                    names = [*path[path.index(used) :], used]
                    raise ValidationError(
                        self.env._(
                            "These segments depend on each other in a circle: %s",
                            " → ".join(item.name for item in names),
                        )
                    )
                walk(used, [*path, used])

        walk(self, [self])

    def _dependency_order(self):
        """These segments, each after those that it uses.

        :return: list of ``customer.segment``
        """
        if len(self) < 2:
            return list(self)
        uses = {segment: segment._uses() & self for segment in self}
        if not any(uses.values()):
            return list(self)
        ordered = {}

        def visit(segment, trail):
            if segment in ordered or segment in trail:
                return
            for used in uses[segment]:
                visit(used, [*trail, segment])
            ordered[segment] = True

        for segment in self:
            visit(segment, [])
        return list(ordered)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        users = self._used_by()
        if users:
            raise UserError(
                self.env._(
                    "Still used by: %s. Remove it there first.", ", ".join(users)
                )
            )

    def _used_by(self):
        """Names of what uses these segments; hidden segments are only counted.

        :rtype: list[str]
        """
        others = self.sudo().search([("id", "not in", self.ids)])
        using = others.filtered(lambda other: other._uses() & self)
        seen = using.with_env(self.env)._filtered_access("read")
        names = seen.mapped("name")
        if len(using) > len(seen):
            hidden = len(using) - len(seen)
            names.append(self.env._("%s segments that you may not see", hidden))
        names += self.sudo().device_ids.mapped("name")
        return names

    def action_archive(self):
        """Archive, unless something still uses the segment."""
        self.check_access("write")
        self._unlink_except_used()
        return super().action_archive()
