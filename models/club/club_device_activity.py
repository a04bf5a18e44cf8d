from odoo import fields, models


class ClubDeviceActivity(models.Model):
    """What changes at every request of a device, apart from what people edit.

    Kept in a narrow table so that a manager who edits the device never meets the
    device's own traffic.
    """

    _name = "club.device.activity"
    _description = "Club Device Activity"
    _rec_name = "device_id"
    _log_access = False

    device_id = fields.Many2one("club.device", required=True, ondelete="cascade")
    rate_tat = fields.Float(
        default=0.0,
        digits=False,
        help="Theoretical arrival time of the next request, seconds since 1970 (GCRA).",
    )
    last_seen = fields.Datetime()
    queue_length = fields.Integer()
    firmware = fields.Char()
    refused_count = fields.Integer(
        default=0, help="Check-ins the device was told to drop, since it was connected."
    )
    last_refusal = fields.Char(help="Name of the last problem; never what was typed.")
    last_refused_at = fields.Datetime()

    _device_unique = models.Constraint("unique(device_id)", "One row per device.")
