from odoo import api, fields, models
from odoo.fields import Domain


class ClubMember(models.Model):
    """Newcomers of the week in the time zone of their club."""

    _inherit = "club.member"

    first_this_week = fields.Boolean(
        string="First visit this week",
        compute="_compute_first_this_week",
        search="_search_first_this_week",
        help="Since the week began in the club's time zone, whoever looks.",
    )

    @api.depends("first_visit", "company_id.club_tz")
    def _compute_first_this_week(self):
        for company, members in self.grouped("company_id").items():
            start = company._club_midnight(company._club_week_start())
            for member in members:
                member.first_this_week = (
                    member.first_visit and member.first_visit >= start
                )

    def _search_first_this_week(self, operator, value):
        """Of the companies one works for now; those of others are not seen anyway."""
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain(
                "first_visit",
                ">=",
                company._club_midnight(company._club_week_start()),
            )
            for company in self.env.companies
        )
