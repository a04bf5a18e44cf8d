from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)
IN_NO_SET = _lt("In no set")


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


class CustomerSegment(models.Model):
    """Cards stand in columns, one for each set."""

    _inherit = "customer.segment"

    set_id = fields.Many2one(falsy_value_label=IN_NO_SET)

    @api.model
    @api.readonly
    def web_read_group(self, *args, auto_unfold=False, opening_info=None, **kwargs):
        """Open the first column, too: a segment of one's own begins in no set, and the
        web client would fold that."""
        if auto_unfold and not opening_info:
            limit = kwargs.get("unfold_read_default_limit", 80)
            opened = {"value": False, "folded": False, "limit": limit, "offset": 0}
            opening_info = [opened]
        return super().web_read_group(
            *args, auto_unfold=auto_unfold, opening_info=opening_info, **kwargs
        )
