from odoo import api, models
from odoo.tools import SQL

from .club_dashboard_base import CLUB_MANAGER


class ClubDashboardOnboarding(models.AbstractModel):
    """The steps to the first visitor."""

    _name = "club.dashboard.onboarding"
    _description = "Club Today: First Steps"
    _inherit = "club.dashboard.base"

    @api.model
    def apply_preset(self, preset_id):
        """Set the club up for a trade in one click.

        The first device without tags gets the trade's tags; one that has some keeps
        them.

        :param int preset_id: ``club.preset``
        :return: what was done, for a notification
        :rtype: str
        :raise AccessError: for whoever is no manager of the club
        """
        preset = self.env["club.preset"].browse(preset_id)
        preset.check_access("write")
        device = self.env["club.device"].search(
            [("company_id", "=", self.env.company.id), ("tag_ids", "=", False)], limit=1
        )
        self.env["club.preset.apply"].create(
            {"preset_id": preset.id, "device_id": device.id}
        ).action_apply()
        if device:
            return self.env._(
                "Texts are in place, and tags on %(device)s: %(trade)s.",
                device=device.name,
                trade=preset.name,
            )
        if preset.tag_ids:
            return self.env._(
                "Texts are in place: %(trade)s. For its tags choose it again, with a "
                "device.",
                trade=preset.name,
            )
        return self.env._("Texts are in place: %(trade)s.", trade=preset.name)

    def _get_onboarding(self):
        """The first steps, for managers, until a device checked somebody in."""
        if not self.env.user.has_group(CLUB_MANAGER):
            return False
        any_checkin, from_device = self._find_first_checkins()
        if from_device:
            return False
        company = self.env.company
        steps = [
            self._get_trade_step(company),
            self._get_welcome_step(company),
            self._get_device_step(company),
            self._get_try_step(any_checkin),
        ]
        if all(step["done"] for step in steps):
            return False
        presets = self.env["club.preset"].search_fetch(
            [], ["name", "icon", "description"]
        )
        return {
            "steps": steps,
            "presets": [
                {
                    "id": preset.id,
                    "name": preset.name,
                    "icon": preset.icon or "fa-shopping-bag",
                    "description": preset.description or "",
                }
                for preset in presets
            ],
        }

    def _find_first_checkins(self):
        """Whether there is any check-in, and one that a device sent."""
        self.env["club.checkin"].flush_model(["company_id", "event_id"])
        return self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (SELECT FROM club_checkin WHERE company_id = %(company)s),
                       EXISTS (SELECT FROM club_checkin
                                WHERE company_id = %(company)s
                                  AND NOT starts_with(event_id, 'hand-'))
                """,
                company=self.env.company.id,
            )
        )[0]

    def _get_trade_step(self, company):
        return {
            "key": "trade",
            "title": self.env._("Choose your trade"),
            "help": self.env._(
                "It brings texts, tags and a sensible gap. All can be changed."
            ),
            "done": bool(
                company.club_welcome_template_id
                or company.club_repeat_template_id
                or company.club_visits_are_purchases
            ),
            "button": self.env._("Choose with a preview"),
            "action": self._prepare_xmlid_action("club_preset_apply_action"),
        }

    def _get_welcome_step(self, company):
        template = company.club_welcome_template_id
        if template:
            action = self._prepare_form_action("sms.template", template.id)
        elif self.env.user.has_group("base.group_system"):
            action = self._prepare_xmlid_action("club_settings_action")
        else:
            # Which text is the welcome is a setting; a manager's comes with the trade.
            action = self._prepare_xmlid_action("club_preset_apply_action")
        return {
            "key": "welcome",
            "title": self.env._("Write the welcome"),
            "help": self.env._(
                "The first SMS a visitor gets from you, counted as you type."
            ),
            "done": bool(template),
            "button": self.env._("Read and change it")
            if template
            else self.env._("Write it"),
            "action": action,
        }

    def _get_device_step(self, company):
        devices = self.env["club.device"].search_fetch(
            [("company_id", "=", company.id)], ["state"]
        )
        waiting = devices.filtered(lambda device: device.state == "new")[:1]
        return {
            "key": "device",
            "title": self.env._("Connect a tablet"),
            "help": self.env._(
                "Any tablet or phone with a browser, or a ready-made device."
            ),
            "done": any(device.state != "new" for device in devices),
            "button": self.env._("Connect it")
            if waiting
            else self.env._("Add a device"),
            "action": self._prepare_form_action(
                "club.device",
                waiting.id,
                name=self.env._("Device"),
                context={"default_kind": "tablet"},
            ),
        }

    def _get_try_step(self, done):
        return {
            "key": "try",
            "title": self.env._("Try it with your own number"),
            "help": self.env._(
                "Check yourself in by hand and read the SMS that arrives."
            ),
            "done": done,
            "button": self.env._("Check in"),
            "action": self._prepare_xmlid_action("club_checkin_manual_action"),
        }
