from collections import defaultdict
from datetime import date, datetime

import pytz

from odoo import api, models
from odoo.tools import format_amount, format_date
from odoo.tools.misc import get_lang

from ...tools.placeholder import (
    PATH,
    fill,
    format_jalali,
    format_number,
    is_persian,
    placeholders,
)
from ...tools.sms_text import strip_controls, to_persian_digits

IRAN_CURRENCY = "IRR"
RENDER_BATCH = 1000
# Names that are made of the contact's name and salutation.
CALLED = {"greeting", "name", "salutation", "object.sms_greeting"}


class SmsPlaceholder(models.AbstractModel):
    """Values of placeholders, as the recipient reads them."""

    _inherit = "sms.placeholder"

    @api.model
    def _render_by_lang(self, text, records, *, trusted=False, sample=False):
        """Render one text for many documents, each in its recipient's language.

        :param str text: passed :meth:`_check`
        :param records: recordset of any size, of one model
        :param bool trusted: the text was saved by somebody with the right; else
            values are read with the current user's rights
        :param bool sample: only look, nothing is made for the recipient
        :return: text by id
        :rtype: dict[int, str]
        """
        bodies, ids_by_lang = {}, defaultdict(list)
        for record_id, lang in self._lang_of(records).items():
            ids_by_lang[lang].append(record_id)
        for lang, ids in ids_by_lang.items():
            bodies.update(
                self.with_context(lang=lang or self.env.lang)._render(
                    text, records.browse(ids), trusted=trusted, sample=sample
                )
            )
        return bodies

    def _lang_of(self, records):
        """The language of each recipient.

        :rtype: dict[int, str]
        """
        records = records.sudo()
        partners = records._mail_get_partners()
        self._everyone(records, partners).fetch(["lang"])
        found = {}
        for record in records:
            # A slice would lose the batch and read each contact on its own.
            lang = next((partner.lang for partner in partners[record.id]), False)
            if not lang and record._name == "crm.lead":
                lang = record.lang_id.code
            found[record.id] = lang or self.env.lang
        return found

    def _everyone(self, records, partners):
        """All recipients of some documents, with one batch to read them by."""
        if records._name == "res.partner":
            return records
        return self.env["res.partner"].with_env(records.env).union(*partners.values())

    @api.model
    def _render(self, text, records, *, trusted=False, sample=False):
        """As :meth:`_render_by_lang`, in the language of the context."""
        lang = self.env.context.get("lang") or get_lang(self.env).code
        if trusted:
            records.check_access("read")
            records = records.sudo()
        bodies = {}
        found = placeholders(text)
        for start in range(0, len(records), RENDER_BATCH):
            batch = records[start : start + RENDER_BATCH].with_context(lang=lang)
            partners = batch._mail_get_partners()
            self._read_ahead(found, batch, partners)
            made = self._prepare_batch(found, batch, partners, sample)
            readers = {
                one.expression: self._get_reader(one.expression, lang, made)
                for one in found
            }
            nobody = self.env["res.partner"]
            for record in batch:
                partner = next(iter(partners[record.id]), nobody)
                bodies[record.id] = fill(
                    text,
                    lambda one, record=record, partner=partner, readers=readers: (
                        strip_controls(
                            readers[one.expression](record, partner) or ""
                        ).strip()
                        or one.fallback
                    ),
                )
        return bodies

    def _read_ahead(self, found, records, partners):
        """Read what a text needs of a batch and nothing else: contacts are wide."""
        expressions = {placeholder.expression for placeholder in found}
        own = {
            path[1].strip(".").partition(".")[0]
            for path in map(PATH.fullmatch, expressions)
            if path
        }
        theirs = {"name", "lang", "salutation_id"} if expressions & CALLED else set()
        if records._name == "res.partner":
            own |= theirs
        elif theirs:
            self._everyone(records, partners).fetch(sorted(theirs))
        if own:
            records.fetch(sorted(own))

    def _get_reader(self, expression, lang, made):
        """What tells the value of a placeholder of ``(record, partner)``.

        :param dict made: as :meth:`_prepare_batch` returns it
        :rtype: Callable
        """
        path = PATH.fullmatch(expression)
        if path:
            steps = path[1].strip(".").split(".")
            return lambda record, _partner: self._path_value(record, steps, lang)
        # One of NAMES, nothing typed gets here.
        value_of = getattr(self, f"_value_of_{expression}")
        return lambda record, partner: value_of(record, partner, lang, made)

    def _prepare_batch(self, found, records, partners, sample):
        """What is made once for a batch; a hook.

        :param list found: placeholders of the text
        :param dict partners: contacts by id of ``records``
        :rtype: dict
        """
        return {"offers": self._offers(found, partners)}

    # === NAMES === #

    def _value_of_greeting(self, record, partner, lang, made):
        if partner:
            return partner.sms_greeting
        return self._value_of_name(record, partner, lang, made)

    def _value_of_salutation(self, record, partner, lang, made):
        return partner._get_salutation() if partner else ""

    def _value_of_name(self, record, partner, lang, made):
        name = partner.name
        if not partner and record._name == "crm.lead":
            name = record.contact_name or record.partner_name
        # A contact that only has its number as a name is not called by it.
        return name if any(map(str.isalpha, name or "")) else ""

    def _value_of_visits(self, record, partner, lang, made):
        return self._field_value(partner, "club_visit_count", lang)

    def _value_of_last_visit(self, record, partner, lang, made):
        return self._field_value(partner, "club_last_visit", lang)

    def _value_of_last_purchase(self, record, partner, lang, made):
        return self._field_value(partner, "last_purchase_date", lang)

    def _value_of_purchase_count(self, record, partner, lang, made):
        return self._field_value(partner, "purchase_count", lang)

    def _value_of_purchase_total(self, record, partner, lang, made):
        return self._field_value(partner, "purchase_total", lang)

    def _value_of_score(self, record, partner, lang, made):
        return self._field_value(partner, "customer_score", lang)

    def _value_of_offer(self, record, partner, lang, made):
        return made["offers"].get(partner.id, {}).get(lang, "")

    def _company(self, record):
        if record._name != "res.partner" and "company_id" in record._fields:
            return record.sudo().company_id or self.env.company.sudo()
        return self.env.company.sudo()

    def _value_of_company(self, record, partner, lang, made):
        return self._company(record).with_context(lang=lang).name

    def _value_of_company_phone(self, record, partner, lang, made):
        return self._company(record).phone

    def _value_of_company_address(self, record, partner, lang, made):
        company = self._company(record).with_context(lang=lang)
        parts = (company.street, company.street2, company.city)
        return ("، " if is_persian(lang) else ", ").join(filter(None, parts))

    def _value_of_company_website(self, record, partner, lang, made):
        website = self._company(record).website or ""
        return website.removeprefix("https://").removeprefix("http://").rstrip("/")

    def _value_of_slogan(self, record, partner, lang, made):
        return self._company(record).with_context(lang=lang).club_slogan

    def _value_of_links(self, record, partner, lang, made):
        return self._company(record).club_links

    def _offers(self, found, partners):
        """Suggested message of each contact's first segment that has one, by language.

        The text only, so confidential segments may speak through it.
        """
        if not any(placeholder.expression == "offer" for placeholder in found):
            return {}
        offers = {}
        everyone = self.env["res.partner"].union(*partners.values()).sudo()
        lang = self.env.context.get("lang") or self.env.lang
        chosen = self.env.context.get("sms_segment_id")
        for partner in everyone:
            segments = partner.segment_ids.filtered(
                lambda segment: (
                    segment.suggested_message
                    and segment.active
                    and segment.company_id == self.env.company
                )
            ).sorted(lambda segment: (segment.id != chosen, segment.sequence))
            if segments:
                offers[partner.id] = {
                    lang: segments[0].with_context(lang=lang).suggested_message
                }
        return offers

    # === FIELDS === #

    def _path_value(self, record, steps, lang):
        for index, name in enumerate(steps[:-1]):
            if record._fields[name].type == "properties":
                return self._property_value(record, name, steps[index + 1], lang)
            record = record[name]
        return self._field_value(record, steps[-1], lang)

    def _field_value(self, record, name, lang):
        """One field as text, "" when it is not known; 0 counts as not known."""
        value = record[name] if record else False
        if not value:
            return ""
        field = record._fields[name]
        if field.type == "monetary":
            currency = record[field.get_currency_field(record)]
            return self._money(value, currency or self.env.company.currency_id, lang)
        if field.type == "selection":
            return dict(field._description_selection(self.with_context(lang=lang).env))[
                value
            ]
        return self._text_of(value, record, lang)

    def _text_of(self, value, record, lang):
        if isinstance(value, bool):
            return self.with_context(lang=lang).env._("yes") if value else ""
        if isinstance(value, (int, float)):
            return format_number(value, lang)
        if isinstance(value, datetime):
            zone = pytz.timezone(self._company(record).club_tz or "UTC")
            local = pytz.utc.localize(value).astimezone(zone)
            return self._date(local.date(), lang)
        if isinstance(value, date):
            return self._date(value, lang)
        if isinstance(value, models.BaseModel):
            names = value.sudo().with_context(lang=lang).mapped("display_name")
            return ("، " if is_persian(lang) else ", ").join(names)
        return str(value)

    def _property_value(self, record, name, key, lang):
        for definition in record.read([name])[0][name]:
            if definition["name"] == key:
                value = definition.get("value")
                break
        else:
            return ""
        if not value:
            return ""
        kind = definition["type"]
        if kind == "selection":
            return dict(definition["selection"]).get(value, "")
        if kind == "tags":
            labels = {tag[0]: tag[1] for tag in definition["tags"]}
            return ", ".join(labels.get(tag, "") for tag in value)
        if kind == "many2one":
            return value[1] or ""
        if kind == "many2many":
            return ", ".join(row[1] or "" for row in value)
        if kind == "date":
            value = date.fromisoformat(str(value)[:10])
        elif kind == "datetime":
            value = datetime.fromisoformat(str(value)[:19])
        return self._text_of(value, record, lang)

    def _date(self, day, lang, year=True):
        """A day as the language writes it, of the Solar Hijri calendar in Persian."""
        if is_persian(lang):
            try:
                text = format_jalali(day)
            except ValueError:
                return to_persian_digits(day.isoformat())
            return text if year else text.rpartition(" ")[0]
        short = False if year else "d MMM"
        return format_date(self.env, day, lang_code=lang, date_format=short)

    def _moment(self, moment, tz, lang):
        """A day and its time, as the language writes them."""
        local = pytz.utc.localize(moment).astimezone(pytz.timezone(tz or "UTC"))
        if is_persian(lang):
            time = to_persian_digits(f"{local:%H:%M}")
            return f"{self._date(local.date(), lang)}، {time}"
        return f"{self._date(local.date(), lang)}, {local:%H:%M}"

    def _money(self, amount, currency, lang, unit=None):
        """An amount.

        :param str unit: of Iranian money, ``toman`` or ``rial``; by default as the
            company says for texts
        """
        unit = unit or self.env.company.sms_money_unit
        if currency.name == IRAN_CURRENCY:
            translated = self.with_context(lang=lang).env
            if unit == "toman":
                word, amount = translated._("toman"), amount / 10
            else:
                word = translated._("rial")
            return f"{format_number(amount, lang)} {word}"
        if is_persian(lang):
            return f"{format_number(amount, lang)} {currency.symbol or currency.name}"
        text = format_amount(self.env, amount, currency, lang_code=lang)
        return " ".join(strip_controls(text).replace("\N{NO-BREAK SPACE}", " ").split())
