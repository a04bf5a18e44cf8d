import hashlib
import hmac

from odoo import api, fields, models
from odoo.tools import SQL

PERSONAL_FIELDS = (
    "email",
    "phone",
    "mobile",
    "street",
    "street2",
    "zip",
    "city",
    "state_id",
    "website",
    "function",
    "vat",
    "comment",
    "salutation_id",
    "image_1920",
    "category_id",
    "ref",
    "barcode",
    "company_name",
    "partner_latitude",
    "partner_longitude",
    "properties",
    "birthdate_date",
    "gender",
    "marital_status",
    "household_size",
    "household_structure",
    "education_level",
    "occupation",
    "income_band",
    "ethnicity",
    "religion",
    "county",
    "residence",
    "climate_zone",
    "spoken_language_ids",
    "own_employee_count",
    "own_capital",
    "own_ownership",
    "own_technology_ids",
    "own_contract_type_ids",
    "budget",
    "expected_product_id",
    "expected_delivery_date",
    "preferred_channel",
    "preferred_hour_ids",
    "occasion_ids",
    "benefit_ids",
    "buying_device_ids",
    "satisfaction_date",
)


class ClubErasure(models.Model):
    """That a number was erased, without the number: a device may still hold it.

    A check-in from before the erasure that arrives afterwards is counted without a
    member, so that the erased person does not come back from a device's queue.
    """

    _name = "club.erasure"
    _description = "Club Erasure"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    phone_hash = fields.Char(required=True)
    erased_at = fields.Datetime(required=True)

    _phone_unique = models.Constraint(
        "unique(company_id, phone_hash)", "One erasure per number."
    )

    @api.model
    def _hash_phone(self, phone_e164):
        """Keyed hash of a number: a leaked table cannot be searched for numbers."""
        secret = self.env["ir.config_parameter"]._get_param("database.secret")
        return hmac.new(
            secret.encode(), phone_e164.encode(), hashlib.sha256
        ).hexdigest()

    @api.model
    def _erase_contacts(self, partners):
        """Remove who these contacts are; what they counted for stays, nameless.

        :param partners: ``res.partner`` recordset, any size, rights already checked
        """
        members = (
            self.env["club.member"].sudo().search([("partner_id", "in", partners.ids)])
        )
        numbers = set(members.mapped("phone_e164"))
        for partner in partners:
            numbers |= partner._get_contact_numbers()
        self._erase_messages(partners, numbers)
        self._erase_consents(partners, numbers)
        self._remember(members)
        checkins = members.checkin_ids
        checkins.write(
            {"fingerprint": False, "error": False, "not_customer_note": False}
        )
        members.unlink()
        for partner in partners:
            self._blank_contact(partner)
        self._erase_chatter(partners)

    def _remember(self, members):
        now = fields.Datetime.now()
        for member in members:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO club_erasure (company_id, phone_hash, erased_at)
                         VALUES (%s, %s, %s)
                    ON CONFLICT (company_id, phone_hash)
                             DO UPDATE SET erased_at = EXCLUDED.erased_at
                    """,
                    member.company_id.id,
                    self._hash_phone(member.phone_e164),
                    now,
                )
            )

    def _erase_messages(self, partners, numbers):
        """Messages to the contacts or their numbers: waiting ones never leave."""
        messages = (
            self.env["sms.sms"]
            .sudo()
            .search(
                [
                    "|",
                    ("partner_id", "in", partners.ids),
                    ("number", "in", list(numbers)),
                ]
            )
        )
        waiting = messages.filtered(lambda sms: sms.state in ("outgoing", "error"))
        waiting.action_set_canceled()
        messages.unlink()
        self._erase_campaigns(partners, numbers)
        notifications = self.env["mail.notification"].sudo()
        notifications.search(
            [
                ("notification_type", "=", "sms"),
                "|",
                ("res_partner_id", "in", partners.ids),
                ("sms_number", "in", list(numbers)),
            ]
        ).unlink()

    def _erase_campaigns(self, partners, numbers):
        """What campaigns were sent to stays counted; who still waits gets none."""
        addresses = set(partners.sudo().mapped("email_normalized")) - {False}
        traces = self.env["mailing.trace"].sudo()
        traces.search(
            [
                "|",
                "|",
                ("sms_number", "in", list(numbers)),
                ("email", "in", list(addresses)),
                "&",
                ("model", "=", "res.partner"),
                ("res_id", "in", partners.ids),
            ]
        ).write({"sms_number": False, "email": False})
        recipients = self.env["mailing.recipient"].sudo()
        recipients = recipients.search(
            [
                "|",
                ("partner_id", "in", partners.ids),
                ("number", "in", [*numbers, *addresses]),
            ]
        )
        waiting = recipients.filtered(lambda one: one.state == "waiting")
        waiting.write({"state": "held", "reason": "no_sms"})
        for mailing, erased in waiting.grouped("mailing_id").items():
            if mailing.progress_id:
                mailing.progress_id._add(waiting=-len(erased))
        recipients.write({"number": False})

    def _erase_consents(self, partners, numbers):
        """They name the number; «no SMS at all» stays on the contact."""
        consents = self.env["customer.consent"].sudo().with_context(active_test=False)
        consents.search(
            [
                "|",
                ("partner_id", "in", partners.ids),
                ("number", "in", list(numbers)),
            ]
        ).unlink()
        links = self.env["customer.profile.link"].sudo()
        links.search([("partner_id", "in", partners.ids)]).unlink()
        counted = self.env["sms.advertising"].sudo()
        counted.search([("number", "in", list(numbers))]).unlink()

    def _blank_contact(self, partner):
        values = {name: False for name in PERSONAL_FIELDS if name in partner._fields}
        values.update(
            name=self.env._("Erased contact %s", partner.id),
            no_sms=True,
            no_profiling=True,
            satisfaction=0,
            active=False,
        )
        users = self.env["res.users"].sudo().with_context(active_test=False)
        users = users.search([("partner_id", "=", partner.id)])
        for user in users.filtered(lambda user: user._is_portal()):
            # The login is an address, too.
            user.write({"active": False, "login": f"erased-{user.id}"})
        partner = partner.sudo().with_context(tracking_disable=True)
        partner.included_segment_ids._remove_partners(partner)
        # Core refuses to archive the contact of any user that it finds.
        partner.with_context(active_test=True).write(values)

    def _erase_chatter(self, partners):
        """Notes, plans and tracked changes hold the old name and number."""
        domain = [("model", "=", "res.partner"), ("res_id", "in", partners.ids)]
        self.env["mail.message"].sudo().search(domain).unlink()
        domain = [("res_model", "=", "res.partner"), ("res_id", "in", partners.ids)]
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        activities.search(domain).unlink()
        attachments = self.env["ir.attachment"].sudo()
        attachments.search(domain).unlink()
        for partner in partners.sudo():
            partner._message_log(
                body=self.env._("Name, number and messages were erased on request.")
            )
