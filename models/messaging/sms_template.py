from odoo import api, fields, models

from ...tools.sms_text import count, fill_placeholders, with_suffix


class SmsTemplate(models.Model):
    _inherit = "sms.template"

    company_id = fields.Many2one(
        "res.company",
        ondelete="cascade",
        index="btree_not_null",
        help="Only this company uses the text; empty means all companies.",
    )
    message_class = fields.Selection(
        [("service", "Service"), ("advertising", "Advertising")],
        required=True,
        default="advertising",
        help="A service text informs your own customers and may go over a service "
        "line; anything that sells is advertising.",
    )
    club_owned = fields.Boolean(
        readonly=True, help="Made underneath a text that was typed in the club."
    )
    preview = fields.Text(compute="_compute_length_info")
    length_info = fields.Char(string="Length", compute="_compute_length_info")
    line_suffix = fields.Char(compute="_compute_line_suffix")

    @api.depends("message_class", "company_id")
    def _compute_line_suffix(self):
        for template in self:
            company = template.company_id or self.env.company
            line = company._get_sms_line(template.message_class or "service")
            template.line_suffix = line.sudo().optout_suffix

    @api.depends("body", "line_suffix")
    def _compute_length_info(self):
        for template in self:
            template.preview = fill_placeholders(
                template.body, {"object.club_visit_count": "10", "visits": "10"}
            )
            counted = count(with_suffix(template.preview, template.line_suffix or ""))
            template.length_info = self.env._(
                "%(characters)s characters · %(parts)s SMS",
                characters=counted.characters,
                parts=counted.parts,
            )
