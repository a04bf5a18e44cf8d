import contextlib
import logging
import time
import uuid
from datetime import timedelta

import psycopg2.errors

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from ...tools.gateways import BadSettings, Item, Result
from ...tools.transaction import begin_read_committed
from .sms_sms_queue import reference

_logger = logging.getLogger(__name__)

SLICE = 2.0  # seconds; a cron that takes longer holds up the others
LEASE = 120  # seconds after the claim in which a call may begin
TRIES = 5
# What the queue asks of a line before each batch; lines are wide.
LIMITS = [
    *("message_class", "gateway", "window_start", "window_end", "tz"),
    *("batch_size", "rate_per_minute", "daily_cap", "company_id"),
]
RETRIABLE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
)


class SmsQueue(models.AbstractModel):
    """Sends what waits on the lines, each message once.

    Every step is a transaction of its own: claim a batch and commit, call the
    provider, store what it said and commit. A process that dies in between leaves
    *claimed* messages, which are looked up at the provider and never sent blindly
    (``sms_queue_reconcile.py``).
    """

    _name = "sms.queue"
    _description = "SMS Queue"

    @api.model
    def _wake(self):
        """Let the queue run soon."""
        self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()._trigger()

    @contextlib.contextmanager
    def _transaction(self):
        """A transaction of the queue's own, committed at the end.

        READ COMMITTED: delivery reports write the same rows while a call lasts.
        """
        with self.env.registry.cursor() as cr:
            begin_read_committed(cr)
            env = api.Environment(cr, SUPERUSER_ID, {"sms_skip_msg_notification": True})
            yield env[self._name]

    def _retried(self, step, *args):
        """Run a step in a transaction of its own, again when others were in its way.

        :param str step: name of a method
        """
        for attempt in range(TRIES):
            try:
                with self._transaction() as queue:
                    return getattr(queue, step)(*args)
            except RETRIABLE:
                if attempt == TRIES - 1:
                    raise
                time.sleep(0.05 * 2**attempt)
        return None

    # === ONE SLICE === #

    @api.model
    def _send_slice(self):
        """Send one batch of one line.

        :return: messages handled, and whether more are due now
        :rtype: tuple[int, bool]
        """
        claim = self._retried("_claim")
        if not claim:
            return 0, False
        line_id, batch, rows, until = claim
        results = self._call_gateway(line_id, batch, rows, until)
        handled = sum(result.tried for result in results)
        # Another batch may be due on this line or another: the next slice will see.
        return handled, bool(handled)

    def _call_gateway(self, line_id, batch, rows, until):
        """Hand a claimed batch to the gateway, storing after every call.

        :param list rows: dicts of ``id``, ``uuid``, ``number``, ``body`` and so on
        :return: one result per row
        """
        results = [Result("retry", kind="server", tried=False)] * len(rows)
        stored = 0
        items = [self._prepare_item(row) for row in rows]
        began = time.monotonic()
        line = self.env["sms.line"].sudo().browse(line_id)
        try:
            with line._connect() as gateway:
                # Reading the line began a transaction: none stays open during calls.
                if hasattr(gateway, "uuids"):
                    gateway.uuids = {
                        item.ref: row["uuid"]
                        for item, row in zip(items, rows, strict=True)
                    }
                for part in gateway.send_parts(items):
                    for position, result in part:
                        results[position] = result
                    self._store_part(line_id, batch, rows, part)
                    stored += len(part)
                    if time.monotonic() - began > SLICE or time.time() > until:
                        break
                if answers := getattr(gateway, "answers", None):
                    self._retried("_tell_core", answers)
        except BadSettings as error:
            _logger.info("Line %s: settings: %s", line_id, error.args)
            failed = Result("retry", kind="setup")
            results = [failed] * len(rows)
            self._store_part(line_id, batch, rows, list(enumerate(results)))
            stored = len(rows)
        if stored < len(rows):
            # Whatever was claimed and not tried waits again.
            self._retried("_release", batch)
        return results

    def _store_part(self, line_id, batch, rows, part):
        self._retried(
            "_store",
            line_id,
            batch,
            [(rows[position], result) for position, result in part],
        )

    @api.model
    def _prepare_item(self, row):
        """What the gateway is given of a row; a hook.

        :rtype: tools.gateways.Item
        """
        return Item(
            ref=reference(row["uuid"]),
            number=row["number"],
            text=row["body"],
            pattern=row.get("pattern_code") or "",
            params=tuple((name, value) for name, value in row.get("params") or ()),
            claimed_at=row["claimed_at"],
        )

    @api.model
    def _tell_core(self, answers):
        """Let core's provider keep what it needs for its delivery reports."""
        uuids = [answer["uuid"] for answer in answers]
        messages = self.env["sms.sms"].search([("uuid", "in", uuids)])
        messages._handle_call_result_hook(answers)

    # === CLAIMING === #

    @api.model
    def _claim(self):
        """Take a batch of the line whose turn it is.

        :return: None, or the line's id, the batch, its rows, and until when (seconds
            since the epoch) calls for it may begin
        """
        now = fields.Datetime.now()
        for line in self._get_due_lines(now):
            # Whoever counts the limits of a line holds it; others take the next line.
            locked = self.env.execute_query(
                SQL(
                    "SELECT id FROM sms_line WHERE id = %s "
                    "FOR NO KEY UPDATE SKIP LOCKED",
                    line.id,
                )
            )
            line.fetch(LIMITS)
            if not locked or line._get_opening(now) > now:
                continue
            limit = self._get_allowance(line, now)
            if limit <= 0:
                continue
            batch = uuid.uuid4().hex
            if rows := self._claim_rows(line, batch, limit, now):
                self._update_trackers([(row["uuid"], "process", {}) for row in rows])
                return line.id, batch, rows, time.time() + LEASE
        return None

    def _get_due_lines(self, now):
        """Lines with something to send, service first, each in its turn."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT l.id
                  FROM sms_line l JOIN res_company c ON c.id = l.company_id
                 WHERE l.active AND l.paused IS NOT TRUE AND c.club_silent IS NOT TRUE
                   AND (l.retry_at IS NULL OR l.retry_at <= %(now)s)
                   AND EXISTS (SELECT FROM sms_sms s WHERE %(waiting)s)
                 ORDER BY l.message_class = 'service' DESC,
                          (SELECT max(s.claimed_at) FROM sms_sms s
                            WHERE s.line_id = l.id AND s.claimed_at IS NOT NULL)
                          NULLS FIRST, l.id
                """,
                now=now,
                waiting=self._get_waiting_sql(SQL("l.id"), now),
            )
        )
        return self.env["sms.line"].browse(row[0] for row in rows)

    def _get_waiting_sql(self, line_id, now):
        """Which rows ``s`` may leave now; a hook for whatever else holds one back.

        :rtype: SQL
        """
        return SQL(
            """
            s.line_id = %(line)s AND s.state = 'outgoing'
            AND s.to_delete IS NOT TRUE
            AND (s.due_at IS NULL OR s.due_at <= %(now)s)
            """,
            line=line_id,
            now=now,
        )

    def _get_allowance(self, line, now):
        """How many messages a line may send now."""
        limit = line._get_batch_limit()
        for cap, since in (
            (line.rate_per_minute, now - timedelta(minutes=1)),
            (line.daily_cap, line._get_day_start(now)),
        ):
            if cap:
                [[sent]] = self.env.execute_query(
                    SQL(
                        "SELECT count(*) FROM sms_sms "
                        "WHERE line_id = %s AND claimed_at > %s",
                        line.id,
                        since,
                    )
                )
                limit = min(limit, cap - sent)
        return limit

    def _claim_rows(self, line, batch, limit, now):
        """Mark rows as claimed; one set statement, so that no other process has any.

        What is due is chosen apart: in a nested loop a subquery that locks would run
        for each row, find others each time, and know no limit.

        :return: dicts
        """
        self.env.cr.execute(
            SQL(
                """
                WITH due AS MATERIALIZED (
                    SELECT s.id FROM sms_sms s WHERE %(waiting)s
                     ORDER BY s.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                UPDATE sms_sms sms
                   SET state = 'process', outcome = 'claimed', batch = %(batch)s,
                       claimed_at = %(now)s, reconcile_at = NULL, reconcile_count = 0
                  FROM due
                 WHERE sms.id = due.id
             RETURNING %(columns)s
                """,
                batch=batch,
                now=now,
                limit=limit,
                waiting=self._get_waiting_sql(SQL("%s", line.id), now),
                columns=self._get_row_sql(),
            )
        )
        return sorted(self.env.cr.dictfetchall(), key=lambda row: row["id"])

    def _get_row_sql(self):
        """What the queue needs of a row ``sms``; a hook."""
        return SQL(
            "sms.id, sms.uuid, sms.number, sms.body, sms.tries, sms.claimed_at, "
            "sms.message_class, sms.source, sms.partner_id, sms.mail_message_id, "
            "sms.reconcile_count"
        )

    @api.model
    def _release(self, batch):
        """Let what was claimed and never tried wait again."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_sms
                   SET state = 'outgoing', outcome = NULL, claimed_at = NULL,
                       batch = NULL
                 WHERE batch = %s AND outcome = 'claimed'
             RETURNING uuid
                """,
                batch,
            )
        )
        uuids = [row[0] for row in self.env.cr.fetchall()]
        self._update_trackers([(one, "outgoing", {}) for one in uuids])
