from odoo import models
from odoo.fields import Domain

from ..club.club_dashboard_attention import _entry


class ClubDashboard(models.AbstractModel):
    _inherit = "club.dashboard"

    def _get_sms_credit(self):
        """What is left on the account of the line that carries the club's messages."""
        line = self.env.company._get_sms_line("service")
        if line.can_balance and line.balance_at:
            return round(line.balance)
        return super()._get_sms_credit()


class ClubDashboardAttention(models.AbstractModel):
    _inherit = "club.dashboard.attention"

    def _get_message_attention(self):
        """Lines that stand still, and messages that only a person can judge."""
        entries = super()._get_message_attention()
        own = Domain("company_id", "=", self.env.company.id)
        for key, model, name, text, domain in (
            (
                "paused_lines",
                "sms.line",
                self.env._("SMS Lines"),
                self.env._("SMS lines are paused: their messages wait"),
                own & Domain("paused", "=", True),
            ),
            (
                "unknown_messages",
                "sms.sms",
                self.env._("Messages"),
                self.env._("Messages of which nobody knows whether they left"),
                own
                & Domain("line_id", "!=", False)
                & Domain("state", "=", "process")
                & Domain("outcome", "in", ("unknown", "absent"))
                & Domain("reconcile_at", "=", False),
            ),
        ):
            if count := self.env[model].search_count(domain):
                action = self._prepare_action(name, model, domain)
                entries.append(_entry(key, "danger", text, count, action))
        return entries
