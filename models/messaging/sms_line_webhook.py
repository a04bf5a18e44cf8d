import hmac
import logging
import secrets

import requests

from odoo import api, fields, models
from odoo.tools import plaintext2html

from ...tools.gateways import BadSettings, Inbound
from ...tools.gateways.base import national
from ...tools.phone import PhoneError, parse_phone

_logger = logging.getLogger(__name__)

WEBHOOK = "/sms_line"
PING = "ping"
TEXT_LENGTH = 2000


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
            base = f"{line.get_base_url()}{WEBHOOK}/{line.id}/{line.webhook_secret}"
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
                "No answer. Providers must reach this server at the address in the "
                "system parameter web.base.url."
            )
        else:
            message = self.env._("Both addresses answer.")
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
        """Hand a text on unless the provider has pushed it before."""
        inbounds = self.env["sms.inbound"].sudo()
        if not inbounds._is_new(self, inbound):
            return
        region = self.company_id.country_id.code or "IR"
        try:
            number = parse_phone(inbound.number, region).e164
        except PhoneError:
            number = f"+{national(inbound.number)}"
        self._receive_text(
            number,
            inbound.text[:TEXT_LENGTH],
            inbound.external_id,
            fields.Datetime.now(),
        )

    def _receive_text(self, number, text, external_id, date):
        """Act on a text that somebody sent to this line; a hook.

        Here it lands in the chatter of the contacts with this number. Called once per
        text, also when the provider pushes it twice.

        :param str number: E.164
        :param str text: as it came, at most 2,000 characters
        :param str external_id: the provider's id of it, or ""
        :param datetime date: when it came, naive UTC
        :return: the contacts, of this company or shared
        """
        self.ensure_one()
        members = self.env["club.member"].sudo()
        partners = members.search(
            [("company_id", "=", self.company_id.id), ("phone_e164", "=", number)]
        ).partner_id
        if not partners:
            partners = (
                self.env["res.partner"]
                .sudo()
                .search(
                    [
                        ("phone_sanitized", "=", number),
                        ("company_id", "in", [False, self.company_id.id]),
                    ],
                    limit=5,
                )
            )
        for partner in partners:
            partner.message_post(
                body=plaintext2html(text),
                author_id=partner.id,
                message_type="comment",
                subtype_xmlid="mail.mt_note",
                subject=self.env._("SMS to %(line)s", line=self.name),
            )
        return partners

    def _on_operator_block(self, numbers):
        """These numbers closed advertising at the operator; a hook.

        :param list numbers: E.164
        """
