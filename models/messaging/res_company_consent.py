from odoo import fields, models


class ResCompany(models.Model):
    """Who may get advertising, and how often."""

    _inherit = "res.company"

    sms_consent_basis = fields.Selection(
        [
            ("relation", "Members and customers, unless they refused"),
            ("recorded", "Only whoever agreed, with a record of it"),
        ],
        string="Advertising goes to",
        required=True,
        default="relation",
        help="A customer has an order or an invoice of this company. A recorded "
        "consent always counts, a refusal always wins.",
    )
    sms_cap_week = fields.Integer(
        string="Advertising per person and week",
        default=2,
        help="Within seven days, over all campaigns and lines. 0 is no limit.",
    )
    sms_cap_day = fields.Integer(
        string="Advertising per person and day",
        default=1,
        help="Over all campaigns and lines. 0 is no limit.",
    )

    _sms_caps_positive = models.Constraint(
        "CHECK(sms_cap_week >= 0 AND sms_cap_day >= 0)",
        "Write 0 for no limit, never less.",
    )
