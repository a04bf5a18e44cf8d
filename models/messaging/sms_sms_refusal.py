from odoo import api, fields, models

from ...tools.refusal import FAILURE_TYPES, REASONS
from ...tools.sms_route import SmsRoute
from ...tools.sms_text import with_suffix

CORE = {"sms_optout", "sms_blacklist"}
FAILURES = [
    (FAILURE_TYPES[reason], label)
    for reason, label in REASONS
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
        lines = self.env["sms.line"].sudo()
        for vals in vals_list:
            for name in "line_id", "company_id", "message_class", "due_at":
                if getattr(route, name):
                    vals.setdefault(name, getattr(route, name))
            if vals.get("line_id") and not route.judged:
                suffix = lines.browse(vals["line_id"]).optout_suffix or ""
                vals["body"] = with_suffix(vals.get("body") or "", suffix)
        messages = super().create(vals_list)
        if not route.judged:
            messages._refuse()
        self.env["sms.advertising"].sudo()._count_in(messages)
        due = [message.due_at for message in messages if message.due_at]
        if due:
            cron = self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()
            cron._trigger(sorted(set(due)))
        return messages

    def _refuse(self):
        """Cancel those of these messages that may not leave, with the reason."""
        waiting = self.sudo().filtered(
            lambda sms: sms.state == "outgoing" and sms.number
        )
        consents = self.env["customer.consent"].sudo()
        for (company, line, message_class), batch in waiting.grouped(
            lambda sms: (sms.company_id, sms.line_id, sms.message_class)
        ).items():
            refused = consents._judge(
                company,
                batch.mapped("number"),
                message_class,
                line=line,
                partner_ids=[sms.partner_id.id for sms in batch],
            ).refused
            for reason, messages in batch.grouped(
                lambda sms, refused=refused: refused.get(sms.number)
            ).items():
                if reason:
                    messages.write(
                        {"state": "canceled", "failure_type": FAILURE_TYPES[reason]}
                    )

    def action_set_outgoing(self):
        """Queue again, unless a refusal came in the meantime."""
        result = super().action_set_outgoing()
        self._refuse()
        return result

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
