"""When a day begins somewhere."""

from datetime import date, datetime, time, tzinfo

import pytz


def midnight(day: date, zone: tzinfo) -> datetime:
    """Start of a local day, also where clocks change at midnight; naive UTC."""
    local = datetime.combine(day, time.min)
    try:
        aware = zone.localize(local, is_dst=None)
    except pytz.AmbiguousTimeError:
        aware = zone.localize(local, is_dst=True)
    except pytz.NonExistentTimeError:
        aware = zone.localize(local, is_dst=False)
    return aware.astimezone(pytz.utc).replace(tzinfo=None)
