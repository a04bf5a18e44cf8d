from odoo import fields, models

from .club_device_tag import MODES


class ClubPreset(models.Model):
    """A trade's starting point: gap, privacy, texts and tags, all editable."""

    _name = "club.preset"
    _description = "Club Trade Preset"
    _order = "sequence, name"

    name = fields.Char(string="Trade", required=True, translate=True)
    sequence = fields.Integer(default=10)
    icon = fields.Char()
    active = fields.Boolean(default=True)
    description = fields.Char(translate=True)
    gap_minutes = fields.Integer(string="Gap between visits (minutes)", default=10)
    tag_required = fields.Boolean(string="A tag must be chosen")
    privacy = fields.Selection(
        [("staff", "Staff sees the screen"), ("public", "Customers see the screen")],
        default="staff",
        required=True,
    )
    welcome_body = fields.Text(string="Welcome text", translate=True)
    repeat_body = fields.Text(
        string="Repeat text", translate=True, help="Empty means no SMS."
    )
    milestone_every = fields.Integer(string="Every so many visits")
    milestone_body = fields.Text(string="Milestone text", translate=True)
    visits_are_purchases = fields.Boolean(string="A visit counts as a purchase")
    tag_ids = fields.One2many("club.preset.tag", "preset_id", string="Numbered tags")


class ClubPresetTag(models.Model):
    """A numbered tag of a trade preset."""

    _name = "club.preset.tag"
    _description = "Club Trade Preset Tag"
    _order = "preset_id, digit"
    _rec_name = "label"

    preset_id = fields.Many2one("club.preset", required=True, ondelete="cascade")
    digit = fields.Integer(required=True, aggregator=False)
    label = fields.Char(required=True, translate=True)
    color = fields.Char(required=True, default="#1F77B4")
    is_information = fields.Boolean(string="Information only")
    first_mode = fields.Selection(MODES, default="club", required=True)
    first_text = fields.Text(translate=True)
    repeat_mode = fields.Selection(MODES, default="club", required=True)
    repeat_text = fields.Text(translate=True)
