from odoo import api, fields, models

from odoo.addons.base.models.res_partner import _tz_get

# What a condition's meaning depends on: changing it makes the members stale.
DEFINITION = {
    "domain",
    "kind",
    "user_id",
    "tz",
    "lang",
    "set_id",
    "sequence",
    "active",
    "included_partner_ids",
    "excluded_partner_ids",
    "included_lead_ids",
    "excluded_lead_ids",
    "exclude_segment_ids",
}


class CustomerSegment(models.Model):
    """A named set of contacts or leads: by a condition, by hand, or both.

    members = (condition ∪ always in) − always out − members of excluded segments
    """

    _name = "customer.segment"
    _description = "Customer Segment"
    _inherit = ["customer.condition.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True, translate=True)
    code = fields.Char(copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    note = fields.Text(string="Description", translate=True)
    guidance = fields.Text(
        translate=True, help="What to do with these people; plain text."
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
    )
    model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")],
        string="Holds",
        default="res.partner",
        required=True,
    )
    kind = fields.Selection(
        [
            ("dynamic", "Segment, by a condition"),
            ("static", "Group, filled by hand or by a device"),
        ],
        default="static",
        required=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        required=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        tracking=True,
        help="The condition is evaluated with this person's rights.",
    )
    confidential = fields.Boolean(
        help="Only the responsible and managers see this segment and who is in it; "
        "where it asks for sensitive facts, only those of them who may see these."
    )
    tz = fields.Selection(
        _tz_get,
        string="Time zone",
        compute="_compute_tz",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        default=lambda self: self.env.user.lang or "en_US",
        required=True,
        help="Decides on which day a week starts.",
    )
    domain = fields.Char(string="Condition", default="[]", required=True)
    included_partner_ids = fields.Many2many(
        "res.partner",
        "customer_segment_included_partner_rel",
        "segment_id",
        "partner_id",
        string="Always in",
    )
    excluded_partner_ids = fields.Many2many(
        "res.partner",
        "customer_segment_excluded_partner_rel",
        "segment_id",
        "partner_id",
        string="Always out",
    )
    included_lead_ids = fields.Many2many(
        "crm.lead",
        "customer_segment_included_lead_rel",
        "segment_id",
        "lead_id",
        string="Leads always in",
    )
    excluded_lead_ids = fields.Many2many(
        "crm.lead",
        "customer_segment_excluded_lead_rel",
        "segment_id",
        "lead_id",
        string="Leads always out",
    )
    exclude_segment_ids = fields.Many2many(
        "customer.segment",
        "customer_segment_exclude_rel",
        "segment_id",
        "excluded_id",
        string="Without the members of",
        check_company=True,
    )
    set_id = fields.Many2one(
        "customer.segment.set",
        string="Segment set",
        check_company=True,
        index="btree_not_null",
        ondelete="set null",
    )
    refresh_minutes = fields.Integer(
        string="Refresh every (minutes)", default=60, required=True
    )
    goal = fields.Char()
    hypothesis = fields.Text()
    review_date = fields.Date()
    verdict = fields.Text()

    partner_ids = fields.Many2many(
        "res.partner",
        "customer_segment_partner_rel",
        "segment_id",
        "partner_id",
        string="Members",
        copy=False,
    )
    lead_ids = fields.Many2many(
        "crm.lead",
        "customer_segment_lead_rel",
        "segment_id",
        "lead_id",
        string="Member leads",
        copy=False,
    )
    member_count = fields.Integer(string="People", readonly=True, copy=False)
    last_refresh = fields.Datetime(string="Fresh as of", readonly=True, copy=False)
    refresh_seconds = fields.Float(readonly=True, copy=False)
    state = fields.Selection(
        [
            ("fresh", "Fresh"),
            ("stale", "Needs refresh"),
            ("quarantined", "Stopped"),
        ],
        default="stale",
        required=True,
        readonly=True,
        copy=False,
    )
    error = fields.Text(readonly=True, copy=False)
    device_ids = fields.One2many("club.device", "group_id", string="Devices")
    device_count = fields.Integer(compute="_compute_device_count")
    is_connected = fields.Boolean(
        string="Connected to a device",
        compute="_compute_device_count",
        search="_search_is_connected",
    )

    _refresh_minutes_positive = models.Constraint(
        "CHECK(refresh_minutes >= 5)", "Refresh every five minutes at most."
    )
    _code_unique = models.UniqueIndex(
        "(company_id, code) WHERE code IS NOT NULL",
        "Another segment of the company has this code.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_tz(self):
        for segment in self:
            segment.tz = segment.tz or segment.company_id.club_tz or "UTC"

    @api.depends("device_ids")
    def _compute_device_count(self):
        counts = dict(
            self.env["club.device"]._read_group(
                [("group_id", "in", self.ids)], ["group_id"], ["__count"]
            )
        )
        for segment in self:
            segment.device_count = counts.get(segment, 0)
            segment.is_connected = bool(segment.device_count)

    def _search_is_connected(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("device_ids", "!=", False)]

    # === CONSTRAINTS === #

    @api.constrains("domain", "user_id", "kind", "model", "company_id")
    def _check_domain(self):
        for segment in self.filtered(lambda segment: segment.kind == "dynamic"):
            self.env["customer.segment.condition"]._check(segment)

    @api.constrains("user_id")
    def _check_user_id(self):
        self.filtered(lambda segment: segment.kind == "dynamic")._refuse_superuser()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._take_responsibility(vals)
            self._check_linked(vals)
        segments = super().create([self._without_members(vals) for vals in vals_list])
        for segment, vals in zip(segments, vals_list, strict=True):
            segment._pin_commands(vals)
        segments._refresh_after_change()
        return segments

    def write(self, vals):
        vals = dict(vals)
        self._answer_for_change(vals)
        self._check_linked(vals)
        result = super().write(self._without_members(vals))
        self._pin_commands(vals)
        if DEFINITION & set(vals):
            self._make_stale()
            self._refresh_after_change()
        return result

    def unlink(self):
        ids = self.ids
        result = super().unlink()
        self.env["customer.segment.event"]._forget("segment_id", ids)
        return result

    def copy_data(self, default=None):
        """A copy has the contacts and leads by hand that its maker may see."""
        if self.env["crm.lead"].has_access("read"):
            return super().copy_data(default)
        nobody = {"included_lead_ids": [], "excluded_lead_ids": []}
        copies = super().copy_data({**nobody, **(default or {})})
        return [
            {name: value for name, value in copy.items() if name not in nobody}
            for copy in copies
        ]

    # === ACTIONS === #

    def get_formview_id(self, access_uid=None):
        """A group opens without the tags of its people: there may be very many."""
        if self.kind == "static":
            return self.env.ref(
                "customer_segmentation.customer_segment_view_form_group"
            ).id
        return super().get_formview_id(access_uid=access_uid)

    def action_open_members(self):
        """Open the members of this segment."""
        self.ensure_one()
        if self.model == "crm.lead":
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "crm.crm_lead_all_leads"
            )
        else:
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "contacts.action_contacts"
            )
        action["domain"] = [("segment_ids", "in", self.ids)]
        action["context"] = {}
        action["display_name"] = self.name
        return action

    def action_open_devices(self):
        """Open the devices connected to this group."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.club_device_action"
        )
        action["domain"] = [("group_id", "=", self.id)]
        action["context"] = {"default_group_id": self.id}
        return action

    def action_open_why(self):
        """Ask about one contact or lead."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.segment.why",
            "name": self.env._("Why is … in?"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_segment_id": self.id},
        }

    def action_open_events(self):
        """Open who entered and left."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_segment_event_action"
        )
        action["domain"] = [("segment_id", "=", self.id)]
        return action
