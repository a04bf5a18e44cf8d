from pytz import timezone, utc

from odoo import fields, models


class SmsLine(models.Model):
    """How much a line may send."""

    _inherit = "sms.line"

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
        return moment if self.message_class == "service" else self._next_due(moment)

    def _get_day_start(self, moment):
        """Midnight of the line's zone before a moment; both naive UTC."""
        zone = timezone(self.tz or "UTC")
        local = utc.localize(moment).astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        return zone.localize(midnight).astimezone(utc).replace(tzinfo=None)

    def _get_batch_limit(self):
        """How many messages one call of this line may hold."""
        self.ensure_one()
        limits = (self.batch_size, self._get_caps().max_batch)
        return min(limit for limit in limits if limit)
