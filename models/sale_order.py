from odoo import models


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["customer.assured.mixin", "sale.guidance.mixin", "sale.order"]
