import logging
from datetime import timedelta

from odoo import fields, models

from ...tools.gateways import BadSettings, NotTaken, Refused, Unclear

_logger = logging.getLogger(__name__)

BALANCE_HOURS = 6
RETRY_MINUTES = (1, 2, 5, 15, 30, 60)


class SmsLine(models.Model):
    """What stops a line: trouble of its account, and an empty one."""

    _name = "sms.line"
    _inherit = ["sms.line", "mail.thread", "mail.activity.mixin"]

    paused = fields.Boolean(
        tracking=True, copy=False, help="Messages wait until the line is resumed."
    )
    pause_reason = fields.Text(readonly=True, copy=False)
    retry_at = fields.Datetime(readonly=True, copy=False)
    retry_count = fields.Integer(readonly=True, copy=False)
    balance = fields.Float(
        readonly=True, copy=False, help="In the provider's own unit."
    )
    balance_at = fields.Datetime(string="As of", readonly=True, copy=False)
    balance_asked_at = fields.Datetime(readonly=True, copy=False)
    balance_low = fields.Float(
        string="Low below",
        help="Whoever is told about trouble gets an activity. 0 is never.",
    )
    can_balance = fields.Boolean(compute="_compute_can_balance")

    def _compute_can_balance(self):
        for line in self:
            line.can_balance = line._get_caps().balance

    # === PAUSING === #

    def action_pause(self):
        self.write({"paused": True, "pause_reason": False})

    def action_resume(self):
        """Go on: what waited leaves now."""
        self.write(
            {
                "paused": False,
                "pause_reason": False,
                "retry_at": False,
                "retry_count": 0,
            }
        )
        self.sudo().activity_unlink(["mail.mail_activity_data_warning"])
        self.env["sms.queue"]._wake()

    def _pause(self, kind, code=""):
        """Stop the line for trouble that every message would meet: one notice.

        :param str kind: of ``tools.gateways.base.BATCH_WIDE``
        """
        self.ensure_one()
        if self.paused:
            return
        words = {
            "credit": self.env._("The account has no credit left."),
            "key": self.env._("The provider refused the account or its key."),
            "line": self.env._("The provider refused the sender number."),
            "setup": self.env._("The address does not answer as this provider does."),
        }[kind]
        reason = f"{words} ({code})" if code else words
        self.write({"paused": True, "pause_reason": reason})
        self._tell(self.env._("Line paused: %(line)s", line=self.name), reason)
        _logger.info("Line %s paused: %s %s", self.id, kind, code)

    def _tell(self, summary, note):
        """One activity for whoever is told about trouble."""
        user = self.user_id or self.env.ref("base.user_admin")
        self.sudo().activity_schedule(
            "mail.mail_activity_data_warning",
            summary=summary,
            note=note,
            user_id=user.id,
        )

    def _back_off(self):
        """The provider takes nothing just now: leave it alone for a while."""
        self.ensure_one()
        minutes = RETRY_MINUTES[min(self.retry_count, len(RETRY_MINUTES) - 1)]
        self.write(
            {
                "retry_at": fields.Datetime.now() + timedelta(minutes=minutes),
                "retry_count": self.retry_count + 1,
            }
        )

    # === BALANCE === #

    def action_refresh_balance(self):
        """Ask the provider what is left on the account."""
        self.check_access("read")
        for line in self:
            line._refresh_balance()

    def _refresh_balance(self):
        """Store the balance, and tell once when it gets low."""
        self.ensure_one()
        line = self.sudo()
        now = fields.Datetime.now()
        try:
            with line._connect() as gateway:
                balance = gateway.balance()
        except (BadSettings, NotTaken, Unclear, Refused) as error:
            _logger.info("Line %s: no balance: %s", line.id, type(error).__name__)
            balance = None
        line.balance_asked_at = now
        if balance is None:
            return
        was_low = line.balance_at and line.balance < line.balance_low
        line.write({"balance": float(balance), "balance_at": now})
        if line.balance < line.balance_low and not was_low:
            line._tell(
                self.env._("Low balance: %(line)s", line=line.name),
                self.env._("%(balance)s left.", balance=f"{line.balance:,.0f}"),
            )

    def _get_balance_due(self):
        """Lines whose balance nobody asked for lately."""
        before = fields.Datetime.now() - timedelta(hours=BALANCE_HOURS)
        lines = self.sudo().search(
            [
                ("gateway", "not in", ("odoo", "test")),
                "|",
                ("balance_asked_at", "=", False),
                ("balance_asked_at", "<", before),
            ]
        )
        return lines.filtered("can_balance")
