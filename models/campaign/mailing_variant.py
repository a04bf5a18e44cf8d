from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import is_html_empty


class MailingVariant(models.Model):
    """Another text of a campaign for those of one of its segments.

    Of an SMS a saved text; of an e-mail a title, a text or both, with the same rules
    for what may stand in it as the campaign's own.
    """

    _name = "mailing.variant"
    _inherit = ["customer.segment.chosen.mixin", "mail.render.mixin"]
    _description = "Campaign Text Variant"
    _order = "mailing_id, id"
    _rec_name = "segment_id"
    # As those of the campaign: checked when they are saved, by whose rights they are.
    _unrestricted_rendering = True

    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, index=True, ondelete="cascade"
    )
    segment_id = fields.Many2one(
        "customer.segment", required=True, index=True, ondelete="restrict"
    )
    sms_template_id = fields.Many2one(
        "sms.template", string="SMS text", index=True, ondelete="restrict"
    )
    body = fields.Char(
        related="sms_template_id.body", related_sudo=False, string="Text"
    )
    subject = fields.Char(help="Empty: the title of the others.")
    body_html = fields.Html(
        string="E-mail",
        sanitize="email_outgoing",
        render_engine="qweb",
        render_options={"post_process": True},
        help="Empty: the e-mail of the others.",
    )

    _segment_unique = models.Constraint(
        "unique(mailing_id, segment_id)", "A segment has one text in a campaign."
    )

    @api.depends("sms_template_id.name", "subject", "segment_id.name")
    def _compute_display_name(self):
        for variant in self:
            # Whoever may read that a text was sent may know what it is called.
            variant.display_name = (
                variant.subject
                or variant.sudo().sms_template_id.name
                or variant.segment_id.display_name
            )

    def _compute_render_model(self):
        self.render_model = "res.partner"

    @api.constrains("mailing_id", "sms_template_id", "subject", "body_html")
    def _check_text(self):
        for variant in self:
            if variant.mailing_id.mailing_type == "mail":
                is_missing = not variant.subject and is_html_empty(variant.body_html)
            else:
                is_missing = not variant.sms_template_id
            if is_missing:
                raise ValidationError(
                    self.env._("Give “%s” a text.", variant.segment_id.display_name)
                )

    @api.constrains("mailing_id", "segment_id", "sms_template_id")
    def _check_owned(self):
        for variant in self:
            variant.mailing_id.company_id._check_owns(
                variant, ("segment_id", "sms_template_id")
            )

    @api.model_create_multi
    def create(self, vals_list):
        variants = super().create(vals_list)
        variants._check_not_launched()
        return variants

    def write(self, vals):
        self._check_not_launched()
        result = super().write(vals)
        self._check_not_launched()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_before_launch(self):
        self._check_not_launched()

    def _check_not_launched(self):
        """Results tell who got which text: what was sent stays."""
        if not self.env.su and any(self.mailing_id.mapped("launched_at")):
            raise UserError(self.mailing_id._say_launched())

    def _has_unsafe_expression(self):
        """The text of an SMS is checked with its template."""
        typed = self.filtered(lambda variant: variant.subject or variant.body_html)
        return super(MailingVariant, typed)._has_unsafe_expression()
