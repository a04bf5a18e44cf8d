import uuid

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

from ..tools.problem import Problem


class ClubCheckinManual(models.TransientModel):
    """A check-in typed by a person at the desk, through the same door as a device's."""

    _name = "club.checkin.manual"
    _description = "Check In by Hand"

    device_id = fields.Many2one(
        "club.device",
        string="At",
        required=True,
        default=lambda self: self._default_device_id(),
        domain="[('state', '!=', 'suspended')]",
    )
    phone = fields.Char(string="Mobile", required=True)
    tag_id = fields.Many2one(
        "club.device.tag", domain="[('device_id', '=', device_id)]"
    )
    tag_required = fields.Boolean(related="device_id.tag_required")

    def _default_device_id(self):
        return self.env["club.device"].search([("state", "!=", "suspended")], limit=1)

    @api.onchange("device_id")
    def _onchange_device_id(self):
        if self.tag_id.device_id != self.device_id:
            self.tag_id = False

    def action_checkin(self):
        """Check the visitor in and say what happened."""
        self.ensure_one()
        self.device_id.check_access("read")
        device = self.device_id.sudo()
        if device.state == "suspended":
            raise UserError(self.env._("This device is suspended. Choose another one."))
        item = {
            "event_id": f"hand-{uuid.uuid4()}",
            "phone": self.phone,
            "tag": self.tag_id.digit or None,
        }
        self.env.flush_all()
        try:
            result = (
                self.env["club.checkin.intake"]
                .sudo()
                ._receive(device._get_intake_row(), item, "hand")
            )
        except Problem as problem:
            raise UserError(self.env._(problem.type.title)) from problem
        except psycopg2.errors.SerializationFailure as error:
            raise ConcurrencyError from error
        self.env["club.checkin.followup"].sudo()._wake()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info" if result["result"] == "too_soon" else "success",
                "title": dict(
                    self.env["club.checkin"]
                    ._fields["result"]
                    ._description_selection(self.env)
                )[result["result"]],
                "message": self.env._("Visit %s", result["visit_no"]),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
