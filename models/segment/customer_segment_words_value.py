from collections import namedtuple
from datetime import date, datetime
from types import SimpleNamespace

import pytz
from babel import Locale, UnknownLocaleError
from babel.dates import get_timezone_location

from odoo import api, models
from odoo.tools import format_date
from odoo.tools.date_utils import parse_date

Clock = namedtuple("Clock", "tz lang")
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


class RelativeDates:
    """An environment for core's date parser that reads weeks in another language.

    Core takes the first day of a week from the user; a segment has its own.
    """

    def __init__(self, env, clock):
        self.records = env(context={**env.context, "tz": clock.tz})
        self.user = SimpleNamespace(lang=clock.lang)

    def __getitem__(self, name):
        return self.records[name]


class CustomerSegmentWords(models.AbstractModel):
    """Labels, values and dates of a condition in words."""

    _inherit = "customer.segment.words"

    # === LABELS AND VALUES === #

    def _label(self, field, rest=""):
        label = field.get_description(self.env, ["string"])["string"]
        if not rest:
            return label
        if field.type == "properties":
            return self._property(field, rest).get("string") or f"{label}: {rest}"
        parts = {
            "year_number": self.env._("year of %s", label),
            "quarter_number": self.env._("quarter of %s", label),
            "month_number": self.env._("Gregorian month of %s", label),
            "iso_week_number": self.env._("week of %s", label),
            "day_of_year": self.env._("day of the year of %s", label),
            "day_of_month": self.env._("day of the Gregorian month of %s", label),
            "day_of_week": self.env._("day of the week of %s", label),
            "hour_number": self.env._("hour of %s", label),
        }
        return parts.get(rest, f"{label}: {rest}")

    def _property(self, field, key):
        """What a custom property is called, where it is not defined per parent."""
        definitions = self.env["properties.base.definition"].sudo()
        if field.definition_record != "properties_base_definition_id":
            return {}
        definition = definitions._get_definition_for_property_field(
            field.model_name, field.name
        )
        rows = definition.properties_definition or []
        return next((row for row in rows if row.get("name") == key), {})

    def _value(self, model, field, rest, value, clock):
        if isinstance(value, bool) or value is None:
            return self.env._("yes") if value else self.env._("no")
        if field.relational and isinstance(value, int):
            return self._name_of(model.env[field.comodel_name], value)
        if field.name == "id" and isinstance(value, int):
            return self._name_of(model, value)
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            return self._quote(str(labels.get(value, value)))
        if field.type in ("date", "datetime") and not rest:
            return self._moment(field, value, clock)
        if isinstance(value, (int, float)):
            return self._digits(f"{value:,}")
        return self._quote(str(value))

    def _name_of(self, comodel, id_):
        record = comodel.with_context(lang=self.env.lang).browse(id_).exists()
        if not record or not record.has_access("read"):
            return self._quote(self.env._("number %s, not visible to you", id_))
        hideable = record._name == "customer.segment"
        if hideable and not record.with_env(self.env).has_access("read"):
            return self.env._("a confidential segment")
        return self._quote(record.display_name)

    def _quote(self, text):
        return f"«{text}»" if self._is_persian() else f"“{text}”"

    def _digits(self, text):
        return text.translate(PERSIAN_DIGITS) if self._is_persian() else text

    def _is_persian(self):
        return (self.env.lang or "").startswith("fa")

    # === DATES === #

    @api.model
    def _resolve(self, text, clock):
        """A relative or ISO date as core's parser reads it, on a segment's clock.

        :rtype: date or datetime
        :raise ValueError: for anything else
        """
        return parse_date(text, RelativeDates(self.env, clock))

    def _moment(self, field, value, clock):
        """A date in words, resolved where it is relative."""
        text = value
        if isinstance(value, str):
            try:
                value = self._resolve(value, clock)
            except (ValueError, OverflowError):
                return self.env._("“%s” (not a date)", text)
        zone = pytz.timezone(clock.tz or "UTC")
        if field.type == "date":
            value = value.date() if isinstance(value, datetime) else value
            told = self._day(value)
        else:
            if not isinstance(value, datetime):
                value = datetime(value.year, value.month, value.day)
            elif value.tzinfo:
                value = value.astimezone(zone)
            else:
                value = pytz.utc.localize(value).astimezone(zone)
            told = self.env._(
                "%(day)s %(hour)s %(place)s",
                day=self._day(value.date()),
                hour=self._digits(value.strftime("%H:%M")),
                place=self._place(clock.tz),
            )
        meaning = isinstance(text, str) and self._meaning(text)
        if meaning:
            return self.env._("%(date)s (%(meaning)s)", date=told, meaning=meaning)
        return told

    def _day(self, value):
        if not isinstance(value, date):
            return str(value)
        told = format_date(
            self.env, value, lang_code=self.env.lang, date_format="d MMM y"
        )
        return self._digits(told)

    def _place(self, tz):
        """A time zone by its city, in the reader's language."""
        tz = tz or "UTC"
        if "/" not in tz:
            return tz
        try:
            locale = Locale.parse(self.env.lang or "en_US")
        except (ValueError, UnknownLocaleError):
            locale = Locale("en")
        return get_timezone_location(pytz.timezone(tz), locale, return_city=True)

    def _meaning(self, text):
        """What the usual relative dates are called; months are Gregorian."""
        known = {
            "today": self.env._("today"),
            "today +1d": self.env._("tomorrow"),
            "now": self.env._("now"),
            "today =1d": self.env._("beginning of this month"),
            "today =1d -1m": self.env._("beginning of last month"),
            "today =1d -12m": self.env._("twelve months before this month"),
            "today =1m =1d": self.env._("beginning of this year"),
            "today =week_start": self.env._("beginning of this week"),
        }
        if text in known:
            return known[text]
        base, _space, offset = text.partition(" ")
        number, unit = offset[1:-1], offset[-1:]
        if base != "today" or not number.isdecimal() or offset[:1] not in ("-", "+"):
            return ""
        return self._distance(self._digits(number), unit, offset[0] == "-")

    def _distance(self, number, unit, is_past):
        past = {
            "d": self.env._("%s days ago", number),
            "w": self.env._("%s weeks ago", number),
            "m": self.env._("%s months ago", number),
            "y": self.env._("%s years ago", number),
        }
        future = {
            "d": self.env._("in %s days", number),
            "w": self.env._("in %s weeks", number),
            "m": self.env._("in %s months", number),
            "y": self.env._("in %s years", number),
        }
        return (past if is_past else future).get(unit, "")

    @api.model
    def _utc(self, value):
        """A resolved moment as the ORM wants it: UTC without a zone, or a day."""
        if isinstance(value, datetime) and value.tzinfo:
            return value.astimezone(pytz.utc).replace(tzinfo=None)
        return value

    @api.model
    def _clock(self, segment):
        """The time zone and language dates of a segment are read in."""
        return self._clock_of(segment.tz, segment.lang)

    @api.model
    def _clock_of(self, tz, lang):
        return Clock(tz or "UTC", lang or "en_US")
