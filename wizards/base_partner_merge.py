from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Keep what the club and the segments know of merged contacts.

        Rules: every membership of the club moves to the contact that stays, so visits
        add up and each number keeps its own count; «no SMS at all» of any of them
        stays; score lines and segments as ``customer.score.merge`` and
        ``customer.segment.merge`` say; figures are worked out again from the
        documents, and «no profiling» of any of them stays. Done before core's own
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
        self._keep_attributes(src_partners.sudo(), dst_partner.sudo())
        self._keep_consents(src_partners.sudo(), dst_partner.sudo())
        profiles = self.env["customer.profile"].sudo()
        profiles.search([("partner_id", "in", src_partners.ids)]).unlink()
        self.env["customer.score.merge"]._merge(src_partners, dst_partner)
        self.env["customer.segment.merge"]._merge(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)

    def _keep_consents(self, src_partners, dst_partner):
        """What was said from any of their numbers holds for the contact that stays.

        Rows that name a contact follow through core's own update.
        """
        numbers = set()
        for partner in src_partners | dst_partner:
            numbers |= partner._get_contact_numbers()
        consents = self.env["customer.consent"].sudo().with_context(active_test=False)
        consents.search(
            [("number", "in", list(numbers)), ("partner_id", "=", False)]
        ).partner_id = dst_partner

    def _keep_attributes(self, src_partners, dst_partner):
        """What core leaves out: «no profiling» of any holds, computed facts stay.

        Lists (languages, traits …) and events follow through core's own update.
        """
        if any((src_partners | dst_partner).mapped("no_profiling")):
            # Before core moves the traits of the others here.
            (src_partners | dst_partner).no_profiling = True
        for name in "residence", "climate_zone":
            dst_partner[name] = dst_partner[name] or next(
                filter(None, src_partners.mapped(name)), False
            )

    def _log_merge_operation(self, src_partners, dst_partner):
        """Work out the contact that stays; rules, then segments judge it."""
        companies = self.env["res.company"].sudo().search([("active", "=", True)])
        self.env["customer.profile"].sudo()._refresh(companies, dst_partner.ids)
        self.env["customer.score.merge"]._judge(dst_partner)
        self.env["customer.segment.merge"]._judge(dst_partner)
        return super()._log_merge_operation(src_partners, dst_partner)
