from odoo import api, fields, models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    # No index: thousands of rows are written at once, and the queue has its own.
    company_id = fields.Many2one("res.company", ondelete="set null", readonly=True)
    line_id = fields.Many2one("sms.line", ondelete="restrict", readonly=True)
    message_class = fields.Selection(
        [("service", "Service"), ("advertising", "Advertising")], readonly=True
    )

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

    @api.depends("partner_id.name", "number")
    def _compute_display_name(self):
        # Called by a number, its page would begin at the wrong end in Persian.
        for message in self:
            message.display_name = message.sudo().partner_id.name or message.number

    # === SENDING === #

    @api.model
    def _get_queue_domain(self):
        """What core's own providers may send now: no line's, no silent company's."""
        return [
            ("state", "=", "outgoing"),
            ("to_delete", "!=", True),
            ("line_id", "=", False),
            ("company_id.club_silent", "!=", True),
        ]

    @api.model
    def _process_queue(self):
        """One batch of a line, then one of what goes without a line.

        Core's own queue takes the oldest messages whatever their company and then asks
        for the one gateway of them all, which raises as soon as two companies meet
        (odoo19: the queue stops for everyone).
        """
        cron = self.env["ir.cron"]
        handled, more = self.env["sms.queue"]._send_slice()
        domain = self._get_queue_domain()
        batch_size = self._get_send_batch_size()
        records = self.search(
            domain, limit=batch_size, order="id"
        ).try_lock_for_update()
        if records:
            records._send(unlink_failed=False, unlink_sent=True, raise_exception=False)
        remaining = self.search_count(domain, limit=batch_size) if records else 0
        cron._commit_progress(handled + len(records), remaining=remaining + more)

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Send what goes without a line; a line's messages are sent by its queue only.

        So «Send now» asks the queue to hurry: in a request an answer that never comes
        could not be told from a refusal. Messages of silent companies wait.
        """
        on_lines = self.filtered("line_id")
        waiting = on_lines.filtered(lambda sms: sms.state == "outgoing")
        if waiting:
            waiting.sudo().filtered("tries").write({"due_at": False})
            self.env["sms.queue"]._wake()
        sendable = (self - on_lines).filtered(
            lambda sms: not sms.sudo().company_id.club_silent
        )
        return super(SmsSms, sendable).send(
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )

    def _get_sms_company(self):
        return self.company_id or super()._get_sms_company()

    def _split_by_api(self):
        """Every company by its own provider, as core does for one."""
        for company, messages in self.grouped("company_id").items():
            routed = messages.with_company(company) if company else messages
            for api_, batch in super(SmsSms, routed)._split_by_api():
                if company:
                    api_._set_company(company)
                yield api_, batch

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Split by company also where core calls ``_send`` on a mixed batch."""
        if on_lines := self.filtered("line_id"):
            return (self - on_lines)._send(unlink_failed, unlink_sent, raise_exception)
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
