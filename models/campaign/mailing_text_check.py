from odoo import api, models
from odoo.exceptions import UserError


class MailingMailing(models.Model):
    """The text of an SMS campaign holds our placeholders: names and fields, no code."""

    _inherit = "mailing.mailing"

    @api.constrains("body_plaintext", "audience_mode", "mailing_type")
    def _check_body_plaintext(self):
        """Refuse what is broken when it is saved; whose eyes it is for, the launch
        asks.
        """
        for mailing in self:
            if mailing.audience_mode != "odoo" and mailing.mailing_type == "sms":
                self.env["sms.placeholder"].sudo()._check(
                    mailing.body_plaintext, "res.partner"
                )

    @api.model
    def _has_unsafe_expression_template_inline_template(
        self, template_txt, model, fname=None
    ):
        """Ours are safe, and read with the rights of whoever sends them."""
        if fname == "launched_text":
            # A copy of texts that were checked, which the launch alone writes.
            return False
        if (
            fname == "body_plaintext"
            and model in self.env
            and self.env["sms.placeholder"]._is_plain(str(template_txt or ""), model)
        ):
            return False
        return super()._has_unsafe_expression_template_inline_template(
            template_txt, model, fname=fname
        )

    def _check_launch_sms(self):
        """Such a text would be refused message by message."""
        result = super()._check_launch_sms()
        if self.line_id._forbids_links(self._all_texts()):
            raise UserError(
                self.env._(
                    "The line “%s” carries no links: its provider refuses such texts. "
                    "Leave the link out, or choose another line.",
                    self.line_id.sudo().name,
                )
            )
        return result
