from datetime import timedelta

import pytz

from odoo import fields, models

from ...tools.midnight import midnight


class ResCompany(models.Model):
    """Days of the club, in its time zone, whoever looks."""

    _inherit = "res.company"

    def _club_zone(self):
        return pytz.timezone(self.sudo().club_tz or "UTC")

    def _club_today(self):
        """The day it is at the company.

        :rtype: date
        """
        now = pytz.utc.localize(fields.Datetime.now())
        return now.astimezone(self._club_zone()).date()

    def _club_week_start(self):
        """First day of this week at the company, by the language of who asks.

        :rtype: date
        """
        today = self._club_today()
        lang = self.env["res.lang"]._get_data(code=self.env.user.lang)
        return today - timedelta(days=(today.isoweekday() - int(lang.week_start)) % 7)

    def _club_midnight(self, day):
        """When a day begins at the company.

        :param date day: any day
        :return: naive UTC
        :rtype: datetime
        """
        return midnight(day, self._club_zone())
