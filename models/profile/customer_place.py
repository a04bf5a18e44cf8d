from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ...tools.sms_text import fold
from .customer_place_iran import PLACES, PROVINCES

RESIDENCES = [("urban", "Urban"), ("suburban", "Suburban"), ("rural", "Rural")]
# The words of Iranian building practice; which place has which is data.
CLIMATE_ZONES = [
    ("temperate_humid", "Temperate and humid"),
    ("cold", "Cold"),
    ("cold_dry", "Cold and dry"),
    ("temperate", "Temperate"),
    ("hot_dry", "Hot and dry"),
    ("hot_humid", "Hot and humid"),
]


class CustomerPlace(models.Model):
    """What is usual at a place; suggested for contacts who live there.

    A row names a city or county, or only a state, or only a country; the closest one
    that says something is taken.
    """

    _name = "customer.place"
    _description = "Place"
    _order = "country_id, state_id, name, id"
    _rec_names_search = ["name", "local_name", "state_id.name"]

    name = fields.Char(
        string="City or county", help="Empty: holds for the whole state or country."
    )
    local_name = fields.Char(help="The name in the country's own script.")
    country_id = fields.Many2one(
        "res.country", required=True, ondelete="cascade", index=True
    )
    state_id = fields.Many2one(
        "res.country.state",
        string="Province or state",
        domain="[('country_id', '=', country_id)]",
        ondelete="cascade",
        index="btree_not_null",
    )
    residence = fields.Selection(RESIDENCES)
    climate_zone = fields.Selection(CLIMATE_ZONES)

    # === COMPUTE METHODS === #

    @api.depends("name", "local_name", "state_id", "country_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        persian = (self.env.lang or "").startswith("fa")
        for place in self:
            name = (persian and place.local_name) or place.name
            parts = (name, place.state_id.display_name, place.country_id.name)
            place.display_name = next(filter(None, parts), "")

    # === CONSTRAINTS === #

    @api.constrains("state_id", "country_id")
    def _check_state_id(self):
        for place in self:
            if place.state_id and place.state_id.country_id != place.country_id:
                raise ValidationError(
                    self.env._("%s is in another country.", place.state_id.name)
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # === ACTIONS === #

    @api.model
    def action_fill_contacts(self):
        """Suggest residence and climate to all contacts that have none.

        One statement; what somebody filled in stays.

        :return: a notification with the number of contacts
        :rtype: dict
        """
        self.check_access("write")
        count = self._fill_contacts()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s contacts filled in.", count),
            },
        }

    # === BUSINESS METHODS === #

    @api.model
    def _suggest(self, address):
        """Residence and climate zone at an address, each from the closest place.

        :param address: a record with city, county, state and country
        :rtype: tuple[str or None, str or None]
        """
        places = self._table_of_places()
        country_id = (address.country_id or address.state_id.country_id).id
        state_id = address.state_id.id
        keys = [
            (country_id, state, fold(name or ""))
            for name in (address.city, address.county)
            if name
            for state in dict.fromkeys((state_id, False))
        ]
        found = [places[key] for key in keys if key in places]
        # A city alone tells its state, too.
        state_id = state_id or next(filter(None, (place[2] for place in found)), False)
        for key in (country_id, state_id, ""), (country_id, False, ""):
            if key in places:
                found.append(places[key])
        return tuple(
            next(filter(None, (values[index] for values in found)), None)
            for index in (0, 1)
        )

    @api.model
    @ormcache()
    def _table_of_places(self):
        table = {}
        for place in self.sudo().search(Domain.TRUE):
            names = {fold(name) for name in (place.name, place.local_name) if name}
            for name in names or {""}:
                values = (
                    place.residence or None,
                    place.climate_zone or None,
                    place.state_id.id,
                )
                for state_id in (
                    {place.state_id.id, False} if name else (place.state_id.id,)
                ):
                    # Of two places with one name, an address without a state gets none.
                    key = (place.country_id.id, state_id, name)
                    table[key] = (None, None, False) if key in table else values
        return table

    @api.model
    def _fill_contacts(self):
        partners = self.env["res.partner"]
        names = ["residence", "climate_zone", "city", "county", "state_id"]
        partners.flush_model([*names, "country_id"])
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT DISTINCT city, county, state_id, country_id
                  FROM res_partner
                 WHERE (residence IS NULL OR climate_zone IS NULL)
                   AND coalesce(country_id, state_id) IS NOT NULL
                """
            )
        )
        suggestions = []
        for row in rows:
            residence, climate_zone = self._suggest(partners.new(row))
            if residence or climate_zone:
                suggestions.append((*row.values(), residence, climate_zone))
        if not suggestions:
            return 0
        filled = self.env.execute_query(
            SQL(
                """
                UPDATE res_partner p
                   SET residence = coalesce(p.residence, s.residence),
                       climate_zone = coalesce(p.climate_zone, s.climate_zone)
                  FROM unnest(%s::text[], %s::text[], %s::int[], %s::int[],
                              %s::text[], %s::text[])
                       AS s(city, county, state_id, country_id, residence, climate_zone)
                 WHERE p.city IS NOT DISTINCT FROM s.city
                   AND p.county IS NOT DISTINCT FROM s.county
                   AND p.state_id IS NOT DISTINCT FROM s.state_id
                   AND p.country_id IS NOT DISTINCT FROM s.country_id
                   AND (p.residence IS NULL AND s.residence IS NOT NULL
                        OR p.climate_zone IS NULL AND s.climate_zone IS NOT NULL)
             RETURNING p.id
                """,
                *(list(column) for column in zip(*suggestions, strict=True)),
            )
        )
        partners.invalidate_model(["residence", "climate_zone"])
        partners.browse([row[0] for row in filled])._touch_segments()
        return len(filled)

    @api.model
    def _create_iran_places(self):
        """Iran's provinces with their climate, their capitals and some suburbs."""
        iran = self.env.ref("base.ir")
        states = self.env["res.country.state"].search([("country_id", "=", iran.id)])
        by_code = {
            code: states.filtered(
                lambda state, code=code, names=names: (
                    state.code == code or state.name in names
                )
            )[:1]
            for code, *names, _climate in PROVINCES
        }
        self.create(
            [
                {
                    "country_id": iran.id,
                    "state_id": by_code[code].id,
                    "climate_zone": climate,
                }
                for code, _name, _local_name, climate in PROVINCES
                if by_code[code]
            ]
            + [
                {
                    "country_id": iran.id,
                    "state_id": by_code[code].id,
                    "name": name,
                    "local_name": local_name,
                    "residence": residence,
                }
                for code, name, local_name, residence in PLACES
                if by_code[code]
            ]
        )
