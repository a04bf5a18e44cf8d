from datetime import date, datetime
from typing import NamedTuple

from odoo.tools import SQL


class ProfileScope(NamedTuple):
    """Whose figures are worked out: one company, all its contacts or some.

    :param date today: in the company's zone
    :param datetime now: UTC
    :param list ids: contacts with everybody of their companies, or None for all
    :param bool expects: whether to work out what is expected, which takes a look at
        all customers
    """

    company_id: int
    digits: int
    tz: str
    today: date
    now: datetime
    ids: list | None
    visits_are_purchases: bool
    horizon_days: int
    unit_costs: dict
    expects: bool = True

    def only(self, *path) -> SQL:
        """A condition that a column is one of the contacts, if not all are meant.

        For queries below the part :meth:`chosen`: thousands of ids written out in each
        of them would take longer to read than the rows.

        :param str path: table alias and column
        """
        if self.ids is None:
            return SQL("TRUE")
        return SQL("%s IN (SELECT id FROM chosen)", SQL.identifier(*path))

    def chosen(self) -> SQL:
        """The contacts that :meth:`only` asks for, a row each."""
        return SQL("SELECT unnest(%s::int[]) AS id", self.ids)

    def day(self, *path) -> SQL:
        """The company's day of a UTC timestamp.

        :param str path: table alias and column
        """
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            SQL.identifier(*path),
            self.tz,
        )
