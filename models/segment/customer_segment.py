from odoo import api, fields, models
from odoo.tools import SQL


class CustomerSegment(models.Model):
    """A named set of contacts; a group is filled by hand or by a device."""

    _name = "customer.segment"
    _description = "Customer Segment"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    color = fields.Integer()
    note = fields.Text(string="Description")
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
    )
    kind = fields.Selection(
        [("static", "Group, filled by hand or by a device")],
        default="static",
        required=True,
    )
    included_partner_ids = fields.Many2many(
        "res.partner",
        "customer_segment_included_partner_rel",
        "segment_id",
        "partner_id",
        string="Contacts",
    )
    member_count = fields.Integer(string="People", compute="_compute_member_count")
    device_ids = fields.One2many("club.device", "group_id", string="Devices")
    device_count = fields.Integer(compute="_compute_device_count")
    is_connected = fields.Boolean(
        string="Connected to a device",
        compute="_compute_device_count",
        search="_search_is_connected",
    )

    @api.depends("included_partner_ids")
    def _compute_member_count(self):
        # With the reader's own record rules, as the list behind the button shows.
        counts = dict(
            self.env["res.partner"]._read_group(
                [("included_segment_ids", "in", self.ids)],
                ["included_segment_ids"],
                ["__count"],
            )
        )
        for segment in self:
            segment.member_count = counts.get(segment, 0)

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

    def action_open_members(self):
        """Open the contacts of this segment."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "contacts.action_contacts"
        )
        action["domain"] = [("included_segment_ids", "in", self.ids)]
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

    def _add_partners(self, partners):
        """Put contacts into this group; those who are in it already stay.

        :param partners: ``res.partner`` recordset, any size
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
        self.invalidate_recordset(["included_partner_ids"])
        partners.invalidate_recordset(["included_segment_ids"])

    def _remove_partners(self, partners):
        """Take contacts out of this group.

        :param partners: ``res.partner`` recordset, any size
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
        self.invalidate_recordset(["included_partner_ids"])
        partners.invalidate_recordset(["included_segment_ids"])
