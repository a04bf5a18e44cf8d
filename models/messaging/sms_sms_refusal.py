import contextlib
import re
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.phone import PhoneError, parse_phone
from ...tools.refusal import FAILURE_TYPES, PROBLEMS, REASONS
from ...tools.sms_route import SmsRoute
from ...tools.sms_text import with_suffix

CORE = {"sms_optout", "sms_blacklist"}
# What a message of a line was judged by, and is known by.
JUDGED = {
    *("body", "number", "partner_id", "line_id", "message_class", "company_id"),
    *("source", "uuid", "approval_id", "params"),
}
# From where a person may move a message of a line to another state.
MOVABLE = ("outgoing", "error", "canceled")
E164 = re.compile(r"\+[0-9]+")
FAILURES = [
    (FAILURE_TYPES[reason], label)
    for reason, label in REASONS + PROBLEMS
    if FAILURE_TYPES[reason] not in CORE
]


class SmsSms(models.Model):
    """The last gate: whatever creates a message, a refused one is never queued."""

    _inherit = "sms.sms"

    due_at = fields.Datetime(
        readonly=True, help="Leaves then; advertising waits for its line's hours."
    )
    failure_type = fields.Selection(selection_add=FAILURES)

    @api.model_create_multi
    def create(self, vals_list):
        """Give core's messages their line and class, and refuse who refused."""
        route = self.env.context.get("sms_route")
        route = route if isinstance(route, SmsRoute) else SmsRoute()
        by_line = defaultdict(list)
        if not route.judged:
            self._normalize_numbers(vals_list)
        for vals in vals_list:
            for name in "line_id", "company_id", "message_class", "due_at":
                if getattr(route, name):
                    vals.setdefault(name, getattr(route, name))
            if vals.get("line_id") and not route.judged:
                by_line[vals["line_id"]].append(vals)
        for line in self.env["sms.line"].sudo().browse(by_line):
            self._prepare_for_line(line, by_line[line.id], route.template_id)
        messages = super().create(vals_list)
        if not route.judged:
            messages._refuse()
        self.env["sms.advertising"].sudo()._count_in(messages)
        due = [message.due_at for message in messages if message.due_at]
        if due:
            cron = self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()
            cron._trigger(sorted(set(due)))
        return messages

    def write(self, vals):
        if not self.env.su and JUDGED & vals.keys():
            self._refuse_rewriting(vals)
        if not self.env.su and "state" in vals:
            self._refuse_moving(vals["state"])
        if vals.get("number"):
            vals = dict(vals)
            self._normalize_numbers([vals])
        return super().write(vals)

    def _refuse_rewriting(self, vals):
        """What waits on a line leaves as it was judged, whoever may write."""
        if vals.get("line_id") or self.sudo().line_id:
            raise UserError(
                self.env._(
                    "The text, number, line and class of a message on a line stay as "
                    "they were when it was queued. Cancel it and write a new one."
                )
            )

    def _refuse_moving(self, state):
        """What has left a line, or may have, leaves it once."""
        on_lines = self.sudo().filtered("line_id")
        if on_lines.filtered(lambda sms: sms.state not in (*MOVABLE, state)):
            raise UserError(
                self.env._(
                    "A message that has left, or may have left, is not sent again. "
                    "Write a new one."
                )
            )

    def _normalize_numbers(self, vals_list):
        """Refusals are of E.164 numbers: another spelling would slip past them."""
        country = self.env.company.sudo().country_id.code or "IR"
        for vals in vals_list:
            number = vals.get("number")
            if number and not E164.fullmatch(number):
                with contextlib.suppress(PhoneError):
                    vals["number"] = parse_phone(
                        number, country, foreign_allowed=True
                    ).e164

    def _prepare_for_line(self, line, vals_list, template_id):
        """Give values of messages what their line asks of every text: its company and
        class, its ending, the panel's approval; and cancel what it does not carry.

        :param line: ``sms.line``
        :param list vals_list: changed in place
        :param int template_id: the saved text they were rendered from, else 0
        """
        documents = self.env["mail.message"].browse(
            [vals.get("mail_message_id") or 0 for vals in vals_list]
        )
        waiting = []
        for vals, document in zip(vals_list, documents, strict=True):
            vals["company_id"] = line.company_id.id
            if line.message_class == "advertising":
                vals["message_class"] = "advertising"
            body = vals.get("body") or ""
            vals["body"] = with_suffix(body, line.optout_suffix or "")
            if vals.get("number") and vals.get("state", "outgoing") == "outgoing":
                res_id = document.id and document.sudo().res_id
                message = {"number": vals["number"], "body": body}
                message |= {"template_id": template_id, "res_id": res_id}
                waiting.append((vals, message))
        problems = line._get_problems([message for _vals, message in waiting])
        for (vals, _message), problem in zip(waiting, problems, strict=True):
            if problem:
                vals.update(state="canceled", failure_type=FAILURE_TYPES[problem])
        fine = [pair for pair in waiting if pair[0].get("state") != "canceled"]
        line._with_approvals([message for _vals, message in fine])
        for vals, message in fine:
            for name in {"approval_id", "params"} & message.keys():
                vals[name] = message[name]

    def _refuse(self, caps=True):
        """Cancel those of these messages that may not leave, with the reason.

        :param bool caps: as of ``customer.consent._judge``
        """
        waiting = self.sudo().filtered(
            lambda sms: sms.state == "outgoing" and sms.number
        )
        for reason, messages in waiting._get_refused(caps).items():
            messages._cancel_refused(reason)

    def _cancel_refused(self, reason):
        failure_type = FAILURE_TYPES[reason]
        self.write({"state": "canceled", "failure_type": failure_type})
        self.sudo().sms_tracker_id._action_update_from_sms_state(
            "canceled", failure_type=failure_type
        )

    def _get_refused(self, caps=True):
        """Which of these messages the rule stops, whatever their state.

        :return: messages by reason
        :rtype: dict[str, recordset]
        """
        found = defaultdict(self.browse)
        consents = self.env["customer.consent"].sudo()
        for (company, line, message_class), batch in self.grouped(
            lambda sms: (sms.company_id, sms.line_id, sms.message_class)
        ).items():
            refused = consents._judge(
                company,
                batch.mapped("number"),
                message_class,
                line=line,
                partner_ids=[sms.partner_id.id for sms in batch],
                caps=caps,
            ).refused
            for sms in batch:
                if reason := refused.get(sms.number):
                    found[reason] += sms
        return found

    def action_set_outgoing(self):
        """Queue again, unless a refusal came in the meantime, or it has left."""
        waiting = self.filtered(
            lambda sms: not sms.line_id or sms.state in ("error", "canceled")
        )
        # Judged before it waits: what waits counts against the caps.
        for reason, messages in waiting.sudo()._get_refused().items():
            messages._cancel_refused(reason)
            waiting -= messages
        return super(SmsSms, waiting).action_set_outgoing()

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Whoever refused since a message was queued does not get it; those on lines
        meet the same question when they are claimed.
        """
        messages = self
        if self.env.context.get("sms_api"):
            self._refuse(caps=False)
            messages = self.filtered(lambda sms: sms.state != "canceled")
            if not messages:
                return None
        return super(SmsSms, messages)._send(
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )

    # === DUE TIME === #

    @api.model
    def _get_queue_domain(self):
        """Nothing before it is due."""
        return [
            *super()._get_queue_domain(),
            "|",
            ("due_at", "=", False),
            ("due_at", "<=", fields.Datetime.now()),
        ]

    def send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Leave what is not due yet in the queue."""
        now = fields.Datetime.now()
        due = self.filtered(lambda sms: not sms.due_at or sms.due_at <= now)
        return super(SmsSms, due).send(
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )


class MailNotification(models.Model):
    """The same reasons in the chatter; core lacks those of its own mass mode."""

    _inherit = "mail.notification"

    failure_type = fields.Selection(
        selection_add=[
            ("sms_blacklist", "Blacklisted"),
            ("sms_duplicate", "Duplicate"),
            ("sms_optout", "Opted Out"),
            *FAILURES,
        ]
    )


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    failure_type = fields.Selection(selection_add=FAILURES)
