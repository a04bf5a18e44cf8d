from odoo import fields, models


class ResCompany(models.Model):
    """How figures are written in texts."""

    _inherit = "res.company"

    sms_money_unit = fields.Selection(
        [("toman", "Tomans"), ("rial", "Rials")],
        string="Iranian money in texts",
        required=True,
        default="toman",
        help="A toman is ten rials. Other currencies are written as they are.",
    )
