from odoo import fields, models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["customer.segment.member.mixin", "crm.lead"]

    segment_ids = fields.Many2many(
        "customer.segment",
        "customer_segment_lead_rel",
        "lead_id",
        "segment_id",
        string="Segments",
        search="_search_segment_ids",
        copy=False,
    )
