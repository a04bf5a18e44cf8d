from datetime import date, datetime
from typing import NamedTuple

from odoo.tools import SQL


class ProfileScope(NamedTuple):
    """Whose figures are worked out: one company, all its contacts or some.

    :param date today: in the company's zone
    :param datetime now: UTC
    :param list ids: contacts with everybody of their companies, or None for all
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

    def only(self, *path) -> SQL:
        """A condition that a column is one of the contacts, if not all are meant.

        :param str path: table alias and column
        """
        if self.ids is None:
            return SQL("TRUE")
        return SQL("%s = ANY(%s)", SQL.identifier(*path), self.ids)

    def day(self, *path) -> SQL:
        """The company's day of a UTC timestamp.

        :param str path: table alias and column
        """
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            SQL.identifier(*path),
            self.tz,
        )
