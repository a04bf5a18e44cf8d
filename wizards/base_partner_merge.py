from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Keep what the club and the segments know of merged contacts.

        Rules: every membership of the club moves to the contact that stays, so visits
        add up and each number keeps its own count; «no SMS at all» of any of them
        stays; score lines and segments as ``customer.score.merge`` and
        ``customer.segment.merge`` say. Done before core's own
        update, which would delete rows that clash on a unique key.
        """
        members = (
            self.env["club.member"]
            .sudo()
            .search([("partner_id", "in", src_partners.ids)])
        )
        members.partner_id = dst_partner
        if any(src_partners.sudo().mapped("no_sms")):
            dst_partner.sudo().no_sms = True
        self.env["customer.score.merge"]._merge(src_partners, dst_partner)
        self.env["customer.segment.merge"]._merge(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)

    def _log_merge_operation(self, src_partners, dst_partner):
        """Let rules and segments judge the contact that stays, now it is complete."""
        self.env["customer.score.merge"]._judge(dst_partner)
        self.env["customer.segment.merge"]._judge(dst_partner)
        return super()._log_merge_operation(src_partners, dst_partner)
