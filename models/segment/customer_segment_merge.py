from odoo import api, models
from odoo.tools import SQL


class CustomerSegmentMerge(models.AbstractModel):
    """Keeps what segments know of contacts or leads that are merged into one.

    Rules: pins are joined and «always out» wins; the one that stays is a member
    wherever any of them was, until the condition judges the merged record right after;
    history tells when any of them was in; a segment that is new to the one that stays
    gets two events of cause «merge», out and in, which no action follows.
    """

    _name = "customer.segment.merge"
    _description = "Merge of Segment Members"

    @api.model
    def _merge(self, sources, target):
        """Hand pins, membership, events and waiting actions over to ``target``.

        :param sources: contacts or leads that are about to disappear
        :param target: the one that stays
        """
        self.env.flush_all()
        relation = self.env["customer.segment"]._relation_of(target._name)
        ids = {"sources": list(sources.ids), "target": target.id}
        for table in relation.included, relation.excluded:
            self._hand_over(table, relation.column, ids)
        gained = self._hand_over(relation.table, relation.column, ids)
        self._join_history(relation.column, ids)
        self._note_gained(relation.column, ids, gained)
        self._hand_over_jobs(relation.column, ids)
        self.env.invalidate_all()

    @api.model
    def _judge(self, target):
        """Let conditions and pins judge the merged record, and count again.

        :param target: the contact or lead that stayed, with its final values
        """
        self.env.flush_all()
        relation = self.env["customer.segment"]._relation_of(target._name)
        rows = self.env.execute_query(
            SQL(" UNION ").join(
                SQL("SELECT segment_id FROM %s WHERE %s = %s", table, column, target.id)
                for table, column in (
                    (relation.table, relation.column),
                    (relation.included, relation.column),
                    (relation.excluded, relation.column),
                    (SQL.identifier("customer_segment_event"), relation.column),
                )
            )
        )
        segments = self.env["customer.segment"].sudo().browse([row[0] for row in rows])
        engine = self.env["customer.segment.refresh"].sudo()
        segments = segments.browse().concat(*engine._units(segments))
        if segments:
            engine._judge_records(segments, target.ids, cause="merge")

    def _hand_over(self, table, column, ids):
        """Move the rows of a relation table; return the segments new to the target."""
        names = {"table": table, "column": column, **ids}
        rows = self.env.execute_query(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM %(table)s WHERE %(column)s = ANY(%(sources)s)
                    RETURNING segment_id)
                INSERT INTO %(table)s (segment_id, %(column)s)
                     SELECT DISTINCT segment_id, %(target)s FROM gone
                ON CONFLICT DO NOTHING
                  RETURNING segment_id
                """,
                **names,
            )
        )
        return {row[0] for row in rows}

    def _join_history(self, column, ids):
        """One history out of several: in, as long as any of them was in."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, segment_id, %(column)s, kind FROM customer_segment_event
                 WHERE %(column)s = ANY(%(everybody)s)
                 ORDER BY segment_id, date, id
                """,
                column=column,
                everybody=[*ids["sources"], ids["target"]],
            )
        )
        inside, keep, drop = {}, [], []
        for event_id, segment_id, record_id, kind in rows:
            present = inside.setdefault(segment_id, set())
            before = bool(present)
            if kind == "enter":
                present.add(record_id)
            else:
                present.discard(record_id)
            # A first «left» without its entry is kept: history may begin later.
            changes = before != bool(present) or (kind == "leave" and not before)
            (keep if changes else drop).append(event_id)
        self.env.cr.execute(
            SQL("DELETE FROM customer_segment_event WHERE id = ANY(%s)", drop)
        )
        self.env.cr.execute(
            SQL(
                "UPDATE customer_segment_event SET %s = %s WHERE id = ANY(%s)",
                column,
                ids["target"],
                keep,
            )
        )

    def _note_gained(self, column, ids, gained):
        """Out with the one that goes, in with the one that stays."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_segment_event
                            (segment_id, %(column)s, kind, cause, date, user_id)
                     SELECT segment_id, %(target)s, kind, 'merge',
                            clock_timestamp() AT TIME ZONE 'UTC', %(user)s
                       FROM unnest(%(gained)s::int[]) AS gained(segment_id),
                            (VALUES (1, 'leave'), (2, 'enter')) AS kinds(rank, kind)
                      ORDER BY segment_id, rank
                """,
                column=column,
                target=ids["target"],
                gained=sorted(gained),
                user=self.env.uid,
            )
        )

    def _hand_over_jobs(self, column, ids):
        """Each action that waits for any of them waits for the one that stays, once."""
        names = {"column": column, **ids}
        self.env.cr.execute(
            SQL(
                """
                UPDATE customer_segment_action_job SET %(column)s = %(target)s
                 WHERE %(column)s = ANY(%(sources)s)
                """,
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM customer_segment_action_job later
                      USING customer_segment_action_job first
                      WHERE later.%(column)s = %(target)s
                        AND first.%(column)s = %(target)s
                        AND first.action_id = later.action_id
                        AND first.state = later.state AND first.id < later.id
                """,
                **names,
            )
        )
