from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.phone import is_mobile
from .rare_fields import Tags

CLUB_USER = "customer_segmentation.customer_segmentation_group_club_user"
CLUB_CASHIER = "customer_segmentation.customer_segmentation_group_cashier"


class PartnerClubMixin(models.AbstractModel):
    """What the club knows of a contact, in the current company."""

    _name = "partner.club.mixin"
    _description = "Partner Club"

    club_member_ids = fields.One2many("club.member", "partner_id", groups=CLUB_USER)
    included_segment_ids = Tags(
        "customer.segment",
        "customer_segment_included_partner_rel",
        "partner_id",
        "segment_id",
        string="Customer groups",
        groups=CLUB_CASHIER,
        search="_search_included_segment_ids",
        copy=False,
    )
    club_company_id = fields.Many2one(
        "res.company",
        compute="_compute_club_company_id",
        groups="base.group_user",
        help="The company whose club is meant, for use in texts.",
    )
    club_visit_count = fields.Integer(
        string="Visits",
        compute="_compute_club",
        search="_search_club_visit_count",
        groups=CLUB_USER,
    )
    club_first_visit = fields.Datetime(
        string="First visit",
        compute="_compute_club",
        search="_search_club_first_visit",
        groups=CLUB_USER,
    )
    club_last_visit = fields.Datetime(
        string="Last visit",
        compute="_compute_club",
        search="_search_club_last_visit",
        groups=CLUB_USER,
    )
    is_club_member = fields.Boolean(
        string="Club member",
        compute="_compute_club",
        search="_search_is_club_member",
        groups=CLUB_USER,
    )
    club_checkin_ids = fields.Many2many(
        "club.checkin",
        string="Last visits",
        compute="_compute_club_checkin_ids",
        groups=CLUB_USER,
    )

    @api.depends_context("company")
    def _compute_club_company_id(self):
        self.club_company_id = self.env.company

    @api.depends("club_member_ids.visit_count")
    @api.depends_context("company", "club_visit_numbers")
    def _compute_club(self):
        members = self.env["club.member"].sudo()
        figures = {
            partner.id: (visits, first, last)
            for partner, visits, first, last in members._read_group(
                [
                    ("partner_id", "in", self.ids),
                    ("company_id", "=", self.env.company.id),
                ],
                ["partner_id"],
                ["visit_count:sum", "first_visit:min", "last_visit:max"],
            )
        }
        # While texts of check-ins are rendered, a visit number is the check-in's own.
        numbers = self.env.context.get("club_visit_numbers") or {}
        for partner in self:
            visits, first, last = figures.get(partner._origin.id, (0, False, False))
            partner.club_visit_count = numbers.get(partner.id, visits)
            partner.club_first_visit = first
            partner.club_last_visit = last
            partner.is_club_member = partner._origin.id in figures

    def _compute_club_checkin_ids(self):
        for partner in self:
            partner.club_checkin_ids = self.env["club.checkin"].search(
                [("member_id.partner_id", "=", partner._origin.id)], limit=20
            )

    def _search_club_visit_count(self, operator, value):
        if operator == "in" and 0 in value:
            others = [visits for visits in value if visits]
            return ~self._club_domain("visit_count", ">", 0) | self._club_domain(
                "visit_count", "in", others
            )
        if (operator == "<" and value > 0) or (operator == "<=" and value >= 0):
            inverse = ">=" if operator == "<" else ">"
            return ~self._club_domain("visit_count", inverse, value)
        if operator in ("in", ">", ">=", "<", "<="):
            return self._club_domain("visit_count", operator, value)
        return NotImplemented

    def _search_club_first_visit(self, operator, value):
        return self._search_club_date("first_visit", operator, value)

    def _search_club_last_visit(self, operator, value):
        return self._search_club_date("last_visit", operator, value)

    def _search_club_date(self, name, operator, value):
        if operator == "in":
            if False in value:
                return ~self._club_domain(name, "!=", False)
            return self._club_domain(name, operator, value)
        if operator in (">", ">=", "<", "<="):
            return self._club_domain(name, operator, value)
        return NotImplemented

    def _search_is_club_member(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._club_domain("id", "!=", False)

    def _club_domain(self, name, operator, value):
        """Contacts with a member row of this company for which the condition holds.

        :raise AccessError: for whoever may not read members: a field's group does not
            stop a search on it, so the member model's own rights have to
        """
        self.env["club.member"].check_access("read")
        return Domain(
            "club_member_ids",
            "any",
            [("company_id", "=", self.env.company.id), (name, operator, value)],
        )

    # === CRUD METHODS === #

    def write(self, vals):
        """Carry a corrected number over to the club members who had the old one."""
        fields_with_numbers = {"phone", "mobile"} & set(vals) & set(self._fields)
        old_numbers = fields_with_numbers and self._get_club_numbers()
        result = super().write(vals)
        if old_numbers:
            self._rekey_club_members(old_numbers)
        return result

    def _get_club_numbers(self):
        """Members whose number stands on their contact, with that number."""
        members = (
            self.env["club.member"].sudo().search([("partner_id", "in", self.ids)])
        )
        return {
            member: member.phone_e164
            for member in members
            if member.phone_e164 in member.partner_id._get_contact_numbers()
        }

    def _get_contact_numbers(self):
        """E.164 numbers written on this contact."""
        self.ensure_one()
        names = [name for name in ("phone", "mobile") if name in self._fields]
        return {self._phone_format(fname=name) for name in names if self[name]} - {
            False
        }

    def _rekey_club_members(self, old_numbers):
        for member, old_number in old_numbers.items():
            partner = member.partner_id
            numbers = partner._get_contact_numbers()
            if old_number in numbers:
                continue
            region = (
                partner.country_id.code or member.company_id.country_id.code or "IR"
            )
            mobiles = [number for number in numbers if is_mobile(number, region)]
            if mobiles:
                member._change_phone(mobiles[0])

    # === ACTIONS === #

    def action_open_club_checkins(self):
        """Open the check-ins of this contact."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.club_checkin_action"
        )
        action["domain"] = [("member_id.partner_id", "=", self.id)]
        action["context"] = {}
        return action
