from odoo import fields, models


class ClubCheckinNotCustomer(models.TransientModel):
    """Asks why a check-in was not a customer's."""

    _name = "club.checkin.not.customer"
    _description = "Not a Customer"

    checkin_ids = fields.Many2many(
        "club.checkin", "club_checkin_not_customer_rel", "wizard_id", "checkin_id"
    )
    reason = fields.Selection(
        lambda self: (
            self.env["club.checkin"]
            ._fields["not_customer_reason"]
            ._description_selection(self.env)
        ),
        required=True,
        default="passer_by",
    )
    note = fields.Char()

    def action_apply(self):
        """Mark the check-ins."""
        self.ensure_one()
        self.checkin_ids.mark_not_customer(self.reason, self.note)
        return {"type": "ir.actions.act_window_close"}
