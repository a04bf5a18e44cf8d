from odoo import models
from odoo.exceptions import AccessError, UserError

CLUB_MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"


class PartnerPrivacyMixin(models.AbstractModel):
    """The right to be forgotten."""

    _name = "partner.privacy.mixin"
    _description = "Partner Privacy"

    def action_erase_personal_data(self):
        """Erase name, number and messages of these contacts, keeping nameless counts.

        The contact is archived, its membership ends in every company that the caller
        may see, its check-ins stay as counts, queued messages never leave. Open over
        RPC to club managers.

        :raise AccessError: for anyone but club managers
        :raise UserError: for contacts of internal users
        """
        if not self.env.user.has_group(CLUB_MANAGER):
            raise AccessError(self.env._("Only club managers may erase contacts."))
        self.check_access("write")
        partners = self.with_context(active_test=False)
        if any(not user.share for user in partners.sudo().user_ids):
            raise UserError(
                self.env._("This contact belongs to a colleague and cannot be erased.")
            )
        hidden = partners.sudo().club_member_ids.filtered(
            lambda member: member.company_id not in self.env.companies
        )
        if hidden:
            raise UserError(
                self.env._(
                    "This contact is a member of another company's club. Ask somebody "
                    "who works for both companies."
                )
            )
        self.env["club.erasure"]._erase_contacts(partners)
        return True
