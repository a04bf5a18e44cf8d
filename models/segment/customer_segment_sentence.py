from odoo import api, fields, models
from odoo.exceptions import ValidationError


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

    def _sentence(self):
        words = self.env["customer.segment.words"]
        condition = self.env["customer.segment.condition"]
        try:
            domain = condition._parse(self.domain)
        except ValidationError as error:
            return str(error)
        return words._sentence(self._reader(), domain, words._clock(self))

    def _reader(self):
        """The audience's model, with the rights that names are read with.

        Those of the responsible for the condition that was saved; one's own for a
        condition that one is typing, or it would read through a colleague's eyes.
        """
        saved = self._origin
        model = self.env[self.model or "res.partner"]
        is_saved = saved and saved.domain == self.domain and saved.model == self.model
        if is_saved and saved.user_id.active and not saved.user_id._is_superuser():
            return model.with_user(saved.user_id)
        return model
