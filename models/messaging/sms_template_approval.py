from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.sms_text import fold, strip_controls


class SmsTemplateApproval(models.Model):
    """What the panel of a line says of a text: whether it may go, and as what pattern.

    Most shops have no service line of their own; their texts go through patterns that
    the panel approved word by word.
    """

    _name = "sms.template.approval"
    _description = "SMS Text Approval"
    _order = "template_id, line_id"

    template_id = fields.Many2one(
        "sms.template", string="Text", required=True, index=True, ondelete="cascade"
    )
    line_id = fields.Many2one("sms.line", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="line_id.company_id", store=True)
    pattern_code = fields.Char(
        help="The code the panel gave; empty where it approves the words only."
    )
    variables = fields.Text(
        help="One a line, in the order of the pattern: name={{ greeting }}"
    )
    state = fields.Selection(
        [
            ("none", "Not asked for"),
            ("waiting", "Waiting for the panel"),
            ("approved", "Approved"),
            ("refused", "Refused"),
        ],
        required=True,
        default="none",
    )
    reason = fields.Char(help="What the panel said.")
    approved_body = fields.Text(readonly=True, copy=False)
    asked_at = fields.Datetime(readonly=True, copy=False)
    waiting_count = fields.Integer(
        string="Messages waiting", compute="_compute_waiting_count"
    )

    _template_line_unique = models.Constraint(
        "UNIQUE (template_id, line_id)", "This text has an approval on this line."
    )

    def _compute_waiting_count(self):
        counts = dict(
            self.env["sms.sms"]
            .sudo()
            ._read_group(
                [("approval_id", "in", self.ids), ("state", "=", "outgoing")],
                ["approval_id"],
                ["__count"],
            )
        )
        for approval in self:
            approval.waiting_count = counts.get(approval, 0)

    @api.constrains("variables")
    def _check_variables(self):
        """A map that cannot be rendered is refused when it is saved."""
        for approval in self:
            model = approval.template_id.model_id.model
            for name, text in approval._get_variables():
                if not name or not text:
                    raise ValidationError(
                        approval.env._(
                            "Write one variable a line: its name in the pattern, =, "
                            "and what stands for it."
                        )
                    )
                approval._check_variable(text, model)

    def _check_variable(self, text, model):
        """Refuse a placeholder that this user may not write, or that is broken."""
        checker = self.env["sms.placeholder"].with_user(self.env.user)
        if checker._is_plain(text, model):
            return
        render = self.env["mail.render.mixin"]
        if not render._has_unsafe_expression_template_inline_template(text, model):
            return
        # Constraints run as superuser; what counts is who writes.
        if not (
            self.env.user._is_admin()
            or self.env.user.has_group("mail.group_mail_template_editor")
        ):
            raise ValidationError(
                self.env._("Only editors of templates may use: %(text)s", text=text)
            )
        sample = self.env[model].search([], limit=1)
        self._render_variable(text, model, sample.ids)

    def _get_variables(self):
        """(name, text with placeholders) in the order of the pattern."""
        self.ensure_one()
        lines = (line for line in (self.variables or "").splitlines() if line.strip())
        parts = (line.partition("=") for line in lines)
        return [(name.strip(), text.strip()) for name, _sign, text in parts]

    def _render_variable(self, text, model, res_ids):
        checker = self.env["sms.placeholder"].sudo()
        if checker._is_plain(text, model):
            records = checker.env[model].browse(res_ids)
            return checker._render_by_lang(text, records, trusted=True)
        return self.env["mail.render.mixin"]._render_template(
            text, model, res_ids, engine="inline_template"
        )

    def _render_params(self, res_ids):
        """Values of the pattern's variables.

        :param list res_ids: of the template's model
        :return: list of [name, value] by id
        :rtype: dict
        """
        self.ensure_one()
        params = {res_id: [] for res_id in res_ids}
        model = self.template_id.model_id.model
        for name, text in self._get_variables():
            rendered = self._render_variable(text, model, list(res_ids))
            for res_id in res_ids:
                value = " ".join(strip_controls(rendered[res_id] or "").split())
                params[res_id].append([name, value])
        return params

    @api.depends("template_id", "line_id")
    def _compute_display_name(self):
        for approval in self:
            parts = (approval.template_id.display_name, approval.line_id.display_name)
            approval.display_name = " · ".join(filter(None, parts))

    # === STATE === #

    @api.model_create_multi
    def create(self, vals_list):
        approvals = super().create(vals_list)
        approvals.filtered(lambda one: one.state == "approved")._remember_words()
        return approvals

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "approved":
            self._remember_words()
        elif vals.get("state") == "waiting":
            for approval in self:
                body = approval.template_id.body
                super(SmsTemplateApproval, approval).write(
                    {"asked_at": False, "reason": False, "approved_body": body}
                )
        return result

    def _remember_words(self):
        """Note the words that were approved, and let waiting messages leave."""
        for approval in self:
            body = approval.template_id.body
            approval.write({"approved_body": body, "reason": False})
        self.env["sms.queue"]._wake()

    def action_ask(self):
        """The text was handed to the panel: wait for its judgement."""
        self.write({"state": "waiting"})

    def action_approve(self):
        self.write({"state": "approved"})

    def action_refuse(self):
        self.write({"state": "refused"})

    def _on_text_changed(self):
        """Other words need another approval, unless the panel holds the words; those
        that it is judging just now are not these.
        """
        changed = self.filtered(
            lambda one: (
                one.state in ("approved", "waiting")
                and not one.pattern_code
                and fold(one.approved_body or "") != fold(one.template_id.body or "")
            )
        )
        changed.write(
            {"state": "none", "reason": self.env._("The text has changed since.")}
        )
