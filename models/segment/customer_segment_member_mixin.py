from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class CustomerSegmentMemberMixin(models.AbstractModel):
    """What contacts and leads share as members of segments.

    ``segment_ids`` itself is declared by each model: a relation table belongs to one.
    """

    _name = "customer.segment.member.mixin"
    _description = "Member of Segments"

    segment_count = fields.Integer(
        string="Number of segments",
        compute="_compute_segment_count",
        groups="base.group_user",
    )

    @api.depends("segment_ids")
    def _compute_segment_count(self):
        for record in self:
            record.segment_count = len(record.segment_ids)

    def _search_segment_ids(self, operator, value):
        """Segments the user may not see match nothing, also by id.

        Core compares ids of a many2many without the record rules of the other side, so
        membership of a confidential segment could be found out by its id.
        """
        segments = self.env["customer.segment"]
        relation = segments._relation_of(self._name)
        if operator in ("any", "not any"):
            wanted = segments._search(Domain(value))
        elif operator in ("in", "not in"):
            ids = [id_ for id_ in value if id_]
            wanted = segments._search([("id", "in", ids)])
            if not ids or len(ids) < len(list(value)):
                # «Not set»: in no segment at all that the user can see.
                everything = self._in_segments(relation, segments._search([]))
                none = ~everything
                domain = none | self._in_segments(relation, wanted) if ids else none
                return domain if operator == "in" else ~domain
        elif isinstance(value, str):
            wanted = segments._search([("name", operator, value)])
        else:
            return NotImplemented
        domain = self._in_segments(relation, wanted)
        return ~domain if operator in ("not in", "not any") else domain

    def _in_segments(self, relation, segments):
        return Domain(
            "id",
            "in",
            SQL(
                "SELECT %s FROM %s WHERE segment_id IN (%s)",
                relation.column,
                relation.table,
                segments.select(),
            ),
        )

    # === ACTIONS === #

    def action_open_segment_events(self):
        """Open which segments this contact or lead entered and left."""
        self.ensure_one()
        kind = "partner" if self._name == "res.partner" else "lead"
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_segment_event_action"
        )
        action["domain"] = [(f"{kind}_id", "=", self.id)]
        action["context"] = {}
        action["display_name"] = self.env._(
            "Segments of %s", self.display_name or self.env._("this record")
        )
        return action

    def action_open_segment_why(self):
        """Ask why this contact or lead is in a segment, or why not."""
        self.ensure_one()
        kind = "partner" if self._name == "res.partner" else "lead"
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.segment.why",
            "name": self.env._("Why in, or not in?"),
            "view_mode": "form",
            "target": "new",
            "context": {
                f"default_{kind}_id": self.id,
                "default_subject_model": self._name,
            },
        }

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        commands = [vals.pop("segment_ids", None) for vals in vals_list]
        records = super().create(vals_list)
        for record, command in zip(records, commands, strict=True):
            if command:
                record._pin_segments(command)
        records._touch_segments()
        return records

    def write(self, vals):
        commands = vals.get("segment_ids")
        if commands is not None:
            vals = {name: vals[name] for name in vals if name != "segment_ids"}
        result = super().write(vals)
        if commands:
            self._pin_segments(commands)
        if vals:
            self._touch_segments()
        return result

    def _pin_segments(self, commands):
        """Turn a write on ``segment_ids`` into pins, where the user may."""
        kind = "partner" if self._name == "res.partner" else "lead"
        segments = self.env["customer.segment"]
        for record in self:
            present = set(record.segment_ids.ids)
            wanted = set(
                record.new(
                    {"segment_ids": commands}, origin=record
                ).segment_ids._origin.ids
            )
            for segment in segments.browse(wanted - present):
                segment._pin(kind, {record.id}, set())
            for segment in segments.browse(present - wanted):
                segment._pin(kind, set(), {record.id})

    def _touch_segments(self):
        """Note that these changed; the worker refreshes just them within seconds."""
        if not self.ids:
            return
        column = self.env["customer.segment"]._relation_of(self._name).column
        self.env.cr.execute(
            SQL(
                "INSERT INTO customer_segment_touch (%s) SELECT unnest(%s)",
                column,
                list(self.ids),
            )
        )
        self.env["customer.segment.refresh"]._wake_touched()
