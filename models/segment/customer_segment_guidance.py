from odoo import fields, models

URGENCIES = [("1", "Heed first"), ("2", "Good to know"), ("3", "By the way")]


class CustomerSegment(models.Model):
    """How soon the guidance of a segment has to be heeded."""

    _inherit = "customer.segment"

    guidance_urgency = fields.Selection(
        URGENCIES,
        required=True,
        default="2",
        help="On the guidance card of a customer the most urgent stands first.",
    )
