"""Texts with placeholders: ``{{ expression ||| words if there is nothing }}``.

The grammar is Odoo's own (``odoo.tools.rendering_tools``); nothing is ever evaluated
here. What an expression may be and what it stands for is ``sms.placeholder``.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from .jalali import from_gregorian
from .sms_text import to_persian_digits

_PLACEHOLDER = re.compile(r"\{\{(.+?)(?:\|\|\|\s*(.*?))?\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
_LETTER = re.compile(r"[^\W_]")
PATH = re.compile(r"object((?:\.[A-Za-z_]\w*)+)")
NAME = re.compile(r"[a-z][a-z_]*")

JALALI_MONTHS = (
    "فروردین",
    "اردیبهشت",
    "خرداد",
    "تیر",
    "مرداد",
    "شهریور",
    "مهر",
    "آبان",
    "آذر",
    "دی",
    "بهمن",
    "اسفند",
)


class Placeholder(NamedTuple):
    """One placeholder: ``source`` as typed, ``fallback`` empty when there is none."""

    source: str
    expression: str
    fallback: str


def placeholders(text: str) -> list[Placeholder]:
    """Return the placeholders of a text, in order, repeated ones too."""
    return [
        Placeholder(match[0], match[1].strip(), (match[2] or "").strip())
        for match in _PLACEHOLDER.finditer(text or "")
    ]


def find_broken(text: str) -> str:
    """Return what is left of a placeholder that does not open or close, or "".

    >>> find_broken("Dear {{ name }, hello")
    '{{ name }, hello'
    >>> find_broken("Dear {{ name }}")
    ''
    """
    rest = _PLACEHOLDER.sub(
        lambda match: "" if match[1].strip() and "{{" not in match[1] else match[0],
        text or "",
    )
    match = _BRACES.search(rest)
    return rest[match.start() :].partition("\n")[0][:40] if match else ""


def fill(text: str, value_of: Callable[[Placeholder], str]) -> str:
    """Return the text with every placeholder replaced, once.

    A line that has placeholders, all of them empty, and no word of its own is left
    out. Values are data: braces in them stay as they are.

    :param value_of: text of a placeholder, its fallback included
    """
    lines = []
    for line in _lines(text or ""):
        values = [value_of(placeholder) for placeholder in line.placeholders]
        if not values:
            lines.append(line.words[0])
        elif line.has_own_words or any(values):
            filled = [line.words[0]]
            for value, words in zip(values, line.words[1:], strict=True):
                filled += (value, words)
            lines.append("".join(filled).rstrip())
    return "\n".join(lines)


class _Line(NamedTuple):
    """One line of a text: its words stand around and between its placeholders."""

    words: tuple
    placeholders: tuple
    has_own_words: bool


@lru_cache(maxsize=256)
def _lines(text: str) -> tuple:
    """Read a text once for all who get it."""
    lines = []
    for line in text.splitlines():
        words, at = [], 0
        for match in _PLACEHOLDER.finditer(line):
            words.append(line[at : match.start()])
            at = match.end()
        words.append(line[at:])
        has_own_words = any(map(_LETTER.search, words))
        lines.append(_Line(tuple(words), tuple(placeholders(line)), has_own_words))
    return tuple(lines)


# === VALUES === #


def is_persian(lang: str) -> bool:
    """Tell whether a language code is Persian: its dates are Jalali, its digits ۰-۹."""
    return (lang or "").partition("_")[0] == "fa"


def format_jalali(day: date) -> str:
    """Return a date as Persians write it in a text, «۲ آذر ۱۴۰۵».

    :raise ValueError: outside the years of :mod:`tools.jalali`
    """
    year, month, number = from_gregorian(day)
    return to_persian_digits(f"{number} {JALALI_MONTHS[month - 1]} {year}")


def format_number(value: float, lang: str) -> str:
    """Return a number with groups of three digits and no needless decimals.

    >>> format_number(1234567.5, "en_US"), format_number(1200, "fa_IR")
    ('1,234,567.5', '۱٬۲۰۰')
    """
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    if text == "-0":
        text = "0"
    if is_persian(lang):
        text = to_persian_digits(text.replace(".", "٫").replace(",", "٬"))
    return text
