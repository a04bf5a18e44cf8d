"""One row of the old panel's file as a customer, or the reason why not.

Plain Python: what a heading means, what «۱۴۰۲/۵/۱۲» or «لغو۱۱» means. Whatever is in
doubt is refused with a reason that its owner can act on; nothing is half-read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from .jalali import FIRST_YEAR, LAST_YEAR, to_gregorian
from .phone import PhoneError, PhoneNumber, is_mobile, parse_phone
from .sms_text import fold, normalize, strip_controls, to_latin_digits

Field = Literal[
    "phone",
    "name",
    "salutation",
    "group",
    "tags",
    "visits",
    "first_visit",
    "last_visit",
    "no_advertising",
    "no_sms",
]
RowErrorCode = Literal[
    "no-phone",
    "invalid-phone",
    "not-mobile",
    "foreign-not-allowed",
    "bad-visits",
    "bad-date",
    "future-date",
    "last-before-first",
    "bad-refusal",
]

REPEATABLE = frozenset({"name", "group", "tags"})
"""Fields that several columns may share: first and last name, several tag columns."""

MAX_NAME_LENGTH = 200
MAX_LABEL_LENGTH = 64
MAX_VISITS = 100_000

_LABEL_SEPARATORS = re.compile(r"[,،;؛|\n]")
_YES_WORDS = (
    "1|true|yes|y|x|on|✓|✔|opt-out|optout|opted out|stop|بله|بلی|آری|لغو|لغو11|لغو 11"
    "|لغو شده|انصراف|دارد"
)
_NO_WORDS = "|0|false|no|n|off|-|–|—|خیر|نه|ندارد"
_YES = frozenset(map(fold, _YES_WORDS.split("|")))
_NO = frozenset(map(fold, _NO_WORDS.split("|")))

_DATE = re.compile(
    r"(\d{1,4})[/\-.](\d{1,2})[/\-.](\d{1,4})"
    r"(?:[T\s,،]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")


class RowError(ValueError):
    """The row is not imported; ``code`` says why, ``field`` which column it is."""

    def __init__(self, code: RowErrorCode, field: Field):
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class RowOptions:
    """How the rows of one file are meant.

    ``region`` is the shop's country (ISO 3166), ``zone`` where its day begins.
    ``day_first`` decides 03/04/2024. ``persian`` joins the two kinds of ye and kaf in
    names and tags. ``assumed_visits`` is for rows that tell no number of visits.
    """

    region: str
    foreign_allowed: bool
    zone: ZoneInfo
    day_first: bool
    persian: bool
    assumed_visits: int


@dataclass(frozen=True, slots=True)
class ImportedCustomer:
    """What a row says; times are naive UTC, ``visits`` None when the row tells none."""

    number: PhoneNumber
    name: str = ""
    salutation: str = ""
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    visits: int | None = None
    assumed_visits: int = 0
    first_visit: datetime | None = None
    last_visit: datetime | None = None
    no_advertising: bool = False
    no_sms: bool = False

    def joined(self, other: "ImportedCustomer") -> "ImportedCustomer":
        """Return this customer with what a second row of the same number adds.

        The higher number of visits holds (they are never added up), the earlier and
        the later date, every tag and group, and a refusal in any row.
        """
        return replace(
            self,
            name=self.name or other.name,
            salutation=self.salutation or other.salutation,
            groups=tuple(dict.fromkeys(self.groups + other.groups)),
            tags=tuple(dict.fromkeys(self.tags + other.tags)),
            visits=_extreme(max, self.visits, other.visits),
            assumed_visits=max(self.assumed_visits, other.assumed_visits),
            first_visit=_extreme(min, self.first_visit, other.first_visit),
            last_visit=_extreme(max, self.last_visit, other.last_visit),
            no_advertising=self.no_advertising or other.no_advertising,
            no_sms=self.no_sms or other.no_sms,
        )


def _extreme(choose, *values):
    return choose((value for value in values if value is not None), default=None)


def parse_row(
    cells: Sequence[str], mapping: Sequence[Field | None], options: RowOptions
) -> ImportedCustomer:
    """Return the customer of a row.

    :param cells: texts of the row; it may be shorter than the mapping
    :param mapping: what each column holds, None for one that is left out
    :raise RowError: when the row cannot be taken whole
    """
    values: dict[str, list[str]] = {}
    for cell, field in zip(cells, mapping, strict=False):
        if field and cell:
            values.setdefault(field, []).append(cell)

    def value(field):
        return " ".join(values.get(field, ()))

    number = _parse_number(value("phone"), options)
    first, last = _parse_visit_dates(value("first_visit"), value("last_visit"), options)
    return ImportedCustomer(
        number=number,
        name=clean_label(value("name"), options.persian)[:MAX_NAME_LENGTH],
        salutation=clean_label(value("salutation"), options.persian),
        groups=split_labels(values.get("group", ()), options.persian),
        tags=split_labels(values.get("tags", ()), options.persian),
        visits=_parse_visits(value("visits")),
        assumed_visits=max(options.assumed_visits, 1 if first or last else 0),
        first_visit=first or last,
        last_visit=last or first,
        no_advertising=_parse_refusal(value("no_advertising"), "no_advertising"),
        no_sms=_parse_refusal(value("no_sms"), "no_sms"),
    )


def _parse_number(text, options):
    if not text:
        raise RowError("no-phone", "phone")
    try:
        return parse_phone(
            text, options.region, foreign_allowed=options.foreign_allowed
        )
    except PhoneError as error:
        raise RowError(error.code, "phone") from error


def _parse_visits(text) -> int | None:
    if not text:
        return None
    digits = re.sub(r"[,٬\s]", "", to_latin_digits(text))
    match = re.fullmatch(r"(\d{1,9})(?:[.٫]0+)?", digits)
    if not match or int(match[1]) > MAX_VISITS:
        raise RowError("bad-visits", "visits")
    return int(match[1])


def _parse_refusal(text, field) -> bool:
    key = fold(text)
    if key in _YES:
        return True
    if key in _NO:
        return False
    # Guessing here would write to somebody who refused.
    raise RowError("bad-refusal", field)


def _parse_visit_dates(first_text, last_text, options):
    first = _parse_moment(first_text, "first_visit", options)
    last = _parse_moment(last_text, "last_visit", options)
    if first and last and first > last:
        raise RowError("last-before-first", "last_visit")
    return first, last


def _parse_moment(text, field, options) -> datetime | None:
    """Return naive UTC; a date without a time is midnight at the shop."""
    if not text or set(text) <= set("-–—0/.: "):
        return None
    try:
        local = parse_moment(text, options.day_first)
    except ValueError as error:
        raise RowError("bad-date", field) from error
    moment = local.replace(tzinfo=options.zone).astimezone(timezone.utc)
    moment = moment.replace(tzinfo=None)
    # A day's tolerance: the file may come from another time zone.
    if moment > datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(days=1):
        raise RowError("future-date", field)
    return moment


def parse_moment(text: str, day_first: bool = True) -> datetime:
    """Return the local time a text means, by the calendar of its year.

    Years 1300–1498 are Solar Hijri, from 1900 Gregorian; two-digit years are refused,
    1402 and 2002 look alike there.

    :param str text: 2024-03-01, 1402/12/11 18:30, 11/12/1402, 01.03.2024, 14021211
    :param bool day_first: what 03/04/2024 means; a number above 12 decides by itself
    :raise ValueError: when it is no date
    """
    clean = to_latin_digits(strip_controls(text)).strip()
    match = _DATE.fullmatch(clean) or _COMPACT_DATE.fullmatch(clean)
    if not match:
        raise ValueError("no date")
    parts = list(map(int, match.groups(default="0")))
    first, second, third = parts[:3]
    if len(match[1]) == 4:
        year, month, day = first, second, third
    elif len(match[3]) == 4:
        year, day, month = third, first, second
        if not FIRST_YEAR <= year <= LAST_YEAR and (
            second > 12 or (first <= 12 and not day_first)
        ):
            day, month = month, day
    else:
        raise ValueError("no year of four digits")
    if FIRST_YEAR <= year <= LAST_YEAR:
        day_of_visit = to_gregorian(year, month, day)
    elif year >= 1900:
        day_of_visit = date(year, month, day)
    else:
        raise ValueError("no year we know")
    return datetime.combine(day_of_visit, time(*parts[3:6]))


def guess_day_first(texts: Sequence[str]) -> bool:
    """Return whether dates of the form 03/04/2024 begin with the day."""
    for text in texts:
        match = _DATE.fullmatch(to_latin_digits(text).strip())
        if match and len(match[3]) == 4 and int(match[2]) > 12:
            return False
    return True


def clean_label(text: str, persian: bool) -> str:
    """Return a name or label on one line, without characters nobody sees."""
    text = " ".join(strip_controls(text).split())
    return normalize(text) if persian else text


def split_labels(texts: Sequence[str], persian: bool) -> tuple[str, ...]:
    """Return the labels in some cells, each spelling once."""
    labels = {}
    for text in texts:
        for part in _LABEL_SEPARATORS.split(text):
            label = clean_label(part, persian)[:MAX_LABEL_LENGTH].strip()
            if label:
                labels.setdefault(fold(label), label)
    return tuple(labels.values())


# === HEADINGS === #

_HEADINGS: dict[Field, str] = {
    "phone": "موبایل|شماره موبایل|شماره همراه|تلفن همراه|همراه|شماره تماس|شماره تلفن"
    "|شماره|تلفن|موبایل مشتری|phone|mobile|mobile number|phone number|mobile phone"
    "|cell|cellphone|cell phone|tel|telephone|msisdn|number|contact number",
    "name": "نام|نام خانوادگی|نام و نام خانوادگی|نام مشتری|نام کامل|مشتری|فامیل"
    "|نام مخاطب|name|full name|first name|last name|surname|customer|customer name"
    "|contact|contact name",
    "salutation": "عنوان|لقب|خطاب|جنسیت|پیشوند|شیوه خطاب|salutation|title|prefix"
    "|gender",
    "group": "گروه|گروه مشتری|گروه مشتریان|نام گروه|دسته|گروه ها|باشگاه"
    "|group|groups|customer group|segment|list",
    "tags": "برچسب|برچسبها|برچسب ها|تگ|تگها|تگ ها|علاقه مندی|شعبه|tag|tags|label|labels"
    "|branch|category|categories",
    "visits": "تعداد مراجعه|تعداد مراجعات|دفعات مراجعه|تعداد دفعات مراجعه|مراجعه"
    "|مراجعات"
    "|تعداد خرید|دفعات خرید|تعداد بازدید|visits|visit count|number of visits"
    "|total visits|purchases|number of purchases|orders",
    "first_visit": "اولین مراجعه|مراجعه اول|تاریخ اولین مراجعه|اولین خرید|تاریخ عضویت"
    "|تاریخ ثبت نام|تاریخ ثبتنام|تاریخ ثبت|تاریخ اولین خرید|first visit|first seen"
    "|first purchase|joined|join date|member since|registration date|created",
    "last_visit": "آخرین مراجعه|تاریخ آخرین مراجعه|آخرین خرید|تاریخ آخرین خرید"
    "|آخرین بازدید|last visit|last seen|last purchase|last order",
    "no_advertising": "لغو|لغو 11|لغو11|لغو تبلیغات|لغو عضویت|انصراف|انصراف از تبلیغات"
    "|انصراف از پیامک تبلیغاتی|لیست سیاه|بلک لیست|opt out|opt-out|optout|opted out"
    "|unsubscribed|blacklist|blacklisted|no advertising|opted out of advertising",
    "no_sms": "بدون پیامک|هیچ پیامکی|هیچ پیامکی ارسال نشود|عدم ارسال پیامک"
    "|پیامک نفرستید"
    "|no sms|no sms at all|do not contact|do not disturb",
}
_FIELD_OF_HEADING = {
    fold(heading): field
    for field, headings in _HEADINGS.items()
    for heading in headings.split("|")
}
# A longer heading that contains one of these still means it: «شماره موبایل شما».
_FIELD_OF_PART = {
    fold(part): field
    for part, field in (
        ("موبایل", "phone"),
        ("mobile", "phone"),
        ("phone", "phone"),
        ("نام خانوادگی", "name"),
        ("آخرین مراجعه", "last_visit"),
        ("آخرین خرید", "last_visit"),
        ("اولین مراجعه", "first_visit"),
        ("last visit", "last_visit"),
        ("first visit", "first_visit"),
        ("تعداد مراجع", "visits"),
        ("برچسب", "tags"),
        ("گروه", "group"),
    )
}


def guess_field(heading: str) -> Field | None:
    """Return what a column of this heading holds, or None.

    :param str heading: Persian or English, in any spelling
    """
    key = fold(re.sub(r"[_:*()\[\].]+", " ", heading))
    if key in _FIELD_OF_HEADING:
        return _FIELD_OF_HEADING[key]
    return next((field for part, field in _FIELD_OF_PART.items() if part in key), None)


def has_heading(first_row: Sequence[str], region: str) -> bool:
    """Tell whether the first row names the columns: then no cell is a number."""
    return not any(is_mobile(cell, region) for cell in first_row if cell)


def guess_mapping(
    rows: Sequence[Sequence[str]], has_heading: bool, region: str
) -> list[Field | None]:
    """Return what each column holds, as far as headings and numbers tell.

    :param rows: the first rows of the file, the headings included
    :param bool has_heading: whether the first of them names the columns
    :param str region: ISO 3166 code, by which phone numbers are recognised
    """
    width = max(map(len, rows), default=0)
    mapping: list[Field | None] = [None] * width
    if has_heading:
        for index, heading in enumerate(rows[0]):
            field = guess_field(heading)
            if field and (field in REPEATABLE or field not in mapping):
                mapping[index] = field
    if "phone" not in mapping:
        body = rows[1:] if has_heading else rows
        found = [
            sum(is_mobile(row[index], region) for row in body if index < len(row))
            for index in range(width)
        ]
        if found and max(found):
            mapping[found.index(max(found))] = "phone"
    return mapping
