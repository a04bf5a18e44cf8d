import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ClubCheckin(models.Model):
    """Hour and day of check-ins in the time zone of their club."""

    _inherit = "club.checkin"

    occurred_hour = fields.Integer(
        string="Hour of the day",
        compute="_compute_occurred_hour",
        search="_search_occurred_hour",
        help="Hour in the club's time zone, whoever looks.",
    )
    arrived_today = fields.Boolean(
        compute="_compute_arrived_today",
        search="_search_arrived_today",
        help="Since midnight in the club's time zone, whoever looks.",
    )

    @api.depends("occurred_at", "company_id.club_tz")
    def _compute_occurred_hour(self):
        for checkin in self:
            zone = checkin.company_id._club_zone()
            moment = checkin.occurred_at
            checkin.occurred_hour = (
                moment and pytz.utc.localize(moment).astimezone(zone).hour
            )

    def _search_occurred_hour(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.env["res.company"].flush_model(["club_tz"])

        def to_sql(model, alias, query):
            return SQL(
                """
                extract(hour FROM %(occurred_at)s AT TIME ZONE 'UTC' AT TIME ZONE
                    (SELECT coalesce(club_tz, 'UTC') FROM res_company
                      WHERE id = %(company)s))::int = ANY(%(hours)s)
                """,
                occurred_at=model._field_to_sql(alias, "occurred_at", query),
                company=model._field_to_sql(alias, "company_id", query),
                hours=[int(hour) for hour in value],
            )

        return Domain.custom(to_sql=to_sql)

    @api.depends("arrived_at", "company_id.club_tz")
    def _compute_arrived_today(self):
        for company, checkins in self.grouped("company_id").items():
            start = company._club_midnight(company._club_today())
            for checkin in checkins:
                checkin.arrived_today = (
                    checkin.arrived_at and checkin.arrived_at >= start
                )

    def _search_arrived_today(self, operator, value):
        """Of the companies one works for now; those of others are not seen anyway."""
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("arrived_at", ">=", company._club_midnight(company._club_today()))
            for company in self.env.companies
        )
