"""What people type at a desk, turned into one E.164 mobile number or a refusal.

Plain Python over ``phonenumbers`` (Google's libphonenumber), without the ORM.
The library is lenient: it turns vanity letters into digits, drops extensions,
and calls landlines valid. Everything it forgives too easily is refused here
first, and what it refuses although people type it every day is repaired.

Source: behaviour measured on phonenumbers 9.0.43, region IR.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

PhoneErrorCode = Literal["invalid-phone", "not-mobile", "foreign-not-allowed"]

MAX_INPUT_LENGTH = 32
"""Longest accepted input in characters; E.164 itself needs 16 (ITU-T E.164 §6)."""

MINIMUM_LIBRARY_VERSION = (9, 0, 10)
"""First version whose metadata knows the Iranian prefix 0904."""

SMS_TYPES = frozenset(
    {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE},
)
"""Types that may receive an SMS; the US and Mexico cannot tell mobile from fixed."""

IRAN_COUNTRY_CODE = 98

# Ten digits from 9: mobile in Iran's numbering plan, whether or not the library's
# metadata already knows the operator's block.
_IRAN_MOBILE = re.compile(r"9\d{9}")
_NUMBER_SEPARATORS = re.compile(r"[,;،؛\n\r|&]")
_LINE_WHITESPACE = "\t\n\r"


class PhoneError(ValueError):
    """The input is no number this club may write to.

    ``code`` is part of the device API: *invalid-phone* (no such number),
    *not-mobile* (a real number that gets no SMS), *foreign-not-allowed* (a real
    number of another country). The caller must not store any part of the input.
    """

    def __init__(self, code: PhoneErrorCode):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A mobile number in the forms the product needs.

    ``e164`` is the only form to store and compare; ``national`` and
    ``international`` are for people, made when asked for. ``region`` is the ISO 3166
    code of the number's own country. ``verified`` is False when the metadata does not
    know the number's block and it was taken on its shape alone.
    """

    parsed: phonenumbers.PhoneNumber
    verified: bool

    @property
    def e164(self) -> str:
        return phonenumbers.format_number(self.parsed, PhoneNumberFormat.E164)

    @property
    def national(self) -> str:
        """Digits only: groups of digits change places in right-to-left text."""
        text = phonenumbers.format_number(self.parsed, PhoneNumberFormat.NATIONAL)
        return "".join(filter(str.isdigit, text))

    @property
    def international(self) -> str:
        return phonenumbers.format_number(self.parsed, PhoneNumberFormat.INTERNATIONAL)

    @property
    def region(self) -> str:
        return phonenumbers.region_code_for_number(
            self.parsed
        ) or phonenumbers.region_code_for_country_code(self.parsed.country_code)


def parse_phone(
    raw: str,
    region: str,
    *,
    foreign_allowed: bool = False,
    accept_unverified: bool = True,
) -> PhoneNumber:
    """Return the mobile number that ``raw`` means in ``region``.

    :param str raw: as typed or scanned; digits of any script, common separators
    :param str region: ISO 3166 alpha-2 code of the shop's country, e.g. "IR"
    :param bool foreign_allowed: take numbers with another calling code
    :param bool accept_unverified: take an Iranian 9xxxxxxxxx whose block is not
        (yet) in the library; turning a customer away at the desk is worse than
        one failed SMS
    :return: the number, every form formatted
    :rtype: PhoneNumber
    :raise PhoneError: for any string that is not such a number; nothing else
    """
    region = (region or "").upper()
    number, kind = _parse(_clean(raw), region, accept_unverified)
    if (
        number.country_code != phonenumbers.country_code_for_region(region)
        and not foreign_allowed
    ):
        raise PhoneError("foreign-not-allowed")
    is_verified = kind != PhoneNumberType.UNKNOWN
    if is_verified and kind not in SMS_TYPES:
        raise PhoneError("not-mobile")
    return PhoneNumber(parsed=number, verified=is_verified)


def is_mobile(e164_or_raw: str, region: str) -> bool:
    """Tell whether the text is a number of any country that can receive an SMS.

    :param str e164_or_raw: a stored number or what somebody typed
    :param str region: ISO 3166 alpha-2 code used when the text has no ``+``
    :rtype: bool
    """
    try:
        parse_phone(e164_or_raw, region, foreign_allowed=True)
    except PhoneError:
        return False
    return True


def mask(e164: str) -> str:
    """Return the last three digits only, for logs: ``…567``.

    :param str e164: a stored number; anything too short to hide shows nothing
    :rtype: str
    """
    return f"…{e164[-3:]}" if e164 and len(e164) > 6 else "…"


def library_is_outdated() -> bool:
    """Tell whether the installed metadata lacks blocks in use today.

    Debian 12 ships 8.12.57, which rejects every 0904 number.
    """
    version = tuple(int(part) for part in re.findall(r"\d+", phonenumbers.__version__))
    return version < MINIMUM_LIBRARY_VERSION


def _clean(raw: str) -> str:
    """Reduce the input to ASCII digits with at most one leading ``+``.

    Spaces, dashes, dots, slashes, brackets, underscores, ZWNJ and bidi marks go;
    Persian, Arabic-Indic and full-width digits become ASCII. A keypad's leading
    ``*`` and final ``#`` go, inside the number they are refused. Letters are
    refused before the library can read them as vanity digits or an extension,
    and so is a second number.
    """
    if not isinstance(raw, str) or len(raw) > MAX_INPUT_LENGTH:
        raise PhoneError("invalid-phone")
    if raw.isascii() and raw.isdigit():
        return raw
    chunks = [
        chunk
        for chunk in map(_clean_chunk, _NUMBER_SEPARATORS.split(raw))
        if chunk.strip("+*#")
    ]
    if len(chunks) != 1:
        raise PhoneError("invalid-phone")
    lead, digits, tail = re.fullmatch(r"([+*]*)(.*?)(#*)", chunks[0]).groups()
    if not digits.isdigit() or len(lead.replace("+", "")) > 1 or len(tail) > 1:
        raise PhoneError("invalid-phone")
    return f"+{digits}" if "+" in lead else digits


def _clean_chunk(text: str) -> str:
    return "".join(map(_clean_character, text))


def _clean_character(character: str) -> str:
    """Return what one character means in a number: a digit, a sign, or nothing."""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if (sign := unicodedata.normalize("NFKC", character)) in ("+", "*", "#"):
        return sign
    # Punctuation, separators, symbols, marks and invisible format characters
    # carry nothing. Letters, other numerals, control characters, surrogates
    # and unassigned code points mean that this is not a phone number.
    if category[0] in "PZSM" or category == "Cf" or character in _LINE_WHITESPACE:
        return ""
    raise PhoneError("invalid-phone")


def _parse(
    cleaned: str,
    region: str,
    accept_unverified: bool,
) -> tuple[phonenumbers.PhoneNumber, int]:
    """Return the library's number and its type, UNKNOWN where that is not confirmed."""
    unverified = None
    for candidate in _candidates(cleaned, region):
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        # "Possible" is not enough: the short code 1000 is possible. A number is valid
        # where the metadata knows its type.
        kind = phonenumbers.number_type(number)
        if kind != PhoneNumberType.UNKNOWN:
            return number, kind
        if unverified is None and _is_unknown_iranian_mobile(number):
            unverified = number
    if unverified is None or not accept_unverified:
        raise PhoneError("invalid-phone")
    return unverified, PhoneNumberType.UNKNOWN


def _candidates(cleaned: str, region: str) -> list[str]:
    """Return the readings to try, the literal one first.

    Iran only: ``0989…`` and ``000989…`` are a slip of the zero key (a wrong 0 or
    00 before a full number); elsewhere a leading zero has a meaning.
    """
    candidates = [cleaned]
    if region == "IR" and cleaned.startswith("0"):
        candidates.append(cleaned[1:])
        if cleaned.startswith("00"):
            candidates.append(cleaned[2:])
    return candidates


def _is_unknown_iranian_mobile(number: phonenumbers.PhoneNumber) -> bool:
    return (
        number.country_code == IRAN_COUNTRY_CODE
        and not number.italian_leading_zero
        and _IRAN_MOBILE.fullmatch(str(number.national_number)) is not None
    )
