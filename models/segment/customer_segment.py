from collections import namedtuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get

MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"
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
Membership = namedtuple("Membership", "table column included excluded")
MEMBERSHIPS = {
    "res.partner": Membership(
        SQL.identifier("customer_segment_partner_rel"),
        SQL.identifier("partner_id"),
        SQL.identifier("customer_segment_included_partner_rel"),
        SQL.identifier("customer_segment_excluded_partner_rel"),
    ),
    "crm.lead": Membership(
        SQL.identifier("customer_segment_lead_rel"),
        SQL.identifier("lead_id"),
        SQL.identifier("customer_segment_included_lead_rel"),
        SQL.identifier("customer_segment_excluded_lead_rel"),
    ),
}


class CustomerSegment(models.Model):
    """A named set of contacts or leads: by a condition, by hand, or both.

    members = (condition ∪ always in) − always out − members of excluded segments
    """

    _name = "customer.segment"
    _description = "Customer Segment"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    note = fields.Text(string="Description")
    guidance = fields.Text(help="What to do with these people; plain text.")
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
        help="Only the responsible and managers see this segment and who is in it."
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

    @api.constrains("domain", "exclude_segment_ids", "kind")
    def _check_cycle(self):
        for segment in self:
            segment._find_cycle()

    @api.constrains("user_id")
    def _check_user_id(self):
        for segment in self:
            if segment.user_id._is_superuser() and segment.kind == "dynamic":
                raise ValidationError(
                    self.env._("Choose a person as responsible, not the system.")
                )

    def _uses(self):
        """Segments that this one's condition or exclusion uses.

        :return: ``customer.segment`` recordset
        """
        self.ensure_one()
        used = self.sudo().exclude_segment_ids
        if self.kind == "dynamic":
            try:
                ids = self.env["customer.segment.condition"]._segment_ids(self)
            except ValidationError:
                ids = ()
            used |= self.sudo().browse(ids).exists()
        return used

    def _find_cycle(self):
        """Refuse that a segment depends on itself, naming the path."""

        def walk(segment, path):
            for used in segment._uses():
                if used in path:
                    names = [*path[path.index(used) :], used]
                    raise ValidationError(
                        self.env._(
                            "These segments depend on each other in a circle: %s",
                            " → ".join(item.name for item in names),
                        )
                    )
                walk(used, [*path, used])

        walk(self, [self])

    def _dependency_order(self):
        """These segments, each after those that it uses.

        :return: list of ``customer.segment``
        """
        ordered, wanted = [], set(self.ids)

        def visit(segment, trail):
            if segment in ordered or segment in trail:
                return
            for used in segment._uses():
                if used.id in wanted:
                    visit(used, [*trail, segment])
            ordered.append(segment)

        for segment in self:
            visit(segment, [])
        return ordered

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._take_responsibility(vals)
        segments = super().create([self._without_members(vals) for vals in vals_list])
        for segment, vals in zip(segments, vals_list, strict=True):
            segment._pin_commands(vals)
        segments._refresh_after_change()
        return segments

    def write(self, vals):
        vals = dict(vals)
        if "domain" in vals:
            self._check_may_edit()
            if any(segment.domain != vals["domain"] for segment in self):
                self._take_responsibility(vals)
        elif "user_id" in vals:
            self._take_responsibility(vals)
        result = super().write(self._without_members(vals))
        self._pin_commands(vals)
        if DEFINITION & set(vals):
            self._make_stale()
            self._refresh_after_change()
        return result

    def _check_may_edit(self):
        """Whoever edits a colleague's condition would read through its eyes."""
        if self.env.su or self.env.user.has_group(MANAGER):
            return
        if any(segment.user_id != self.env.user for segment in self):
            raise AccessError(
                self.env._("Only the responsible or a manager may change a condition.")
            )

    def _take_responsibility(self, vals):
        """Whoever saves a condition answers for it; managers may name someone else."""
        if self.env.su:
            return
        if not self.env.user.has_group(MANAGER) or (
            "domain" in vals and "user_id" not in vals
        ):
            vals["user_id"] = self.env.uid

    def _without_members(self, vals):
        """Pins are the only door into a segment: members are never written."""
        return {
            name: value
            for name, value in vals.items()
            if name not in ("partner_ids", "lead_ids")
        }

    def _pin_commands(self, vals):
        """Turn a write on the members into «always in» and «always out»."""
        for name, kind in (("partner_ids", "partner"), ("lead_ids", "lead")):
            commands = vals.get(name)
            if not commands:
                continue
            for segment in self:
                present = set(segment[name].ids)
                wanted = set(
                    segment.new({name: commands}, origin=segment)[name]._origin.ids
                )
                segment._pin(kind, wanted - present, present - wanted)

    def _pin(self, kind, into, out):
        """Pin contacts or leads in or out, whoever may write the segment.

        :param str kind: ``partner`` or ``lead``
        :param set into: ids to be always in
        :param set out: ids to be always out
        """
        self.check_access("write")
        link, unlink = fields.Command.link, fields.Command.unlink
        excluded = [unlink(id_) for id_ in into]
        if self.kind == "dynamic":
            excluded += [link(id_) for id_ in out]
        self.write(
            {
                f"included_{kind}_ids": [link(id_) for id_ in into]
                + [unlink(id_) for id_ in out],
                f"excluded_{kind}_ids": excluded,
            }
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        users = self._used_by()
        if users:
            raise UserError(
                self.env._(
                    "Still used by: %s. Remove it there first.", ", ".join(users)
                )
            )

    def _used_by(self):
        """Names of what uses these segments.

        :rtype: list[str]
        """
        others = self.sudo().search([("id", "not in", self.ids)])
        names = [other.name for other in others if other._uses() & self]
        names += self.sudo().device_ids.mapped("name")
        return names

    def action_archive(self):
        """Archive, unless something still uses the segment."""
        self._unlink_except_used()
        return super().action_archive()

    # === MEMBERSHIP === #

    @api.model
    def _relation_of(self, model):
        """Tables and column of the members of a model.

        :param str model: ``res.partner`` or ``crm.lead``
        :rtype: Membership
        """
        return MEMBERSHIPS[model]

    def _membership(self):
        """Tables and column of this segment's members; one model at a time."""
        return MEMBERSHIPS[self.model]

    def _make_stale(self):
        fresh = self.filtered(lambda segment: segment.state == "fresh")
        fresh.write({"state": "stale"})

    def _refresh_after_change(self):
        """Groups are filled by hand: they are right at once. Conditions follow."""
        self.env.flush_all()
        groups = self.filtered(lambda segment: segment.kind == "static")
        for unit in self.env["customer.segment.refresh"].sudo()._units(groups.sudo()):
            self.env["customer.segment.refresh"].sudo()._refresh_unit(
                unit, cause="hand"
            )
        if self - groups:
            self.env.ref(
                "customer_segmentation.customer_segment_refresh_cron"
            ).sudo()._trigger()

    def refresh(self, partner_ids=None, lead_ids=None):
        """Compute who is in these segments now.

        :param list partner_ids: only these contacts, or None for all
        :param list lead_ids: only these leads, or None for all
        :return: how many entered or left
        :rtype: int
        :raise AccessError: for whoever may not change segments
        """
        self.check_access("write")
        engine = self.env["customer.segment.refresh"].sudo()
        ids = partner_ids if partner_ids is not None else lead_ids
        changed = 0
        for unit in engine._units(self.sudo()):
            unit.lock_for_update(allow_referencing=True)
            changed += engine._refresh_unit(unit, ids)
        return changed

    def action_refresh(self):
        """Refresh now."""
        self.refresh()
        return True

    def _note_refresh(self, seconds):
        self.activity_unlink(["mail.mail_activity_data_warning"])
        self.write(
            {
                "state": "fresh",
                "error": False,
                "last_refresh": fields.Datetime.now(),
                "refresh_seconds": round(seconds, 3),
            }
        )

    def _update_member_count(self):
        self.env.flush_all()
        relation = self[:1]._membership()
        self.env.cr.execute(
            SQL(
                """
                UPDATE customer_segment s
                   SET member_count = (SELECT count(*) FROM %s r
                                        WHERE r.segment_id = s.id)
                 WHERE s.id = ANY(%s)
                """,
                relation.table,
                list(self.ids),
            )
        )
        self.invalidate_recordset(["member_count"])

    def _quarantine(self, error):
        """Keep the last good members, say why, and tell the responsible once."""
        for segment in self:
            text = str(error).strip().splitlines()[0] if str(error).strip() else ""
            already = segment.state == "quarantined"
            segment.write(
                {"state": "quarantined", "error": text or type(error).__name__}
            )
            if not already:
                segment.activity_schedule(
                    "mail.mail_activity_data_warning",
                    user_id=segment.user_id.id,
                    summary=self.env._("This segment has stopped"),
                    note=self.env._(
                        "Its condition cannot be evaluated. The members of the last "
                        "good refresh stay. Open the segment to see why."
                    ),
                )

    # === GROUPS === #

    def _add_partners(self, partners, cause="device"):
        """Put contacts into this group; those who are in it already stay.

        :param partners: ``res.partner`` recordset, any size
        :param str cause: cause of the event
        """
        if not self or not partners:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_segment_included_partner_rel
                            (segment_id, partner_id)
                     SELECT s.id, p.id
                       FROM unnest(%s) AS s(id), unnest(%s) AS p(id)
                ON CONFLICT DO NOTHING
                """,
                list(self.ids),
                list(partners.ids),
            )
        )
        self._after_group_change(partners, cause)

    def _remove_partners(self, partners, cause="hand"):
        """Take contacts out of this group.

        :param partners: ``res.partner`` recordset, any size
        :param str cause: cause of the event
        """
        if not self or not partners:
            return
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM customer_segment_included_partner_rel
                      WHERE segment_id = ANY(%s) AND partner_id = ANY(%s)
                """,
                list(self.ids),
                list(partners.ids),
            )
        )
        self._after_group_change(partners, cause)

    def _after_group_change(self, partners, cause):
        self.invalidate_recordset(["included_partner_ids"])
        partners.invalidate_recordset(["included_segment_ids"])
        engine = self.env["customer.segment.refresh"].sudo()
        for unit in engine._units(self.sudo()):
            engine._refresh_unit(unit, partners.ids, cause)

    # === QUESTIONS === #

    def members_at(self, date):
        """Who was in this segment at a moment.

        :param date: datetime (UTC) or its ISO text
        :return: ids of contacts or leads
        :rtype: list[int]
        """
        self.ensure_one()
        self.check_access("read")
        column = self._membership().column
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id
                  FROM (SELECT DISTINCT ON (e.%(column)s) e.%(column)s AS id, e.kind
                          FROM customer_segment_event e
                         WHERE e.segment_id = %(segment)s AND e.date <= %(date)s
                           AND e.%(column)s IS NOT NULL
                         ORDER BY e.%(column)s, e.date DESC, e.id DESC) last
                 WHERE kind = 'enter'
                 ORDER BY id
                """,
                column=column,
                segment=self.id,
                date=fields.Datetime.to_datetime(date),
            )
        )
        visible = self.env[self.model].search([("id", "in", [row[0] for row in rows])])
        return visible.ids

    def why(self, record_id):
        """Why a contact or lead is in this segment, or why not.

        :param int record_id: id of the contact or lead
        :return: ``{"is_member", "always_in", "always_out", "excluded_by": [names],
            "conditions": [{"depth", "text", "holds"}]}``
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        record = self.env[self.model].browse(record_id)
        record.check_access("read")
        kind = "partner" if self.model == "res.partner" else "lead"
        me = self.sudo()
        answer = {
            "is_member": record in me[f"{kind}_ids"],
            "always_in": record in me[f"included_{kind}_ids"],
            "always_out": record in me[f"excluded_{kind}_ids"],
            "excluded_by": [
                other.name
                for other in me.exclude_segment_ids
                if record in other[f"{kind}_ids"]
            ],
            "conditions": [],
        }
        if self.kind == "dynamic":
            condition = self.env["customer.segment.condition"]
            answer["conditions"] = condition._explain(me, record)
        return answer

    # === ACTIONS === #

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
