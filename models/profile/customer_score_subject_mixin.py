from odoo import api, fields, models


class CustomerScoreSubjectMixin(models.AbstractModel):
    """What contacts and leads share as those who have a score."""

    _name = "customer.score.subject.mixin"
    _description = "Has a Score"

    own_score_line_ids = fields.Many2many(
        "customer.score.line",
        string="Points",
        compute="_compute_own_score_line_ids",
        groups="base.group_user",
        help="What the score that is shown consists of.",
    )

    @api.depends("customer_score_line_ids", "company_id")
    @api.depends_context("company")
    def _compute_own_score_line_ids(self):
        for record in self:
            company = record._score_company()
            record.own_score_line_ids = record.customer_score_line_ids.filtered(
                lambda line, company=company: line.company_id == company
            )

    def _score_company(self):
        """The company whose score is shown.

        :rtype: res.company
        """
        return self.env.company

    def action_refresh_score(self):
        """Work out these scores now; open to whoever may read the contact or lead."""
        self.check_access("read")
        engine = self.env["customer.score.refresh"].sudo()
        for company, records in self.grouped(lambda it: it._score_company()).items():
            engine._refresh_now(company, self._name, records.ids)
        return True

    def action_open_score_history(self):
        """Open how this score went."""
        self.ensure_one()
        kind = "partner" if self._name == "res.partner" else "lead"
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_score_snapshot_action"
        )
        action["domain"] = [
            (f"{kind}_id", "=", self.id),
            ("company_id", "=", self._score_company().id),
        ]
        action["display_name"] = self.env._("Score of %s", self.display_name)
        return action
