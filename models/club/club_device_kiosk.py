from odoo import api, fields, models
from odoo.http import db_list, request

PAGE = "/club/kiosk"
# Odoo serves static files without knowing a database, other pages only with one.
PAGE_WITHOUT_DATABASE = "/customer_segmentation/static/kiosk/kiosk.html"


class ClubDeviceKiosk(models.AbstractModel):
    """What makes a device a tablet: its page instead of a maker's terminal."""

    _name = "club.device.kiosk"
    _description = "Club Device Kiosk"

    kind = fields.Selection(
        [("terminal", "Terminal"), ("tablet", "Tablet or phone")],
        default="terminal",
        required=True,
        help="A tablet opens the tablet page in its browser; a terminal is a device "
        "made for check-ins.",
    )
    kiosk_url = fields.Char(
        string="Tablet page",
        compute="_compute_kiosk_url",
        help="Open this address in the tablet's browser, then type the pairing code.",
    )

    @api.depends("kind")
    def _compute_kiosk_url(self):
        url = self._get_kiosk_url()
        for device in self:
            device.kiosk_url = url if device.kind == "tablet" else False

    @api.model
    def _get_kiosk_url(self):
        """Address of the tablet page, as a tablet that knows nothing can open it.

        :return: the short address where the host leads to one database, else one that
            names the database
        :rtype: str
        """
        base = self.get_base_url()
        if self._is_host_shared():
            return f"{base}{PAGE_WITHOUT_DATABASE}?db={self.env.cr.dbname}"
        return base + PAGE

    @api.model
    def _is_host_shared(self):
        """Whether Odoo cannot tell by the host name alone which database is meant."""
        host = request.httprequest.environ.get("HTTP_HOST", "") if request else ""
        return len(db_list(force=True, host=host)) > 1
