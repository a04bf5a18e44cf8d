from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# What contacts and leads have of segments by hand.
PINS = ("segment_ids", "included_segment_ids")


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
        relation = self.env["customer.segment"]._relation_of(self._name)
        return self._search_segments(relation.table, operator, value)

    def _search_included_segment_ids(self, operator, value):
        """The same for «always in».

        :raise AccessError: for whoever may not read the field
        """
        self._check_field_access(self._fields["included_segment_ids"], "read")
        relation = self.env["customer.segment"]._relation_of(self._name)
        return self._search_segments(relation.included, operator, value)

    def _search_segments(self, table, operator, value):
        segments = self.env["customer.segment"]
        if operator in ("any", "not any"):
            wanted = segments._search(Domain(value))
        elif operator in ("in", "not in"):
            ids = [id_ for id_ in value if id_]
            wanted = segments._search([("id", "in", ids)])
            if not ids or len(ids) < len(list(value)):
                # «Not set»: in no segment at all that the user can see.
                everything = self._in_segments(table, segments._search([]))
                none = ~everything
                domain = none | self._in_segments(table, wanted) if ids else none
                return domain if operator == "in" else ~domain
        elif isinstance(value, str):
            wanted = segments._search([("name", operator, value)])
        else:
            return NotImplemented
        domain = self._in_segments(table, wanted)
        return ~domain if operator in ("not in", "not any") else domain

    def _in_segments(self, table, segments):
        return Domain(
            "id",
            "in",
            SQL(
                "SELECT %s FROM %s WHERE segment_id IN (%s)",
                self.env["customer.segment"]._relation_of(self._name).column,
                table,
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
        vals_list = [dict(vals) for vals in vals_list]
        pins = [self._pop_pins(vals) for vals in vals_list]
        records = super().create(vals_list)
        for record, commands in zip(records, pins, strict=True):
            record._pin_segments(commands)
        records._touch_segments()
        return records

    def write(self, vals):
        vals = dict(vals)
        pins = self._pop_pins(vals)
        result = super().write(vals)
        self._pin_segments(pins)
        if vals:
            self._touch_segments()
        return result

    def unlink(self):
        ids = self.ids
        result = super().unlink()
        column = {"res.partner": "partner_id", "crm.lead": "lead_id"}[self._name]
        self.env["customer.segment.event"]._forget(column, ids)
        return result

    def _pop_pins(self, vals):
        """Take out what is not written here: core would write a many2many whatever the
        user may do with segments.
        """
        names = [name for name in PINS if name in vals]
        return {name: vals.pop(name) for name in names}

    def _pin_segments(self, pins):
        """Turn a write on segments into pins, where the user may.

        :param dict pins: commands by name of the field
        """
        kind = "partner" if self._name == "res.partner" else "lead"
        segments = self.env["customer.segment"]
        for name, commands in pins.items():
            self._check_field_access(self._fields[name], "write")
            for record in self if commands else ():
                present = set(record[name].ids)
                wanted = set(
                    record.new({name: commands}, origin=record)[name]._origin.ids
                )
                for segment in segments.browse(wanted - present):
                    segment._pin(kind, {record.id}, set())
                for segment in segments.browse(present - wanted):
                    if name == "segment_ids":
                        segment._pin(kind, set(), {record.id})
                    else:
                        segment._unpin(kind, {record.id})

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
