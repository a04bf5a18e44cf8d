"""SMS text: count it, complete it, compare it. Plain Python, no ORM.

``static/src/sms_text_field/sms_count.js`` is the twin of the counting part: change
both together, their tests share the same vectors.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

# === ALPHABETS === #

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each. Source: 3GPP TS 23.038 §6.2.1."""

GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Two septets each, escape included. Source: 3GPP TS 23.038 §6.2.1.1."""

GSM7 = GSM7_BASIC | GSM7_EXTENSION

# (alone, per part when joined). Source: 3GPP TS 23.040 §9.2.3.24.1, the header
# of a joined message takes 6 octets: 7 septets, or 3 UCS-2 units.
GSM7_LIMITS = (160, 153)
UCS2_LIMITS = (70, 67)

BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
TATWEEL = "\u0640"
ZWNJ = "\u200c"
ZWJ = "\u200d"

_PERSIAN_LETTERS = str.maketrans("يىك", "ییک")
_PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
_ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
_ARABIC_TO_PERSIAN_DIGITS = str.maketrans(_ARABIC_DIGITS, _PERSIAN_DIGITS)
_TO_PERSIAN_DIGITS = str.maketrans(
    "0123456789" + _ARABIC_DIGITS,
    _PERSIAN_DIGITS * 2,
)
# Letter shapes that old software writes instead of letters. The word signs of
# U+FDF0-FDFF (﷼ and the like) are typed on purpose and stay.
_PRESENTATION_FORMS = re.compile("[\ufb50-\ufdef\ufe70-\ufefc]+")
_PLACEHOLDER = re.compile(r"\{\{\s*(.+?)\s*(?:\|\|\|\s*(.*?)\s*)?\}\}")
_HARAKAT = re.compile("[\u064b-\u0652\u0670]")
_DROPPED_IN_TEXT = dict.fromkeys(map(ord, BIDI_CONTROLS | {TATWEEL}))


class SmsCount(NamedTuple):
    """What a text costs.

    ``characters`` are code points, as people count; ``units`` are septets (gsm7)
    or UTF-16 code units (ucs2), as networks count; ``remaining`` is the number of
    units still free in the last part.
    """

    characters: int
    units: int
    encoding: Literal["gsm7", "ucs2"]
    parts: int
    remaining: int


# === COUNTING === #


def count(text: str) -> SmsCount:
    """Return the cost of exactly this text; see :func:`normalize` to cut it first.

    One character outside GSM-7 turns the whole text into UCS-2. A character of
    two units never straddles two parts, so parts are filled one by one: 67 emoji
    are 134 units, yet 3 parts.

    :param str text: the final body, suffix included
    :return: zero parts for an empty text
    :rtype: SmsCount
    """
    text = text or ""
    kinds = set(text)
    is_gsm7 = kinds <= GSM7
    if is_gsm7:
        doubles = kinds & GSM7_EXTENSION
    else:
        doubles = {char for char in kinds if ord(char) > 0xFFFF}
    single, joined = GSM7_LIMITS if is_gsm7 else UCS2_LIMITS
    units = len(text) + sum(map(text.count, doubles))
    if units <= single:
        parts, remaining = int(bool(units)), single - units
    elif not doubles:
        parts = -(-units // joined)
        remaining = parts * joined - units
    else:
        parts, used = 1, 0
        for char in text:
            weight = 2 if char in doubles else 1
            if used + weight > joined:
                parts, used = parts + 1, 0
            used += weight
        remaining = joined - used
    encoding = "gsm7" if is_gsm7 else "ucs2"
    return SmsCount(len(text), units, encoding, parts, remaining)


# === COMPLETING === #


def with_suffix(text: str, suffix: str) -> str:
    """Return the text ending with the opt-out suffix, once, on its own last line.

    Any spelling of it («لغو11», «لغو 11», Persian digits) that already ends the
    text or stands alone on a line is that suffix, and is rewritten as the line
    wants it: panels look for the exact form. A mention inside a sentence is prose
    and stays.
    An empty text means "no SMS" and stays empty.

    Source: regulator's rule that a message must end with «لغو 11».

    :param str text: the rendered body
    :param str suffix: the line's suffix, empty for none
    :rtype: str
    """
    if not text or not text.strip():
        return ""
    suffix = (suffix or "").strip()
    if not suffix:
        return text
    alone, trailing = _suffix_patterns(suffix)
    body = alone.sub("", text).rstrip()
    while (shorter := trailing.sub("", body).rstrip()) != body:
        body = shorter
    return f"{body}\n{suffix}" if body else suffix


@lru_cache(maxsize=64)
def _suffix_patterns(suffix: str) -> tuple[re.Pattern, re.Pattern]:
    """Return patterns of the suffix alone on a line, and at the end of a text."""
    gap = rf"[^\S\n]*[{ZWNJ}]?[^\S\n]*"
    spelling = gap.join(
        _spellings(char) for char in suffix if not char.isspace() and char != ZWNJ
    )
    alone = re.compile(rf"^[^\S\n]*{spelling}[^\S\n]*(?:\n|\Z)", re.I | re.M)
    trailing = re.compile(rf"(?<!\w){spelling}[^\S\n]*\Z", re.I)
    return alone, trailing


def _spellings(character: str) -> str:
    """Return a character class of the ways people type one character."""
    if character.isdecimal():
        value = unicodedata.decimal(character)
        return f"[{value}{_PERSIAN_DIGITS[value]}{_ARABIC_DIGITS[value]}]"
    for letters in ("یيى", "کك"):
        if character in letters:
            return f"[{letters}]"
    return re.escape(character)


# === NORMALISING === #


def normalize(text: str) -> str:
    """Return the text as it should be sent, counted and compared.

    Joins Arabic and Persian ye and kaf (NFKC alone does not), turns Arabic-Indic
    digits into Persian ones and presentation forms into letters, composes accents,
    drops tatweel and bidi controls. ZWNJ stays: removing it saves a unit and hurts
    reading. What a template places on purpose must be added afterwards.

    :param str text: any text
    :rtype: str
    """
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    text = _PRESENTATION_FORMS.sub(
        lambda match: unicodedata.normalize("NFKC", match[0]),
        unicodedata.normalize("NFC", text),
    )
    text = text.translate(_PERSIAN_LETTERS).translate(_ARABIC_TO_PERSIAN_DIGITS)
    return text.translate(_DROPPED_IN_TEXT)


def to_persian_digits(text: str) -> str:
    """Return the text with Latin and Arabic-Indic digits as Persian digits."""
    return (text or "").translate(_TO_PERSIAN_DIGITS)


def to_latin_digits(text: str) -> str:
    """Return the text with the decimal digits of every script as 0-9."""
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char
        for char in text or ""
    )


def fold(text: str) -> str:
    """Return the key under which two spellings of a name or label are one.

    A key to compare, never to store as the name: ye, kaf, digits, case, ZWNJ,
    vowel marks, compatibility forms and runs of spaces no longer differ.
    """
    text = normalize(unicodedata.normalize("NFKC", text or ""))
    text = _HARAKAT.sub("", to_latin_digits(strip_controls(text)))
    text = text.replace(ZWNJ, "").replace(ZWJ, "").casefold()
    return " ".join(unicodedata.normalize("NFC", text).split())


def strip_controls(text: str) -> str:
    """Return the text without characters that steer rather than show.

    Bidi controls, other invisible format characters, control characters and lone
    surrogates go (PostgreSQL refuses some of them); line breaks stay, a tab is a
    space, ZWNJ and ZWJ stay because they spell words and emoji.
    """
    text = text or ""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    for char in set(text):
        if _steers(char):
            text = text.replace(char, "")
    return text


@lru_cache(maxsize=1024)
def _steers(char: str) -> bool:
    return char not in ("\n", ZWNJ, ZWJ) and (
        unicodedata.category(char) in ("Cc", "Cf", "Cs")
    )


def trace_links(text: str, base_url: str, sms_id: int) -> str:
    """Return a text whose short links say which message they are of.

    :param str base_url: of the short links, without a slash at the end
    :param int sms_id: of ``sms.sms``, as core's route for clicks takes it

    >>> trace_links("Menu: https://a.ir/r/xY2.", "https://a.ir", 7)
    'Menu: https://a.ir/r/xY2/s/7.'
    """
    if not text or f"{base_url}/r/" not in text:
        return text
    # Neither one that says so already, nor a part of another address.
    link = re.escape(f"{base_url}/r/") + r"[\w-]+(?![\w/-])"
    return re.sub(link, lambda match: f"{match[0]}/s/{sms_id}", text)


# === DISPLAYING === #


def fill_placeholders(text: str, values: dict[str, str]) -> str:
    """Return a template as somebody would get it of whom nothing else is known.

    :param str text: with placeholders such as ``{{ object.name ||| Dear guest}}``
    :param dict values: text by expression, ``{"object.city": "Tabriz"}``; any other
        expression is replaced by its fallback
    """
    return _PLACEHOLDER.sub(
        lambda match: values.get(match[1]) or match[2] or "", text or ""
    )


@lru_cache(maxsize=1024)
def clip(text: str, width: int) -> str:
    """Return the text as one line of at most ``width`` UTF-16 units.

    For displays of devices. Cuts between characters as people see them: a base
    keeps its combining marks, an emoji its modifiers; a pair is never split.

    :param str text: any text; line breaks and runs of spaces become one space
    :param int width: number of cells, 16 on the common two-line display
    :rtype: str
    """
    line, used = "", 0
    for cluster in _clusters(" ".join(strip_controls(text).split())):
        used += sum(2 if ord(char) > 0xFFFF else 1 for char in cluster)
        if used > width:
            break
        line += cluster
    return line.rstrip(f" {ZWNJ}{ZWJ}")


def _clusters(text: str) -> list[str]:
    """Split into user-perceived characters; a subset of UAX #29 that needs no data."""
    clusters: list[str] = []
    for char in text:
        if clusters and _joins(clusters[-1], char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _joins(cluster: str, char: str) -> bool:
    return (
        unicodedata.category(char)[0] == "M"
        or char in (ZWNJ, ZWJ)
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or (cluster[-1] == ZWJ and ord(char) > 0x2000)  # joined emoji
        or (len(cluster) == 1 and _is_flag_letter(cluster) and _is_flag_letter(char))
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
