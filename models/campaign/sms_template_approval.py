from odoo import models

from .mailing_state import UNDER_WAY


class SmsTemplateApproval(models.Model):
    _inherit = "sms.template.approval"

    def write(self, vals):
        is_refused = vals.get("state") == "refused"
        before = self.filtered(lambda approval: approval.state != "refused")
        result = super().write(vals)
        if is_refused:
            before._tell_campaigns()
        return result

    def _tell_campaigns(self):
        """Whoever has sent a campaign with a text that was refused now learns that the
        rest of it does not leave.
        """
        for approval in self:
            under_way = (
                self.env["mailing.mailing"]
                .sudo()
                .search(
                    [
                        ("audience_mode", "!=", "odoo"),
                        ("state", "in", UNDER_WAY),
                        ("line_id", "=", approval.line_id.id),
                    ]
                )
            )
            for mailing in under_way:
                if approval.template_id in mailing._templates():
                    mailing._tell_refused(approval.template_id, approval.reason)


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    def _say_progress(self):
        sentences = [super()._say_progress()]
        for template, state, reason in self._pending_approvals():
            sentences.append(
                self._say_refused(template, reason)
                if state == "refused"
                else self.env._(
                    "“%s” waits until the panel has approved it.", template.name
                )
            )
        return " ".join(sentences)

    def _say_refused(self, template, reason):
        return self.env._(
            "The panel refused “%(text)s”: %(reason)s. What waits for it does not "
            "leave: stop it, and write another.",
            text=template.name,
            reason=reason or self.env._("no reason given"),
        )

    def _tell_refused(self, template, reason):
        sender = self._sender()
        told = self.with_context(lang=sender.lang)
        told.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=told.env._("Does not leave: %s", self.subject or ""),
            note=told._say_refused(template, reason),
            user_id=sender.id,
        )
