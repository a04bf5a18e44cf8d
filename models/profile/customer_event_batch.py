from collections import defaultdict
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize

from ...tools.phone import PhoneError, parse_phone

BATCH_SIZE = 1000
TEXT_LENGTH = 250
KEYS = {
    "kind",
    "name",
    "partner_id",
    "lead_id",
    "phone",
    "email",
    "date",
    "source",
    "value",
    "external_id",
}


class EventRefused(ValueError):
    """One event of a batch is not taken; the text says why."""


class CustomerEvent(models.Model):
    """Events from other systems, many at a time."""

    _inherit = "customer.event"

    @api.model
    def record_batch(self, events):
        """Record events of other systems in the current company; safe to repeat.

        Each event is a dict: ``kind`` (``download``, ``web_visit``, ``form``, ``call``,
        ``social``, ``other``), ``source`` (the system's name), ``external_id`` (the
        event's id there), whom it belongs to (``partner_id`` or ``lead_id``, else
        ``phone`` or ``email`` of a contact), and optionally ``date`` (ISO 8601; UTC
        unless it says otherwise; now by default), ``name`` and ``value``.

        An event that cannot be taken is refused alone: the others are recorded.

        :param list[dict] events: at most 1,000
        :return: for each event, in order, ``{"external_id", "status", "id",
            "message"}``; status ``created``, ``known`` (posted before), ``ignored``
            (the contact wants no profiling) or ``refused`` (``message`` says why)
        :rtype: list[dict]
        :raise UserError: for something else than a list of at most 1,000 dicts
        :raise AccessError: for whoever may not create events
        """
        self.check_access("create")
        if not isinstance(events, list) or len(events) > BATCH_SIZE:
            raise UserError(
                self.env._("Send a list of at most %s events at a time.", BATCH_SIZE)
            )
        finder = self._prepare_finder(events)
        rows, answers = [], []
        for event in events:
            answer = {"external_id": None, "id": False, "message": ""}
            answers.append(answer)
            try:
                row = self._read_event(event, finder)
            except EventRefused as error:
                answer.update(status="refused", message=str(error))
                if isinstance(event, dict):
                    answer["external_id"] = event.get("external_id")
                continue
            answer["external_id"] = row["external_id"]
            if row.pop("ignored"):
                answer.update(
                    status="ignored",
                    message=self.env._("This contact wants no profiling."),
                )
                continue
            answer["row"] = row
            rows.append(row)
        created = self._insert(rows)
        known = self._ids_of(rows)
        for answer in answers:
            row = answer.pop("row", None)
            if row:
                key = (row["source"], row["external_id"])
                answer["id"] = known[key]
                # Twice in one batch: the first made it, the second is known.
                is_new = created.pop(key, False)
                answer["status"] = "created" if is_new else "known"
        return answers

    def _read_event(self, event, finder):
        """The columns of one event.

        :raise EventRefused: when it cannot be taken
        """
        if not isinstance(event, dict):
            raise EventRefused(self.env._("An event is a dictionary."))
        unknown = set(event) - KEYS
        if unknown:
            raise EventRefused(
                self.env._("Unknown keys: %s", ", ".join(sorted(map(str, unknown))))
            )
        kinds = [key for key, _label in self._fields["kind"].selection]
        if event.get("kind") not in kinds:
            raise EventRefused(self.env._("kind is one of: %s", ", ".join(kinds)))
        row = {
            "kind": event["kind"],
            "name": self._read_text(event, "name"),
            "source": self._read_text(event, "source"),
            "external_id": self._read_text(event, "external_id"),
            "date": self._read_date(event.get("date")),
            "value": self._read_value(event.get("value")),
        }
        for key in "source", "external_id":
            if not row[key]:
                raise EventRefused(self.env._("%s is missing.", key))
        partner, lead = self._find_subject(event, finder)
        row.update(partner_id=partner.id or None, lead_id=lead.id or None)
        row["ignored"] = (partner or lead.sudo().partner_id).sudo().no_profiling
        return row

    def _read_text(self, event, key):
        text = event.get(key)
        if text is None or text is False or text == "":
            return None
        if isinstance(text, bool) or not isinstance(text, (str, int)):
            raise EventRefused(self.env._("%s is a text.", key))
        text = str(text).strip().replace("\x00", "")
        if len(text) > TEXT_LENGTH:
            raise EventRefused(
                self.env._(
                    "%(key)s is longer than %(length)s characters.",
                    key=key,
                    length=TEXT_LENGTH,
                )
            )
        return text

    def _read_value(self, value):
        if value is None or value is False:
            return 0.0
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise EventRefused(self.env._("value is a number."))
        if abs(value) > 1e15 or value != value:
            raise EventRefused(self.env._("value is a number."))
        return float(value)

    def _read_date(self, text):
        """Naive UTC."""
        if not text:
            return fields.Datetime.now()
        try:
            moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
            if moment.tzinfo:
                moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
        except (ValueError, OverflowError) as error:
            raise EventRefused(
                self.env._("“%s” is no date; write 2026-03-21T09:30:00Z.", text)
            ) from error
        if moment > fields.Datetime.now() + timedelta(days=1) or moment.year < 1990:
            raise EventRefused(self.env._("“%s” cannot be the date of it.", text))
        return moment.replace(microsecond=0)

    def _read_typed_date(self, vals):
        """Read the date of an event that is written by hand, in place.

        :raise ValidationError: when it cannot be the date of one
        """
        if not vals.get("date"):
            return
        try:
            vals["date"] = self._read_date(vals["date"])
        except EventRefused as error:
            raise ValidationError(str(error)) from error

    def _find_subject(self, event, finder):
        partner, lead = self.env["res.partner"], self.env["crm.lead"]
        if event.get("lead_id"):
            lead = finder["lead_id"].get(_number(event["lead_id"]), lead)
            if not lead:
                raise EventRefused(
                    self.env._("There is no lead %s here.", event["lead_id"])
                )
        for key in "partner_id", "phone", "email":
            text = event.get(key)
            if not text:
                continue
            number = _number(text) if key == "partner_id" else text
            found = finder[key].get(number) if isinstance(number, (int, str)) else None
            if not found:
                raise EventRefused(self.env._("There is no contact “%s” here.", text))
            return found, lead
        if not lead:
            raise EventRefused(
                self.env._("Say whom it belongs to: partner_id, lead_id, phone, email.")
            )
        return partner, lead

    def _prepare_finder(self, events):
        """Contacts and leads that the batch names, found in one query per key."""
        named = defaultdict(set)
        for event in events:
            for key in "partner_id", "lead_id", "phone", "email":
                value = event.get(key) if isinstance(event, dict) else None
                if value and isinstance(value, (int, str)):
                    named[key].add(value)
        company = self.env.company
        own = Domain("company_id", "in", [False, company.id])
        active = Domain("active", "in", [True, False])
        finder = defaultdict(dict)
        for key, model in ("partner_id", "res.partner"), ("lead_id", "crm.lead"):
            ids = [_number(value) for value in named[key]]
            found = self.env[model].search(
                own & active & Domain("id", "in", [id_ for id_ in ids if id_])
            )
            finder[key] = {record.id: record for record in found}
        emails = {text: email_normalize(str(text)) for text in named["email"]}
        finder["email"] = self._find_by(
            own,
            "email_normalized",
            {text: mail for text, mail in emails.items() if mail},
        )
        phones = {text: self._e164(str(text)) for text in named["phone"]}
        phones = {text: number for text, number in phones.items() if number}
        finder["phone"] = self._find_by(own, "phone_sanitized", phones)
        for member in self.env["club.member"].search(
            [
                ("company_id", "=", company.id),
                ("phone_e164", "in", list(phones.values())),
                ("partner_id", "!=", False),
            ]
        ):
            for text, number in phones.items():
                if number == member.phone_e164:
                    finder["phone"][text] = member.partner_id
        return finder

    def _find_by(self, own, name, wanted):
        """The first contact, persons before companies, with each value."""
        found = {}
        for partner in self.env["res.partner"].search(
            own & Domain(name, "in", list(wanted.values())), order="is_company, id"
        ):
            found.setdefault(partner[name], partner)
        return {text: found[value] for text, value in wanted.items() if value in found}

    def _e164(self, text):
        region = self.env.company.country_id.code or "IR"
        try:
            return parse_phone(text, region, foreign_allowed=True).e164
        except PhoneError:
            return None

    def _insert(self, rows):
        """Insert what is not there yet, in one statement.

        :return: the new ids by source and id there
        :rtype: dict[tuple[str, str], int]
        """
        if not rows:
            return {}
        unique = {}
        for row in rows:
            unique.setdefault((row["source"], row["external_id"]), row)
        columns = list(zip(*(row.values() for row in unique.values()), strict=True))
        names = list(rows[0])
        types = {
            "date": SQL("timestamp"),
            "value": SQL("float8"),
            "partner_id": SQL("int"),
            "lead_id": SQL("int"),
        }
        # A set statement: a batch is one insert, and what is known stays as it is.
        inserted = self.env.execute_query(
            SQL(
                """
                INSERT INTO customer_event (%(names)s, company_id, create_uid,
                                            create_date, write_uid, write_date)
                     SELECT %(names)s, %(company)s, %(user)s, %(now)s, %(user)s, %(now)s
                       FROM unnest(%(columns)s) AS new(%(names)s)
                ON CONFLICT (company_id, source, external_id) DO NOTHING
                  RETURNING source, external_id, id, partner_id, lead_id
                """,
                names=SQL(", ").join(map(SQL.identifier, names)),
                company=self.env.company.id,
                user=self.env.uid,
                now=fields.Datetime.now(),
                columns=SQL(", ").join(
                    SQL("%s::%s[]", list(column), types.get(name, SQL("text")))
                    for name, column in zip(names, columns, strict=True)
                ),
            )
        )
        self.env["res.partner"].browse(
            {row[3] for row in inserted if row[3]}
        )._touch_segments()
        self.env["crm.lead"].browse(
            {row[4] for row in inserted if row[4]}
        )._touch_segments()
        self.invalidate_model()
        self.env["res.partner"].invalidate_model(["customer_event_ids"])
        return {(row[0], row[1]): row[2] for row in inserted}

    def _ids_of(self, rows):
        if not rows:
            return {}
        found = self.sudo().search_fetch(
            [
                ("company_id", "=", self.env.company.id),
                ("external_id", "in", [row["external_id"] for row in rows]),
                ("source", "in", [row["source"] for row in rows]),
            ],
            ["source", "external_id"],
        )
        return {(event.source, event.external_id): event.id for event in found}


def _number(value):
    """An id as other systems write it, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and 0 < value < 2**31 else None
