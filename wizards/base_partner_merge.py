from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Keep what the club knows of merged contacts.

        Rules: every membership moves to the contact that stays, so visits add up and
        each number keeps its own count; «no SMS at all» of any of them stays; groups
        and tags are joined. Done before core's own update, which would delete rows
        that clash on a unique key.
        """
        members = (
            self.env["club.member"]
            .sudo()
            .search([("partner_id", "in", src_partners.ids)])
        )
        members.partner_id = dst_partner
        if any(src_partners.sudo().mapped("no_sms")):
            dst_partner.sudo().no_sms = True
        for segment in src_partners.sudo().included_segment_ids:
            segment._add_partners(dst_partner)
        self.env.flush_all()
        return super()._update_foreign_keys(src_partners, dst_partner)
