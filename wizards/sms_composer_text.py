from odoo import models

from ..tools.sms_text import with_suffix


class SmsComposer(models.TransientModel):
    """What the composer sends: rendered once, with the line's ending."""

    _inherit = "sms.composer"

    def _action_send_sms_numbers(self):
        if self.is_fixed_text:
            self.body = self.template_id.body
        self.body = with_suffix(self.body, self.line_suffix or "")
        return super()._action_send_sms_numbers()

    def _prepare_body_values(self, records):
        """Texts by record id, rendered once, with the line's ending.

        A service text, and one that a panel approved, is rendered from its template
        whatever the screen showed; what the single composer shows is rendered already
        and goes out as it stands.
        """
        template = self.template_id
        single = self.composition_mode == "comment" and self.comment_single_recipient
        if self.is_fixed_text:
            bodies = template._render_field("body", records.ids, compute_lang=True)
        elif template and single:
            bodies = dict.fromkeys(records.ids, self.body)
        elif self._renders_as_core(records):
            bodies = super()._prepare_body_values(records)
        else:
            bodies = self._render_typed(records)
        suffix = self.line_suffix or ""
        return {
            record_id: with_suffix(body, suffix) for record_id, body in bodies.items()
        }

    def _renders_as_core(self, records):
        """Whether it is a saved text, or an expression of a template editor.

        :raise ValidationError: for a placeholder that this user may not write
        """
        if self.template_id and self.body == self.template_id.body:
            return True
        placeholders = self.env["sms.placeholder"]
        if placeholders._is_plain(self.body, records._name):
            return False
        if not self.env.user.has_group("mail.group_mail_template_editor"):
            placeholders._check(self.body, records._name)
        return True

    def _render_typed(self, records):
        """What was typed here, with the rights of whoever typed it."""
        placeholders = self.env["sms.placeholder"]
        bodies = placeholders._render_by_lang(self.body, records)
        if self.mailing_id:
            trackers = self.mailing_id._get_link_tracker_values()
            renderer = self.env["mail.render.mixin"].sudo()
            bodies = {
                record_id: renderer._shorten_links_text(body, trackers)
                for record_id, body in bodies.items()
            }
        return bodies
