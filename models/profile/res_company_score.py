from odoo import fields, models

from ..res_company import SETTINGS


class ResCompany(models.Model):
    """Grades, and how long scores are remembered."""

    _inherit = "res.company"

    score_grade_a = fields.Integer(string="Grade A from", default=75, prefetch=SETTINGS)
    score_grade_b = fields.Integer(string="Grade B from", default=50, prefetch=SETTINGS)
    score_grade_c = fields.Integer(string="Grade C from", default=25, prefetch=SETTINGS)
    score_history_days = fields.Integer(
        string="Keep scores (days)",
        default=400,
        help="Past scores of contacts and leads, for their charts.",
        prefetch=SETTINGS,
    )

    _score_grades = models.Constraint(
        "CHECK(score_grade_a <= 100 AND score_grade_a > score_grade_b "
        "AND score_grade_b > score_grade_c AND score_grade_c > 0)",
        "Grade A needs more than B, B more than C, C more than 0, and none more than "
        "100.",
    )
    _score_history_positive = models.Constraint(
        "CHECK(score_history_days > 0)", "Keep scores for at least one day."
    )

    def write(self, vals):
        result = super().write(vals)
        if {"score_grade_a", "score_grade_b", "score_grade_c"} & set(vals):
            units = {
                (company.id, model)
                for company in self
                for model in ("res.partner", "crm.lead")
            }
            self.env["customer.score.run"].sudo()._make_stale(units)
        return result
