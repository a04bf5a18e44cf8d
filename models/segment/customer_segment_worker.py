import logging
import random
import time
from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.modules import module
from odoo.tools import SQL

from ...tools.quiet_sql import quiet_sql
from ...tools.transaction import begin_read_committed
from .customer_segment_refresh import RETRIABLE

_logger = logging.getLogger(__name__)

# One slice of the worker: Odoo gives a job ten rounds, and a long one delays the rest.
SLICE_SECONDS = 2.0
ATTEMPTS = 5
# How long somebody waits for a refresh that is under way.
LOCK_SECONDS = 30
TOUCH_BATCH = 500
# Beyond that everybody is computed again: it is cheaper than batch after batch.
MANY_TOUCHED = 20_000
# How long a job waits, before it ends, where somebody else was busy with a segment. A
# trigger in the future would do for nothing: Odoo tells no worker of it, so that it is
# found by the next round of all jobs, a minute or more later.
BUSY_SECONDS = 0.5
CRON = "customer_segmentation.customer_segment_refresh_cron"
TOUCH_CRON = "customer_segmentation.customer_segment_touch_cron"


class CustomerSegmentRefresh(models.AbstractModel):
    """Who refreshes what and when: on demand, what is due, and whoever was touched.

    Every refresh holds the row lock of its segments and, in transactions of its own, is
    READ COMMITTED: what is computed under the lock has seen all that was committed
    before it. Under Odoo's REPEATABLE READ a refresh that began before an edit could
    write over what the worker made of that edit.
    """

    _inherit = "customer.segment.refresh"

    # === LOCKS AND TRANSACTIONS === #

    def _lock(self, segments, wait=True):
        """Lock segments for a refresh.

        :param bool wait: or else pass over those that somebody else holds
        :return: the locked ones
        :rtype: recordset
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM customer_segment WHERE id = ANY(%s) ORDER BY id "
                "FOR NO KEY UPDATE %s",
                list(segments.ids),
                SQL() if wait else SQL("SKIP LOCKED"),
            )
        )
        locked = {row[0] for row in rows}
        return segments.filtered(lambda segment: segment.id in locked)

    def _may_begin_anew(self):
        """Whether this transaction has written nothing, so that ending it loses
        nothing.
        """
        self.env.flush_all()
        self.env.cr.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
        return self.env.cr.fetchone()[0] and not module.current_test

    def _in_turn(self, step, *arguments):
        """Run one step in a READ COMMITTED transaction of its own, again when another
        transaction is in the way. The caller commits.

        :raise psycopg2.Error: when it still is after all attempts
        """
        end = time.monotonic() + LOCK_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            begin_read_committed(self.env.cr)
            try:
                with quiet_sql():
                    self.env.cr.execute(
                        SQL("SET LOCAL lock_timeout = %s", f"{LOCK_SECONDS}s")
                    )
                    return step(*arguments)
            except RETRIABLE:
                if attempt == ATTEMPTS or time.monotonic() > end:
                    self.env.cr.rollback()
                    raise
                time.sleep(random.uniform(0, 0.05 * 2**attempt))
        return None

    # === ON DEMAND === #

    @api.model
    def _refresh_now(self, segments):
        """Refresh segments for somebody who waits: each unit a transaction of its own,
        unless this one has something to lose.

        :return: how many entered or left
        :rtype: int
        """
        units = [unit.ids for unit in self._units(segments)]
        return self._on_demand(self._refresh_locked, units)

    @api.model
    def _refresh_records_now(self, segments, ids):
        """Refresh segments of one model for some contacts or leads.

        :param list ids: of contacts or leads
        :return: how many entered or left
        :rtype: int
        """
        segments = segments.browse().concat(*self._units(segments))
        return self._on_demand(
            lambda segment_ids: self._refresh_records_locked(segment_ids, list(ids)),
            [segments.ids],
        )

    def _on_demand(self, step, units):
        if not self._may_begin_anew():
            return sum(map(step, units))
        changed = 0
        try:
            for unit in units:
                changed += self._in_turn(step, unit)
                self.env.cr.commit()  # pylint: disable=invalid-commit
        except RETRIABLE as error:
            raise UserError(
                self.env._("Somebody else refreshes this now. Try again in a moment.")
            ) from error
        return changed

    def _refresh_locked(self, segment_ids):
        unit = self._lock(self.env["customer.segment"].browse(segment_ids))
        return self._refresh_unit(unit, force=True)

    def _refresh_records_locked(self, segment_ids, ids):
        segments = self._lock(self.env["customer.segment"].browse(segment_ids))
        return self._refresh_records(segments, ids)

    # === WHAT IS DUE === #

    def _wake(self):
        """Let the worker look what is due, once this transaction is committed."""
        self.env.ref(CRON).sudo()._trigger()

    @api.model
    def _cron_refresh(self):
        """Refresh what is due, stalest first, for one slice; then continue at once."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        begin_read_committed(self.env.cr)
        due = self.env["customer.segment"]._due()
        stopped = set(due.filtered(lambda s: s.state == "quarantined").ids)
        is_busy = False
        for unit in [unit.ids for unit in self._units(due)]:
            if time.monotonic() > stop:
                # Stopped ones wait for the next regular run, those who failed last.
                if not stopped.issuperset(unit):
                    self._wake()
                break
            is_busy |= self._refresh_if_due(unit) is None
            cron._commit_progress(1)
        if is_busy:
            time.sleep(BUSY_SECONDS)
            self._wake()
        cron._commit_progress(remaining=0)

    def _refresh_if_due(self, segment_ids):
        """Refresh one unit unless another worker does or did; nothing it does reaches
        the others.

        :return: how many entered or left, None while somebody else holds it
        :rtype: int | None
        """
        try:
            return self._in_turn(self._refresh_free, segment_ids)
        except RETRIABLE as error:
            _logger.info("Segments %s wait: %s", segment_ids, type(error).__name__)
            return None
        except Exception as error:
            if self._is_passing(error):
                raise
            self.env.cr.rollback()
            _logger.exception("Segments %s cannot be refreshed", segment_ids)
        return 0

    def _refresh_free(self, segment_ids):
        unit = self.env["customer.segment"].browse(segment_ids)
        if self._lock(unit, wait=False) != unit:
            return None
        return self._refresh_unit(unit) if unit._due() & unit else 0

    # === TOUCHED CONTACTS AND LEADS === #

    @api.model
    def _wake_touched(self):
        """Wake the worker once for however many changes of this transaction."""
        data = self.env.cr.precommit.data
        if not data.get("customer_segmentation.touched"):
            data["customer_segmentation.touched"] = True
            self.env.ref(TOUCH_CRON).sudo()._trigger()

    @api.model
    def _cron_touched(self):
        """Refresh all segments for the contacts and leads touched meanwhile."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        begin_read_committed(self.env.cr)
        last = self._last_touch()
        while True:
            try:
                handled = self._in_turn(self._refresh_touched, last)
            except RETRIABLE as error:
                _logger.info("Touched contacts wait: %s", type(error).__name__)
                self._wake_touched()
                handled = 0
            cron._commit_progress(handled)
            if not handled:
                break
            if time.monotonic() > stop:
                self._wake_touched()
                break
        if self._is_put_back():
            # Whoever was put back has woken the worker; no need to look at once.
            time.sleep(BUSY_SECONDS)
        cron._commit_progress(remaining=0)

    def _is_put_back(self):
        self.env.cr.execute(
            "SELECT EXISTS (SELECT FROM customer_segment_touch "
            "WHERE segment_id IS NOT NULL)"
        )
        return self.env.cr.fetchone()[0]

    def _last_touch(self):
        self.env.cr.execute("SELECT max(id) FROM customer_segment_touch")
        return self.env.cr.fetchone()[0] or 0

    def _refresh_touched(self, last=None):
        """Refresh whoever was touched, up to one batch.

        :param int last: id of the last row to look at; those put back come after it
        :return: how many rows were handled
        :rtype: int
        """
        rows = self._take_touched(self._last_touch() if last is None else last)
        touched, again = defaultdict(set), defaultdict(set)
        for partner_id, lead_id, segment_id in rows:
            model = "res.partner" if partner_id else "crm.lead"
            if segment_id:
                again[model].add((segment_id, partner_id or lead_id))
            else:
                touched[model].add(partner_id or lead_id)
        for model, ids in sorted(touched.items(), reverse=True):
            self._before_touched(model, sorted(ids))
        Segment = self.env["customer.segment"]
        for model, ids in touched.items():
            segments = Segment.search(
                [("model", "=", model), ("state", "!=", "quarantined")]
            )
            # A plain group is what was put into it, whoever was touched.
            segments = segments.filtered(
                lambda segment: (
                    segment.kind == "dynamic"
                    or segment.exclude_segment_ids
                    or segment.set_id.exclusive
                )
            )
            self._refresh_free_for(segments, sorted(ids))
        for pairs in again.values():
            segment_ids, ids = (sorted(set(side)) for side in zip(*pairs, strict=True))
            segments = Segment.search([("id", "in", segment_ids)])
            self._refresh_free_for(segments, ids)._update_member_count()
        return len(rows)

    def _before_touched(self, model, ids):
        """Bring up to date what conditions read, before segments judge these.

        Extended by figures and scores; None for ids means that too many were touched.

        :param str model: ``res.partner`` or ``crm.lead``
        :param list ids: sorted ids of contacts or leads, some of them deleted; or None
        """

    def _take_touched(self, last):
        self.env.cr.execute(
            "SELECT count(*) FROM (SELECT FROM customer_segment_touch LIMIT %s) t",
            [MANY_TOUCHED + 1],
        )
        is_many = self.env.cr.fetchone()[0] > MANY_TOUCHED
        rows = self.env.execute_query(
            SQL(
                """
                DELETE FROM customer_segment_touch
                      WHERE id = ANY(ARRAY(
                            SELECT id FROM customer_segment_touch
                             WHERE id <= %s ORDER BY id LIMIT %s
                               FOR UPDATE SKIP LOCKED))
                  RETURNING partner_id, lead_id, segment_id
                """,
                last,
                None if is_many else TOUCH_BATCH,
            )
        )
        if not is_many:
            return rows
        for model in ("res.partner", "crm.lead"):
            self._before_touched(model, None)
        self.env["customer.segment"].search([("state", "!=", "quarantined")])._expire()
        return []

    def _refresh_free_for(self, segments, ids):
        """Refresh segments for a few contacts or leads; where another worker is busy
        with one, it is their turn a little later, and that of those who use it.

        :return: the segments that were refreshed
        :rtype: recordset
        """
        units = self._units(segments)
        free = self._lock(segments.browse().concat(*units), wait=False)
        busy = segments.browse().concat(*(unit for unit in units if unit - free))
        if busy:
            waiting = busy.browse()
            while busy - waiting:
                waiting |= busy
                busy |= busy._dependents() & segments
            self._put_back(busy, ids)
        free -= busy
        if free:
            self._refresh_records(free, ids)
        return free

    def _put_back(self, segments, ids):
        """Look at contacts or leads again a little later, for these segments."""
        if not segments:
            return
        self.env.cr.execute(
            SQL(
                "INSERT INTO customer_segment_touch (segment_id, %s) "
                "SELECT s, i FROM unnest(%s) s, unnest(%s) i",
                segments._membership().column,
                list(segments.ids),
                list(ids),
            )
        )
        self._wake_touched()
