from odoo import api, models, tools

OURS = ("customer_segmentation",)


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

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Describe our fields from memory: there are many, and every form asks."""
        if attributes is None:
            return super().fields_get(allfields, attributes)
        wanted = set(allfields or self._fields)
        ours = {
            name for name in wanted & self._fields.keys() if self._is_ours_alone(name)
        }
        others = wanted - ours
        found = super().fields_get(others, attributes) if others else {}
        if ours:
            described = self._describe(frozenset(ours), frozenset(attributes))
            found.update((name, dict(text)) for name, text in described.items())
        return found

    def _is_ours_alone(self, name):
        return self._fields[name]._modules == OURS

    @tools.ormcache(
        "self.env.lang",
        "self.env.su",
        "frozenset(self.env.user._get_group_ids())",
        "names",
        "attributes",
    )
    def _describe(self, names, attributes):
        """Descriptions depend on the language and on what the user may do."""
        # What fields_get keeps: pylint: disable-next=super-method-mismatch
        return super().fields_get(names, attributes)

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
