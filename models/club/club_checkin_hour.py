import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ClubCheckin(models.Model):
    _inherit = "club.checkin"

    occurred_hour = fields.Integer(
        string="Hour of the day",
        compute="_compute_occurred_hour",
        search="_search_occurred_hour",
        help="Hour in the club's time zone, whoever looks.",
    )

    @api.depends("occurred_at", "company_id.club_tz")
    def _compute_occurred_hour(self):
        for checkin in self:
            zone = pytz.timezone(checkin.company_id.sudo().club_tz or "UTC")
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
