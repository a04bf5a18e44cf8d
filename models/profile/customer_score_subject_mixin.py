from odoo import models


class CustomerScoreSubjectMixin(models.AbstractModel):
    """What contacts and leads share as those who have a score."""

    _name = "customer.score.subject.mixin"
    _description = "Has a Score"

    def action_refresh_score(self):
        """Work out these scores now; open to whoever may read the contact or lead."""
        self.check_access("read")
        self.env["customer.score.refresh"].sudo()._refresh_now(
            self.env.company, self._name, self.ids
        )
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
            ("company_id", "=", self.env.company.id),
        ]
        action["display_name"] = self.env._("Score of %s", self.display_name)
        return action
