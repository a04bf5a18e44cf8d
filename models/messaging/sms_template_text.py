from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.placeholder import find_broken, placeholders


class SmsTemplate(models.Model):
    """Texts with placeholders for people: checked when saved, rendered without code."""

    _inherit = "sms.template"

    forbids_links = fields.Boolean(compute="_compute_forbids_links")

    @api.constrains("body", "model_id")
    def _check_body(self):
        for template in self:
            template._check_text(template.body)

    def _check_text(self, text):
        """Refuse what is broken, whoever wrote it.

        Constraints run as superuser: rights are looked at in :meth:`write`.
        """
        self.ensure_one()
        checker, model = self.env["sms.placeholder"], self.sudo().model
        if find_broken(text):
            checker._check(text, model)
        for placeholder in placeholders(text):
            if self._is_code(placeholder.expression):
                continue
            problem = checker._find_problem(placeholder.expression, model)
            if problem:
                message = f"{placeholder.source}\n{problem}"
                raise ValidationError(message)

    @api.model
    def _check_typed(self, text, model):
        """Refuse what the current user may not write, saying which placeholder.

        Whoever may write code in templates (Odoo's *Mail Template Editor*) may.
        """
        editor = "mail.group_mail_template_editor"
        if text and not (self.env.su or self.env.user.has_group(editor)):
            self.env["sms.placeholder"]._check(text, model)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            model = self.env["ir.model"].sudo().browse(vals.get("model_id")).model
            model = model or vals.get("model") or self.env.context.get("default_model")
            self._check_typed(vals.get("body"), model)
        return super().create(vals_list)

    def write(self, vals):
        if isinstance(vals.get("body"), str):
            for template in self:
                self._check_typed(vals["body"], template.sudo().model)
        return super().write(vals)

    def _is_code(self, expression):
        """Whether it is an expression that only core's own rendering understands."""
        if expression.isidentifier() or all(
            part.isidentifier() for part in expression.split(".")
        ):
            return False
        try:
            compile(expression, "placeholder", "eval")
        except (SyntaxError, ValueError):
            return False
        return True

    def _update_field_translations(
        self, field_name, translations, digest=None, source_lang=""
    ):
        result = super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )
        if field_name == "body":
            for lang in translations:
                for template in self.with_context(lang=lang):
                    template._check_text(template.body)
        return result

    # === RENDERING === #

    def _render_lang(self, res_ids, engine="inline_template"):
        """The recipients' languages in one query; core reads them one by one."""
        self.ensure_one()
        if self.lang:
            return super()._render_lang(res_ids, engine=engine)
        records = self.env[self.render_model].browse(res_ids)
        return self.env["sms.placeholder"]._lang_of(records)

    @api.model
    def _has_unsafe_expression_template_inline_template(
        self, template_txt, model, fname=None
    ):
        """Ours are safe: names and fields, read one by one."""
        if model in self.env and self.env["sms.placeholder"]._is_plain(
            str(template_txt or ""), model
        ):
            return False
        return super()._has_unsafe_expression_template_inline_template(
            template_txt, model, fname=fname
        )

    @api.model
    def _render_template_inline_template(
        self, template_txt, model, res_ids, add_context=None, options=None
    ):
        """Render a text with our placeholders; anything else as core does."""
        text = str(template_txt or "")
        checker = self.env["sms.placeholder"]
        own_lang = len(self) == 1 and text == self.sudo().lang
        trusted = len(self) == 1 and text == self.body
        if trusted:
            # Whoever saved the text had the right.
            plain = checker.sudo()._is_plain(text, model)
        else:
            plain = checker._is_plain(text, model)
        if own_lang or not plain or not placeholders(text):
            return super()._render_template_inline_template(
                template_txt, model, res_ids, add_context=add_context, options=options
            )
        return checker._render(text, self.env[model].browse(res_ids), trusted=trusted)

    # === LINKS === #

    @api.depends("body", "message_class", "company_id")
    def _compute_forbids_links(self):
        for template in self:
            company = template.company_id or self.env.company
            line = company._get_sms_line(template.message_class or "service")
            template.forbids_links = line._forbids_links(template.body)
