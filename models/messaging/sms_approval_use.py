"""Lines whose texts the panel has to approve: what the approvals change elsewhere."""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.gateways import BadSettings, NotTaken, Refused, Unclear

_logger = logging.getLogger(__name__)

ASK_MINUTES = 30


class SmsQueue(models.AbstractModel):
    """Messages wait for the panel's approval of their text."""

    _inherit = "sms.queue"

    def _get_waiting_sql(self, line_id, now):
        return SQL(
            """
            %s AND (s.approval_id IS NULL OR EXISTS (
                SELECT FROM sms_template_approval a
                 WHERE a.id = s.approval_id AND a.state = 'approved'))
            """,
            super()._get_waiting_sql(line_id, now),
        )

    def _get_row_sql(self):
        return SQL(
            """
            %s, sms.params,
            (SELECT a.pattern_code FROM sms_template_approval a
              WHERE a.id = sms.approval_id) AS pattern_code
            """,
            super()._get_row_sql(),
        )

    @api.model
    def _poll_approvals(self):
        """Ask one panel how it judged one pattern.

        :return: patterns asked about
        :rtype: int
        """
        before = fields.Datetime.now() - timedelta(minutes=ASK_MINUTES)
        approvals = (
            self.env["sms.template.approval"]
            .sudo()
            .search(
                [
                    ("state", "=", "waiting"),
                    ("line_id.gateway", "!=", "odoo"),
                    "|",
                    ("asked_at", "=", False),
                    ("asked_at", "<", before),
                ],
                limit=1,
            )
        )
        if not approvals:
            return 0
        judgement = None
        try:
            with approvals.line_id._connect() as gateway:
                judgement = gateway.pattern_state(approvals.pattern_code or "")
        except (BadSettings, NotTaken, Unclear, Refused) as error:
            _logger.info("Line %s: %s", approvals.line_id.id, type(error).__name__)
        values = {"asked_at": fields.Datetime.now()}
        if judgement:
            state, said = judgement
            values["reason"] = said or False
            if state != "waiting":
                values["state"] = state
        approvals.write(values)
        return 1


class SmsSms(models.Model):
    _inherit = "sms.sms"

    approval_id = fields.Many2one(
        "sms.template.approval",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        copy=False,
    )
    params = fields.Json(readonly=True, copy=False)

    def _get_waiting_words(self):
        approval = self.sudo().approval_id
        if approval and approval.state == "refused":
            return self.env._("Waits: the panel refused the text")
        if approval and approval.state != "approved":
            return self.env._("Waits for the panel's approval")
        return super()._get_waiting_words()


class SmsTemplate(models.Model):
    _inherit = "sms.template"

    approval_ids = fields.One2many("sms.template.approval", "template_id", copy=False)

    def write(self, vals):
        result = super().write(vals)
        if "body" in vals:
            self.sudo().approval_ids._on_text_changed()
        return result


class SmsLine(models.Model):
    _inherit = "sms.line"

    text_policy = fields.Selection(
        [
            ("free", "Any text"),
            ("approved", "Texts that the panel approved"),
            ("pattern", "Patterns of the panel"),
        ],
        string="What it carries",
        required=True,
        default="free",
        help="A shared line carries approved patterns only; advertising may need the "
        "panel's approval. A message of a text that is not approved yet waits.",
    )
    approval_ids = fields.One2many("sms.template.approval", "line_id")

    def _insert_messages(self, messages, due_at):
        return super()._insert_messages(self._with_approvals(messages), due_at)

    def _with_approvals(self, messages):
        """Messages of templates, each with its approval on this line.

        A text without one gets an empty one, which says who has to do what.
        """
        self.ensure_one()
        if self.text_policy == "free":
            return messages
        by_template = {}
        for message in messages:
            by_template.setdefault(message.get("template_id"), []).append(message)
        approvals = self._get_approvals([one for one in by_template if one])
        for template_id, group in by_template.items():
            if not (approval := approvals.get(template_id)):
                continue
            res_ids = [one["res_id"] for one in group if one.get("res_id")]
            params = approval._render_params(res_ids)
            for message in group:
                message["approval_id"] = approval.id
                message["params"] = params.get(message.get("res_id"))
        return messages

    def _get_approvals(self, template_ids):
        """The approval of each template on this line, made where it lacks.

        :rtype: dict[int, recordset]
        """
        approvals = self.env["sms.template.approval"].sudo()
        found = approvals.search(
            [("line_id", "=", self.id), ("template_id", "in", template_ids)]
        )
        missing = set(template_ids) - set(found.template_id.ids)
        found |= approvals.create(
            [
                {"line_id": self.id, "template_id": template_id}
                for template_id in sorted(missing)
            ]
        )
        return {approval.template_id.id: approval for approval in found}

    def _get_problems(self, messages):
        problems = super()._get_problems(messages)
        if self.text_policy == "free":
            return problems
        # Words without a template, or of one that was deleted meanwhile: nobody can
        # have approved them.
        ids = {message.get("template_id") for message in messages}
        known = self.env["sms.template"].browse(filter(None, ids)).exists()._ids
        return [
            problem or (None if message.get("template_id") in known else "no_template")
            for problem, message in zip(problems, messages, strict=True)
        ]

    def _prepare_sms_values(self, messages, due_at):
        values = super()._prepare_sms_values(messages, due_at)
        if self.text_policy != "free":
            for vals, message in zip(values, messages, strict=True):
                vals["approval_id"] = message.get("approval_id")
                vals["params"] = message.get("params")
        return values
