import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...tools.sms_text import with_suffix

# What panels take for a link, bare names of sites included.
LINK = re.compile(
    r"https?://|\bwww\.|\b[\w-]+\.(?:ir|com|net|org|me|shop|app|info)\b", re.IGNORECASE
)


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
        help="A service line reaches everyone who stopped neither this line nor all "
        "SMS; an advertising line respects every refusal.",
    )
    gateway = fields.Selection(
        [
            ("odoo", "Odoo: whatever the company uses"),
            ("test", "Test: nothing leaves this server"),
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
            or False, "checkin_id": int or False}``, any number; one is queued per dict.
            Optional: ``source`` (str; a second message of the same source is not
            queued), ``due_at`` (naive UTC, not before), ``template_id`` and ``res_id``
            (what the text was rendered from, for lines that send approved patterns)
        :return: per message ``(sms id, None)``, or ``(None, reason)`` with a reason of
            ``club.checkin.message_reason``
        :rtype: list[tuple]
        """
        self.ensure_one()
        due_at = self._get_opening(fields.Datetime.now())
        refused, room = self._judge_numbers(
            [message["number"] for message in messages],
            [message.get("partner_id") for message in messages],
            due_at,
        )
        seen = self._get_known_sources(messages)
        problems = self._get_problems(messages)
        results, accepted, positions = [], [], []
        for at, message in enumerate(messages):
            number, source = message["number"], message.get("source")
            if source and source in seen:
                reason = "known"
            else:
                reason = problems[at] or refused.get(number)
            if not reason and room.get(number, 1) <= 0:
                # The same person twice in this call.
                reason = "cap_day"
            results.append((None, reason))
            if not reason:
                seen.add(source)
                positions.append(at)
                accepted.append(message)
                if number in room:
                    room[number] -= 1
        queued = self._insert_messages(accepted, due_at)
        for at, sms_id in zip(positions, queued, strict=True):
            results[at] = (sms_id, None)
        return results

    def _get_known_sources(self, messages):
        """Sources among these that have made a message already; never purged."""
        sources = [message["source"] for message in messages if message.get("source")]
        if not sources:
            return set()
        self.env["sms.tracker"].flush_model(["source"])
        rows = self.env.execute_query(
            SQL("SELECT source FROM sms_tracker WHERE source = ANY(%s)", sources)
        )
        return {source for (source,) in rows}

    def _get_home(self):
        """How the numbers begin that this line sends to.

        :rtype: str
        """
        code = self.company_id.country_id.phone_code
        return "+" if self.foreign_allowed else f"+{code or ''}"

    def _get_problems(self, messages):
        """What is wrong with the messages themselves, whoever gets them; a hook.

        :param list messages: as in :meth:`_queue_messages`
        :return: for each a reason of ``club.checkin.message_reason``, or None
        :rtype: list
        """
        home = self._get_home()
        links_allowed = self.links_allowed
        problems = []
        for message in messages:
            body = message["body"]
            if not body or body.isspace():
                problems.append("empty")
            elif not message["number"].startswith(home):
                problems.append("foreign")
            elif not links_allowed and LINK.search(body):
                problems.append("link")
            else:
                problems.append(None)
        return problems

    def _insert_messages(self, messages, due_at):
        """Create the rows of messages that nothing refuses.

        :param datetime due_at: when the line may send next
        :return: their ids, in order
        :rtype: list[int]
        """
        if not messages:
            return []
        return self._create_messages(
            messages, self._prepare_sms_values(messages, due_at)
        )

    def _prepare_sms_values(self, messages, due_at):
        """Values of the rows of messages; a hook.

        :param list messages: as in :meth:`_queue_messages`
        :param datetime due_at: when the line may send next
        :return: as many dicts, all with the same keys
        :rtype: list[dict]
        """
        suffix = self.optout_suffix or ""
        opening = False if self.message_class == "service" else due_at
        of_all = {
            "company_id": self.company_id.id,
            "line_id": self.id,
            "message_class": self.message_class,
        }
        return [
            {
                **of_all,
                "number": message["number"],
                "body": with_suffix(message["body"], suffix),
                "partner_id": message.get("partner_id"),
                "source": message.get("source"),
                "due_at": (
                    max(message["due_at"], due_at) if message.get("due_at") else opening
                ),
            }
            for message in messages
        ]
