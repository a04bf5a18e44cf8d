from odoo import fields, models


class CustomerAssuredMixin(models.AbstractModel):
    """An opportunity or a quotation that the salesperson is sure of."""

    _name = "customer.assured.mixin"
    _description = "Assured Sale"

    is_assured = fields.Boolean(
        string="Assured",
        copy=False,
        groups="base.group_user",
        help="The salesperson is sure of it, whatever the probability says; with an "
        "offer that is out, the customer counts as assured.",
    )
