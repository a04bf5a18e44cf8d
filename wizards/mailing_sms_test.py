from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError

from ..tools.placeholder import placeholders


class MailingSmsTest(models.TransientModel):
    """A test of a group message goes the way the message itself will go.

    Core hands it to its own provider, whatever the line, and past every refusal.
    """

    _inherit = "mailing.sms.test"

    def action_send_sms(self):
        self.ensure_one()
        line = self.mailing_id.line_id
        if not line:
            self._check_text()
            self._leave_out_refused()
            return super().action_send_sms()
        self._check_class(line.sudo().message_class)
        company = line.sudo().company_id
        typed = [one.strip() for one in self.numbers.splitlines() if one.strip()]
        numbers = {one: self.env.user._phone_format(number=one) for one in typed}
        valid = list(dict.fromkeys(filter(None, numbers.values())))
        ours = self._get_employees_numbers(valid)
        message = self._prepare_test_message(company)
        results = line.sudo()._queue_tests(
            [{**message, "number": one} for one in valid if one in ours]
        ) + line.sudo()._queue_messages(
            # Whoever is not of us gets it as everybody does, or not at all.
            [{**message, "number": one} for one in valid if one not in ours]
        )
        order = sorted(valid, key=lambda one: one not in ours)
        self._log_results(
            list(zip(order, results, strict=True)),
            [one for one, number in numbers.items() if not number],
        )
        return True

    def _check_text(self):
        """Without a line core renders the text, which knows none of our names."""
        mailing = self.mailing_id
        checker = self.env["sms.placeholder"]
        text = mailing.body_plaintext or ""
        ours = placeholders(text) and checker._is_plain(
            text, mailing.mailing_model_real
        )
        if ours or mailing.audience_mode != "odoo":
            raise UserError(
                self.env._(
                    "Choose a line first: the test goes the way the message will."
                )
            )

    def _get_employees_numbers(self, numbers):
        """Those of the numbers that belong to employees.

        :rtype: set[str]
        """
        users = self.env["res.users"].sudo()
        found = users.search(
            [
                ("share", "=", False),
                ("partner_id.phone_sanitized", "in", numbers),
            ]
        )
        return set(found.partner_id.mapped("phone_sanitized"))

    def _check_class(self, line_class):
        """Over a service line only a service text goes, by whoever may send it."""
        if line_class != "service":
            return
        template = self.mailing_id.sms_template_id
        if template.sudo().message_class != "service":
            raise UserError(
                self.env._(
                    "A service line carries no advertising. Choose an advertising "
                    "line, or a text of the class Service."
                )
            )
        template._check_may_send_service()
        self.env["sms.service.log"]._note(
            "send",
            template,
            company_id=self.mailing_id.line_id.sudo().company_id.id,
            line_id=self.mailing_id.line_id.id,
            model=self.mailing_id.mailing_model_real,
            message_count=len(self.numbers.splitlines()),
        )

    def _prepare_test_message(self, company):
        """The text as the tester would get it, or as the first document would.

        :rtype: dict
        """
        mailing = self.mailing_id
        template = mailing.sms_template_id
        partner = self.env.user.partner_id
        if mailing.audience_mode != "odoo":
            [body] = mailing._render_rows([(0, partner.id, None, None, "")]).values()
            return {"body": body, "template_id": template.id, "res_id": partner.id}
        record = self.env[mailing.mailing_model_real].search([], limit=1)
        return {
            "body": self._render(mailing.body_plaintext, record.with_company(company)),
            "template_id": template.id,
            "res_id": record.id,
        }

    def _render(self, text, record):
        if not record:
            return text
        checker = self.env["sms.placeholder"]
        if checker._is_plain(text, record._name):
            rendered = checker._render_by_lang(text, record, sample=True)
        else:
            rendered = self.env["mail.render.mixin"]._render_template(
                text, record._name, record.ids
            )
        return rendered[record.id]

    def _leave_out_refused(self):
        """Core sends to whoever is typed in: leave those who said no."""
        typed = [one.strip() for one in self.numbers.splitlines() if one.strip()]
        numbers = {one: self.env.user._phone_format(number=one) for one in typed}
        valid = [number for number in numbers.values() if number]
        ours = self._get_employees_numbers(valid)
        judge = self.env["customer.consent"].sudo()._judge
        company = self.mailing_id.sudo().company_id or self.env.company
        refused = {
            **judge(company, sorted(ours), False).refused,
            **judge(company, sorted(set(valid) - ours), "advertising").refused,
        }
        if refused:
            self._log_results(
                [(number, (None, reason)) for number, reason in refused.items()], []
            )
        self.numbers = "\n".join(
            number or one for one, number in numbers.items() if number not in refused
        )

    def _log_results(self, results, invalid):
        """Say in the chatter what became of each number.

        :param list results: ``(number, (sms id, reason))``
        :param list invalid: as typed
        """
        labels = self.env["club.checkin"]._fields["message_reason"]
        words = dict(labels._description_selection(self.env))
        lines = [
            self.env._("The test to %(number)s is on its way.", number=number)
            if sms_id
            else self.env._(
                "No test to %(number)s: %(reason)s.",
                number=number,
                reason=words[reason],
            )
            for number, (sms_id, reason) in results
        ]
        if invalid:
            lines.append(
                self.env._(
                    "No mobile numbers: %(numbers)s.",
                    numbers=", ".join(invalid),
                )
            )
        items = Markup().join(Markup("<li>%s</li>") % line for line in lines)
        self.mailing_id._message_log(body=Markup("<ul>%s</ul>") % items)
