from collections import defaultdict

from odoo import api, fields, models

from odoo.addons.sms.tools.sms_api import SmsApiBase


class SmsApiTest(SmsApiBase):
    """The test gateway: every message counts as sent, none leaves this server."""

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        return [
            {"uuid": number["uuid"], "state": "success", "credit": 0}
            for message in messages
            for number in message["numbers"]
        ]


class SmsSms(models.Model):
    _inherit = "sms.sms"

    company_id = fields.Many2one(
        "res.company", index="btree_not_null", ondelete="set null", readonly=True
    )
    line_id = fields.Many2one(
        "sms.line", index="btree_not_null", ondelete="restrict", readonly=True
    )
    message_class = fields.Selection(
        [("service", "Service"), ("advertising", "Advertising")], readonly=True
    )

    _queue = models.Index("(company_id, id) WHERE state = 'outgoing'")

    @api.model_create_multi
    def create(self, vals_list):
        """Every message belongs to a company: its line's, its document's, ours."""
        messages = self.env["mail.message"].browse(
            [
                vals["mail_message_id"]
                for vals in vals_list
                if vals.get("mail_message_id") and not vals.get("company_id")
            ]
        )
        document_company = {
            message.id: message.sudo().record_company_id.id for message in messages
        }
        for vals in vals_list:
            vals["company_id"] = (
                vals.get("company_id")
                or document_company.get(vals.get("mail_message_id"))
                or self.env.company.id
            )
        return super().create(vals_list)

    # === SENDING === #

    @api.model
    def _get_queue_domain(self):
        """What the queue may send now: nothing of a company that is silent."""
        return [
            ("state", "=", "outgoing"),
            ("to_delete", "!=", True),
            ("company_id.club_silent", "!=", True),
        ]

    @api.model
    def _process_queue(self):
        """Send one batch of one company at a time.

        Core's own queue takes the oldest messages whatever their company and then asks
        for the one gateway of them all, which raises as soon as two companies meet
        (odoo19: the queue stops for everyone).
        """
        domain = self._get_queue_domain()
        batch_size = self._get_send_batch_size()
        records = self.search(
            domain, limit=batch_size, order="id"
        ).try_lock_for_update()
        if not records:
            return
        records._send(unlink_failed=False, unlink_sent=True, raise_exception=False)
        remaining = self.search_count(domain, limit=batch_size)
        self.env["ir.cron"]._commit_progress(len(records), remaining=remaining)

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Leave the messages of silent companies in the queue, send the others."""
        sendable = self.filtered(lambda sms: not sms.sudo().company_id.club_silent)
        return super(SmsSms, sendable).send(
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )

    def _get_sms_company(self):
        return self.company_id or super()._get_sms_company()

    def _split_by_api(self):
        """Route every message by its line and company, then as core does."""
        by_route = defaultdict(self.browse)
        for sms in self:
            gateway = sms.sudo().line_id.gateway or "odoo"
            by_route[gateway, sms.company_id] += sms
        for (gateway, company), messages in by_route.items():
            if gateway == "test":
                yield SmsApiTest(self.env), messages
                continue
            routed = messages.with_company(company) if company else messages
            for api_, batch in super(SmsSms, routed)._split_by_api():
                if company:
                    api_._set_company(company)
                yield api_, batch

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Split by gateway also where core calls ``_send`` on a mixed batch."""
        if self.env.context.get("sms_api"):
            return super()._send(unlink_failed, unlink_sent, raise_exception)
        for sms_api, messages in self._split_by_api():
            for batch_ids in messages._split_batch():
                self.browse(batch_ids).with_context(sms_api=sms_api)._send(
                    unlink_failed=unlink_failed,
                    unlink_sent=unlink_sent,
                    raise_exception=raise_exception,
                )
        return None

    # === RIGHTS === #

    def action_set_canceled(self):
        """Cancel what still waits; a message on its way cannot be called back."""
        return super(
            SmsSms, self.filtered(lambda sms: sms.state in ("outgoing", "error"))
        ).action_set_canceled()
