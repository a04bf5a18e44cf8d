from odoo import fields, models

from ...tools.sms_route import SmsRoute


class MailThread(models.AbstractModel):
    """Messages that apps send with a text of their own."""

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
        # A route is put in by the server only: whatever else stands there is none.
        if template and not isinstance(self.env.context.get("sms_route"), SmsRoute):
            company = self._mail_get_companies(default=self.env.company)[self.id]
            message_class = template.sudo().message_class
            line = company._get_sms_line(message_class)
            due_at = None
            if line and message_class == "advertising":
                due_at = line._next_due(fields.Datetime.now())
            route = SmsRoute(
                line.id or 0,
                company.id,
                message_class,
                due_at,
                template_id=template.id,
            )
            record = self.with_context(sms_route=route)
            if route.message_class == "service":
                self.env["sms.service.log"]._note(
                    "send",
                    template,
                    company_id=company.id,
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
