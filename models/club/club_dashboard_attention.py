from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from ...tools.phone import library_is_outdated
from .club_dashboard_base import CLUB_MANAGER, CLUB_USER

# A message or check-in that waits longer than this waits for a person, not a worker.
WAITING_MINUTES = 60


class ClubDashboardAttention(models.AbstractModel):
    """What somebody has to look at, the worst first."""

    _name = "club.dashboard.attention"
    _description = "Club Today: What Needs a Person"
    _inherit = "club.dashboard.base"

    def _get_attention(self, devices, domain, window):
        """What somebody has to look at, the worst first; a hook for other topics.

        :return: dicts with ``key``, ``level`` (danger or warning), ``count`` (0 where
            a number makes no sense), ``text`` and ``action`` (False for none)
        :rtype: list[dict]
        """
        entries = self._get_checkin_attention(domain, window)
        entries += self._get_device_attention(devices)
        if self.env.user.has_group(CLUB_USER):
            entries += self._get_message_attention()
            entries += self._get_settings_attention()
        return sorted(entries, key=lambda entry: entry["level"] != "danger")

    def _get_checkin_attention(self, domain, window):
        waiting_since = fields.Datetime.to_string(
            fields.Datetime.now() - timedelta(minutes=WAITING_MINUTES)
        )
        arrived = self._get_arrival_domain(domain, window)
        found = [
            (
                "failed_checkins",
                "danger",
                self.env._("Check-ins that could not be prepared"),
                domain & Domain("state", "=", "failed"),
            ),
            (
                "stuck_checkins",
                "danger",
                self.env._(
                    "Check-ins that wait for an hour: do scheduled actions run?"
                ),
                domain
                & Domain("state", "=", "pending")
                & Domain("attempts", "=", 0)
                & Domain("arrived_at", "<", waiting_since),
            ),
            (
                "failed_messages",
                "danger",
                self.env._("Failed messages"),
                arrived & Domain("message_state", "=", "error"),
            ),
            (
                "unknown_digits",
                "warning",
                self.env._("Check-ins with a digit that has no tag"),
                arrived & Domain("unknown_digit", "=", True),
            ),
        ]
        entries = []
        for key, level, text, entry_domain in found:
            if count := self.env["club.checkin"].search_count(entry_domain):
                action = self._prepare_checkin_action(
                    self.env._("Needs a person"), entry_domain
                )
                entries.append(_entry(key, level, text, count, action))
        return entries

    def _get_device_attention(self, devices):
        unseen = self._get_unseen_devices(devices)
        if not unseen:
            return []
        action = self._prepare_action(
            self.env._("Not seen for a day"),
            "club.device",
            Domain("id", "in", unseen.ids),
        )
        text = self.env._("Devices not seen for a day")
        return [_entry("unseen_devices", "warning", text, len(unseen), action)]

    def _get_message_attention(self):
        if self.env.company.club_silent:
            return []
        since = fields.Datetime.to_string(
            fields.Datetime.now() - timedelta(minutes=WAITING_MINUTES)
        )
        domain = (
            Domain("company_id", "=", self.env.company.id)
            & Domain("line_id", "!=", False)
            & Domain("state", "=", "outgoing")
            & Domain("create_date", "<", since)
            # What waits for its hour, an approval or a paused line is no riddle.
            & (Domain("due_at", "=", False) | Domain("due_at", "<", since))
            & Domain("line_id.paused", "!=", True)
            & (
                Domain("approval_id", "=", False)
                | Domain("approval_id.state", "=", "approved")
            )
        )
        count = self.env["sms.sms"].search_count(domain)
        if not count:
            return []
        text = self.env._("Messages that wait for an hour: do scheduled actions run?")
        action = self._prepare_action(self.env._("Messages"), "sms.sms", domain)
        return [_entry("stuck_messages", "danger", text, count, action)]

    def _get_settings_attention(self):
        company = self.env.company
        settings = self.env.user.has_group(
            "base.group_system"
        ) and self._prepare_xmlid_action("club_settings_action")
        entries = []
        if not company.club_open:
            text = self.env._("The club is closed: devices keep their check-ins.")
            entries.append(_entry("closed", "danger", text, 0, settings))
        if company.club_silent:
            text = self.env._("The club is silent: no message leaves.")
            entries.append(_entry("silent", "warning", text, 0, settings))
        if not company._get_sms_line("service"):
            text = self.env._("There is no service line: check-ins send no message.")
            lines = self.env.user.has_group(CLUB_MANAGER) and (
                self._prepare_xmlid_action("sms_line_action")
            )
            entries.append(_entry("no_line", "danger", text, 0, lines))
        if library_is_outdated():
            text = self.env._(
                "The phone number library is too old and may refuse new prefixes. Ask "
                "whoever runs the server to update the Python package phonenumbers."
            )
            entries.append(_entry("library", "warning", text, 0, False))
        return entries


def _entry(key, level, text, count, action):
    return {"key": key, "level": level, "text": text, "count": count, "action": action}
