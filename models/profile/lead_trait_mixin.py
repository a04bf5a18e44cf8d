from odoo import api, fields, models


class LeadTraitMixin(models.AbstractModel):
    """Traits noted on a lead; the contact's own count too."""

    _name = "lead.trait.mixin"
    _description = "Traits of a Lead"

    trait_ids = fields.Many2many(
        "customer.trait",
        "customer_lead_trait_rel",
        "lead_id",
        "trait_id",
        string="Traits",
        groups="base.group_user",
        help="Noted on the lead; its contact gets them too.",
    )
    guidance_card = fields.Json(
        string="Guidance", compute="_compute_guidance_card", groups="base.group_user"
    )

    @api.depends("trait_ids", "partner_id.trait_ids", "partner_id.no_profiling")
    @api.depends_context("uid", "company", "lang")
    def _compute_guidance_card(self):
        guidance = self.env["customer.guidance"]
        for lead in self:
            lead.guidance_card = guidance._prepare_cards(
                lead.partner_id,
                lead.trait_ids,
                lead.company_id or self.env.company,
                lead.segment_ids,
            )

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads.filtered("trait_ids")._hand_over_traits()
        return leads

    def write(self, vals):
        before = {lead: lead.trait_ids for lead in self} if "trait_ids" in vals else {}
        result = super().write(vals)
        for lead, traits in before.items():
            # Taken back here: no longer true of the contact either.
            gone = traits - lead.trait_ids
            if gone & lead.partner_id.trait_ids:
                lead.partner_id.trait_ids -= gone
        if {"trait_ids", "partner_id"} & set(vals):
            self.filtered("trait_ids")._hand_over_traits()
        return result

    def _hand_over_traits(self):
        """The contact gets what was noted on the lead, unless it wants no profiling."""
        for lead in self:
            partner = lead.partner_id
            missing = lead.trait_ids - partner.trait_ids
            if partner and missing and not partner.no_profiling:
                partner.trait_ids |= missing

    @api.model
    def _merge_get_fields_specific(self):
        return {
            **super()._merge_get_fields_specific(),
            "trait_ids": lambda _name, leads: leads.trait_ids,
        }
