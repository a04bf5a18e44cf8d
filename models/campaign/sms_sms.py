from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    # Whether a campaign has something that has not left yet.
    _mailing_outgoing = models.Index(
        "(mailing_id) WHERE state = 'outgoing' AND mailing_id IS NOT NULL"
    )


class SmsLine(models.Model):
    _inherit = "sms.line"

    def _prepare_sms_values(self, messages, due_at):
        values = super()._prepare_sms_values(messages, due_at)
        if any("mailing_id" in message for message in messages):
            for vals, message in zip(values, messages, strict=True):
                vals["mailing_id"] = message.get("mailing_id")
        return values
