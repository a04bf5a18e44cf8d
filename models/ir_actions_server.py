from odoo import models

from .segment.customer_segment_offer import PLAIN_STATES


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _is_plain(self):
        """Whether this action can run with a person's rights, without any code.

        Several actions within several ones count as code: nobody would look there.
        """
        self.ensure_one()
        computed = self.state == "object_write" and self.evaluation_type != "value"
        return self.state in PLAIN_STATES and not computed

    def _segment_leaves(self):
        """The single actions that this one consists of, in order."""
        self.ensure_one()
        return self.child_ids.sorted() if self.state == "multi" else self

    def action_offer_to_segments(self):
        """Put this action on the list that marketers choose from."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.segment.offer",
            "name": self.env._("Offer to segments"),
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_server_action_id": self.id,
                "default_name": self.name,
            },
        }
