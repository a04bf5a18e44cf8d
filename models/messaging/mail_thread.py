from odoo import fields, models

from ...tools.sms_route import SmsRoute


class MailThread(models.AbstractModel):
    """Messages that apps and people send from a document, without the composer."""

    _inherit = "mail.thread"

    def _message_sms_with_template(
        self,
        template=False,
        template_xmlid=False,
        template_fallback="",
        partner_ids=False,
        **kwargs,
    ):
        """The text's class decides who may be reached; service texts are noted."""
        self.ensure_one()
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        record = self
        if template and not self._has_sms_route():
            message_class = template.sudo().message_class
            route = self._get_sms_route(message_class, template_id=template.id)
            record = self.with_context(sms_route=route)
            if message_class == "service":
                self.env["sms.service.log"]._note(
                    "send",
                    template,
                    company_id=route.company_id,
                    model=self._name,
                    message_count=1,
                )
        return super(MailThread, record)._message_sms_with_template(
            template=template,
            template_xmlid=template_xmlid,
            template_fallback=template_fallback,
            partner_ids=partner_ids,
            **kwargs,
        )

    def _message_sms(self, body, **kwargs):
        """Only server code comes this way; of its texts nobody said a class."""
        record = self
        if not self._has_sms_route():
            record = self.with_context(sms_route=SmsRoute())
        return super(MailThread, record)._message_sms(body, **kwargs)

    def _notify_thread_by_sms(self, message, recipients_data, **kwargs):
        """What somebody posts as an SMS is a text typed by hand, as in the composer."""
        record = self
        by_sms = kwargs.get("sms_numbers") or any(
            recipient["notif"] == "sms" for recipient in recipients_data
        )
        if by_sms and not self._has_sms_route():
            record = self.with_context(sms_route=self._get_sms_route("advertising"))
        return super(MailThread, record)._notify_thread_by_sms(
            message, recipients_data, **kwargs
        )

    def _has_sms_route(self):
        """Whether the server put one in: whatever else stands there is none."""
        return isinstance(self.env.context.get("sms_route"), SmsRoute)

    def _get_sms_route(self, message_class, template_id=0):
        """How a text of a class leaves for this document.

        :rtype: SmsRoute
        """
        company = self.env.company
        if self:
            company = self._mail_get_companies(default=company)[self.id]
        line = company._get_sms_line(message_class)
        due_at = None
        if line and message_class == "advertising":
            due_at = line._next_due(fields.Datetime.now())
        return SmsRoute(
            line.id or 0,
            company.id,
            message_class,
            due_at,
            template_id=template_id,
        )
