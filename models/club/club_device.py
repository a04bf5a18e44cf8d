from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .club_checkin_statements import DEVICE_OF_ID


class ClubDevice(models.Model):
    """A terminal or tablet at the desk, connected to one group."""

    _name = "club.device"
    _description = "Club Device"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "club.device.pairing",
        "club.device.kiosk",
        "club.device.config",
        "club.device.seen",
    ]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
    )
    branch = fields.Char(help="Shop or desk where this device stands.")
    state = fields.Selection(
        [
            ("new", "Waiting to be connected"),
            ("active", "Connected"),
            ("suspended", "Suspended"),
        ],
        default="new",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    group_id = fields.Many2one(
        "customer.segment",
        string="Connected group",
        required=True,
        check_company=True,
        index=True,
        ondelete="restrict",
        domain="[('kind', '=', 'static'), ('company_id', '=', company_id)]",
        tracking=True,
        help="Everyone who checks in here joins this group. Choosing another group "
        "leaves earlier visitors where they are.",
    )
    country_id = fields.Many2one(
        "res.country",
        required=True,
        ondelete="restrict",
        default=lambda self: (
            self.env.company.country_id or self.env.ref("base.ir", False)
        ),
        help="Numbers without a country code are read as numbers of this country.",
    )
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        required=True,
        default=lambda self: self.env.user.lang or "en_US",
        help="Language of the device's display and of the contacts it creates.",
    )
    tag_required = fields.Boolean(
        string="A tag must be chosen",
        help="The device asks for one of its numbered tags at every check-in.",
    )
    privacy = fields.Selection(
        [("staff", "Staff sees the screen"), ("public", "Customers see the screen")],
        compute="_compute_privacy",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="On a screen that customers see, the answer is always the same thanks, so "
        "that nobody can find out who is a member.",
    )
    gap_minutes = fields.Integer(
        string="Gap between visits (minutes)",
        default=10,
        required=True,
        help="Within this time the same person is counted once.",
    )
    first_scope = fields.Selection(
        [("club", "In the club"), ("tag", "With each tag")],
        string="First visit counted",
        default="club",
        required=True,
        help="Whether the first text of a tag goes to newcomers of the club, or to "
        "everyone who uses that tag for the first time.",
    )
    offline_limit_days = fields.Integer(
        default=30,
        required=True,
        help="Check-ins that the device kept longer than this are refused.",
    )
    rate_limit_per_minute = fields.Integer(default=60, required=True)
    foreign_allowed = fields.Boolean(
        string="Numbers from abroad",
        help="Accept numbers of other countries. Most Iranian lines cannot reach them.",
    )
    unverified_allowed = fields.Boolean(
        string="Unknown mobile prefixes",
        default=True,
        help="Accept numbers that look like a mobile number although their prefix is "
        "not known yet: better one SMS that fails than a customer turned away.",
    )
    tag_ids = fields.One2many("club.device.tag", "device_id", string="Numbered tags")
    tag_digits = fields.Json(compute="_compute_tag_digits")
    checkin_ids = fields.One2many("club.checkin", "device_id")
    revision_ids = fields.One2many("club.device.revision", "device_id")
    activity_row_ids = fields.One2many("club.device.activity", "device_id")

    _gap_minutes_positive = models.Constraint(
        "CHECK(gap_minutes >= 0)", "The gap between visits cannot be negative."
    )
    _offline_limit_days_positive = models.Constraint(
        "CHECK(offline_limit_days BETWEEN 1 AND 365)",
        "Choose an offline limit between 1 and 365 days.",
    )
    _rate_limit_positive = models.Constraint(
        "CHECK(rate_limit_per_minute BETWEEN 1 AND 6000)",
        "Choose a limit between 1 and 6000 check-ins a minute.",
    )

    # === COMPUTE METHODS === #

    @api.depends("kind")
    def _compute_privacy(self):
        for device in self:
            is_tablet = device.kind == "tablet"
            device.privacy = "public" if is_tablet else device.privacy or "staff"

    @api.depends("tag_ids.digit")
    def _compute_tag_digits(self):
        for device in self:
            device.tag_digits = device.tag_ids.mapped("digit")

    # === CONSTRAINTS === #

    @api.constrains("tag_ids")
    def _check_tag_ids(self):
        for device in self:
            if len(device.tag_ids) > 8:
                raise ValidationError(
                    device.env._("A device has at most 8 numbered tags.")
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        devices = super().create(vals_list)
        self.env["club.device.activity"].sudo().create(
            [{"device_id": device.id} for device in devices]
        )
        devices._record_revision()
        return devices

    def write(self, vals):
        if "company_id" in vals:
            self._refuse_moving(vals["company_id"])
        result = super().write(vals)
        self._record_revision()
        return result

    def _refuse_moving(self, company_id):
        """What a device has done, and what uses it, is its company's."""
        moved = self.sudo().filtered(lambda one: one.company_id.id != company_id)
        tills = self.env["res.company"].sudo()
        tills = tills.search([("club_pos_device_id", "in", moved.ids)])
        bound = tills.club_pos_device_id | moved.with_context(active_test=False).search(
            [
                ("id", "in", moved.ids),
                "|",
                ("state", "!=", "new"),
                ("checkin_ids", "!=", False),
            ]
        )
        if bound:
            raise UserError(
                self.env._(
                    "“%(device)s” stays with %(company)s: it was connected, has "
                    "check-ins or counts visits of the point of sale there. Make a new "
                    "device for the other company.",
                    device=bound[0].name,
                    company=bound[0].company_id.name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_checkins(self):
        if (
            self.env["club.checkin"]
            .sudo()
            .search_count([("device_id", "in", self.ids)], limit=1)
        ):
            raise ValidationError(
                self.env._(
                    "Check-ins were made with this device and keep pointing at it. "
                    "Archive the device instead."
                )
            )

    # === INTAKE === #

    def _get_intake_row(self):
        """This device as ``club.checkin.intake`` reads it, for check-ins that come from
        Odoo itself; the device API reads the same columns by the token.

        :rtype: dict
        """
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute(DEVICE_OF_ID, {"id": self.id})
        return self.env.cr.dictfetchone()

    # === ACTIONS === #

    def action_suspend(self):
        """Refuse this device until it is activated; it keeps what it cannot send."""
        self.filtered(lambda device: device.state == "active").state = "suspended"

    def action_activate(self):
        """Let a suspended device work again."""
        self.filtered(lambda device: device.state == "suspended").state = "active"

    def action_open_checkins(self):
        """Open the check-ins of this device."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.club_checkin_action"
        )
        action["domain"] = [("device_id", "=", self.id)]
        action["context"] = {}
        return action
