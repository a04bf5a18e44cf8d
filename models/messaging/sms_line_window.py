import datetime

from dateutil.relativedelta import relativedelta
from pytz import timezone, utc

from odoo import fields, models

from odoo.addons.base.models.res_partner import _tz_get


class SmsLine(models.Model):
    """When a line may send, and how much."""

    _inherit = "sms.line"

    tz = fields.Selection(
        _tz_get,
        string="Time zone",
        required=True,
        default=lambda self: self.env.company.club_tz or "UTC",
    )
    window_start = fields.Float(
        string="From",
        default=9.0,
        help="Advertising waits for these hours. Operators in Iran drop advertising "
        "outside 07:00-22:00, and charge for it.",
    )
    window_end = fields.Float(string="Until", default=21.0)
    rate_per_minute = fields.Integer(
        string="Messages a minute", help="0 is as fast as the provider takes them."
    )
    batch_size = fields.Integer(
        string="Messages a call", help="0 is as many as the provider takes at once."
    )
    daily_cap = fields.Integer(
        string="Messages a day", help="The rest waits for the next day. 0 is no limit."
    )
    price_per_part = fields.Monetary(help="What one part of a text costs.")
    currency_id = fields.Many2one(related="company_id.currency_id")

    _window = models.Constraint(
        "CHECK(window_start >= 0 AND window_start < window_end AND window_end <= 24)",
        "The hours must lie within one day, the first before the last.",
    )
    _limits_positive = models.Constraint(
        "CHECK(rate_per_minute >= 0 AND batch_size >= 0 AND daily_cap >= 0 "
        "AND price_per_part >= 0)",
        "Write 0 for no limit, never less.",
    )

    def _get_opening(self, moment):
        """The first moment, from this one on, when the line may send.

        :param datetime moment: naive UTC
        :return: naive UTC; ``moment`` itself on a service line or within its hours
        :rtype: datetime
        """
        self.ensure_one()
        if self.message_class == "service":
            return moment
        zone = timezone(self.tz)
        local = utc.localize(moment).astimezone(zone)
        hours = local.hour + local.minute / 60 + local.second / 3600
        if self.window_start <= hours < self.window_end:
            return moment
        day = local.date()
        if hours >= self.window_end:
            day += relativedelta(days=1)
        opening = datetime.datetime.combine(day, datetime.time()) + relativedelta(
            minutes=round(self.window_start * 60)
        )
        return zone.localize(opening).astimezone(utc).replace(tzinfo=None)

    def _get_day_start(self, moment):
        """Midnight of the line's zone before a moment; both naive UTC."""
        zone = timezone(self.tz)
        day = utc.localize(moment).astimezone(zone).date()
        start = zone.localize(datetime.datetime.combine(day, datetime.time()))
        return start.astimezone(utc).replace(tzinfo=None)

    def _get_batch_limit(self):
        """How many messages one call of this line may hold."""
        self.ensure_one()
        limits = [self.batch_size, self._get_caps().max_batch]
        return min(limit for limit in limits if limit)
