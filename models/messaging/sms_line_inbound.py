import hashlib

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.opt_out_text import parse
from ...tools.phone import PhoneError, parse_phone
from ...tools.sms_text import strip_controls

KEPT_DAYS = 90
LONGEST_TEXT = 2000


class SmsReceived(models.Model):
    """Which inbound messages were handled: a panel may hand one over twice."""

    _name = "sms.received"
    _description = "SMS Received"
    _log_access = False

    line_id = fields.Many2one("sms.line", required=True, ondelete="cascade")
    external_key = fields.Char(required=True)
    received_at = fields.Datetime(required=True)

    _external_unique = models.Constraint(
        "unique(line_id, external_key)", "This message was handled already."
    )

    @api.model
    def _is_new(self, line, external_key):
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sms_received (line_id, external_key, received_at)
                VALUES (%s, %s, now() AT TIME ZONE 'UTC')
                ON CONFLICT DO NOTHING
                """,
                line.id,
                external_key,
            )
        )
        return bool(self.env.cr.rowcount)

    @api.autovacuum
    def _gc_received(self):
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM sms_received WHERE received_at
                     < (now() AT TIME ZONE 'UTC') - make_interval(days => %s)
                """,
                KEPT_DAYS,
            )
        )


class SmsLine(models.Model):
    """What customers answer."""

    _inherit = "sms.line"

    def _receive_text(self, number, text, external_id=None, date=None):
        """Handle one message that a customer sent to this line; safe to repeat.

        «11», «لغو11», STOP and the like stop: on an advertising line all advertising
        of the company, on a service line every message of that line, and advertising
        with it. «12» takes that back. Any other text is posted on the contact or lead
        with that number.

        Source: docs/messaging.md, "What customers answer".

        :param str number: the sender's, as the panel writes it
        :param str text: as it arrived
        :param str external_id: the panel's id of the message, else number, text and
            date make one
        :param datetime date: when it was sent, UTC; default now
        :return: ``stop``, ``rejoin``, ``posted``, ``known`` (handled before) or
            ``ignored`` (no mobile number, no text, or nobody has that number)
        :rtype: str
        """
        self.ensure_one()
        try:
            number = parse_phone(
                number or "",
                self.sudo().company_id.country_id.code or "IR",
                foreign_allowed=True,
            ).e164
        except PhoneError:
            return "ignored"
        text = strip_controls(text or "").strip()[:LONGEST_TEXT]
        if not text:
            return "ignored"
        if external_id or date:
            told = str(external_id) if external_id else f"{number}|{text}|{date}"
            key = hashlib.sha256(told.encode()).hexdigest()
            if not self.env["sms.received"].sudo()._is_new(self, key):
                return "known"
        meant = parse(text)
        people = self._people_of(number)
        if meant == "stop":
            self._receive_stop(number, text, date, people)
        elif meant == "rejoin":
            self._receive_rejoin(number, text, date, people)
        else:
            self._receive_reply(number, date)
            if not people:
                return "ignored"
        self._post_received(people, text)
        return meant or "posted"

    def _people_of(self, number):
        """Contacts of the company with that number, else its leads."""
        company = self.sudo().company_id
        members = (
            self.env["club.member"]
            .sudo()
            .search([("company_id", "=", company.id), ("phone_e164", "=", number)])
        )
        mine = [
            ("phone_sanitized", "=", number),
            ("company_id", "in", [False, company.id]),
        ]
        partners = members.partner_id | self.env["res.partner"].sudo().search(mine)
        return partners or self.env["crm.lead"].sudo().search(mine)

    def _receive_stop(self, number, text, date, people):
        line = self.sudo()
        service = line.message_class == "service"
        self.env["customer.consent"].sudo().create(
            {
                "company_id": line.company_id.id,
                "number": number,
                "partner_id": self._single_partner(people),
                "kind": "stop" if service else "optout",
                "line_id": line.id if service else False,
                "date": date or fields.Datetime.now(),
                "channel": "sms",
                "source": line.name,
                "wording": text,
                "user_id": False,
            }
        )

    def _receive_rejoin(self, number, text, date, people):
        """Take back what was said by SMS; on an advertising line that is a consent."""
        line = self.sudo()
        consents = self.env["customer.consent"].sudo()
        service = line.message_class == "service"
        kind = "stop" if service else "optout"
        held = consents._holding(line.company_id.id, [number], [kind])
        if service:
            held = held.filtered(lambda consent: consent.line_id == line)
        held._end("sms")
        if not service:
            consents.create(
                {
                    "company_id": line.company_id.id,
                    "number": number,
                    "partner_id": self._single_partner(people),
                    "kind": "consent",
                    "date": date or fields.Datetime.now(),
                    "channel": "sms",
                    "source": line.name,
                    "wording": text,
                    "user_id": False,
                }
            )

    def _receive_reply(self, number, date):
        """Note what is neither «11» nor «12» where it is an answer; a hook.

        :param str number: E.164
        :param datetime date: when it was sent, UTC, or None for now
        """

    def _single_partner(self, people):
        """The contact a word of this number is of; nobody's where several share it."""
        if people._name == "res.partner" and len(people) == 1:
            return people.id
        return False

    def _post_received(self, people, text):
        note = self.env.ref("mail.mt_note")
        # It is pushed by nobody: read by the company's people.
        lang = self.sudo().company_id.partner_id.lang
        told = self.with_context(lang=lang) if lang else self
        for person in people:
            author = person if person._name == "res.partner" else person.partner_id
            person.with_context(mail_post_autofollow_author_skip=True).message_post(
                body=told.env._(
                    "SMS to %(line)s: %(text)s", line=self.sudo().name, text=text
                ),
                author_id=author.id or self.env.ref("base.partner_root").id,
                message_type="comment",
                subtype_id=note.id,
            )
