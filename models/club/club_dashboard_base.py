from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

UNSEEN_HOURS = 24
CLUB_USER = "customer_segmentation.customer_segmentation_group_club_user"
CLUB_MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"


class ClubDashboardBase(models.AbstractModel):
    """What all parts of the screen «Today» use: domains, and actions on them."""

    _name = "club.dashboard.base"
    _description = "Club Today: Lists"

    def _get_arrival_domain(self, domain, window):
        return (
            domain
            & Domain("arrived_at", ">=", window["start"])
            & Domain("arrived_at", "<", window["end"])
        )

    def _get_unseen_devices(self, devices):
        limit = fields.Datetime.now() - timedelta(hours=UNSEEN_HOURS)
        return devices.filtered(
            lambda device: (
                device.state == "active"
                and (not device.last_seen or device.last_seen < limit)
            )
        )

    def _prepare_checkin_action(self, name, domain):
        return self._prepare_action(name, "club.checkin", domain)

    def _prepare_action(self, name, model, domain):
        """A window action on exactly ``domain``, small enough to send with a figure."""
        views = [[False, "list"], [False, "kanban"], [False, "form"]]
        if model == "sms.sms":
            own_list = self.env["ir.model.data"]._xmlid_to_res_id(
                "customer_segmentation.sms_sms_view_list"
            )
            views = [[own_list, "list"], [False, "form"]]
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "views": views,
            "domain": list(domain),
            "context": {},
            "target": "current",
        }

    def _prepare_form_action(self, model, res_id=False, name=False, context=None):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "res_id": res_id,
            "views": [[False, "form"]],
            "context": context or {},
            "target": "current",
        }

    def _prepare_xmlid_action(self, name):
        return self.env["ir.actions.act_window"]._for_xml_id(
            f"customer_segmentation.{name}"
        )
