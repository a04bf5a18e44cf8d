from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .mailing_answer import ANSWERS
from .mailing_state import UNDER_WAY

# Who launched what, as it was: only the launch itself writes these.
LAUNCHED = {
    "launched_by_id",
    "launched_at",
    "launched_text",
    "progress_id",
    "is_prepared",
    "is_stopped",
    "result_counts",
}
# What the checks before a launch looked at.
CHECKED = {
    "audience_mode",
    "audience_segment_ids",
    "audience_exclude_segment_ids",
    "audience_tag_ids",
    "audience_condition",
    "audience_partner_ids",
    "audience_lead_ids",
    "previous_mailing_id",
    "previous_answer",
    "series_id",
    "series_step_id",
    "mailing_type",
    "mailing_model_id",
    "company_id",
    "line_id",
    "sms_template_id",
    "body_plaintext",
    "holdout_percent",
}
CHECKED_MAIL = {
    *("subject", "preview", "email_from", "body_arch", "body_html"),
    *("attachment_ids", "reply_to", "reply_to_mode", "mail_server_id"),
}


class MailingMailing(models.Model):
    """A campaign: core's mailing with an audience of its own and a line.

    In the audience mode *odoo* it is core's mailing and nothing else.
    """

    _inherit = "mailing.mailing"

    # Core has no Persian for it.
    state = fields.Selection(selection_add=[("sending", "Sending")])
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        ondelete="cascade",
    )
    audience_mode = fields.Selection(
        [
            ("odoo", "Recipients as Odoo chooses them"),
            ("segments", "Segments and tags"),
            ("condition", "A condition"),
            ("chosen", "Chosen contacts and leads"),
            ("previous", "Those of an earlier campaign"),
        ],
        string="To whom",
        default="odoo",
        required=True,
        help="Without a segment, tag, condition or contact nobody gets it.",
    )
    audience_segment_ids = fields.Many2many(
        "customer.segment",
        "mailing_mailing_segment_rel",
        string="Segments",
        check_company=True,
        # One that was archived stays in sight until somebody takes it out.
        context={"active_test": False},
        help="Whoever is in any of these, contacts and leads.",
    )
    audience_exclude_segment_ids = fields.Many2many(
        "customer.segment",
        "mailing_mailing_segment_excluded_rel",
        string="But not",
        check_company=True,
        context={"active_test": False},
        help="Whoever is in any of these gets nothing, whatever else they are in.",
    )
    audience_tag_ids = fields.Many2many(
        "res.partner.category",
        "mailing_mailing_partner_category_rel",
        string="Tags",
        help="Contacts with any of these tags.",
    )
    audience_condition = fields.Char(
        string="Condition",
        default="[]",
        required=True,
        help="Narrows the contacts of segments and tags; in the mode «A condition» it "
        "chooses them.",
    )
    audience_partner_ids = fields.Many2many(
        "res.partner", "mailing_mailing_partner_rel", string="Contacts"
    )
    audience_lead_ids = fields.Many2many(
        "crm.lead", "mailing_mailing_lead_rel", string="Leads"
    )
    previous_mailing_id = fields.Many2one(
        "mailing.mailing", string="Earlier campaign", index="btree_not_null"
    )
    previous_answer = fields.Selection(
        [("silent", "who did not answer"), *ANSWERS],
        string="Of them those",
        default="silent",
        help="An answer is a click, a reply, a visit or a purchase.",
    )
    line_id = fields.Many2one(
        "sms.line",
        check_company=True,
        domain="[('company_id', '=', company_id)]",
        ondelete="restrict",
        help="The line decides who may be reached.",
    )
    message_class = fields.Selection(related="line_id.message_class", string="Class")
    line_suffix = fields.Char(compute="_compute_line_suffix", compute_sudo=True)
    is_text_saved = fields.Boolean(
        compute="_compute_is_text_saved",
        help="This line carries saved texts only, word for word.",
    )
    holdout_percent = fields.Integer(
        string="Hold back (%)",
        help="So many get nothing and are compared with the others afterwards.",
    )
    rate_per_hour = fields.Integer(
        string="At most an hour", help="Messages per hour; 0 is no limit."
    )
    answer_days = fields.Integer(
        string="Answers count for (days)",
        default=7,
        required=True,
        help="Visits and purchases within so many days after the message.",
    )
    recipient_ids = fields.One2many("mailing.recipient", "mailing_id")
    launched_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    launched_at = fields.Datetime(readonly=True, copy=False)
    is_prepared = fields.Boolean(readonly=True, copy=False)
    is_stopped = fields.Boolean(string="Stopped", readonly=True, copy=False)
    launched_text = fields.Json(readonly=True, copy=False)

    _holdout_range = models.Constraint(
        "CHECK (holdout_percent BETWEEN 0 AND 50)",
        "Between 0 and 50 percent can be held back.",
    )
    _rate_range = models.Constraint(
        "CHECK (rate_per_hour >= 0)", "Messages per hour: 0 or more."
    )
    _answer_days_range = models.Constraint(
        "CHECK (answer_days BETWEEN 1 AND 90)", "Answers count for 1 to 90 days."
    )

    @api.depends("line_id", "company_id")
    def _compute_line_suffix(self):
        for mailing in self:
            company = mailing.company_id or self.env.company
            line = mailing.line_id or company._get_sms_line("advertising")
            mailing.line_suffix = line.optout_suffix

    @api.depends("line_id")
    def _compute_is_text_saved(self):
        for mailing in self:
            line = mailing.line_id.sudo()
            mailing.is_text_saved = (
                line.message_class == "service"
                or line.text_policy not in (False, "free")
            )

    @api.onchange("audience_mode", "company_id")
    def _onchange_audience_mode(self):
        """An audience of ours is one of contacts, over a line of the company."""
        for mailing in self:
            if mailing.audience_mode == "odoo":
                continue
            mailing.mailing_model_id = self.env["ir.model"]._get("res.partner")
            if mailing.mailing_type == "sms" and not mailing.line_id:
                company = mailing.company_id or self.env.company
                mailing.line_id = company._get_sms_line("advertising")

    @api.constrains("audience_condition")
    def _check_audience_condition(self):
        """Refuse at once what would stop the campaign later."""
        for mailing in self:
            if mailing.audience_condition != "[]":
                draft = mailing._audience_draft("res.partner", self.env.user)
                condition = self.env["customer.segment.condition"]
                condition._check(draft)
                domain = condition._parse(mailing.audience_condition)
                condition._check_discreet(self.env["res.partner"], domain)

    @api.constrains("audience_mode", "mailing_model_id")
    def _check_audience_model(self):
        for mailing in self:
            if (
                mailing.audience_mode != "odoo"
                and mailing.mailing_model_real != "res.partner"
            ):
                raise ValidationError(
                    self.env._("Segments hold contacts: choose Contacts as recipients.")
                )

    @api.constrains("audience_mode", "ab_testing_enabled")
    def _check_no_ab_testing(self):
        """Odoo's shares are of its own recipients: ours would all get every version,
        and the winner once more.
        """
        for mailing in self:
            if mailing.audience_mode != "odoo" and mailing.ab_testing_enabled:
                raise ValidationError(
                    self.env._(
                        "An A/B test is for recipients as Odoo chooses them. Give some "
                        "segments another text, or hold back a share to compare."
                    )
                )

    def _audience_draft(self, model, user):
        """The condition as a segment that is never saved: it has its rules.

        :param str model: ``res.partner``, or ``crm.lead`` for all leads
        :param user: ``res.users`` who answers for it
        :rtype: recordset
        """
        self.ensure_one()
        company = self.company_id or self.env.company
        condition = self.audience_condition if model == "res.partner" else "[]"
        return (
            self.env["customer.segment"]
            .sudo()
            .new(
                {
                    "name": self.subject or "",
                    "model": model,
                    "kind": "dynamic",
                    "domain": condition or "[]",
                    "user_id": user.id,
                    "company_id": company.id,
                    "tz": company.club_tz or "UTC",
                    "lang": user.lang or "en_US",
                }
            )
        )

    def write(self, vals):
        """Once launched, a campaign stays what was checked and is sent once."""
        if not self.env.su:
            self._check_launched_fields(vals)
            ours = self.filtered(lambda mailing: mailing.audience_mode != "odoo")
            begun = ours.filtered("launched_at")
            if vals.get("state") == "draft":
                begun -= begun._not_begun()
            again = vals.get("state") in ("draft", "test")
            is_changed = CHECKED & set(vals) or (
                CHECKED_MAIL & set(vals)
                and any(mailing.mailing_type == "mail" for mailing in begun)
            )
            if begun and (again or is_changed):
                raise UserError(self._say_launched())
            begun._check_put_away(vals)
        return super().write(vals)

    def _say_launched(self):
        return self.env._(
            "It was launched and stays as it was checked. Stop it, or write a new one."
        )

    def _check_put_away(self, vals):
        """Out of sight messages would leave all the same, or wait for ever."""
        is_archived = vals.get("active", True) is False
        is_ended = vals.get("state") == "done"
        for mailing in self:
            if mailing.state in UNDER_WAY and (
                is_archived
                or (
                    is_ended
                    and mailing.mailing_type == "sms"
                    and mailing._get_remaining_recipients()
                )
            ):
                raise UserError(self.env._("It is under way: stop it first."))

    def _not_begun(self):
        """Those launched of which nothing has left: they may become drafts again."""
        return self.filtered(
            lambda mailing: mailing.state in UNDER_WAY and not mailing.is_prepared
        )

    def _check_launched_fields(self, vals):
        if LAUNCHED & set(vals):
            raise AccessError(
                self.env._("Who launched it, and what, is noted by the launch alone.")
            )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                self._check_launched_fields(vals)
        partner_model = self.env["ir.model"]._get_id("res.partner")
        for vals in vals_list:
            if vals.get("audience_mode", "odoo") != "odoo":
                vals.setdefault("mailing_model_id", partner_model)
        return super().create(vals_list)
