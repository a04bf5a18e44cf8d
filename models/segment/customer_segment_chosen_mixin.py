from odoo import api, models


class CustomerSegmentChosenMixin(models.AbstractModel):
    """For what people make of a segment: they choose among those they may see.

    The name of a chosen record is shown to whoever may read the choice, so that any
    segment could be named by its id.
    """

    _name = "customer.segment.chosen.mixin"
    _description = "Choice of a Segment"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records.segment_id.check_access("read")
        return records

    def write(self, vals):
        result = super().write(vals)
        if "segment_id" in vals:
            self.segment_id.check_access("read")
        return result
