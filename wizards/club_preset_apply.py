from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools.sms_text import fold

TEXTS = {
    "welcome_body": "club_welcome_template_id",
    "repeat_body": "club_repeat_template_id",
    "milestone_body": "club_milestone_template_id",
}


class ClubPresetApply(models.TransientModel):
    """Sets the club, and a device if one is chosen, up for a trade."""

    _name = "club.preset.apply"
    _description = "Choose Your Trade"

    preset_id = fields.Many2one("club.preset", string="Trade", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    device_id = fields.Many2one(
        "club.device",
        domain="[('company_id', '=', company_id)]",
        help="This device gets the tags of the trade; digits it has already stay.",
    )
    description = fields.Char(related="preset_id.description")
    welcome_body = fields.Text(related="preset_id.welcome_body")
    repeat_body = fields.Text(related="preset_id.repeat_body")

    @api.onchange("company_id")
    def _onchange_company_id(self):
        self.device_id = False

    def action_apply(self):
        """Write the trade's settings and texts to the company and the device."""
        self.ensure_one()
        self.env["club.preset"].check_access("write")
        preset, company = self.preset_id, self.company_id
        if company not in self.env.companies:
            raise AccessError(self.env._("Choose a company you work for."))
        values = {
            "club_milestone_every": preset.milestone_every,
            "club_visits_are_purchases": preset.visits_are_purchases,
        }
        for body_field, template_field in TEXTS.items():
            values[template_field] = self._copy_text(body_field).id
        # A club manager may set up the club without being an administrator.
        company.sudo().write(values)
        if self.device_id:
            behaviour = {
                "gap_minutes": preset.gap_minutes,
                "tag_required": preset.tag_required,
            }
            # What stands on a tablet is read by whoever is next in the queue.
            if self.device_id.kind != "tablet":
                behaviour["privacy"] = preset.privacy
            self.device_id.write(behaviour)
            self._create_tags()
        return {"type": "ir.actions.act_window_close"}

    def _copy_text(self, body_field):
        """A service text of the company from the preset's, in every language."""
        body = self.preset_id[body_field]
        if not body:
            return self.env["sms.template"]
        label = self.preset_id.fields_get([body_field])[body_field]["string"]
        template = self.env["sms.template"].create(
            {
                "name": f"{label} · {self.company_id.name}",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": body,
                "company_id": self.company_id.id,
                "message_class": "service",
                "club_owned": True,
            }
        )
        self._copy_translations(self.preset_id, body_field, template, "body")
        return template

    def _copy_translations(self, source, source_field, target, target_field):
        for lang, _name in self.env["res.lang"].get_installed():
            text = source.with_context(lang=lang)[source_field]
            if text:
                target.with_context(lang=lang)[target_field] = text

    def _create_tags(self):
        used = set(self.device_id.tag_ids.mapped("digit"))
        for preset_tag in self.preset_id.tag_ids:
            if preset_tag.digit in used:
                continue
            tag = self.env["club.device.tag"].create(
                {
                    "device_id": self.device_id.id,
                    "digit": preset_tag.digit,
                    "label": preset_tag.label,
                    "color": preset_tag.color,
                    "category_id": not preset_tag.is_information
                    and self._find_category(preset_tag.label).id,
                    "first_text": preset_tag.first_text,
                    "first_mode": preset_tag.first_mode,
                    "repeat_text": preset_tag.repeat_text,
                    "repeat_mode": preset_tag.repeat_mode,
                }
            )
            for name in ("first", "repeat"):
                template = tag[f"{name}_template_id"]
                if template:
                    self._copy_translations(
                        preset_tag, f"{name}_text", template, "body"
                    )

    def _find_category(self, label):
        """The contact tag of that name, whichever ye or kaf it was typed with."""
        Category = self.env["res.partner.category"].sudo()
        for category in Category.search([("parent_id", "=", False)]):
            if fold(category.name) == fold(label):
                return category
        return Category.create({"name": label})
