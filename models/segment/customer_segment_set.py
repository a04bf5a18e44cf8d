from odoo import fields, models


class CustomerSegmentSet(models.Model):
    """An ordered set of segments; in an exclusive one the first match wins."""

    _name = "customer.segment.set"
    _description = "Segment Set"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
    )
    exclusive = fields.Boolean(
        string="One class per contact",
        help="Each contact is in the first class, from top to bottom, whose condition "
        "it meets. «Always in» beats an earlier condition.",
    )
    description = fields.Text(translate=True)
    segment_ids = fields.One2many("customer.segment", "set_id")

    def write(self, vals):
        result = super().write(vals)
        if "exclusive" in vals:
            self.segment_ids._make_stale()
        return result
