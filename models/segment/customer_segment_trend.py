import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

TREND_DAYS = 90
WEEK_DAYS = 7


class CustomerSegment(models.Model):
    """How a segment's people came and went lately."""

    _inherit = "customer.segment"

    entered_week = fields.Integer(
        string="Entered this week",
        compute="_compute_trend",
        help="In the last seven days.",
    )
    left_week = fields.Integer(
        string="Left this week",
        compute="_compute_trend",
        help="In the last seven days.",
    )
    trend = fields.Text(compute="_compute_trend", help="People in the last 90 days.")

    @api.depends("member_count")
    def _compute_trend(self):
        """Counted back from today's people, a point a week."""
        now = self.env.cr.now()
        points = [
            now - timedelta(days=back)
            for back in range(TREND_DAYS // WEEK_DAYS * WEEK_DAYS, -1, -WEEK_DAYS)
        ]
        moves = self._read_moves(points[0])
        for segment in self:
            came = moves.get(segment._origin.id, [])
            week = [move for move in came if move[0] > now - timedelta(days=WEEK_DAYS)]
            segment.entered_week = sum(entered for _at, entered, _left in week)
            segment.left_week = sum(left for _at, _entered, left in week)
            values = []
            for point in points:
                since = sum(entered - left for at, entered, left in came if at > point)
                values.append(
                    {
                        "x": format_date(self.env, point),
                        "y": max(segment.member_count - since, 0),
                    }
                )
            line = {"key": self.env._("People"), "values": values}
            segment.trend = json.dumps([line])

    def _read_moves(self, since):
        """Who entered and left by hour; segments without moves are missing.

        :param datetime since: UTC
        :return: by segment id, ``(hour, entered, left)``
        :rtype: dict[int, list[tuple]]
        """
        moves = {}
        if not self.ids:
            return moves
        self.env["customer.segment.event"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT segment_id,
                       least(date_trunc('hour', date) + interval '1 hour',
                             now() AT TIME ZONE 'UTC'),
                       count(*) FILTER (WHERE kind = 'enter'),
                       count(*) FILTER (WHERE kind = 'leave')
                  FROM customer_segment_event
                 WHERE segment_id = ANY(%s) AND date > %s
                 GROUP BY 1, 2
                """,
                list(self.ids),
                since,
            )
        )
        for segment_id, *move in rows:
            moves.setdefault(segment_id, []).append(tuple(move))
        return moves
