from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.refusal import FAILURE_TYPES, PROBLEMS, REASONS
from ..tools.sms_route import SmsRoute


class SmsComposer(models.TransientModel):
    """Core's composer under the one rule of who may be reached."""

    _inherit = "sms.composer"

    message_class = fields.Selection(
        [("service", "Service"), ("advertising", "Advertising")],
        string="Class",
        compute="_compute_message_class",
        compute_sudo=True,
    )
    line_id = fields.Many2one(
        "sms.line",
        compute="_compute_line_id",
        store=True,
        readonly=False,
        help="The line decides who may be reached. Empty: Odoo's own gateway.",
    )
    line_suffix = fields.Char(compute="_compute_line_suffix", compute_sudo=True)
    is_fixed_text = fields.Boolean(compute="_compute_is_fixed_text", compute_sudo=True)
    refusal_info = fields.Text(compute="_compute_refusal_info")
    due_info = fields.Char(compute="_compute_due_info")
    forbids_links = fields.Boolean(compute="_compute_forbids_links")

    # === COMPUTE METHODS === #

    @api.depends("template_id")
    def _compute_message_class(self):
        for composer in self:
            composer.message_class = composer.template_id.message_class or "advertising"

    @api.depends("message_class", "res_model", "res_id", "res_ids", "mailing_id")
    def _compute_line_id(self):
        for composer in self:
            line = composer._get_company()._get_sms_line(composer.message_class)
            composer.line_id = composer.mailing_id.sudo().line_id or line

    @api.depends("line_id")
    def _compute_line_suffix(self):
        for composer in self:
            composer.line_suffix = composer.line_id.optout_suffix

    @api.depends("line_id", "template_id")
    def _compute_is_fixed_text(self):
        """Service texts and what a panel approved go out as they were saved."""
        for composer in self:
            policy = composer.line_id.text_policy or "free"
            composer.is_fixed_text = composer.template_id and (
                composer.template_id.message_class == "service" or policy != "free"
            )

    @api.depends(
        *("line_id", "message_class", "recipient_single_number_itf", "numbers"),
        *("body", "template_id"),
    )
    def _compute_refusal_info(self):
        labels = self._reason_labels()
        for composer in self:
            counts = {}
            for reason in composer._refused_recipients().values():
                counts[reason] = counts.get(reason, 0) + 1
            composer.refusal_info = "\n".join(
                f"{labels[reason]}: {counts[reason]}"
                if composer.composition_mode == "mass"
                else labels[reason]
                for reason, _label in PROBLEMS + REASONS
                if reason in counts
            )

    @api.depends("line_id", "message_class")
    def _compute_due_info(self):
        for composer in self:
            due_at = composer._get_route().due_at
            composer.due_info = due_at and composer.env._(
                "Leaves on %s, when the line's hours for advertising begin.",
                composer.env["sms.placeholder"]._moment(
                    due_at, composer.line_id.sudo().tz, composer.env.lang
                ),
            )

    @api.depends("line_id", "body")
    def _compute_forbids_links(self):
        for composer in self:
            composer.forbids_links = composer.line_id._forbids_links(composer.body)

    # === ROUTE === #

    def _get_company(self):
        """The company whose refusals count: the documents', else the current one."""
        self.ensure_one()
        if self.mailing_id:
            return self.mailing_id.sudo().company_id or self.env.company
        records = self._get_records()
        if records and "company_id" in records._fields:
            companies = records.sudo().company_id
            if len(companies) == 1:
                return companies
        return self.env.company

    def _get_class(self):
        """A service text over an advertising line is treated as advertising."""
        line_class = self.line_id.sudo().message_class
        return "advertising" if line_class == "advertising" else self.message_class

    def _get_route(self):
        """How these messages leave.

        :rtype: SmsRoute
        """
        line = self.line_id.sudo()
        now, due_at = fields.Datetime.now(), None
        if line and self._get_class() == "advertising":
            due_at = line._next_due(now)
        return SmsRoute(
            line_id=line.id or 0,
            company_id=self._get_company().id,
            message_class=self._get_class() or "",
            due_at=due_at if due_at and due_at > now else None,
            judged=self.composition_mode == "mass",
            template_id=self.template_id.id if self.is_fixed_text else 0,
        )

    def _reason_labels(self):
        field = self.env["club.checkin"]._fields["message_reason"]
        return dict(field._description_selection(self.env))

    def _judge(self, numbers, partner_ids):
        route = self._get_route()
        return (
            self.env["customer.consent"]
            .sudo()
            ._judge(
                self._get_company(),
                numbers,
                route.message_class,
                line=self.line_id,
                partner_ids=partner_ids,
                due=route.due_at,
            )
            .refused
        )

    def _prepare_line_messages(self, numbers, bodies, res_ids):
        """Messages as the line's own rules look at them.

        :param list numbers: E.164
        :param list bodies: texts, of each
        :param list res_ids: documents, of each
        """
        template_id = self.template_id.id if self.is_fixed_text else False
        return [
            {
                "number": number,
                "body": body or "",
                "template_id": template_id,
                "res_id": res_id,
            }
            for number, body, res_id in zip(numbers, bodies, res_ids, strict=True)
        ]

    def _find_problems(self, numbers):
        """What the line does not carry of what is typed here: reason by number."""
        if not self.line_id or not (self.body or "").strip():
            return {}
        messages = self._prepare_line_messages(
            numbers, [self.body] * len(numbers), [False] * len(numbers)
        )
        problems = self.line_id.sudo()._get_problems(messages)
        return {
            number: problem
            for number, problem in zip(numbers, problems, strict=True)
            if problem
        }

    def _refused_recipients(self):
        """Reason by record id, or by number where there are no records."""
        self.ensure_one()
        if self.composition_mode == "numbers" or not self._get_records():
            numbers = (self.sanitized_numbers or "").split(",")
            numbers = [number for number in numbers if number]
            refused = self._judge(numbers, [False] * len(numbers))
            return {**refused, **self._find_problems(numbers)}
        records = self._get_records()
        recipients = self._prepare_recipient_values(records)
        numbers = {
            record.id: recipients[record.id]["sanitized"]
            for record in records
            if recipients[record.id]["sanitized"]
        }
        if self.comment_single_recipient and self.recipient_single_number_itf:
            typed = records._phone_format(number=self.recipient_single_number_itf)
            numbers = {records.id: typed} if typed else {}
        refused = self._judge(
            list(numbers.values()),
            [recipients[record_id]["partner"].id for record_id in numbers],
        )
        refused = {**refused, **self._find_problems(list(numbers.values()))}
        return {
            record_id: refused[number]
            for record_id, number in numbers.items()
            if number in refused
        }

    # === SENDING === #

    def _action_send_sms(self):
        """Send by the rule, and note who sends service texts."""
        self.ensure_one()
        if self.template_id.message_class == "service":
            self.env["sms.template"]._check_may_send_service()
        self._check_mailing()
        self._check_line_company()
        if self._get_class() == "advertising" and (
            self.line_id.sudo().message_class == "service"
        ):
            raise UserError(
                self.env._(
                    "A service line carries no advertising. Choose an advertising "
                    "line, or a text of the class Service."
                )
            )
        composer = self.with_context(sms_route=self._get_route())
        if composer.composition_mode != "mass":
            composer._check_refused()
        result = super(SmsComposer, composer)._action_send_sms()
        self._note_service(result)
        return result

    def _check_mailing(self):
        """Its line and company are taken from it, so it is one's own, and no campaign,
        whose recipients are those of its snapshot.

        :raise UserError: or AccessError
        """
        if not self.mailing_id:
            return
        self.mailing_id.check_access("write")
        if self.mailing_id.audience_mode != "odoo":
            raise UserError(
                self.env._("A group message goes to those chosen in it, by its Send.")
            )

    def _check_line_company(self):
        if self.line_id and self.line_id.sudo().company_id != self._get_company():
            raise UserError(
                self.env._("Choose a line of %s.", self._get_company().name)
            )

    def _check_refused(self):
        """Tell the person at the screen; of several, the others still get it.

        :raise UserError: when nobody may be reached
        """
        refused = self._refused_recipients()
        recipients = self.res_ids_count or len((self.numbers or "").split(","))
        if refused and len(refused) >= recipients:
            labels = self._reason_labels()
            raise UserError(
                self.env._(
                    "This message may not be sent: %s.",
                    ", ".join(
                        labels[reason]
                        for reason, _label in PROBLEMS + REASONS
                        if reason in refused.values()
                    ),
                )
            )

    def _note_service(self, result):
        if self.template_id.message_class != "service":
            return
        count = len(result or ())
        if result and result._name == "sms.sms":
            count = len(result.filtered(lambda sms: sms.state != "canceled"))
        # The system works off mailings; whoever queued one sends it.
        sender = self.mailing_id.sudo().launched_by_id or self.env.user
        self.env["sms.service.log"].with_user(sender)._note(
            "send",
            self.template_id,
            company_id=self._get_company().id,
            line_id=self.line_id.id,
            model=self.res_model,
            message_count=count,
        )

    def _get_blacklist_record_ids(self, records, recipients_info):
        """The rule knows the blacklist; core would load all of it."""
        return []

    def _get_done_record_ids(self, records, recipients_info):
        """Each number once; core searches a list for every recipient."""
        seen, done = set(), []
        for record in records:
            number = recipients_info[record.id]["sanitized"]
            if number in seen:
                done.append(record.id)
            seen.add(number)
        if self.mailing_id:
            done += self.mailing_id._get_seen_list_sms()[0]
        return done

    def _prepare_mass_sms_values(self, records):
        """Refused recipients are cancelled with their reason, the others routed."""
        suffix = self.line_suffix or ""
        if suffix:
            # Core's link would be a second way out, and many lines forbid links.
            self.mass_sms_allow_unsubscribe = False
        result = super()._prepare_mass_sms_values(records)
        waiting = {
            record_id: values
            for record_id, values in result.items()
            if values["state"] == "outgoing"
        }
        refused = self._judge(
            [values["number"] for values in waiting.values()],
            [values["partner_id"] for values in waiting.values()],
        )
        messages = self._prepare_line_messages(
            [values["number"] for values in waiting.values()],
            [values["body"] for values in waiting.values()],
            list(waiting),
        )
        line = self.line_id.sudo()
        problems = line._get_problems(messages) if line else [None] * len(messages)
        fine = []
        for message, values, problem in zip(
            messages, waiting.values(), problems, strict=True
        ):
            empty = None if message["body"].strip() else "empty"
            if reason := empty or problem or refused.get(message["number"]):
                self._cancel_values(values, FAILURE_TYPES[reason])
            else:
                fine.append(message)
        if line:
            self._await_approvals(line, fine, result)
        return result

    def _await_approvals(self, line, messages, values):
        """Messages of a text that the panel has to approve wait for that."""
        line._with_approvals(messages)
        for message in messages:
            for name in {"approval_id", "params"} & message.keys():
                values[message["res_id"]][name] = message[name]

    def _cancel_values(self, values, failure_type):
        values.update(state="canceled", failure_type=failure_type)
        for command in values.get("mailing_trace_ids", []):
            command[2].update(trace_status="cancel", failure_type=failure_type)
