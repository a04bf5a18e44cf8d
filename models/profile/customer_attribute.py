from odoo import fields, models


class CustomerAttribute(models.Model):
    """A value that contacts may have several of: a technology, an occasion …"""

    _name = "customer.attribute"
    _description = "Customer Attribute"
    _order = "kind, sequence, id"

    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(
        [
            ("language", "Spoken language"),
            ("technology", "Technology used"),
            ("contract", "Contract type"),
            ("hours", "Preferred hours"),
            ("occasion", "Occasion"),
            ("benefit", "Benefit sought"),
            ("device", "Device or app used to buy"),
        ],
        string="List",
        required=True,
        index=True,
    )
    sequence = fields.Integer(default=10)
    color = fields.Integer(aggregator=None)
    active = fields.Boolean(default=True)
