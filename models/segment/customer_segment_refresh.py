import time
from datetime import timedelta

import psycopg2
import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.quiet_sql import quiet_sql
from ...tools.transaction import time_limit

# A condition that takes longer is stopped instead of holding the others up; less than
# the two minutes after which Odoo ends a job (limit_time_real).
STATEMENT_SECONDS = 90
# What was too slow would take that long again: not at every run.
SLOW_RETRY = timedelta(hours=1)
# Somebody else was faster or holds a row: the same again, a moment later.
RETRIABLE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.LockNotAvailable,
    psycopg2.IntegrityError,
)
# The database is away, ending or full: no fault of a condition.
UNAVAILABLE = (
    psycopg2.InterfaceError,
    psycopg2.errors.AdminShutdown,
    psycopg2.errors.CrashShutdown,
    psycopg2.errors.CannotConnectNow,
    psycopg2.errors.DiskFull,
    psycopg2.errors.OutOfMemory,
)


class CustomerSegmentRefresh(models.AbstractModel):
    """Brings segments up to date, and contains what a broken condition does.

    A *unit* is what is computed together: one segment, or an exclusive set. Callers
    hold the lock of all segments they pass.
    """

    _name = "customer.segment.refresh"
    _description = "Segment Refresh"

    # === UNITS === #

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
                unit |= segment.set_id.segment_ids.filtered(
                    lambda other, model=segment.model: other.model == model
                )
            units.append(unit)
            seen |= unit
        return units

    def _levels(self, segments):
        """Segments by how deep they use each other: within a level nobody does."""
        if not any(segment._uses() for segment in segments):
            return [segments] if segments else []
        depths, units = {}, self._units(segments)
        for unit in units:
            used = unit.browse().union(*(segment._uses() for segment in unit))
            depth = max((depths.get(other, -1) for other in used - unit), default=-1)
            depths.update(dict.fromkeys(unit, depth + 1))
        levels = segments.browse().concat(*depths).grouped(depths.get)
        return [levels[depth] for depth in sorted(levels)]

    # === EVERYBODY === #

    @api.model
    def _refresh_unit(self, unit, cause="rule", force=False):
        """Refresh one unit for everybody.

        On an error the last good members stay, the segment that cannot be evaluated is
        quarantined alone and its responsible gets an activity.

        :param unit: locked ``customer.segment`` recordset
        :param str cause: cause of the events, see ``customer.segment.event``
        :param bool force: try also what was too slow a short while ago
        :return: how many entered or left
        :rtype: int
        :raise psycopg2.Error: when another transaction or the database is in the way
        """
        self.env.flush_all()
        started, as_of = time.monotonic(), fields.Datetime.now()
        keep = unit.filtered(lambda segment: not force and segment._waits_for_retry())
        broken = {}
        try:
            found = self._contained(unit, keep, cause=cause)
        except Exception as error:  # noqa: BLE001 - conditions run anybody's code
            broken = self._broken_of(unit - keep, error)
            keep |= unit.browse().concat(*broken)
            # The pins of a broken one, and the other classes of its set.
            found = self._contained(unit, keep, cause=cause)
        (unit - keep)._note_refresh(as_of, time.monotonic() - started)
        return self._conclude(unit, found, broken, is_total=True)

    def _contained(self, segments, keep, ids=None, cause="rule"):
        """Compute and write, or leave everything as it was."""
        cr = self.env.cr
        difference = self.env["customer.segment.difference"]
        if all(segment.kind == "static" for segment in segments):
            return difference._apply(segments, keep, ids, cause)
        # The limit ends before the savepoint, or goes with it.
        with (
            quiet_sql(),
            cr.savepoint(flush=False),
            time_limit(cr, STATEMENT_SECONDS),
        ):
            return difference._apply(segments, keep, ids, cause)

    def _conclude(self, segments, found, broken, is_total):
        """Count the members, quarantine what is broken, tell caches and dependents.

        :return: how many entered or left
        :rtype: int
        """
        segments._count_members(found, is_total)
        for segment, error in broken.items():
            segment._quarantine(error)
        changed = sum(entered + left for _total, entered, left in found.values())
        if changed:
            segments.invalidate_recordset(["partner_ids", "lead_ids"], flush=False)
            self.env[segments[:1].model].invalidate_model(["segment_ids"], flush=False)
        if changed and is_total:
            segments._dependents()._expire()
        return changed

    # === A FEW CONTACTS OR LEADS === #

    @api.model
    def _refresh_records(self, segments, ids, cause="rule"):
        """Refresh segments for a few contacts or leads: one statement for all segments
        that do not use each other.

        :param segments: locked ``customer.segment`` recordset of one model, exclusive
            sets as a whole
        :param list ids: of contacts or leads
        :param str cause: cause of the events
        :return: how many entered or left
        :rtype: int
        :raise psycopg2.Error: when another transaction or the database is in the way
        """
        self.env.flush_all()
        changed = 0
        for level in self._levels(segments):
            keep = level.filtered(lambda segment: segment.state == "quarantined")
            broken = {}
            try:
                found = self._contained(level, keep, ids, cause)
            except Exception as error:  # noqa: BLE001 - conditions run anybody's code
                broken = self._broken_of(level - keep, error, ids)
                keep |= level.browse().concat(*broken)
                found = self._contained(level, keep, ids, cause)
            changed += self._conclude(level, found, broken, is_total=False)
        if changed:
            others = (segments._dependents() - segments).grouped("model")
            self._put_back(others.pop(segments[:1].model, segments.browse()), ids)
            for strangers in others.values():
                # Leads by the segments of their contacts: which leads is not known.
                strangers._expire()
        return changed

    @api.model
    def _judge_records(self, segments, ids, cause):
        """Refresh segments for a few contacts or leads aside of what else is refreshed:
        neither waiting for the rows of the segments nor changing them.

        For transactions that take their time, such as a merge: under REPEATABLE READ
        each of them would fail on a segment that was refreshed meanwhile. The worker
        counts the members, and looks again.

        :param segments: ``customer.segment`` recordset of one model, exclusive sets as
            a whole
        :param list ids: of contacts or leads
        :param str cause: cause of the events
        """
        self.env.flush_all()
        for level in self._levels(segments):
            keep = level.filtered(lambda segment: segment.state == "quarantined")
            try:
                self._contained(level, keep, ids, cause)
            except Exception as error:
                # Conditions run anybody's code; the worker stops the broken one.
                if self._is_passing(error):
                    raise
        self._put_back(segments, ids)

    # === WHAT FAILED === #

    def _broken_of(self, segments, error, ids=None):
        """Which of these cannot be evaluated; another error is raised.

        :return: the segments with their errors
        :rtype: dict
        """
        if self._is_passing(error):
            raise error
        asked = segments.filtered(lambda segment: segment.kind == "dynamic")
        if len(asked) == 1:
            return {asked: error}
        broken = {}
        for segment in asked:
            try:
                self._try(segment, ids, STATEMENT_SECONDS / len(asked))
            except Exception as reason:
                if self._is_passing(reason):
                    raise
                broken[segment] = reason
        # Each is fine, together they are too much: none can be trusted to be done.
        return broken or dict.fromkeys(asked, error)

    def _try(self, segment, ids, seconds):
        condition, cr = self.env["customer.segment.condition"], self.env.cr
        with quiet_sql(), cr.savepoint(flush=False), time_limit(cr, seconds):
            if ids is None:
                queries = [condition._query(segment).select()]
            else:
                queries = condition._matches(segment, ids)
            for query in queries:
                self.env.execute_query(SQL("SELECT count(*) FROM (%s) q", query))

    def _is_passing(self, error):
        """Whether an error is another transaction's or the database's, and no fault of
        a condition.
        """
        is_lost = isinstance(error, psycopg2.OperationalError) and not error.pgcode
        return is_lost or isinstance(error, (*RETRIABLE, *UNAVAILABLE))
