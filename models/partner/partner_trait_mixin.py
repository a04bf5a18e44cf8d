from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .rare_fields import Tags


class PartnerTraitMixin(models.AbstractModel):
    """What a contact is like, and the card for whoever talks to it."""

    _name = "partner.trait.mixin"
    _description = "Partner Traits"

    trait_ids = Tags(
        "customer.trait",
        "customer_partner_trait_rel",
        "partner_id",
        "trait_id",
        string="Traits",
        groups="base.group_user",
    )
    guidance_card = fields.Json(
        string="Guidance", compute="_compute_guidance_card", groups="base.group_user"
    )

    @api.depends("trait_ids", "segment_ids", "no_profiling")
    @api.depends_context("uid", "company", "lang")
    def _compute_guidance_card(self):
        for partner in self:
            partner.guidance_card = self.env["customer.guidance"]._prepare_cards(
                partner
            )

    @api.constrains("trait_ids", "no_profiling")
    def _check_no_profiling(self):
        for partner in self.filtered("no_profiling"):
            if partner.trait_ids:
                raise ValidationError(
                    self.env._(
                        "%s wants no profiling: no traits.", partner.display_name
                    )
                )

    def write(self, vals):
        if vals.get("no_profiling"):
            self._forget_profile()
        return super().write(vals)

    def _forget_profile(self):
        """Remove what was noted of contacts who want no profile.

        Extended by whatever else is known of a contact beyond its documents.
        """
        partners = self.sudo()
        partners.customer_event_ids.unlink()
        partners.trait_ids = False
