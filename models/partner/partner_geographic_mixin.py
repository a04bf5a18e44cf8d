from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column

from ..profile.customer_place import CLIMATE_ZONES, RESIDENCES
from .rare_fields import RARE, Tags


class PartnerGeographicMixin(models.AbstractModel):
    """Where a contact lives, beyond its address."""

    _name = "partner.geographic.mixin"
    _description = "Partner Geography"

    county = fields.Char(groups="base.group_user", prefetch=RARE)
    residence = fields.Selection(
        RESIDENCES,
        compute="_compute_place",
        store=True,
        readonly=False,
        precompute=True,
        groups="base.group_user",
        prefetch=RARE,
        help="Suggested from the table of places when the address changes.",
    )
    climate_zone = fields.Selection(
        CLIMATE_ZONES,
        compute="_compute_place",
        store=True,
        readonly=False,
        precompute=True,
        groups="base.group_user",
        prefetch=RARE,
        help="Suggested from the table of places when the address changes.",
    )
    spoken_language_ids = Tags(
        "customer.attribute",
        "customer_partner_language_rel",
        "partner_id",
        "attribute_id",
        string="Spoken languages",
        domain=[("kind", "=", "language")],
        context={"default_kind": "language"},
        groups="base.group_user",
    )

    def _auto_init(self):
        # The table of places is empty at installation; see customer.place.
        if self._name == "res.partner":
            for name in "residence", "climate_zone":
                if not column_exists(self.env.cr, self._table, name):
                    create_column(self.env.cr, self._table, name, "varchar")
        return super()._auto_init()

    @api.depends("city", "county", "state_id", "country_id")
    def _compute_place(self):
        places = self.env["customer.place"].sudo()
        for partner in self:
            residence, climate_zone = places._suggest(partner)
            partner.residence = residence or partner.residence
            partner.climate_zone = climate_zone or partner.climate_zone
