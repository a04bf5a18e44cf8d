from odoo import api, fields, models


class CustomerSegment(models.Model):
    """The condition of a segment as one plain sentence."""

    _inherit = "customer.segment"

    condition_sentence = fields.Text(
        string="In words", compute="_compute_condition_sentence"
    )

    @api.depends("domain", "kind", "model", "tz", "lang", "user_id")
    @api.depends_context("lang", "uid")
    def _compute_condition_sentence(self):
        for segment in self:
            segment.condition_sentence = (
                segment.kind == "dynamic" and segment._sentence()
            )

    def sentence(self):
        """The condition in words, with its brackets and its dates resolved.

        :return: one sentence in the caller's language; empty for groups
        :rtype: str
        """
        self.ensure_one()
        self.check_access("read")
        return self.condition_sentence or ""
