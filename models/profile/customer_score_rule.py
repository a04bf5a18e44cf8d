from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .typed_day import read_days

# What the points of a rule depend on: changing it makes the scores stale.
DEFINITION = {
    "domain",
    "model",
    "points",
    "active",
    "valid_from",
    "valid_to",
    "repeat",
    "event_source",
    "cap",
    "half_life_days",
    "user_id",
    "company_id",
}
# A score judges figures; it cannot read itself, nor what is made of it.
FORBIDDEN = {
    ("res.partner", "customer_score"),
    ("res.partner", "customer_grade"),
    ("res.partner", "customer_score_line_ids"),
    ("crm.lead", "customer_score"),
    ("crm.lead", "customer_grade"),
    ("crm.lead", "customer_score_line_ids"),
    ("customer.profile", "score"),
    ("customer.profile", "grade"),
}
SEGMENTS = {"segment_ids", "segment_event_ids", "included_segment_ids"}
LARGEST = 2**31 - 1  # of a PostgreSQL integer


class CustomerScoreRule(models.Model):
    """A condition, or an event, and the points it gives or takes.

    A score is the sum of the lines its rules left, from 0 to 100. Conditions are
    evaluated as the responsible, like those of segments.
    """

    _name = "customer.score.rule"
    _description = "Scoring Rule"
    _inherit = ["customer.condition.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "model, kind, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True, copy=False)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")],
        string="Applies to",
        default="res.partner",
        required=True,
    )
    kind = fields.Selection(
        [("explicit", "Explicit"), ("implicit", "Implicit")],
        string="Criterion",
        default="explicit",
        required=True,
        help="Explicit: what they are or told us. Implicit: what they do.",
    )
    domain = fields.Char(string="Condition", default="[]", required=True)
    points = fields.Integer(required=True, default=10, tracking=True, aggregator=False)
    valid_from = fields.Date(help="Earlier events do not count either.")
    valid_to = fields.Date()
    repeat = fields.Selection(
        [("once", "Once"), ("event", "Per event, up to a cap")],
        string="Counts",
        default="once",
        required=True,
    )
    event_source = fields.Selection(
        selection="_selection_event_source",
        string="Event",
        help="Empty: the condition alone decides.",
    )
    cap = fields.Integer(
        string="At most",
        aggregator=False,
        help="The most that the events of one contact give, or take, together.",
    )
    half_life_days = fields.Integer(
        string="Half-life (days)",
        aggregator=False,
        help="After so many days an event counts for half. 0: it does not fade.",
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
    tz = fields.Char(string="Time zone", compute="_compute_clock")
    lang = fields.Char(string="Language", compute="_compute_clock")
    condition_sentence = fields.Text(
        string="In words", compute="_compute_condition_sentence"
    )
    state = fields.Selection(
        [("stale", "Needs refresh"), ("fresh", "Works"), ("quarantined", "Stopped")],
        default="stale",
        required=True,
        readonly=True,
        copy=False,
    )
    error = fields.Text(readonly=True, copy=False)
    line_ids = fields.One2many("customer.score.line", "rule_id", string="Lines")
    line_count = fields.Integer(string="Given to", compute="_compute_line_count")

    _points_range = models.Constraint(
        "CHECK(points BETWEEN -100 AND 100)", "Points go from -100 to 100."
    )
    _cap_range = models.Constraint(
        "CHECK(coalesce(cap, 0) BETWEEN 0 AND 100)", "The cap goes from 1 to 100."
    )
    _validity = models.Constraint(
        "CHECK(valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)",
        "A rule cannot end before it begins.",
    )
    _half_life_positive = models.Constraint(
        "CHECK(coalesce(half_life_days, 0) >= 0)",
        "A half-life is a number of days, never negative.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id.club_tz", "company_id.partner_id.lang")
    def _compute_clock(self):
        for rule in self:
            company = rule.company_id.sudo()
            rule.tz = company.club_tz or "UTC"
            rule.lang = company.partner_id.lang or "en_US"

    @api.depends("domain", "model", "user_id", "company_id")
    @api.depends_context("lang", "uid")
    def _compute_condition_sentence(self):
        for rule in self:
            rule.condition_sentence = rule._sentence()

    @api.depends("line_ids")
    def _compute_line_count(self):
        counts = dict(
            self.env["customer.score.line"]._read_group(
                [("rule_id", "in", self.ids)], ["rule_id"], ["__count"]
            )
        )
        for rule in self:
            rule.line_count = counts.get(rule, 0)

    def _selection_event_source(self):
        return self.env["customer.score.source"]._selection()

    # === CONSTRAINTS === #

    @api.constrains("domain", "model", "user_id", "company_id", "active")
    def _check_domain(self):
        condition = self.env["customer.segment.condition"]
        for rule in self:
            if rule.active:
                condition._check(rule)
            domain = condition._parse(rule.domain)
            rule._check_no_circle(domain)
            # Every employee sees who has its points.
            condition._check_discreet(self.env[rule.model], domain)

    def _check_no_circle(self, domain):
        """Refuse what a score leads to: a later stage reads it, never the reverse."""
        used = self.env["customer.segment.condition"]._fields_of(
            self.env[self.model], domain
        )
        if any(name in SEGMENTS for _model, name in used):
            raise ValidationError(
                self.env._(
                    "A scoring rule cannot ask for segments: segments ask for scores."
                )
            )
        if FORBIDDEN & used:
            raise ValidationError(
                self.env._("A scoring rule cannot ask for the score itself.")
            )

    @api.constrains(
        "repeat", "event_source", "cap", "half_life_days", "model", "active"
    )
    def _check_event(self):
        for rule in self:
            if rule.event_source:
                if rule.active:
                    self.env["customer.score.source"]._check(rule)
            elif rule.repeat == "event":
                raise ValidationError(
                    self.env._("Choose the event that “%s” counts.", rule.name)
                )
            elif rule.half_life_days:
                raise ValidationError(
                    self.env._("Only points for events have a half-life.")
                )
            if rule.repeat == "event" and rule.cap <= 0:
                raise ValidationError(
                    self.env._("Say how many points “%s” gives at most.", rule.name)
                )

    @api.constrains("user_id", "active")
    def _check_user_id(self):
        self.filtered("active")._refuse_superuser()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._take_responsibility(vals)
            self._read_typed(vals)
        rules = super().create(vals_list)
        rules._make_stale()
        return rules

    def write(self, vals):
        vals = dict(vals)
        self._answer_for_change(vals)
        self._read_typed(vals)
        if not DEFINITION & set(vals):
            return super().write(vals)
        self._make_stale()
        result = super().write(vals)
        self._make_stale()
        return result

    def unlink(self):
        self._make_stale()
        return super().unlink()

    def _read_typed(self, vals):
        """What only other systems send: no days, and numbers no column holds."""
        read_days(self.env, vals, ["valid_from", "valid_to"])
        for name in ("points", "cap", "half_life_days"):
            value = vals.get(name)
            if isinstance(value, int) and abs(value) > LARGEST:
                raise ValidationError(self.env._("“%s” is too large a number.", value))

    def _make_stale(self):
        """Scores these rules have a part in follow at the worker's next run."""
        units = {(rule.company_id.id, rule.model) for rule in self}
        self.env["customer.score.run"].sudo()._make_stale(units)

    # === ACTIONS === #

    def action_refresh(self):
        """Work the scores out now that these rules have a part in."""
        self.check_access("write")
        engine = self.env["customer.score.refresh"].sudo()
        for company, model in {(rule.company_id, rule.model) for rule in self}:
            engine._refresh_now(company, model)
        return True

    def action_open_subjects(self):
        """Open the contacts or leads that have a line of this rule."""
        self.ensure_one()
        xml_id, path = {
            "res.partner": ("contacts.action_contacts", "customer_score_line_ids"),
            "crm.lead": ("crm.crm_lead_all_leads", "customer_score_line_ids"),
        }[self.model]
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        action["domain"] = [(f"{path}.rule_id", "=", self.id)]
        action["context"] = {}
        action["display_name"] = self.name
        return action

    # === BUSINESS METHODS === #

    @api.model
    def refresh(self, partner_ids=None, lead_ids=None):
        """Work out scores of the current company: of all, or of some.

        :param list partner_ids: only these contacts
        :param list lead_ids: only these leads
        :return: how many scores or lines changed
        :rtype: int
        :raise AccessError: for whoever may not write scoring rules
        :raise ValidationError: when the ids are no list of numbers
        """
        self.check_access("write")
        self._check_ids(partner_ids, lead_ids)
        engine = self.env["customer.score.refresh"].sudo()
        is_all = partner_ids is None and lead_ids is None
        changed = 0
        for model, ids in (("res.partner", partner_ids), ("crm.lead", lead_ids)):
            if is_all or ids is not None:
                changed += engine._refresh_now(self.env.company, model, ids)
        return changed

    @api.model
    def _valid_rules(self, company, model):
        """Rules that count today, day of the company."""
        today = company._club_today()
        return self.search(
            [
                ("company_id", "=", company.id),
                ("model", "=", model),
                ("active", "=", True),
                "|",
                ("valid_from", "=", False),
                ("valid_from", "<=", today),
                "|",
                ("valid_to", "=", False),
                ("valid_to", ">=", today),
            ],
            order="id",
        )
