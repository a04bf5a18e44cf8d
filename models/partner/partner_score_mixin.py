from odoo import fields, models

from .partner_profile_mixin import _figure


class PartnerScoreMixin(models.AbstractModel):
    """The score of a contact in the current company, and the lines behind it."""

    _name = "partner.score.mixin"
    _inherit = ["partner.profile.mixin", "customer.score.subject.mixin"]
    _description = "Partner Score"

    customer_score = _figure(fields.Integer, "score", string="Score")
    customer_grade = _figure(fields.Selection, "grade", string="Grade")
    customer_score_line_ids = fields.One2many(
        "customer.score.line",
        "partner_id",
        string="Score lines",
        groups="base.group_user",
    )
