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
        "customer.segment": ["name", "set_id", "company_id"],
        "customer.segment.set": ["exclusive"],
    }

    set_id = fields.Many2one("customer.segment.set", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    from_id = fields.Many2one("customer.segment", readonly=True)
    to_id = fields.Many2one("customer.segment", readonly=True)
    change = fields.Char(string="From → to", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    lead_id = fields.Many2one("crm.lead", readonly=True)
    date = fields.Datetime(readonly=True)
    movement_count = fields.Integer(string="People", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT m.*, concat_ws(%(arrow)s, coalesce(%(from)s, %(none)s),
                                  coalesce(%(to)s, %(none)s)) AS change
              FROM (SELECT max(e.id) AS id, s.set_id, s.company_id, e.partner_id,
                           e.lead_id, e.date,
                           max(e.segment_id) FILTER (WHERE e.kind = 'leave') AS from_id,
                           max(e.segment_id) FILTER (WHERE e.kind = 'enter') AS to_id,
                           1 AS movement_count
                      FROM customer_segment_event e
                      JOIN customer_segment s ON s.id = e.segment_id
                      JOIN customer_segment_set c ON c.id = s.set_id AND c.exclusive
                     GROUP BY s.set_id, s.company_id, e.partner_id, e.lead_id, e.date
                   ) m
         LEFT JOIN customer_segment f ON f.id = m.from_id
         LEFT JOIN customer_segment t ON t.id = m.to_id
             WHERE m.from_id IS DISTINCT FROM m.to_id
            """,
            **{
                "from": self._name_of("f"),
                "to": self._name_of("t"),
                "none": self.env._("no class"),
                "arrow": " ← " if self._is_right_to_left() else " → ",
            },
        )

    def _name_of(self, alias):
        """A class's name in the user's language."""
        names = SQL.identifier(alias, "name")
        lang = self.env.lang or "en_US"
        return SQL("coalesce(%s ->> %s, %s ->> 'en_US')", names, lang, names)

    def _is_right_to_left(self):
        language = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
        return language.direction == "rtl"
