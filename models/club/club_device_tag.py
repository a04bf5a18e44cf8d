import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.sms_text import (
    count,
    fill_placeholders,
    fold,
    with_suffix,
)

COLOR_PATTERN = re.compile(r"^#[0-9A-Fa-f]{6}$")
# A palette that stays readable with white letters, one per digit.
PALETTE = (
    "#1F77B4",
    "#2E8B57",
    "#C0392B",
    "#8E44AD",
    "#B9770E",
    "#16808A",
    "#AD1457",
    "#5D4037",
)
# Placeholders of the company, as ``sms.placeholder`` knows them.
OUR_NAMES = (
    *("company", "company_phone", "company_address", "company_website"),
    *("slogan", "links"),
)
MODES = [
    ("own", "Own text"),
    ("club", "As the club"),
    ("none", "No SMS"),
]


class ClubDeviceTag(models.Model):
    """One of the up to eight numbered tags of a device."""

    _name = "club.device.tag"
    _description = "Club Device Tag"
    _order = "device_id, digit"
    _rec_name = "label"
    _check_company_auto = True

    device_id = fields.Many2one(
        "club.device", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="device_id.company_id", store=True, precompute=True, index=True
    )
    digit = fields.Integer(
        required=True, default=lambda self: self._default_digit(), aggregator=False
    )
    label = fields.Char(
        required=True, help="At most 24 characters: devices have small screens."
    )
    color = fields.Char(
        required=True,
        compute="_compute_color",
        store=True,
        readonly=False,
        precompute=True,
    )
    category_id = fields.Many2one(
        "res.partner.category",
        string="Contact tag",
        ondelete="restrict",
        index="btree_not_null",
        help="The tag that the contact gets. Leave it empty for a digit that only asks "
        "for information, such as a price list. Changing it leaves the tags of earlier "
        "visitors as they are.",
    )
    label_differs = fields.Boolean(compute="_compute_label_differs")
    first_scope = fields.Selection(
        [("club", "In the club"), ("tag", "With this tag")],
        string="First visit counted",
        compute="_compute_first_scope",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    first_mode = fields.Selection(
        MODES,
        string="First text",
        required=True,
        compute="_compute_first_mode",
        store=True,
        readonly=False,
        precompute=True,
    )
    first_template_id = fields.Many2one(
        "sms.template",
        copy=False,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
    )
    first_text = fields.Text(
        string="Own first text",
        compute="_compute_first_text",
        inverse="_inverse_first_text",
        search="_search_first_text",
    )
    repeat_mode = fields.Selection(
        MODES,
        string="Repeat text",
        required=True,
        compute="_compute_repeat_mode",
        store=True,
        readonly=False,
        precompute=True,
    )
    repeat_template_id = fields.Many2one(
        "sms.template",
        copy=False,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
    )
    repeat_text = fields.Text(
        string="Own repeat text",
        compute="_compute_repeat_text",
        inverse="_inverse_repeat_text",
        search="_search_repeat_text",
    )
    line_suffix = fields.Char(compute="_compute_line_suffix")
    first_preview = fields.Text(compute="_compute_preview")
    first_parts = fields.Integer(compute="_compute_preview")
    repeat_preview = fields.Text(compute="_compute_preview")
    repeat_parts = fields.Integer(compute="_compute_preview")

    _digit_unique = models.Constraint(
        "unique(device_id, digit)", "Each digit of a device has one tag."
    )
    _digit_range = models.Constraint(
        "CHECK(digit BETWEEN 1 AND 8)", "Choose a digit from 1 to 8."
    )

    # === DEFAULTS AND COMPUTE METHODS === #

    def _default_digit(self):
        used = set(self.env.context.get("used_digits") or ())
        return next((digit for digit in range(1, 9) if digit not in used), 1)

    @api.depends("digit")
    def _compute_color(self):
        for tag in self:
            tag.color = tag.color or PALETTE[(tag.digit - 1) % len(PALETTE)]

    @api.depends("label", "category_id.name")
    def _compute_label_differs(self):
        for tag in self:
            tag.label_differs = bool(tag.category_id) and fold(
                tag.category_id.name or ""
            ) != fold(tag.label or "")

    @api.depends("category_id", "device_id.first_scope")
    def _compute_first_scope(self):
        for tag in self:
            tag.first_scope = (
                tag.device_id.first_scope or "club" if tag.category_id else "tag"
            )

    @api.depends("first_text")
    def _compute_first_mode(self):
        for tag in self:
            tag.first_mode = self._mode_for(tag.first_mode, tag.first_text)

    @api.depends("repeat_text")
    def _compute_repeat_mode(self):
        for tag in self:
            tag.repeat_mode = self._mode_for(tag.repeat_mode, tag.repeat_text)

    def _mode_for(self, mode, text):
        """Typing a text means it is sent, clearing it means the club's is."""
        if text:
            return "own" if mode in (False, "club") else mode
        return "club" if mode in (False, "own") else mode

    @api.depends("first_template_id.body")
    def _compute_first_text(self):
        for tag in self:
            tag.first_text = tag.first_template_id.body

    @api.depends("repeat_template_id.body")
    def _compute_repeat_text(self):
        for tag in self:
            tag.repeat_text = tag.repeat_template_id.body

    def _inverse_first_text(self):
        self._write_text("first_template_id", "first_text")

    def _inverse_repeat_text(self):
        self._write_text("repeat_template_id", "repeat_text")

    def _search_first_text(self, operator, value):
        return [("first_template_id.body", operator, value)]

    def _search_repeat_text(self, operator, value):
        return [("repeat_template_id.body", operator, value)]

    def _write_text(self, template_field, text_field):
        """Keep the typed text in a template of its own, made underneath."""
        for tag in self:
            text, template = tag[text_field], tag[template_field]
            if not text:
                tag[template_field] = False
            elif template and template.club_owned:
                template.body = text
            else:
                tag[template_field] = template.create(
                    {
                        "name": f"{tag.device_id.name} · {tag.digit} · {tag.label}",
                        "model_id": self.env["ir.model"]._get_id("res.partner"),
                        "body": text,
                        "company_id": tag.company_id.id,
                        "message_class": "service",
                        "club_owned": True,
                    }
                )

    @api.depends("company_id")
    def _compute_line_suffix(self):
        for tag in self:
            line = tag.company_id._get_sms_line("service")
            tag.line_suffix = line.sudo().optout_suffix

    @api.depends(
        "first_mode", "first_text", "repeat_mode", "repeat_text", "device_id.company_id"
    )
    def _compute_preview(self):
        for tag in self:
            company = tag.company_id or self.env.company
            tag.first_preview, tag.first_parts = tag._preview(
                tag.first_mode, tag.first_text, company.club_welcome_template_id, 1
            )
            tag.repeat_preview, tag.repeat_parts = tag._preview(
                tag.repeat_mode, tag.repeat_text, company.club_repeat_template_id, 2
            )

    def _preview(self, mode, own_text, club_template, visit_no):
        """What somebody without a name would get, and in how many parts."""
        text = {"own": own_text, "club": club_template.body}.get(mode)
        if not text:
            return self.env._("No SMS"), 0
        company = self.company_id or self.env.company
        values = {
            f"object.club_company_id.{name}": company[name] or ""
            for name in (
                "name",
                "phone",
                "street",
                "website",
                "club_slogan",
                "club_links",
            )
        }
        values["object.club_visit_count"] = values["visits"] = str(visit_no)
        nobody = self.env["res.partner"]
        ours = self.env["sms.placeholder"].with_company(company)
        for name in OUR_NAMES:
            value_of = getattr(ours, f"_value_of_{name}")
            values[name] = value_of(nobody, nobody, self.env.lang, {}) or ""
        text = fill_placeholders(text, values)
        lines = [line.rstrip() for line in text.splitlines()]
        text = with_suffix("\n".join(filter(None, lines)), self.line_suffix or "")
        return text, count(text).parts

    # === CONSTRAINTS === #

    @api.constrains("color")
    def _check_color(self):
        for tag in self:
            if not COLOR_PATTERN.match(tag.color or ""):
                raise ValidationError(
                    tag.env._("Write the colour as #RRGGBB, for example #1F77B4.")
                )

    @api.constrains("label")
    def _check_label(self):
        for tag in self:
            if len(tag.label) > 24:
                raise ValidationError(tag.env._("A label has at most 24 characters."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        tags = super().create(vals_list)
        tags.device_id._record_revision()
        return tags

    def write(self, vals):
        result = super().write(vals)
        self.device_id._record_revision()
        return result

    def unlink(self):
        devices = self.device_id
        result = super().unlink()
        devices.exists()._record_revision()
        return result

    def action_rename_contact_tag(self):
        """Give the contact tag the label of this digit."""
        self.check_access("write")
        for tag in self.filtered("category_id"):
            tag.category_id.sudo().name = tag.label
