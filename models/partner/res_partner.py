from odoo import models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = [
        "partner.behavioural.mixin",
        "partner.birthday.mixin",
        "partner.club.mixin",
        "partner.company.mixin",
        "partner.consent.mixin",
        "partner.demographics.mixin",
        "partner.firmographic.mixin",
        "partner.geographic.mixin",
        "partner.messaging.mixin",
        "partner.privacy.mixin",
        # Extends the profile, so it stands before it.
        "partner.score.mixin",
        "partner.profile.mixin",
        "partner.segment.mixin",
        "partner.trait.mixin",
        "partner.visits.mixin",
        "res.partner",
    ]

    # Check-ins, imports and calls find a contact by its number; core has no index.
    _phone_sanitized = models.Index(
        "(phone_sanitized) WHERE phone_sanitized IS NOT NULL"
    )
    _no_sms = models.Index("(id) WHERE no_sms")

    def mail_allowed_qweb_expressions(self):
        """What whoever writes texts may use without being a template editor."""
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.sms_greeting",
            "object.club_visit_count",
            "object.city",
            "object.club_company_id.name",
            "object.club_company_id.phone",
            "object.club_company_id.street",
            "object.club_company_id.website",
            "object.club_company_id.club_slogan",
            "object.club_company_id.club_links",
        )

    def unlink(self):
        """A deleted contact takes its membership along, not the counts."""
        self.env["club.member"].sudo().search([("partner_id", "in", self.ids)]).unlink()
        return super().unlink()
