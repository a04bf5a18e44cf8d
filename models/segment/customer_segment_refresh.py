import logging
import time
from datetime import timedelta

import psycopg2
import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# One slice of the worker: Odoo gives a job ten rounds, and a long one delays the rest.
SLICE_SECONDS = 2.0
# A condition that takes longer is quarantined instead of holding the others up.
STATEMENT_TIMEOUT = "120s"
TOUCH_BATCH = 2_000
CRON = "customer_segmentation.customer_segment_refresh_cron"
TOUCH_CRON = "customer_segmentation.customer_segment_touch_cron"
CANNOT_EVALUATE = (
    AccessError,
    UserError,
    ValidationError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    psycopg2.errors.QueryCanceled,
    psycopg2.ProgrammingError,
    psycopg2.DataError,
)


class CustomerSegmentRefresh(models.AbstractModel):
    """Computes who is in a segment and applies the difference, in one statement."""

    _name = "customer.segment.refresh"
    _description = "Segment Refresh"

    # === ONE UNIT: A SEGMENT, OR AN EXCLUSIVE SET === #

    @api.model
    def _refresh_unit(self, segments, record_ids=None, cause="rule"):
        """Refresh one segment, or all segments of one exclusive set together.

        On an error the last good members stay, the segment that cannot be evaluated is
        quarantined alone and its responsible gets an activity.

        :param segments: locked ``customer.segment`` recordset of one model
        :param list record_ids: only these contacts or leads, or None for all
        :param str cause: cause of the events, see ``customer.segment.event``
        :return: rows that entered or left
        :rtype: int
        """
        started = time.monotonic()
        parts, broken = self._parts(segments, record_ids)
        changed = self._apply(segments, parts, record_ids, cause)
        if record_ids is None:
            healthy = segments - self.env["customer.segment"].union(*broken)
            healthy._note_refresh(time.monotonic() - started)
        if changed:
            segments._update_member_count()
        for segment, error in broken.items():
            segment._quarantine(error)
        return changed

    def _parts(self, segments, record_ids):
        """The query of each segment: those who meet its condition, by rank.

        A segment whose condition fails contributes the members it has: last good.
        """
        parts, broken = [], {}
        relation = segments[:1]._membership()
        for rank, segment in enumerate(segments.sorted(lambda s: (s.sequence, s.id))):
            query = None
            if segment.kind == "dynamic":
                try:
                    with self.env.cr.savepoint():
                        query = self._checked_query(segment, record_ids)
                except CANNOT_EVALUATE as error:
                    broken[segment] = error
                    query = SQL(
                        "SELECT %s FROM %s WHERE segment_id = %s",
                        relation.column,
                        relation.table,
                        segment.id,
                    )
            parts.append((rank, segment, query))
        return parts, broken

    def _checked_query(self, segment, record_ids):
        """The condition's query, tried once: a broken one must fail here, alone."""
        query = self.env["customer.segment.condition"]._query(segment, record_ids)
        sql = query.subselect()
        self.env.cr.execute(SQL("SET LOCAL statement_timeout = %s", STATEMENT_TIMEOUT))
        self.env.execute_query(SQL("SELECT 1 FROM (%s) probe LIMIT 1", sql))
        return sql

    def _apply(self, segments, parts, record_ids, cause):
        """Write the difference between target and present members, with its events."""
        relation = segments[:1]._membership()
        candidates = []
        for rank, segment, query in parts:
            if query is not None:
                candidates.append(
                    SQL(
                        "SELECT %s AS segment_id, q.id, 1 AS pin, %s AS rank "
                        "FROM (%s) q(id)",
                        segment.id,
                        rank,
                        query,
                    )
                )
            candidates.append(
                SQL(
                    "SELECT %s AS segment_id, pinned.%s AS id, 0 AS pin, %s AS rank "
                    "FROM %s pinned WHERE pinned.segment_id = %s",
                    segment.id,
                    relation.column,
                    rank,
                    relation.included,
                    segment.id,
                )
            )
        only = SQL("TRUE")
        if record_ids is not None:
            only = SQL("id = ANY(%s)", list(record_ids))
        exclusive = len(segments) > 1
        returning, jobs = segments._action_jobs(relation, cause)
        target = SQL(
            """
            SELECT %(distinct)s c.segment_id, c.id
              FROM (%(candidates)s) c
             WHERE %(only)s
               AND NOT EXISTS (SELECT FROM %(excluded)s x
                                WHERE x.segment_id = c.segment_id
                                  AND x.%(column)s = c.id)
               AND NOT EXISTS (SELECT FROM customer_segment_exclude_rel e
                                 JOIN %(table)s r ON r.segment_id = e.excluded_id
                                WHERE e.segment_id = c.segment_id
                                  AND r.%(column)s = c.id)
            %(order)s
            """,
            distinct=SQL("DISTINCT ON (c.id)") if exclusive else SQL("DISTINCT"),
            candidates=SQL(" UNION ALL ").join(candidates),
            only=only,
            excluded=relation.excluded,
            column=relation.column,
            table=relation.table,
            order=SQL("ORDER BY c.id, c.pin, c.rank") if exclusive else SQL(),
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH target AS MATERIALIZED (%(target)s),
                gone AS (
                    DELETE FROM %(table)s r
                          WHERE r.segment_id = ANY(%(segments)s)
                            AND %(mine)s
                            AND NOT EXISTS (SELECT FROM target t
                                             WHERE t.segment_id = r.segment_id
                                               AND t.id = r.%(column)s)
                      RETURNING r.segment_id, r.%(column)s AS id),
                entered AS (
                    INSERT INTO %(table)s (segment_id, %(column)s)
                         SELECT t.segment_id, t.id FROM target t
                          WHERE NOT EXISTS (SELECT FROM %(table)s r
                                             WHERE r.segment_id = t.segment_id
                                               AND r.%(column)s = t.id)
                    ON CONFLICT DO NOTHING
                      RETURNING segment_id, %(column)s AS id),
                events AS (
                    INSERT INTO customer_segment_event
                                (segment_id, %(column)s, kind, cause, date, user_id)
                         SELECT segment_id, id, 'enter', %(cause)s,
                                clock_timestamp() AT TIME ZONE 'UTC', %(user)s::int
                           FROM entered
                      UNION ALL
                         SELECT segment_id, id, 'leave', %(cause)s,
                                clock_timestamp() AT TIME ZONE 'UTC', %(user)s::int
                           FROM gone
                      %(returning)s)
                %(jobs)s
                SELECT (SELECT count(*) FROM entered) + (SELECT count(*) FROM gone)
                """,
                target=target,
                table=relation.table,
                column=relation.column,
                segments=list(segments.ids),
                mine=SQL("r.%s = ANY(%s)", relation.column, list(record_ids))
                if record_ids is not None
                else SQL("TRUE"),
                cause=cause,
                user=None if cause == "rule" else self.env.uid,
                returning=returning,
                jobs=jobs,
            )
        )
        changed = rows[0][0]
        if changed:
            if jobs:
                self.env["customer.segment.action.job"]._wake()
            segments.invalidate_recordset(["partner_ids", "lead_ids"])
            self.env[segments[:1].model].invalidate_model(["segment_ids"])
        return changed

    # === WHICH ARE DUE === #

    @api.model
    def _units(self, segments):
        """Segments in the order they may be refreshed, as units.

        What a condition or an exclusion uses comes first; an exclusive set is one unit.

        :param segments: ``customer.segment`` recordset
        :rtype: list
        """
        units, seen = [], self.env["customer.segment"]
        for segment in segments._dependency_order():
            if segment in seen:
                continue
            unit = segment
            if segment.set_id.exclusive:
                unit = segment.set_id.segment_ids.filtered(
                    lambda other, model=segment.model: other.model == model
                )
            units.append(unit)
            seen |= unit
        return units

    @api.model
    def _cron_refresh(self):
        """Refresh what is due, stalest first, for one slice; then continue at once."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        done = 0
        due = self._due()
        for unit in self._units(due):
            if time.monotonic() > stop:
                self.env.ref(CRON).sudo()._trigger()
                break
            locked = unit.try_lock_for_update(allow_referencing=True)
            if locked != unit:
                # Another worker has it; it will be fresh soon.
                continue
            self._refresh_safely(unit)
            done += 1
            cron._commit_progress(done)
        cron._commit_progress(remaining=0)

    def _refresh_safely(self, unit, record_ids=None):
        try:
            with self.env.cr.savepoint():
                return self._refresh_unit(unit, record_ids)
        except CANNOT_EVALUATE as error:
            unit._quarantine(error)
            return 0

    @api.model
    def _due(self):
        """Active segments whose interval has passed, stalest first."""
        now = fields.Datetime.now()
        segments = self.env["customer.segment"].search([("active", "=", True)])
        return segments.filtered(
            lambda segment: (
                not segment.last_refresh
                or segment.state == "stale"
                or segment.last_refresh + timedelta(minutes=segment.refresh_minutes)
                <= now
            )
        ).sorted(lambda segment: segment.last_refresh or fields.Datetime.to_datetime(0))

    # === TOUCHED CONTACTS === #

    @api.model
    def _cron_touched(self):
        """Refresh all segments for the contacts and leads touched meanwhile."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        while True:
            handled = self._refresh_touched()
            cron._commit_progress(handled)
            if not handled:
                break
            if time.monotonic() > stop:
                self.env.ref(TOUCH_CRON).sudo()._trigger()
                break
        cron._commit_progress(remaining=0)

    @api.model
    def _wake_touched(self):
        """Wake the worker once for however many changes of this transaction."""
        data = self.env.cr.precommit.data
        if not data.get("customer_segmentation.touched"):
            data["customer_segmentation.touched"] = True
            self.env.ref(TOUCH_CRON).sudo()._trigger()

    def _refresh_touched(self, limit=TOUCH_BATCH):
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM customer_segment_touch
                      WHERE id IN (SELECT id FROM customer_segment_touch
                                    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                  RETURNING partner_id, lead_id
                """,
                limit,
            )
        )
        if not rows:
            return 0
        touched = {
            "res.partner": {row[0] for row in rows if row[0]},
            "crm.lead": {row[1] for row in rows if row[1]},
        }
        for model, ids in touched.items():
            if not ids:
                continue
            segments = self.env["customer.segment"].search([("model", "=", model)])
            for unit in self._units(segments):
                self._refresh_safely(unit, sorted(ids))
        return len(rows)
