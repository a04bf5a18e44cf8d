from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.res_partner import _tz_get

DEFAULT_IRAN_SUFFIX = "لغو11"
# Read together when one is asked for, not with every company.
SETTINGS = "customer_settings"


def _cost(string):
    """What the company reckons with; portal users may read companies."""
    return fields.Monetary(string=string, groups="base.group_user")


class ResCompany(models.Model):
    _inherit = "res.company"

    club_tz = fields.Selection(
        _tz_get,
        string="Club time zone",
        compute="_compute_club_tz",
        store=True,
        readonly=False,
        help="A day of the club begins at midnight of this zone.",
    )
    club_open = fields.Boolean(
        default=True, help="When closed, devices keep their check-ins for later."
    )
    club_silent = fields.Boolean(
        string="Silent",
        help="Nothing is sent, and check-ins prepare no message: for a quiet go-live.",
    )
    club_welcome_template_id = fields.Many2one(
        "sms.template",
        string="Welcome text",
        domain="[('model', '=', 'res.partner')]",
        ondelete="set null",
    )
    club_repeat_template_id = fields.Many2one(
        "sms.template",
        string="Repeat text",
        domain="[('model', '=', 'res.partner')]",
        ondelete="set null",
    )
    club_milestone_every = fields.Integer(
        string="Every so many visits", help="0 means no milestone text."
    )
    club_milestone_template_id = fields.Many2one(
        "sms.template",
        string="Milestone text",
        domain="[('model', '=', 'res.partner')]",
        ondelete="set null",
    )
    club_daily_cap = fields.Integer(
        string="Messages per number and day",
        default=3,
        help="Service messages of check-ins, over all devices. 0 means no limit.",
    )
    club_late_hours = fields.Integer(
        string="Late after (hours)",
        default=6,
        help="A check-in that arrives later than this counts but sends no message.",
    )
    club_consent_version = fields.Char(
        string="Consent wording",
        default="1",
        help="Version of the wording at the desk; stored with new members.",
    )
    club_visits_are_purchases = fields.Boolean(
        string="A visit counts as a purchase",
        help="For a shop that does not sell through Odoo.",
    )
    club_retention_checkin_months = fields.Integer(
        string="Keep visits (months)",
        default=0,
        help="Older visits are folded into the member's count. 0 keeps them forever.",
        prefetch=SETTINGS,
    )
    club_retention_sms_months = fields.Integer(
        string="Keep texts (months)",
        default=12,
        help="Texts of messages that are done with. 0 keeps them forever.",
        prefetch=SETTINGS,
    )
    club_pos_device_id = fields.Many2one(
        "club.device",
        string="Point of sale visits",
        domain="[('company_id', '=', id)]",
        ondelete="set null",
        help="Paid orders with a customer count as visits of this device. Empty: no.",
        prefetch=SETTINGS,
    )
    club_pos_last_order = fields.Integer(readonly=True, prefetch=SETTINGS)
    club_slogan = fields.Char(translate=True)
    club_instagram = fields.Char(string="Instagram")
    club_telegram = fields.Char(string="Telegram")
    club_whatsapp = fields.Char(string="WhatsApp")
    club_eitaa = fields.Char(string="Eitaa")
    club_bale = fields.Char(string="Bale")
    club_rubika = fields.Char(string="Rubika")
    club_links = fields.Text(
        string="Messenger links", compute="_compute_club_links", help="One per line."
    )

    guidance_min_margin_pct = fields.Float(
        string="Minimum margin (%)",
        default=10.0,
        groups="base.group_user",
        help="On top of the cost; a suggested price leaves it after the discount.",
        prefetch=SETTINGS,
    )
    guidance_above_list = fields.Boolean(
        string="Suggest prices above the list price",
        groups="base.group_user",
        help="For customers whose discount has a ceiling.",
        prefetch=SETTINGS,
    )
    segment_confirm_percent = fields.Integer(
        string="Ask when a segment changes by (%)",
        default=30,
        help="Saving a condition that moves more of its people than this asks first.",
        prefetch=SETTINGS,
    )
    segment_confirm_people = fields.Integer(
        string="and by (people)",
        default=50,
        help="Small segments change by large shares: this many have to move, too.",
        prefetch=SETTINGS,
    )

    profile_horizon_days = fields.Integer(
        string="Look ahead (days)",
        default=365,
        help="Expected purchases and their value are of so many days to come.",
    )
    profile_cost_call = _cost("A call costs")
    profile_cost_meeting = _cost("A meeting costs")
    profile_cost_message = _cost("A message costs")
    profile_cost_ticket = _cost("A ticket costs")
    profile_cost_return = _cost("A return costs")

    _profile_positive = models.Constraint(
        "CHECK(profile_horizon_days BETWEEN 1 AND 3650 AND profile_cost_call >= 0 "
        "AND profile_cost_meeting >= 0 AND profile_cost_message >= 0 "
        "AND profile_cost_ticket >= 0 AND profile_cost_return >= 0)",
        "Look ahead between a day and ten years; costs are never negative.",
    )
    _guidance_min_margin_positive = models.Constraint(
        "CHECK(guidance_min_margin_pct >= 0)", "A minimum margin is never negative."
    )
    _segment_confirm_positive = models.Constraint(
        "CHECK(segment_confirm_percent >= 0 AND segment_confirm_people >= 0)",
        "Write 0 to be asked each time, never less.",
    )
    _club_daily_cap_positive = models.Constraint(
        "CHECK(club_daily_cap >= 0 AND club_milestone_every >= 0)",
        "Write 0 for no limit and no milestone, never less.",
    )
    _club_retention = models.Constraint(
        "CHECK(club_retention_sms_months >= 0 AND (club_retention_checkin_months = 0 "
        "OR club_retention_checkin_months >= 13))",
        "Keep visits for at least 13 months: devices may send one again for a year.",
    )
    _club_late_hours_positive = models.Constraint(
        "CHECK(club_late_hours > 0)", "Choose at least one hour."
    )

    @api.constrains("club_pos_device_id")
    def _check_club_pos_device_id(self):
        for company in self:
            device = company.sudo().club_pos_device_id
            if device and device.company_id != company:
                raise ValidationError(
                    self.env._("Choose a device of %s.", company.name)
                )

    @api.depends("partner_id.tz", "country_id")
    def _compute_club_tz(self):
        for company in self:
            company.club_tz = (
                company.club_tz
                or company.partner_id.tz
                or ("Asia/Tehran" if company.country_id.code == "IR" else False)
                or self.env.user.tz
                or "UTC"
            )

    @api.depends(
        "club_instagram",
        "club_telegram",
        "club_whatsapp",
        "club_eitaa",
        "club_bale",
        "club_rubika",
    )
    def _compute_club_links(self):
        bases = {
            "club_instagram": "instagram.com/",
            "club_telegram": "t.me/",
            "club_whatsapp": "wa.me/",
            "club_eitaa": "eitaa.com/",
            "club_bale": "ble.ir/",
            "club_rubika": "rubika.ir/",
        }
        for company in self:
            company.club_links = "\n".join(
                base + company[name].strip().lstrip("@+")
                for name, base in bases.items()
                if company[name]
            )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._create_default_sms_lines()
        return companies

    def write(self, vals):
        result = super().write(vals)
        if "name" in vals:
            devices = self.env["club.device"].sudo()
            devices.search([("company_id", "in", self.ids)])._record_revision()
        return result

    def _create_default_sms_lines(self):
        """Give each company without one a service line, with the ending Iranian lines
        need.
        """
        lines = self.env["sms.line"].sudo()
        served = lines.search(
            [("company_id", "in", self.ids), ("message_class", "=", "service")]
        ).company_id
        lines.create(
            [
                {
                    "name": self.env._("Service line"),
                    "company_id": company.id,
                    "message_class": "service",
                    "foreign_allowed": company.country_id.code != "IR",
                    "optout_suffix": (
                        DEFAULT_IRAN_SUFFIX
                        if company.country_id.code == "IR"
                        else False
                    ),
                }
                for company in self - served
            ]
        )

    def _get_sms_line(self, message_class):
        """The line that carries messages of a class.

        :param str message_class: ``service`` or ``advertising``
        :return: the ``sms.line`` that is used first, else the first by sequence; empty
            when there is none
        """
        self.ensure_one()
        return (
            self.env["sms.line"]
            .sudo()
            .search(
                [("company_id", "=", self.id), ("message_class", "=", message_class)],
                order="is_default DESC NULLS LAST, sequence, id",
                limit=1,
            )
        )
