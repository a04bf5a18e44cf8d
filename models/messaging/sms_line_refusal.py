from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.res_partner import _tz_get


class SmsLine(models.Model):
    """Whom a line may reach, and when."""

    _inherit = "sms.line"

    window_start = fields.Float(
        string="Advertising from",
        default=9.0,
        help="Advertising that is sent earlier waits for this hour.",
    )
    window_end = fields.Float(
        string="Advertising until",
        default=21.0,
        help="Advertising that is sent later waits for the next day.",
    )
    tz = fields.Selection(
        _tz_get,
        string="Time zone",
        compute="_compute_tz",
        store=True,
        readonly=False,
        help="The hours for advertising are of this zone.",
    )

    @api.depends("company_id")
    def _compute_tz(self):
        for line in self:
            line.tz = line.tz or line.company_id.club_tz or "UTC"

    @api.constrains("window_start", "window_end")
    def _check_window(self):
        for line in self:
            if not 0 <= line.window_start < line.window_end <= 24:
                raise ValidationError(
                    self.env._(
                        "The hours for advertising begin before they end, within a day."
                    )
                )

    def _next_due(self, now):
        """When advertising handed over ``now`` may leave.

        :param datetime now: UTC, naive
        :return: ``now`` within the line's hours, else when they next begin; UTC, naive
        :rtype: datetime
        """
        self.ensure_one()
        zone = pytz.timezone(self.tz or "UTC")
        local = pytz.utc.localize(now).astimezone(zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        if self.window_start <= hour < self.window_end:
            return now
        day = local.date() + timedelta(days=hour >= self.window_end)
        minutes = round(self.window_start * 60)
        start = datetime.combine(day, time(minutes // 60, minutes % 60))
        return zone.localize(start).astimezone(pytz.utc).replace(tzinfo=None)

    def _refused_numbers(self, numbers, partner_ids=None, due=None):
        """Whom this line may not reach, and why.

        :param list numbers: E.164
        :param list partner_ids: the contact of each, where known
        :param datetime due: when the messages leave, UTC; default now
        :return: reason by number, of ``tools.refusal.REASONS``
        :rtype: dict[str, str]
        """
        return self._judge_numbers(numbers, partner_ids, due).refused

    def _judge_waiting(self, numbers, partner_ids):
        """Who refused since messages were queued: reason by number.

        The caps are counted apart: these messages are among what they count.
        """
        return self._judge_numbers(numbers, partner_ids, caps=False).refused

    def _judge_numbers(
        self, numbers, partner_ids=None, due=None, caps=True, message_class=None
    ):
        """The rule for messages over this line, of its own class unless said otherwise;
        see ``_judge``.
        """
        self.ensure_one()
        if message_class is None:
            message_class = self.message_class
        return (
            self.env["customer.consent"]
            .sudo()
            ._judge(
                self.company_id,
                numbers,
                message_class,
                line=self,
                partner_ids=partner_ids,
                due=due or fields.Datetime.now(),
                caps=caps,
            )
        )
