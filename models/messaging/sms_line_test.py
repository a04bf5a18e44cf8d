import uuid

from odoo import fields, models
from odoo.exceptions import UserError

TEST_SOURCE = "test,"


class SmsLine(models.Model):
    """Trying a line: a text to whoever asks for it, over the real line and queue.

    The employee asked for it, so it needs no consent and counts against no cap; a
    refusal of their own holds, as for everybody.
    """

    _inherit = "sms.line"

    def action_send_test(self):
        """Send a text to the user's own mobile, and show what becomes of it."""
        self.ensure_one()
        self.check_access("write")
        partner = self.env.user.partner_id
        number = partner._get_sms_numbers(self.company_id).get(partner.id)
        if not number:
            raise UserError(
                self.env._("Write your mobile number in your preferences first.")
            )
        if self.paused:
            raise UserError(self.env._("The line is paused: resume it first."))
        message = {
            "number": number,
            "partner_id": partner.id,
            **self._prepare_test_text(partner),
        }
        [(sms_id, reason)] = self._queue_tests([message])
        if reason:
            labels = self.env["club.checkin"]._fields["message_reason"]
            words = dict(labels._description_selection(self.env))[reason]
            raise UserError(self.env._("Nothing was sent: %(reason)s.", reason=words))
        view = self.env.ref("customer_segmentation.sms_sms_view_form_club")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Test message"),
            "res_model": "sms.sms",
            "res_id": sms_id,
            "view_mode": "form",
            "views": [(view.id, "form")],
            "target": "new",
        }

    def _prepare_test_text(self, partner):
        """The words of a test; on a line of approved texts only one of those can go.

        :rtype: dict
        """
        if self.text_policy == "free":
            body = self.env._(
                "Test of the line «%(line)s» of %(company)s.",
                line=self.name,
                company=self.company_id.name,
            )
            return {"body": body}
        approved = self.approval_ids.filtered(
            lambda approval: (
                approval.state == "approved"
                and approval.template_id.model_id.model == partner._name
            )
        )[:1]
        if not approved:
            raise UserError(
                self.env._(
                    "This line carries approved texts only: a test can be sent once "
                    "the panel has approved one."
                )
            )
        template = approved.template_id
        [body] = template._render_field("body", partner.ids, compute_lang=True).values()
        return {"body": body, "template_id": template.id, "res_id": partner.id}

    def _queue_tests(self, messages):
        """Queue texts that employees asked for.

        :param list messages: as of :meth:`_queue_messages`
        :return: as of :meth:`_queue_messages`
        :rtype: list[tuple]
        """
        refused = self._judge_tests(
            [message["number"] for message in messages],
            [message.get("partner_id") for message in messages],
        )
        results, accepted = [], []
        problems = self._get_problems(messages)
        for message, problem in zip(messages, problems, strict=True):
            reason = problem or refused.get(message["number"])
            results.append((None, reason))
            if not reason:
                source = f"{TEST_SOURCE}{uuid.uuid4().hex}"
                accepted.append({**message, "source": source})
        due_at = self._get_opening(fields.Datetime.now())
        queued = iter(self._insert_messages(accepted, due_at))
        return [
            (None, reason) if reason else (next(queued), None)
            for _none, reason in results
        ]

    def _judge_tests(self, numbers, partner_ids):
        """What people said themselves, without consent and caps: reason by number."""
        known = self.message_class == "service" and "service"
        return self._judge_numbers(numbers, partner_ids, message_class=known).refused
