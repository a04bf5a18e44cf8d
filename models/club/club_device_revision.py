from odoo import api, fields, models
from odoo.tools import SQL, ormcache


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

    @api.model_create_multi
    def create(self, vals_list):
        # Should this transaction be undone, its number will be given again.
        self.env.registry.clear_cache()
        return super().create(vals_list)

    @api.model
    def _get_digits(self, device_id, rev):
        """What each digit meant under a revision, as ``_config_digits`` wrote it.

        :param int device_id: the device; no record, since each check-in asks
        :param int rev: any integer
        :return: by digit, or None for a revision that was never made
        :rtype: dict or None
        """
        try:
            return self._get_known_digits(device_id, rev)
        except LookupError:
            return None

    @ormcache("device_id", "rev")
    def _get_known_digits(self, device_id, rev):
        """The same, remembered: a revision never changes. What is not there yet may
        come, so its absence is raised, which is not remembered.

        :raise LookupError: for a revision that was never made
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT digits FROM club_device_revision
                 WHERE device_id = %s AND rev = %s::bigint
                """,
                device_id,
                rev,
            )
        )
        if not rows:
            raise LookupError(rev)
        return rows[0][0]
