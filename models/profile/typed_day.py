from odoo.exceptions import ValidationError

from ...tools.birthdate import read_day


def read_days(env, values, names):
    """Replace days as people and systems write them by dates, in place.

    A year below 1600 is Solar Hijri, in any field of a contact or lead.

    :param dict values: of ``create`` or ``write``
    :param list names: fields that hold days
    :raise ValidationError: when one of them is no day of either calendar
    """
    for name in names:
        if not values.get(name):
            continue
        try:
            values[name] = read_day(values[name])
        except (TypeError, ValueError) as error:
            raise ValidationError(
                env._(
                    "“%s” is no date: write year, month and day, of the Gregorian or "
                    "the Solar Hijri calendar.",
                    values[name],
                )
            ) from error
