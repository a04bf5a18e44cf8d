from odoo import api, fields, models


class CustomerSegmentWhy(models.TransientModel):
    """Shows why a contact or lead is in a segment, or why not."""

    _name = "customer.segment.why"
    _description = "Why Is … In?"
    _inherit = ["customer.segment.chosen.mixin"]

    segment_id = fields.Many2one("customer.segment", ondelete="cascade")
    model = fields.Selection(related="segment_id.model")
    subject_model = fields.Char(help="Set when the question begins at a contact.")
    partner_id = fields.Many2one("res.partner", ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", ondelete="cascade")
    answer = fields.Text(compute="_compute_answer")

    @api.depends("partner_id", "lead_id", "segment_id")
    def _compute_answer(self):
        for wizard in self:
            record = wizard.lead_id if wizard.model == "crm.lead" else wizard.partner_id
            is_asked = bool(record and wizard.segment_id)
            wizard.answer = is_asked and wizard._tell(wizard.segment_id.why(record.id))

    def _tell(self, why):
        lines = [
            self.env._("In the segment.")
            if why["is_member"]
            else self.env._("Not in the segment.")
        ]
        if why["always_out"]:
            lines.append(self.env._("Set to «always out»."))
        elif why["always_in"]:
            lines.append(self.env._("Set to «always in»."))
        if why["excluded_by"]:
            lines.append(
                self.env._(
                    "Taken out as a member of: %s", ", ".join(why["excluded_by"])
                )
            )
        for row in why["conditions"]:
            sign = {True: "✓", False: "✗", None: "–"}[row["holds"]]
            lines.append(f"{'    ' * row['depth']}{sign} {row['text']}")
        return "\n".join(lines)
