from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.phone import PhoneError, parse_phone

MOST_CALLERS = 5


class ClubDashboardCaller(models.AbstractModel):
    """Finds who a number belongs to."""

    _name = "club.dashboard.caller"
    _description = "Club Today: Who Is Calling"
    _inherit = "club.dashboard.base"

    @api.model
    @api.readonly
    def find_caller(self, phone):
        """Who is calling: contacts and the member with this number.

        Found by the whole number over its index, members or not, of the current
        company and the contacts that all companies share.

        :param str phone: as typed or pasted, digits of any script
        :return: ``{"number": str, "error": str or False, "callers": [...],
            "checkin_action": dict, "contact_action": dict}``; at most five callers,
            the member first
        :rtype: dict
        :raise AccessError: for whoever may not read members
        """
        self.env["club.member"].check_access("read")
        e164, shown = self._read_caller_number(phone)
        if not e164:
            error = self.env._("This is no phone number. Check the digits.")
            return {"number": phone, "error": error, "callers": []}
        member = self.env["club.member"].search(
            [("company_id", "=", self.env.company.id), ("phone_e164", "=", e164)],
            limit=1,
        )
        partners = self.env["res.partner"].search(
            Domain("phone_sanitized", "=", e164)
            & Domain("company_id", "in", [False, self.env.company.id]),
            limit=MOST_CALLERS,
            order="is_company, id",
        )
        known = member.partner_id._filtered_access("read")
        partners = (known | partners)[:MOST_CALLERS]
        callers = [
            self._prepare_caller(
                partner, member if partner == known else member.browse()
            )
            for partner in partners
        ]
        if member and not known:
            # The worker makes the contact in a few seconds; or a merge has made it
            # another company's.
            callers.insert(0, self._prepare_caller(known, member))
        return {
            "number": shown,
            "error": False,
            "callers": callers,
            "checkin_action": {
                **self._prepare_xmlid_action("club_checkin_manual_action"),
                "context": {"default_phone": e164},
            },
            "contact_action": self._prepare_form_action(
                "res.partner",
                name=self.env._("New contact"),
                context={"default_phone": shown},
            ),
        }

    def _read_caller_number(self, phone):
        """E.164 and the readable form; a landline calls too, so core reads those."""
        company = self.env.company
        country = company.country_id or self.env.ref("base.ir")
        try:
            number = parse_phone(phone, country.code, foreign_allowed=True)
        except PhoneError as error:
            if error.code != "not-mobile":
                return False, False
            partners = self.env["res.partner"]
            return (
                partners._phone_format(number=phone, country=country),
                partners._phone_format(
                    number=phone, country=country, force_format="INTERNATIONAL"
                ),
            )
        return number.e164, number.international

    def _prepare_caller(self, partner, member):
        return {
            "id": partner.id,
            "name": partner.display_name or member.phone_e164,
            "is_member": bool(member),
            "visits": member.visit_count,
            "first_visit": fields.Datetime.to_string(member.first_visit) or False,
            "last_visit": fields.Datetime.to_string(member.last_visit) or False,
            "no_sms": bool(member.no_sms or partner.no_sms),
            "tags": [
                {"id": tag.id, "name": tag.name, "color": tag.color}
                for tag in partner.category_id
            ],
            "guidance": self.env["customer.guidance"]._prepare_cards(partner),
            "groups": partner.included_segment_ids.mapped("name"),
            "action": self._prepare_form_action("res.partner", partner.id)
            if partner
            else self._prepare_form_action("club.member", member.id),
            "visits_action": bool(member)
            and self._prepare_checkin_action(
                partner.display_name or member.phone_e164,
                Domain("member_id", "=", member.id),
            ),
        }
