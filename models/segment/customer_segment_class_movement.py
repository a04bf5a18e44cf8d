from odoo import fields, models
from odoo.tools import SQL


class CustomerSegmentClassMovement(models.Model):
    """From which class of a set to which one, and when.

    Somebody who changes class leaves one and enters another in the same moment. Made
    of the history of segments, for sets with one class per contact.
    """

    _name = "customer.segment.class.movement"
    _description = "Movement between Classes"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "to_id"
    _depends = {
        "customer.segment.event": [
            "segment_id",
            "partner_id",
            "lead_id",
            "kind",
            "cause",
            "date",
        ],
        "customer.segment": ["set_id", "company_id"],
        "customer.segment.set": ["exclusive"],
    }

    set_id = fields.Many2one("customer.segment.set", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    from_id = fields.Many2one("customer.segment", readonly=True)
    to_id = fields.Many2one("customer.segment", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    lead_id = fields.Many2one("crm.lead", readonly=True)
    date = fields.Datetime(readonly=True)
    movement_count = fields.Integer(string="People", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT max(e.id) AS id, s.set_id, s.company_id, e.partner_id, e.lead_id,
                   e.date,
                   max(e.segment_id) FILTER (WHERE e.kind = 'leave') AS from_id,
                   max(e.segment_id) FILTER (WHERE e.kind = 'enter') AS to_id,
                   1 AS movement_count
              FROM customer_segment_event e
              JOIN customer_segment s ON s.id = e.segment_id
              JOIN customer_segment_set c ON c.id = s.set_id AND c.exclusive
             GROUP BY s.set_id, s.company_id, e.partner_id, e.lead_id, e.date
            HAVING max(e.segment_id) FILTER (WHERE e.kind = 'leave') IS DISTINCT FROM
                   max(e.segment_id) FILTER (WHERE e.kind = 'enter')
            """
        )
