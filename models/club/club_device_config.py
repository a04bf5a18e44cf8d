from odoo import fields, models
from odoo.tools import SQL

BATCH_MAX = 50
HEARTBEAT_SECONDS = 300


class ClubDeviceConfig(models.AbstractModel):
    """What a device is told, and the revisions of that."""

    _name = "club.device.config"
    _description = "Club Device Configuration"

    config_rev = fields.Integer(
        string="Configuration revision", default=0, readonly=True, copy=False
    )

    def _record_revision(self):
        """Raise ``config_rev`` where the configuration changed, and keep what each
        digit meant under it (a check-in typed offline lands on its own revision).
        """
        self.env.flush_all()
        for device in self.with_context(active_test=False):
            body, digits = device._config_body(), device._config_digits()
            last = device.revision_ids.sudo().sorted("rev")[-1:]
            if last and last.body == body and last.digits == digits:
                continue
            rev = device.config_rev + 1
            self.env["club.device.revision"].sudo().create(
                {"device_id": device.id, "rev": rev, "body": body, "digits": digits}
            )
            device._set_config_rev(rev)

    def _set_config_rev(self, rev):
        # Straight to the row: a write would record the revision once more.
        self.env.cr.execute(
            SQL("UPDATE club_device SET config_rev = %s WHERE id = %s", rev, self.id)
        )
        self.invalidate_recordset(["config_rev"])

    def _config_body(self):
        """What the device is told, without ``rev``.

        :return: a JSON-able dict, see the schema ``Config`` in docs/openapi.yaml
        :rtype: dict
        """
        self.ensure_one()
        return {
            "club": self.company_id.name,
            "locale": self.lang.split("_")[0],
            "tags": [
                {"digit": tag.digit, "label": tag.label, "color": tag.color.upper()}
                for tag in self.tag_ids.sorted("digit")
            ],
            "tag_required": self.tag_required,
            "region": self.country_id.code,
            "privacy": self.privacy,
            "gap_s": self.gap_minutes * 60,
            "batch_max": BATCH_MAX,
            "offline_max_h": self.offline_limit_days * 24,
            "heartbeat_s": HEARTBEAT_SECONDS,
        }

    def _config_digits(self):
        """What each digit means now: ``{"2": {"tag_id": 7, "category_id": 3}}``."""
        self.ensure_one()
        return {
            str(tag.digit): {"tag_id": tag.id, "category_id": tag.category_id.id}
            for tag in self.tag_ids.sorted("digit")
        }
