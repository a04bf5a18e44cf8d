from odoo import api, fields, models


class ClubDeviceSeen(models.AbstractModel):
    """What a device did lately, as its form and its list show it."""

    _name = "club.device.seen"
    _description = "Club Device Seen"

    last_seen = fields.Datetime(compute="_compute_activity")
    firmware = fields.Char(compute="_compute_activity")
    queue_length = fields.Integer(
        compute="_compute_activity", help="Check-ins that wait in the device."
    )
    refused_count = fields.Integer(
        compute="_compute_activity",
        help="Check-ins that the device was told to drop: wrong numbers and the like.",
    )
    last_refusal = fields.Char(compute="_compute_activity")
    last_refused_at = fields.Datetime(compute="_compute_activity")
    checkins_today = fields.Integer(compute="_compute_checkins_today")

    @api.depends("activity_row_ids.last_seen")
    def _compute_activity(self):
        rows = {
            row.device_id: row
            for row in self.env["club.device.activity"].search(
                [("device_id", "in", self.ids)]
            )
        }
        for device in self:
            row = rows.get(device, self.env["club.device.activity"])
            device.last_seen = row.last_seen
            device.firmware = row.firmware
            device.queue_length = row.queue_length
            device.refused_count = row.refused_count
            device.last_refusal = row.last_refusal
            device.last_refused_at = row.last_refused_at

    def _compute_checkins_today(self):
        counts = dict(
            self.env["club.checkin"]._read_group(
                [("device_id", "in", self.ids), ("arrived_today", "=", True)],
                ["device_id"],
                ["__count"],
            )
        )
        for device in self:
            device.checkins_today = counts.get(device, 0)
