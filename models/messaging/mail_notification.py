from odoo import fields, models


class MailNotification(models.Model):
    _inherit = "mail.notification"

    # ``sms.sms`` has these, and a notification takes over what a message failed by.
    failure_type = fields.Selection(
        selection_add=[
            ("sms_blacklist", "Blacklisted"),
            ("sms_optout", "Opted Out"),
            ("sms_duplicate", "Duplicate"),
        ]
    )
