from odoo import fields, models


class CustomerSalutation(models.Model):
    """How a contact is addressed; core has none since 19."""

    _name = "customer.salutation"
    _description = "Salutation"
    _order = "sequence, name, id"

    name = fields.Char(string="Formal", required=True, translate=True)
    short_name = fields.Char(string="Short", translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
