from odoo import fields, models


class ClubDeviceRevision(models.Model):
    """A configuration a device once had: what it was told and what digits meant."""

    _name = "club.device.revision"
    _description = "Club Device Revision"
    _order = "device_id, rev desc"
    _rec_name = "rev"

    device_id = fields.Many2one(
        "club.device", required=True, ondelete="cascade", readonly=True
    )
    rev = fields.Integer(string="Revision", required=True, readonly=True)
    body = fields.Json(readonly=True)
    digits = fields.Json(readonly=True)

    _device_rev_unique = models.Constraint(
        "unique(device_id, rev)", "A device has each revision once."
    )
