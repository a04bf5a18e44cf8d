from odoo import fields, models

from ..res_company import SETTINGS


def _ask(string):
    return fields.Boolean(string=string, default=True, prefetch=SETTINGS)


class ResCompany(models.Model):
    """What the profile link asks."""

    _inherit = "res.company"

    profile_link_days = fields.Integer(
        string="A profile link works for (days)",
        default=14,
        prefetch=SETTINGS,
    )
    profile_ask_name = _ask("Ask the name")
    profile_ask_salutation = _ask("Ask the salutation")
    profile_ask_birthday = _ask("Ask the birthday")
    profile_ask_gender = _ask("Ask the gender")
    profile_ask_city = _ask("Ask the city")
    profile_ask_interests = _ask("Ask the interests")
    profile_ask_consent = _ask("Ask for consent to advertising")

    _profile_link_days = models.Constraint(
        "CHECK(profile_link_days BETWEEN 1 AND 365)",
        "A profile link works for one day to one year.",
    )
