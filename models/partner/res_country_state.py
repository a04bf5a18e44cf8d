import re

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.persian import LETTERS, spellings

# Code, English and Persian name. Source: ISO 3166-2:IR as of November 2020.
IRAN_PROVINCES = (
    ("00", "Markazi", "مرکزی"),
    ("01", "Gilan", "گیلان"),
    ("02", "Mazandaran", "مازندران"),
    ("03", "East Azerbaijan", "آذربایجان شرقی"),
    ("04", "West Azerbaijan", "آذربایجان غربی"),
    ("05", "Kermanshah", "کرمانشاه"),
    ("06", "Khuzestan", "خوزستان"),
    ("07", "Fars", "فارس"),
    ("08", "Kerman", "کرمان"),
    ("09", "Razavi Khorasan", "خراسان رضوی"),
    ("10", "Isfahan", "اصفهان"),
    ("11", "Sistan and Baluchestan", "سیستان و بلوچستان"),
    ("12", "Kurdistan", "کردستان"),
    ("13", "Hamadan", "همدان"),
    ("14", "Chaharmahal and Bakhtiari", "چهارمحال و بختیاری"),
    ("15", "Lorestan", "لرستان"),
    ("16", "Ilam", "ایلام"),
    ("17", "Kohgiluyeh and Boyer-Ahmad", "کهگیلویه و بویراحمد"),
    ("18", "Bushehr", "بوشهر"),
    ("19", "Zanjan", "زنجان"),
    ("20", "Semnan", "سمنان"),
    ("21", "Yazd", "یزد"),
    ("22", "Hormozgan", "هرمزگان"),
    ("23", "Tehran", "تهران"),
    ("24", "Ardabil", "اردبیل"),
    ("25", "Qom", "قم"),
    ("26", "Qazvin", "قزوین"),
    ("27", "Golestan", "گلستان"),
    ("28", "North Khorasan", "خراسان شمالی"),
    ("29", "South Khorasan", "خراسان جنوبی"),
    ("30", "Alborz", "البرز"),
)


class ResCountryState(models.Model):
    """Provinces by two names: Iran's, which core does not ship, in Persian too."""

    _inherit = "res.country.state"
    _rec_names_search = ["name", "code", "local_name"]

    local_name = fields.Char(help="The name in the country's own script.")

    @api.depends("local_name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        super()._compute_display_name()
        if not (self.env.lang or "").startswith("fa"):
            return
        for state in self.filtered("local_name"):
            state.display_name = state.display_name.replace(
                state.name, state.local_name, 1
            )

    @api.model
    def _search_display_name(self, operator, value):
        """Also by the other way to write ی and ک."""
        if operator not in ("ilike", "like", "=", "=ilike") or not value:
            return super()._search_display_name(operator, value)
        return Domain.OR(
            super(ResCountryState, self)._search_display_name(operator, variant)
            for variant in spellings(value)
        )

    @api.model
    def _create_iran_provinces(self):
        """Create Iran's provinces, leaving those that some other module provides."""
        iran = self.env.ref("base.ir")
        present = self.search([("country_id", "=", iran.id)])
        codes = set(present.mapped("code"))
        names = {_plain(name) for name in present.mapped("name")}
        missing = [
            (code, name, local_name)
            for code, name, local_name in IRAN_PROVINCES
            if code not in codes and not {_plain(name), _plain(local_name)} & names
        ]
        states = self.create(
            [
                {
                    "country_id": iran.id,
                    "code": code,
                    "name": name,
                    "local_name": local_name,
                }
                for code, name, local_name in missing
            ]
        )
        if states and iran.address_format:
            # Their codes are numbers: no envelope carries them.
            iran.address_format = iran.address_format.replace(
                "%(state_code)s", "%(state_name)s"
            )
        self.env["ir.model.data"]._update_xmlids(
            [
                {
                    "xml_id": f"customer_segmentation.state_ir_{state.code}",
                    "record": state,
                    "noupdate": True,
                }
                for state in states
            ]
        )


def _plain(name):
    """A province's name without what sources add or write differently."""
    name = max(spellings(name), key=_persian_letters).casefold().replace("\u200c", " ")
    name = re.sub(r"\b(province|ostan|استان)\b", " ", name)
    return "".join(character for character in name if character.isalnum())


def _persian_letters(text):
    return sum(text.count(persian) for persian, _arabic in LETTERS)
