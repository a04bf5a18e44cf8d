from odoo import fields, models
from odoo.tools import SQL

from ...tools.phone import is_mobile


class PartnerMessagingMixin(models.AbstractModel):
    """How a contact is addressed and where its SMS goes."""

    _name = "partner.messaging.mixin"
    _description = "Partner Messaging"

    salutation_id = fields.Many2one(
        "customer.salutation",
        groups="base.group_user",
        ondelete="set null",
        index="btree_not_null",
    )
    no_sms = fields.Boolean(
        string="No SMS at all",
        groups="base.group_user",
        tracking=True,
        help="Nothing is sent to this contact, service messages included.",
    )
    sms_contact_id = fields.Many2one(
        "res.partner",
        string="SMS contact",
        groups="base.group_user",
        ondelete="set null",
        index="btree_not_null",
        domain="[('parent_id', '=', id)]",
        help="Who gets messages to this company when it has no mobile number itself. "
        "Empty: its first contact with one.",
    )
    sms_greeting = fields.Char(
        compute="_compute_sms_greeting",
        groups="base.group_user",
        help="Salutation and name for a text; empty until the name is known.",
    )

    def _compute_sms_greeting(self):
        for partner in self:
            name = partner.name or ""
            # A contact that only has its number as a name is not greeted by it.
            if not any(character.isalpha() for character in name):
                name = ""
            salutation = partner._get_salutation() if name else ""
            partner.sms_greeting = f"{salutation} {name}".strip()

    def _get_salutation(self):
        """The formal salutation in the contact's language, or "".

        OCA's ``partner_title`` is read where it is installed and ours is empty.
        """
        self.ensure_one()
        if not self.salutation_id and "title" not in self._fields:
            return ""
        partner = self.with_context(lang=self.lang or self.env.lang)
        if partner.salutation_id:
            return partner.salutation_id.name
        if "title" in self._fields:
            return partner.title.display_name or ""
        return ""

    def _get_sms_numbers(self, company=None):
        """The one number an SMS to each contact goes to, used everywhere.

        The member's phone, else ``mobile`` where OCA's partner_mobile is installed,
        else ``phone`` if it is a mobile number.

        :param company: ``res.company`` whose members count, default the current one
        :return: E.164 per partner id; a contact that cannot be reached is missing
        :rtype: dict[int, str]
        """
        company = company or self.env.company
        numbers = {}
        if self.ids:
            self.env["club.member"].flush_model(["partner_id", "phone_e164"])
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT ON (partner_id) partner_id, phone_e164
                      FROM club_member
                     WHERE company_id = %s AND partner_id = ANY(%s)
                     ORDER BY partner_id, last_visit DESC NULLS LAST, id DESC
                    """,
                    company.id,
                    list(self.ids),
                )
            )
            numbers = dict(rows)
        has_mobile = "mobile" in self._fields
        for partner in self:
            if partner.id in numbers:
                continue
            number = has_mobile and partner._phone_format(fname="mobile")
            if not number:
                number = partner.phone_sanitized
                region = partner.country_id.code or company.country_id.code or "IR"
                if not number or not is_mobile(number, region):
                    continue
            numbers[partner.id] = number
        return numbers

    def _sms_get_recipients_info(self, force_field=False, partner_fallback=True):
        """Core's composer and mailings use the same number as we do."""
        infos = super()._sms_get_recipients_info(force_field, partner_fallback)
        if force_field:
            return infos
        numbers = self._get_sms_numbers()
        for partner in self:
            infos[partner.id]["sanitized"] = numbers.get(partner.id, False)
        return infos
