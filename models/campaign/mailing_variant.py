from odoo import fields, models


class MailingVariant(models.Model):
    """Another text of a campaign for those of one of its segments."""

    _name = "mailing.variant"
    _description = "Campaign Text Variant"
    _inherit = ["customer.segment.chosen.mixin"]
    _order = "mailing_id, id"
    _rec_name = "segment_id"

    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, index=True, ondelete="cascade"
    )
    segment_id = fields.Many2one(
        "customer.segment", required=True, index=True, ondelete="cascade"
    )
    sms_template_id = fields.Many2one(
        "sms.template", string="SMS text", required=True, ondelete="restrict"
    )
    body = fields.Char(
        related="sms_template_id.body", related_sudo=False, string="Text"
    )

    _segment_unique = models.Constraint(
        "unique(mailing_id, segment_id)", "A segment has one text in a campaign."
    )
