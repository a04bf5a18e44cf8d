from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    club_tz = fields.Selection(related="company_id.club_tz", readonly=False)
    club_open = fields.Boolean(related="company_id.club_open", readonly=False)
    club_silent = fields.Boolean(related="company_id.club_silent", readonly=False)
    club_welcome_template_id = fields.Many2one(
        related="company_id.club_welcome_template_id", readonly=False
    )
    club_repeat_template_id = fields.Many2one(
        related="company_id.club_repeat_template_id", readonly=False
    )
    club_milestone_every = fields.Integer(
        related="company_id.club_milestone_every", readonly=False
    )
    club_milestone_template_id = fields.Many2one(
        related="company_id.club_milestone_template_id", readonly=False
    )
    club_daily_cap = fields.Integer(related="company_id.club_daily_cap", readonly=False)
    profile_link_days = fields.Integer(
        related="company_id.profile_link_days", readonly=False
    )
    profile_ask_name = fields.Boolean(
        related="company_id.profile_ask_name", readonly=False
    )
    profile_ask_salutation = fields.Boolean(
        related="company_id.profile_ask_salutation", readonly=False
    )
    profile_ask_birthday = fields.Boolean(
        related="company_id.profile_ask_birthday", readonly=False
    )
    profile_ask_gender = fields.Boolean(
        related="company_id.profile_ask_gender", readonly=False
    )
    profile_ask_city = fields.Boolean(
        related="company_id.profile_ask_city", readonly=False
    )
    profile_ask_interests = fields.Boolean(
        related="company_id.profile_ask_interests", readonly=False
    )
    profile_ask_consent = fields.Boolean(
        related="company_id.profile_ask_consent", readonly=False
    )
    sms_money_unit = fields.Selection(
        related="company_id.sms_money_unit", readonly=False
    )
    sms_consent_basis = fields.Selection(
        related="company_id.sms_consent_basis", readonly=False
    )
    sms_line_ids = fields.Many2many(
        "sms.line",
        string="SMS lines",
        compute="_compute_sms_line_ids",
        groups="base.group_system",
    )
    sms_cap_week = fields.Integer(related="company_id.sms_cap_week", readonly=False)
    sms_cap_day = fields.Integer(related="company_id.sms_cap_day", readonly=False)
    club_late_hours = fields.Integer(
        related="company_id.club_late_hours", readonly=False
    )
    club_consent_version = fields.Char(
        related="company_id.club_consent_version", readonly=False
    )
    club_visits_are_purchases = fields.Boolean(
        related="company_id.club_visits_are_purchases", readonly=False
    )
    club_kiosk_url = fields.Char(
        string="Tablet page", compute="_compute_club_kiosk_url"
    )
    club_retention_checkin_months = fields.Integer(
        related="company_id.club_retention_checkin_months", readonly=False
    )
    club_retention_sms_months = fields.Integer(
        related="company_id.club_retention_sms_months", readonly=False
    )
    club_pos_device_id = fields.Many2one(
        related="company_id.club_pos_device_id", readonly=False
    )
    guidance_min_margin_pct = fields.Float(
        related="company_id.guidance_min_margin_pct", readonly=False
    )
    guidance_above_list = fields.Boolean(
        related="company_id.guidance_above_list", readonly=False
    )
    segment_confirm_percent = fields.Integer(
        related="company_id.segment_confirm_percent", readonly=False
    )
    segment_confirm_people = fields.Integer(
        related="company_id.segment_confirm_people", readonly=False
    )
    score_grade_a = fields.Integer(related="company_id.score_grade_a", readonly=False)
    score_grade_b = fields.Integer(related="company_id.score_grade_b", readonly=False)
    score_grade_c = fields.Integer(related="company_id.score_grade_c", readonly=False)
    score_history_days = fields.Integer(
        related="company_id.score_history_days", readonly=False
    )
    profile_horizon_days = fields.Integer(
        related="company_id.profile_horizon_days", readonly=False
    )
    profile_cost_call = fields.Monetary(
        related="company_id.profile_cost_call",
        readonly=False,
    )
    profile_cost_meeting = fields.Monetary(
        related="company_id.profile_cost_meeting",
        readonly=False,
    )
    profile_cost_message = fields.Monetary(
        related="company_id.profile_cost_message",
        readonly=False,
    )
    profile_cost_ticket = fields.Monetary(
        related="company_id.profile_cost_ticket",
        readonly=False,
    )
    profile_cost_return = fields.Monetary(
        related="company_id.profile_cost_return",
        readonly=False,
    )
    club_slogan = fields.Char(related="company_id.club_slogan", readonly=False)
    club_instagram = fields.Char(related="company_id.club_instagram", readonly=False)
    club_telegram = fields.Char(related="company_id.club_telegram", readonly=False)
    club_whatsapp = fields.Char(related="company_id.club_whatsapp", readonly=False)
    club_eitaa = fields.Char(related="company_id.club_eitaa", readonly=False)
    club_bale = fields.Char(related="company_id.club_bale", readonly=False)
    club_rubika = fields.Char(related="company_id.club_rubika", readonly=False)

    def _compute_club_kiosk_url(self):
        self.club_kiosk_url = self.env["club.device"]._get_kiosk_url()

    @api.depends("company_id")
    def _compute_sms_line_ids(self):
        for settings in self:
            settings.sms_line_ids = self.env["sms.line"].search(
                [
                    ("company_id", "=", settings.company_id.id),
                    ("gateway", "not in", ("odoo", "test")),
                ]
            )
