from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    # Whether a campaign has something that has not left yet.
    _mailing_outgoing = models.Index(
        "(mailing_id) WHERE state = 'outgoing' AND mailing_id IS NOT NULL"
    )


class SmsLine(models.Model):
    _inherit = "sms.line"

    def _prepare_sms_values(self, message, due_at):
        return {
            **super()._prepare_sms_values(message, due_at),
            "mailing_id": message.get("mailing_id"),
        }
