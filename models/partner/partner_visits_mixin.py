from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

CLUB_USER = "customer_segmentation.customer_segmentation_group_club_user"
COMPARE = {
    operator: SQL(operator)  # pylint: disable=sql-injection
    for operator in ("<", "<=", ">", ">=")
}


class PartnerVisitsMixin(models.AbstractModel):
    """How often a contact came in a period."""

    _name = "partner.visits.mixin"
    _description = "Partner Visits"

    club_month_visits = fields.Integer(
        string="Visits this month",
        compute="_compute_club_month_visits",
        search="_search_club_month_visits",
        groups=CLUB_USER,
        help="Counted visits of the current company since the first of the (Gregorian) "
        "month, in the club's time zone.",
    )

    @api.depends_context("company")
    def _compute_club_month_visits(self):
        checkins = self.env["club.checkin"]
        visits = dict(
            checkins._read_group(
                self._month_visits_domain()
                & Domain("member_id.partner_id", "in", self.ids),
                ["member_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.club_month_visits = sum(
                visits.get(member, 0) for member in partner.club_member_ids
            )

    def _month_visits_domain(self):
        company = self.env.company
        first = company._club_today().replace(day=1)
        return Domain(
            [
                ("company_id", "=", company.id),
                ("counted", "=", True),
                ("occurred_at", ">=", company._club_midnight(first)),
            ]
        )

    def _search_club_month_visits(self, operator, value):
        """By count, in one statement; contacts without a visit have none.

        :raise AccessError: for whoever may not read members
        """
        members = self.env["club.member"]
        members.check_access("read")
        if operator == "in":
            wanted = [visits for visits in value if visits]
            found = self._visited(SQL("count(*) = ANY(%s)", wanted))
            return found | ~self._visited(SQL("TRUE")) if 0 in value else found
        if operator not in COMPARE:
            return NotImplemented
        found = self._visited(SQL("count(*) %s %s", COMPARE[operator], value))
        counts_nobody = {
            "<": value > 0,
            "<=": value >= 0,
            ">": value < 0,
            ">=": value <= 0,
        }
        return found | ~self._visited(SQL("TRUE")) if counts_nobody[operator] else found

    def _visited(self, having):
        checkins = self.env["club.checkin"].sudo()
        query = checkins._search(self._month_visits_domain())
        member = query.join(
            query.table, "member_id", "club_member", "id", "month_member"
        )
        query.groupby = SQL.identifier(member, "partner_id")
        query.having = having
        # subselect() would leave the grouping out.
        return Domain("id", "in", query.select(query.groupby))
