from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.placeholder import format_number


class CustomerSegmentAssign(models.TransientModel):
    """Puts the contacts or leads chosen in a list into a group, or takes them out."""

    _name = "customer.segment.assign"
    _description = "Add to Group, Remove from Group"
    _inherit = ["customer.segment.chosen.mixin"]

    mode = fields.Selection(
        [("add", "Add to group"), ("remove", "Remove from group")],
        required=True,
        default="add",
    )
    model = fields.Char(required=True)
    record_ids = fields.Json()
    record_count = fields.Integer(string="Chosen", compute="_compute_record_count")
    segment_id = fields.Many2one(
        "customer.segment",
        string="Group",
        ondelete="cascade",
        domain="[('id', 'in', available_segment_ids)]",
        context={"active_test": True},
    )
    available_segment_ids = fields.Many2many(
        "customer.segment", compute="_compute_available_segment_ids"
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        context = self.env.context
        values.update(
            model=context.get("active_model"),
            record_ids=context.get("active_ids") or [],
        )
        return values

    @api.depends("record_ids")
    def _compute_record_count(self):
        for wizard in self:
            wizard.record_count = len(wizard.record_ids or [])

    @api.depends("model")
    def _compute_available_segment_ids(self):
        """Groups that the user may change."""
        for wizard in self:
            groups = self.env["customer.segment"].search(
                [("kind", "=", "static"), ("model", "=", wizard.model)]
            )
            wizard.available_segment_ids = groups._filtered_access("write")

    def action_apply(self):
        """Add or remove, at once and with events by hand; nothing happens twice."""
        self.ensure_one()
        group = self.segment_id
        group.check_access("write")
        if group.kind != "static" or group.model != self.model:
            raise UserError(self.env._("Choose a group for this kind of record."))
        records = self.env[self.model].browse(self.record_ids).exists()
        records.check_access("read")
        kind = "partner" if self.model == "res.partner" else "lead"
        before = group.member_count
        into, out = set(records.ids), set()
        if self.mode == "remove":
            into, out = out, into
        group._pin(kind, into, out)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self._tell(group, abs(group.member_count - before)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _tell(self, group, changed):
        count = format_number(changed, self.env.lang)
        values = {"count": count, "group": group.name}
        if self.mode == "add":
            return self.env._(
                "%(count)s added to “%(group)s”; the others were in.", **values
            )
        return self.env._(
            "%(count)s taken out of “%(group)s”; the others were not in.", **values
        )
