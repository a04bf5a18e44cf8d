from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

# OCA's partner_contact_birthdate has it, and the profile will.
BIRTHDATE = "birthdate_date"
ONE_DAY = timedelta(days=1)
YEAR_DAYS = 366


class PartnerBirthdayMixin(models.AbstractModel):
    """The next birthday, where the database knows birth dates."""

    _name = "partner.birthday.mixin"
    _description = "Partner Birthday"

    next_birthday = fields.Date(
        compute="_compute_next_birthday",
        search="_search_next_birthday",
        groups="base.group_user",
    )

    @api.model
    def _birthdate_field(self):
        """The field with the birth date, or None where no module adds one."""
        field = self._fields.get(BIRTHDATE)
        return field if field is not None and field.store else None

    @api.depends_context("tz")
    def _compute_next_birthday(self):
        field = self._birthdate_field()
        today = fields.Date.context_today(self)
        for partner in self:
            birthdate = field and partner[field.name]
            partner.next_birthday = birthdate and next(
                (
                    day
                    for day in (today + number * ONE_DAY for number in range(YEAR_DAYS))
                    if (birthdate.month, birthdate.day) in _birthdays_on(day)
                ),
                False,
            )

    def _search_next_birthday(self, operator, value):
        """By month and day of the birth date, from today on, for a year at most.

        :raise AccessError: for portal users, whom a field's group does not stop here
        """
        if not (self.env.su or self.env.user._is_internal()):
            raise AccessError(self.env._("Only employees may search by birthday."))
        field = self._birthdate_field()
        if field is None:
            return Domain.FALSE
        today = fields.Date.context_today(self)
        last = today + (YEAR_DAYS - 1) * ONE_DAY
        if operator == "in":
            days = [day for day in value if day]
            none = Domain(field.name, "=", False) if False in value else Domain.FALSE
            return none | self._born_on(field, days)
        if operator in ("<", "<="):
            last = min(last, value - ONE_DAY if operator == "<" else value)
            first = today
        elif operator in (">", ">="):
            first = max(today, value + ONE_DAY if operator == ">" else value)
        else:
            return NotImplemented
        return self._born_on(field, _days(first, last))

    def _born_on(self, field, days):
        months = {}
        for day in days:
            for month, number in _birthdays_on(day):
                months.setdefault(month, set()).add(number)
        return Domain.OR(
            Domain(f"{field.name}.month_number", "=", month)
            & Domain(f"{field.name}.day_of_month", "in", sorted(numbers))
            for month, numbers in months.items()
        )


def _days(first, last):
    return [first + number * ONE_DAY for number in range((last - first).days + 1)]


def _birthdays_on(day):
    """Months and days of birth celebrated on a day: 29 February has one every year."""
    born = [(day.month, day.day)]
    if born == [(2, 28)] and (day + ONE_DAY) == date(day.year, 3, 1):
        born.append((2, 29))
    return born
