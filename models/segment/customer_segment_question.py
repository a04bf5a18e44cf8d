from odoo import fields, models
from odoo.tools import SQL


class CustomerSegment(models.Model):
    """What can be asked of a segment: who was in it, why somebody is."""

    _inherit = "customer.segment"

    def members_at(self, date):
        """Who was in this segment at a moment.

        :param date: datetime (UTC) or its ISO text
        :return: ids of contacts or leads
        :rtype: list[int]
        """
        self.ensure_one()
        self.check_access("read")
        column = self._membership().column
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id
                  FROM (SELECT DISTINCT ON (e.%(column)s) e.%(column)s AS id, e.kind
                          FROM customer_segment_event e
                         WHERE e.segment_id = %(segment)s AND e.date <= %(date)s
                           AND e.%(column)s IS NOT NULL
                         ORDER BY e.%(column)s, e.date DESC, e.id DESC) last
                 WHERE kind = 'enter'
                 ORDER BY id
                """,
                column=column,
                segment=self.id,
                date=fields.Datetime.to_datetime(date),
            )
        )
        visible = self.env[self.model].search([("id", "in", [row[0] for row in rows])])
        return visible.ids

    def why(self, record_id):
        """Why a contact or lead is in this segment, or why not.

        :param int record_id: id of the contact or lead
        :return: ``{"is_member", "always_in", "always_out", "excluded_by": [names],
            "conditions": [{"depth", "text", "holds"}]}``; of what the caller may not
            read neither names nor, in ``holds`` (None), whether it is true
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        record = self.env[self.model].browse(record_id)
        record.check_access("read")
        kind = "partner" if self.model == "res.partner" else "lead"
        me = self.sudo()
        answer = {
            "is_member": record in me[f"{kind}_ids"],
            "always_in": record in me[f"included_{kind}_ids"],
            "always_out": record in me[f"excluded_{kind}_ids"],
            "excluded_by": [
                other.name
                for other in self.search([("id", "in", me.exclude_segment_ids.ids)])
                if record in other.sudo()[f"{kind}_ids"]
            ],
            "conditions": [],
        }
        if self.kind == "dynamic":
            condition = self.env["customer.segment.condition"]
            answer["conditions"] = condition._explain(me, record)
        return answer
