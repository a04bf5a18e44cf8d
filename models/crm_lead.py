from odoo import fields, models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = [
        "customer.segment.member.mixin",
        "customer.assured.mixin",
        "lead.contact.mixin",
        "lead.facts.mixin",
        "lead.score.mixin",
        "lead.trait.mixin",
        "crm.lead",
    ]

    segment_ids = fields.Many2many(
        "customer.segment",
        "customer_segment_lead_rel",
        "lead_id",
        "segment_id",
        string="Segments",
        search="_search_segment_ids",
        copy=False,
    )
    segment_event_ids = fields.One2many(
        "customer.segment.event",
        "lead_id",
        string="Segment history",
        groups="customer_segmentation.customer_segmentation_group_marketer",
    )

    # === MERGING === #

    def _merge_dependences(self, opportunities):
        """Hand over what segments know of the leads that are about to go."""
        result = super()._merge_dependences(opportunities)
        self.env["customer.segment.merge"]._merge(opportunities, self)
        return result

    def _merge_opportunity(
        self, user_id=False, team_id=False, auto_unlink=True, max_length=5
    ):
        """Let the segments judge the lead that stays, once it is complete."""
        lead = super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        self.env["customer.segment.merge"]._judge(lead)
        return lead
