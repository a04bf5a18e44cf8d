from collections import namedtuple

from odoo import api, models
from odoo.tools import SQL

# More changes than that are not fetched, but computed once more while they are written.
FEW = 10_000

Pins = namedtuple("Pins", "members included excluded without")


class CustomerSegmentDifference(models.AbstractModel):
    """The SQL of a refresh: who should be in, how that differs, and writing just that.

    ``ids`` are those of the contacts or leads that are looked at, or None for all.
    """

    _name = "customer.segment.difference"
    _description = "Segment Difference"

    @api.model
    def _apply(self, segments, keep, ids=None, cause="rule"):
        """Compute who should be in some segments, and write the difference.

        :param segments: ``customer.segment`` recordset of one model, none of which uses
            another one, exclusive sets as a whole
        :param keep: those whose present members stand for their condition
        :param list ids: of contacts or leads
        :param str cause: of the events
        :return: for each segment with members or changes, how many it has (of those
            looked at), how many entered and how many left
        :rtype: dict[int, tuple[int, int, int]]
        """
        pins = self._pins(segments)
        target = self._target(segments, keep, ids, pins)
        if ids is None and not pins.members:
            everybody = SQL("SELECT segment_id, id, TRUE AS enters FROM (%s) t", target)
            # Nobody is in, and the lock sees to it.
            is_alone = all(segment.kind == "dynamic" for segment in segments)
            rows = self._write(segments, everybody, cause, is_alone)
            return {row[0]: (row[1], row[1], 0) for row in rows}
        found, changes = {}, []
        for segment_id, total, *sizes, enter, leave in self._difference(
            segments, target, ids
        ):
            found[segment_id] = (total, *sizes)
            changes += [(segment_id, id_, True) for id_ in enter or ()]
            changes += [(segment_id, id_, False) for id_ in leave or ()]
        amount = sum(entered + left for _total, entered, left in found.values())
        if amount and amount == len(changes):
            self._write(segments, self._listed(changes), cause)
        elif amount:
            self._write(segments, self._compared(segments, target, ids), cause)
        return found

    # === WHO SHOULD BE IN === #

    def _pins(self, segments):
        """Which kinds of rows there are at all: most segments have no pins."""
        relation = segments._membership()
        (row,) = self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (SELECT FROM %(table)s
                                WHERE segment_id = ANY(%(segments)s)),
                       EXISTS (SELECT FROM %(included)s
                                WHERE segment_id = ANY(%(segments)s)),
                       EXISTS (SELECT FROM %(excluded)s
                                WHERE segment_id = ANY(%(segments)s)),
                       EXISTS (SELECT FROM customer_segment_exclude_rel
                                WHERE segment_id = ANY(%(segments)s))
                """,
                **relation._asdict(),
                segments=list(segments.ids),
            )
        )
        return Pins(*row)

    def _target(self, segments, keep, ids, pins):
        """Pairs of ``segment_id, id``, each once: who should be in.

        (condition ∪ always in) − always out − members of excluded segments; in an
        exclusive set the first segment that matches, a pin before all conditions.
        """
        relation = segments._membership()
        condition = self.env["customer.segment.condition"]
        asked = segments.filtered(lambda segment: segment.kind == "dynamic") - keep
        if ids is None:
            candidates = [
                SQL(
                    "SELECT %s AS segment_id, q.id, 1 AS pin FROM (%s) q(id)",
                    segment.id,
                    condition._query(segment).select(),
                )
                for segment in asked
            ]
        else:
            candidates = [
                SQL("SELECT segment_id, id, 1 AS pin FROM (%s) q", query)
                for query in condition._matches(asked, ids)
            ]
        if keep:
            candidates.append(self._rows(relation.table, keep, ids, pin=1))
        if pins.included:
            candidates.append(self._rows(relation.included, segments, ids, pin=0))
        if not candidates:
            return SQL("SELECT 0 AS segment_id, 0 AS id WHERE FALSE")
        candidates = SQL(" UNION ALL ").join(candidates)
        wanted = self._not_out(relation, pins)
        if any(segment.set_id.exclusive for segment in segments):
            return self._first_matches(segments, candidates, wanted)
        return SQL(
            "SELECT %s c.segment_id, c.id FROM (%s) c WHERE %s",
            # One condition finds nobody twice.
            SQL("DISTINCT") if pins.included else SQL(),
            candidates,
            wanted,
        )

    def _rows(self, table, segments, ids, pin):
        column = segments._membership().column
        return SQL(
            "SELECT segment_id, %(column)s AS id, %(pin)s AS pin FROM %(table)s "
            "WHERE segment_id = ANY(%(segments)s)%(only)s",
            column=column,
            pin=pin,
            table=table,
            segments=list(segments.ids),
            only=SQL() if ids is None else SQL(" AND %s = ANY(%s)", column, list(ids)),
        )

    def _not_out(self, relation, pins):
        wanted = [SQL("TRUE")]
        if pins.excluded:
            wanted.append(
                SQL(
                    "NOT EXISTS (SELECT FROM %s x WHERE x.segment_id = c.segment_id "
                    "AND x.%s = c.id)",
                    relation.excluded,
                    relation.column,
                )
            )
        if pins.without:
            wanted.append(
                SQL(
                    "NOT EXISTS (SELECT FROM customer_segment_exclude_rel e "
                    "JOIN %s r ON r.segment_id = e.excluded_id "
                    "WHERE e.segment_id = c.segment_id AND r.%s = c.id)",
                    relation.table,
                    relation.column,
                )
            )
        return SQL(" AND ").join(wanted)

    def _first_matches(self, segments, candidates, wanted):
        """Of an exclusive set the first match; others stand for themselves."""
        ordered = segments.sorted(lambda segment: (segment.sequence, segment.id))
        return SQL(
            """
            SELECT DISTINCT ON (u.rival, c.id) c.segment_id, c.id
              FROM (%(candidates)s) c
              JOIN unnest(%(ids)s, %(rivals)s) WITH ORDINALITY
                   AS u(segment_id, rival, rank) ON u.segment_id = c.segment_id
             WHERE %(wanted)s
             ORDER BY u.rival, c.id, c.pin, u.rank
            """,
            candidates=candidates,
            ids=list(ordered.ids),
            rivals=[
                -segment.set_id.id if segment.set_id.exclusive else segment.id
                for segment in ordered
            ],
            wanted=wanted,
        )

    # === HOW THAT DIFFERS === #

    def _joined(self, segments, target, ids):
        """Target ``t`` beside members ``r``: who lacks in one enters or leaves."""
        return SQL(
            "(%s) t FULL JOIN (%s) r ON r.id = t.id%s",
            target,
            self._rows(segments._membership().table, segments, ids, pin=1),
            # What is the same everywhere would only be compared.
            SQL(" AND r.segment_id = t.segment_id") if len(segments) > 1 else SQL(),
        )

    def _joined_segment(self, segments):
        """Whose row of both sides that is."""
        if len(segments) > 1:
            return SQL("coalesce(t.segment_id, r.segment_id)")
        return SQL("%s::int", segments.id)

    def _difference(self, segments, target, ids):
        """For each segment: how many should be in, how many enter and leave, and the
        ids of both, cut off where they are many.
        """
        return self.env.execute_query(
            SQL(
                """
                SELECT %(segment)s,
                       count(t.id),
                       count(*) FILTER (WHERE r.id IS NULL),
                       count(*) FILTER (WHERE t.id IS NULL),
                       (array_agg(t.id) FILTER (WHERE r.id IS NULL))[:%(few)s],
                       (array_agg(r.id) FILTER (WHERE t.id IS NULL))[:%(few)s]
                  FROM %(joined)s
                 %(each)s
                """,
                segment=self._joined_segment(segments),
                joined=self._joined(segments, target, ids),
                each=SQL("GROUP BY 1") if len(segments) > 1 else SQL(),
                few=FEW,
            )
        )

    def _compared(self, segments, target, ids):
        """The changes, computed where they are written: they are too many to fetch."""
        return SQL(
            """
            SELECT %s AS segment_id, coalesce(t.id, r.id) AS id, r.id IS NULL AS enters
              FROM %s
             WHERE t.id IS NULL OR r.id IS NULL
            """,
            self._joined_segment(segments),
            self._joined(segments, target, ids),
        )

    def _listed(self, changes):
        segment_ids, ids, enters = map(list, zip(*changes, strict=True))
        return SQL(
            "SELECT * FROM unnest(%s::int[], %s::int[], %s::bool[]) "
            "AS c(segment_id, id, enters)",
            segment_ids,
            ids,
            enters,
        )

    # === WRITING === #

    def _write(self, segments, changes, cause, is_alone=False):
        """Write who enters and who leaves, with the events of just those.

        :param SQL changes: rows of ``segment_id, id, enters``
        :param bool is_alone: nobody else adds members meanwhile; if somebody does, it
            is a conflict
        :return: segment, how many entered, how many left
        :rtype: list[tuple]
        """
        relation = segments._membership()
        jobs = segments._action_jobs(relation, cause)
        if jobs:
            self.env["customer.segment.action.job"]._wake()
        return self.env.execute_query(
            SQL(
                """
                WITH change AS MATERIALIZED (%(changes)s),
                gone AS (
                    DELETE FROM %(table)s r
                          USING change c
                          WHERE NOT c.enters AND r.segment_id = c.segment_id
                            AND r.%(column)s = c.id
                      RETURNING r.segment_id, r.%(column)s AS id),
                entered AS (
                    INSERT INTO %(table)s (segment_id, %(column)s)
                         SELECT segment_id, id FROM change WHERE enters
                    %(or_nothing)s
                      RETURNING segment_id, %(column)s AS id),
                events AS (
                    INSERT INTO customer_segment_event
                                (segment_id, %(column)s, kind, cause, date, user_id)
                         SELECT segment_id, id, kind, %(cause)s,
                                statement_timestamp() AT TIME ZONE 'UTC', %(user)s::int
                           FROM (SELECT segment_id, id, 'enter' AS kind FROM entered
                                 UNION ALL
                                 SELECT segment_id, id, 'leave' FROM gone) both_kinds
                      RETURNING segment_id, %(column)s AS id, kind)
                %(jobs)s
                SELECT segment_id, count(*) FILTER (WHERE kind = 'enter'),
                       count(*) FILTER (WHERE kind = 'leave')
                  FROM events
                 GROUP BY segment_id
                """,
                changes=changes,
                or_nothing=SQL() if is_alone else SQL("ON CONFLICT DO NOTHING"),
                table=relation.table,
                column=relation.column,
                cause=cause,
                jobs=jobs,
                user=None if cause == "rule" else self.env.uid,
            )
        )
