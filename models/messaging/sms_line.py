from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.sms_route import SmsRoute
from ...tools.sms_text import with_suffix


class SmsLine(models.Model):
    """A sender number of one class; the line decides who may be reached."""

    _name = "sms.line"
    _description = "SMS Line"
    _order = "sequence, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    message_class = fields.Selection(
        [("service", "Service"), ("advertising", "Advertising")],
        required=True,
        default="service",
        help="A service line reaches everyone who did not ask for no SMS at all; an "
        "advertising line respects every refusal.",
    )
    gateway = fields.Selection(
        [
            ("odoo", "Odoo: whatever the company uses"),
            ("test", "Test: marks as sent, nothing leaves this server"),
        ],
        required=True,
        default="odoo",
    )
    optout_suffix = fields.Char(
        string="Opt-out ending",
        help="Put at the end of every text of this line, such as «لغو11» on Iranian "
        "lines. It is counted with the text.",
    )

    @api.constrains("company_id")
    def _check_company_id(self):
        for line in self:
            if (
                self.env["sms.sms"]
                .sudo()
                .search_count(
                    [
                        ("line_id", "=", line.id),
                        ("company_id", "!=", line.company_id.id),
                    ],
                    limit=1,
                )
            ):
                raise ValidationError(
                    line.env._(
                        "Messages of another company went over this line. Make a new "
                        "line instead of moving it."
                    )
                )

    def _queue_messages(self, messages):
        """Queue one text per message on this line: the one door for our messages.

        Refusals are applied here, so that no caller can forget them, and advertising
        waits for the line's hours.

        :param list messages: dicts ``{"number": E.164, "body": str, "partner_id": int
            or False, "checkin_id": int or False}``, any number; one is queued per dict
        :return: per message ``(sms id, None)``, or ``(None, reason)``; the reason is
            ``empty`` or of ``tools.refusal.REASONS``
        :rtype: list[tuple]
        """
        self.ensure_one()
        due_at = False
        if self.message_class == "advertising":
            due_at = self._next_due(fields.Datetime.now())
        refused, room = self._judge_numbers(
            [message["number"] for message in messages],
            [message.get("partner_id") for message in messages],
            due_at,
        )
        results, vals_list, positions = [], [], []
        for message in messages:
            body = with_suffix(message["body"], self.optout_suffix or "")
            if not message["body"].strip():
                results.append((None, "empty"))
            elif message["number"] in refused:
                results.append((None, refused[message["number"]]))
            elif room.get(message["number"], 1) <= 0:
                # The same person twice in this call.
                results.append((None, "cap_day"))
            else:
                if message["number"] in room:
                    room[message["number"]] -= 1
                positions.append(len(results))
                results.append(None)
                vals_list.append(
                    {
                        "number": message["number"],
                        "body": body,
                        "partner_id": message.get("partner_id"),
                        "company_id": self.company_id.id,
                        "line_id": self.id,
                        "message_class": self.message_class,
                        "due_at": due_at,
                    }
                )
        queued = ()
        if vals_list:
            judged = SmsRoute(judged=True)
            messages_sudo = self.env["sms.sms"].sudo().with_context(sms_route=judged)
            queued = messages_sudo.create(vals_list)
        self.env["sms.tracker"].sudo().create(
            [
                {"sms_uuid": sms.uuid, "checkin_id": messages[at]["checkin_id"]}
                for at, sms in zip(positions, queued, strict=True)
                if messages[at].get("checkin_id")
            ]
        )
        for at, sms in zip(positions, queued, strict=True):
            results[at] = (sms.id, None)
        return results
