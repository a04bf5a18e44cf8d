import hmac
import secrets

import requests

from odoo import api, fields, models

from ...tools.gateways import BadSettings, Inbound

WEBHOOK = "/sms_line"
PING = "ping"


class SmsLine(models.Model):
    """What providers push to a line: delivery reports and people's answers."""

    _inherit = "sms.line"

    webhook_secret = fields.Char(
        groups="base.group_system",
        copy=False,
        readonly=True,
        default=lambda self: secrets.token_urlsafe(24),
    )
    webhook_delivery_url = fields.Char(
        string="Delivery reports to",
        compute="_compute_webhook_urls",
        groups="base.group_system",
    )
    webhook_inbound_url = fields.Char(
        string="Received texts to",
        compute="_compute_webhook_urls",
        groups="base.group_system",
    )

    @api.depends("webhook_secret")
    def _compute_webhook_urls(self):
        for line in self:
            # The settings show lines within a record that is not saved.
            line_id = line._origin.id
            base = f"{line.get_base_url()}{WEBHOOK}/{line_id}/{line.webhook_secret}"
            line.webhook_delivery_url = f"{base}/delivery"
            line.webhook_inbound_url = f"{base}/inbound"

    def action_renew_webhook_secret(self):
        """New addresses; the old ones are unknown from now on."""
        for line in self:
            line.webhook_secret = secrets.token_urlsafe(24)

    def action_test_webhooks(self):
        """Tell whether the line's addresses answer from here."""
        self.ensure_one()
        self.check_access("write")
        failed = [
            url
            for url in (self.webhook_delivery_url, self.webhook_inbound_url)
            if not self._answers(url)
        ]
        if failed:
            message = self.env._(
                "%(line)s: no answer. Providers must reach this server at the address "
                "in the system parameter web.base.url.",
                line=self.name,
            )
        else:
            message = self.env._("%(line)s: both addresses answer.", line=self.name)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if failed else "success",
                "message": message,
                "sticky": bool(failed),
            },
        }

    def _answers(self, url):
        try:
            response = requests.get(
                url, params={PING: 1}, timeout=5, allow_redirects=False
            )
        except requests.RequestException:
            return False
        return response.status_code == 200 and response.text == "ok"

    @api.model
    def _find_by_secret(self, line_id, secret):
        """The line that these belong to, empty for any wrong pair."""
        line = self.sudo().with_context(active_test=False).browse(line_id).exists()
        known = line.webhook_secret or secrets.token_urlsafe(24)
        if hmac.compare_digest(known.encode(), secret.encode(errors="replace")):
            return line
        return self.browse()

    def _take_push(self, values):
        """Act on what a provider pushed.

        :param dict values: query string, form and JSON object in one
        """
        self.ensure_one()
        try:
            with self._connect() as gateway:
                found = gateway.parse_callback(values)
        except BadSettings:
            return
        statuses = [one for one in found if not isinstance(one, Inbound)]
        if statuses:
            queue = self.env["sms.queue"].sudo()
            queue.with_context(sms_skip_msg_notification=False)._apply_statuses(
                self, statuses
            )
        for one in found:
            if isinstance(one, Inbound):
                self._receive_once(one)

    def _receive_once(self, inbound):
        """Hand a text on; a push without an id is known by its words and hour."""
        now = fields.Datetime.now()
        external_id = inbound.external_id or "|".join(
            (inbound.number, inbound.text, now.strftime("%Y%m%d%H"))
        )
        self._receive_text(inbound.number, inbound.text, external_id, now)

    def _on_operator_block(self, numbers):
        """These numbers closed advertising at the operator: leave them alone a while.

        :param list numbers: E.164
        """
        self.ensure_one()
        if self.message_class != "advertising":
            return
        self.env["customer.consent"].sudo().create(
            [
                {
                    "company_id": self.company_id.id,
                    "number": number,
                    "kind": "blocked",
                    "line_id": self.id,
                    "channel": "operator",
                    "source": self.name,
                    "user_id": False,
                }
                for number in sorted(set(numbers))
            ]
        )
