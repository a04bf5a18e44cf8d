from odoo import api, fields, models


class SmsTextBlock(models.Model):
    """A ready piece of a text, or a whole starter text built from such pieces."""

    _name = "sms.text.block"
    _description = "Ready Text"
    _order = "kind desc, sequence, id"

    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(
        [("block", "Block"), ("starter", "Starter text")],
        required=True,
        default="block",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    model = fields.Selection(
        [
            ("res.partner", "Contacts"),
            ("crm.lead", "Leads"),
            ("sale.order", "Quotations and orders"),
            ("account.move", "Invoices"),
        ],
        string="For",
        help="Empty: any document.",
    )
    body = fields.Text(
        string="Text", translate=True, help="With the placeholders of the menu."
    )
    block_ids = fields.Many2many(
        "sms.text.block",
        "sms_text_block_rel",
        "starter_id",
        "block_id",
        string="Blocks",
        domain=[("kind", "=", "block")],
        help="Put together in their order, after the text above.",
    )
    full_body = fields.Text(string="Whole text", compute="_compute_full_body")

    @api.depends("body", "block_ids.body", "block_ids.sequence")
    @api.depends_context("lang")
    def _compute_full_body(self):
        for block in self:
            bodies = [block.body, *block.block_ids.sorted("sequence").mapped("body")]
            block.full_body = "\n".join(filter(None, bodies))

    @api.constrains("body", "model")
    def _check_body(self):
        for block in self:
            self.env["sms.placeholder"].sudo()._check(
                block.body or "", block.model or "res.partner"
            )
