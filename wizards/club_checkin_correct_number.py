from odoo import api, fields, models


class ClubCheckinCorrectNumber(models.TransientModel):
    """Asks for the number a check-in was meant for."""

    _name = "club.checkin.correct.number"
    _description = "Correct Number"

    checkin_id = fields.Many2one("club.checkin", required=True, ondelete="cascade")
    old_phone = fields.Char(string="Typed", compute="_compute_old_phone")
    phone = fields.Char(string="Right number", required=True)
    resend = fields.Boolean(
        string="Send the text to the right number too",
        default=True,
        help="A text that has not left yet is taken back in any case.",
    )

    @api.depends("checkin_id")
    def _compute_old_phone(self):
        """A related field would read anybody's number as superuser."""
        for wizard in self:
            wizard.checkin_id.check_access("read")
            wizard.old_phone = wizard.checkin_id.phone_e164

    def action_apply(self):
        """Move the check-in."""
        self.ensure_one()
        self.checkin_id.correct_number(self.phone, self.resend)
        return {"type": "ir.actions.act_window_close"}
