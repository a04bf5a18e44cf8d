"""Days as people type them, in either calendar, and who was born when."""

from datetime import date, datetime

from .import_row import parse_moment
from .jalali import to_gregorian

FIRST_GREGORIAN_YEAR = 1600

# First and last year of birth. Source: Pew Research Center, "Defining generations"
# (2019); the two ends are open.
GENERATIONS = (
    ("silent", None, 1945),
    ("boomer", 1946, 1964),
    ("x", 1965, 1980),
    ("millennial", 1981, 1996),
    ("z", 1997, 2012),
    ("alpha", 2013, None),
)


def read_day(value: date | str) -> date:
    """Return the Gregorian day; a year below 1600 is Solar Hijri.

    :param value: a date, or text such as ``1989-08-03``, ``1368/5/12``, «۱۳۶۸/۵/۱۲»
    :raise ValueError: when it is no day of either calendar
    :raise TypeError: when it is neither

    >>> read_day("1368/5/12")
    datetime.date(1989, 8, 3)
    >>> read_day(date(1989, 8, 3))
    datetime.date(1989, 8, 3)
    """
    if isinstance(value, str):
        return parse_moment(value).date()
    if isinstance(value, datetime):
        value = value.date()
    if not isinstance(value, date):
        raise TypeError("no date")
    if value.year < FIRST_GREGORIAN_YEAR:
        return to_gregorian(value.year, value.month, value.day)
    return value


def generation(birthdate: date | None) -> str | None:
    """Return the key in :data:`GENERATIONS` of somebody born that day.

    >>> generation(date(1989, 8, 3))
    'millennial'
    """
    if not birthdate:
        return None
    return next(
        key for key, _first, last in GENERATIONS if not last or birthdate.year <= last
    )
