"""Dates of the Solar Hijri (Jalali) calendar as Gregorian dates, without a library.

Every day from 1300 to 1498 is the same as in persiantools 6.2.0 and jdatetime 6.1.1, so
nobody has to install either.
"""

from bisect import bisect
from datetime import date, timedelta
from itertools import accumulate

FIRST_YEAR = 1300
LAST_YEAR = 1498
"""The years that customers have lived in, as far as the rule below holds."""

_FIRST_NOWRUZ = date(1921, 3, 21)


def is_leap(year: int) -> bool:
    """Tell whether Esfand of the year has 30 days.

    Source: the 33-year rule (8 leap years in 33), which equals the official calendar
    from 1206 to 1498; every day of 1300 to 1478 compared with ICU's.
    """
    return (25 * year + 11) % 33 < 8


_NOWRUZ = dict(
    zip(
        range(FIRST_YEAR, LAST_YEAR + 1),
        accumulate(
            (365 + is_leap(year) for year in range(FIRST_YEAR, LAST_YEAR)),
            initial=_FIRST_NOWRUZ.toordinal(),
        ),
        strict=True,
    )
)


def to_gregorian(year: int, month: int, day: int) -> date:
    """Return the Gregorian date of a Jalali one.

    :param int year: from :data:`FIRST_YEAR` to :data:`LAST_YEAR`
    :raise ValueError: when there is no such day
    """
    if year not in _NOWRUZ or not 1 <= month <= 12:
        raise ValueError(f"no Jalali month {year}-{month}")
    length = 31 if month <= 6 else 30 if month < 12 else 29 + is_leap(year)
    if not 1 <= day <= length:
        raise ValueError(f"no Jalali day {year}-{month}-{day}")
    before = 31 * (month - 1) if month <= 7 else 186 + 30 * (month - 7)
    return date.fromordinal(_NOWRUZ[year]) + timedelta(days=before + day - 1)


def from_gregorian(day: date) -> tuple[int, int, int]:
    """Return year, month and day of a Gregorian date.

    :raise ValueError: outside the years that :func:`to_gregorian` takes
    """
    ordinal = day.toordinal()
    year = FIRST_YEAR + bisect(list(_NOWRUZ.values()), ordinal) - 1
    if year < FIRST_YEAR or year >= LAST_YEAR:
        raise ValueError(f"no Jalali year for {day}")
    passed = ordinal - _NOWRUZ[year]
    month = passed // 31 + 1 if passed < 186 else (passed - 186) // 30 + 7
    before = 31 * (month - 1) if month <= 7 else 186 + 30 * (month - 7)
    return year, month, passed - before + 1
