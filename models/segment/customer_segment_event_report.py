from odoo import fields, models
from odoo.tools import SQL


class CustomerSegmentEventReport(models.Model):
    """Events as numbers: members over time, entered and left per period."""

    _name = "customer.segment.event.report"
    _description = "Members over Time"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "segment_id"
    _depends = {
        "customer.segment.event": [
            "segment_id",
            "partner_id",
            "lead_id",
            "kind",
            "cause",
            "date",
            "user_id",
        ]
    }

    segment_id = fields.Many2one("customer.segment", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    lead_id = fields.Many2one("crm.lead", readonly=True)
    kind = fields.Selection(
        lambda self: self.env["customer.segment.event"]._fields["kind"].selection,
        readonly=True,
    )
    cause = fields.Selection(
        lambda self: self.env["customer.segment.event"]._fields["cause"].selection,
        readonly=True,
    )
    date = fields.Datetime(readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    change = fields.Integer(string="Members", readonly=True)
    entered_count = fields.Integer(string="Entered", readonly=True)
    left_count = fields.Integer(string="Left", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT id, segment_id, partner_id, lead_id, kind, cause, date, user_id,
                   CASE kind WHEN 'enter' THEN 1 ELSE -1 END AS change,
                   (kind = 'enter')::int AS entered_count,
                   (kind = 'leave')::int AS left_count
              FROM customer_segment_event
            """
        )
