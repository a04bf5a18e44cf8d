from collections import namedtuple

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

MARKETER = "customer_segmentation.customer_segmentation_group_marketer"

# What may name records that its editor cannot see.
LINKS = {
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
    """Who is in a segment: pins, groups and the refresh."""

    _inherit = "customer.segment"

    # === PINS === #

    def _check_linked(self, vals):
        """Only what one may see is pinned or left out: who is in tells the rest.

        :param dict vals: of a create or write
        :raise AccessError: for contacts, leads or segments that the user may not read
        """
        if self.env.su:
            return
        for name in LINKS & set(vals):
            ids = set()
            for command in vals[name] or ():
                if not isinstance(command, list | tuple):
                    ids.add(command)
                elif command[0] == fields.Command.LINK:
                    ids.add(command[1])
                elif command[0] == fields.Command.SET:
                    ids.update(command[2])
            self.env[self._fields[name].comodel_name].browse(ids).check_access("read")

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

    def _unpin(self, kind, ids):
        """Let the condition alone decide on contacts or leads.

        :param str kind: ``partner`` or ``lead``
        :param set ids: that are always in
        """
        unlink = [fields.Command.unlink(id_) for id_ in ids]
        self.write({f"included_{kind}_ids": unlink})

    # === MEMBERSHIP === #

    @api.model
    def _relation_of(self, model):
        """Tables and column of the members of a model.

        :param str model: ``res.partner`` or ``crm.lead``
        :rtype: Membership
        """
        return MEMBERSHIPS[model]

    def _membership(self):
        """Tables and column of the members of these segments, all of one model."""
        return MEMBERSHIPS[self[:1].model]

    def _refresh_after_change(self):
        """Groups are filled by hand: they are right at once. Conditions follow."""
        groups = self.filtered(lambda segment: segment.kind == "static")
        engine = self.env["customer.segment.refresh"].sudo()
        for unit in engine._units(groups.sudo()):
            engine._refresh_unit(unit, cause="hand")
        if self - groups:
            engine._wake()

    def refresh(self, partner_ids=None, lead_ids=None):
        """Compute who is in these segments now.

        Each segment (or exclusive set) is a transaction of its own, unless the caller
        has written something in this one. Segments used by these come first; a segment
        that cannot be evaluated is stopped and keeps its members, the others go on.

        :param list partner_ids: only these contacts, or None for all
        :param list lead_ids: only these leads, or None for all
        :return: how many entered or left
        :rtype: int
        :raise AccessError: for whoever may not use segments
        :raise ValidationError: when the ids are no list of numbers
        """
        if not (self.env.su or self.env.user.has_group(MARKETER)):
            raise AccessError(self.env._("Only marketers may refresh segments."))
        self.check_access("read")
        self._check_ids(partner_ids, lead_ids)
        engine = self.env["customer.segment.refresh"].sudo()
        if partner_ids is None and lead_ids is None:
            return engine._refresh_now(self.sudo())
        only = {"res.partner": partner_ids, "crm.lead": lead_ids}
        return sum(
            engine._refresh_records_now(segments, only[model])
            for model, segments in self.sudo().grouped("model").items()
            if only[model]
        )

    def action_refresh(self):
        """Refresh now."""
        self.refresh()
        return True

    def _update_member_count(self):
        if not self:
            return
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
        segments = self.sudo().browse().concat(*engine._units(self.sudo()))
        if segments != self or "dynamic" in self.mapped("kind"):
            # Whoever only puts people into groups need not wait for each other.
            engine._lock(segments)
        engine._refresh_records(segments, partners.ids, cause)
