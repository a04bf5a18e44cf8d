from odoo import fields, models


class CustomerSegmentEvent(models.Model):
    """Who entered or left a segment, when and why; written by SQL only."""

    _name = "customer.segment.event"
    _description = "Segment Event"
    _order = "date desc, id desc"
    _rec_name = "segment_id"
    _log_access = False

    segment_id = fields.Many2one(
        "customer.segment", required=True, ondelete="cascade", readonly=True
    )
    partner_id = fields.Many2one("res.partner", ondelete="cascade", readonly=True)
    lead_id = fields.Many2one("crm.lead", ondelete="cascade", readonly=True)
    kind = fields.Selection(
        [("enter", "Entered"), ("leave", "Left")], required=True, readonly=True
    )
    cause = fields.Selection(
        [
            ("rule", "Condition"),
            ("hand", "By hand"),
            ("device", "Device"),
            ("survey", "Questionnaire"),
            ("import", "Import"),
            ("merge", "Merge"),
        ],
        required=True,
        readonly=True,
    )
    date = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one("res.users", ondelete="set null", readonly=True)

    # Written in bulk, segment by segment: a summary of pages finds them again and costs
    # next to nothing, where a second full index would cost a tenth of a first fill.
    _segment_date = models.Index(
        "USING brin (segment_id, date) WITH (pages_per_range = 16)"
    )
    _partner = models.Index("(partner_id) WHERE partner_id IS NOT NULL")
    _lead = models.Index("(lead_id) WHERE lead_id IS NOT NULL")


class CustomerSegmentTouch(models.Model):
    """Contacts and leads that changed: append-only, read and emptied by the worker."""

    _name = "customer.segment.touch"
    _description = "Touched Contacts and Leads"
    _log_access = False

    partner_id = fields.Integer()
    lead_id = fields.Integer()
    segment_id = fields.Integer(help="Only this segment has not looked yet.")
