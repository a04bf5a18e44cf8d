from odoo import fields, models

from .rare_fields import Tags


class PartnerSegmentMixin(models.AbstractModel):
    """The segments of a contact."""

    _name = "partner.segment.mixin"
    _inherit = ["customer.segment.member.mixin"]
    _description = "Partner Segments"

    segment_ids = Tags(
        "customer.segment",
        "customer_segment_partner_rel",
        "partner_id",
        "segment_id",
        string="Segments",
        groups="base.group_user",
        search="_search_segment_ids",
        copy=False,
        help="Changed by conditions and by «always in» and «always out» only.",
    )
    segment_event_ids = fields.One2many(
        "customer.segment.event",
        "partner_id",
        string="Segment history",
        groups="customer_segmentation.customer_segmentation_group_marketer",
    )
