import logging

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .customer_segment_refresh import SLOW_RETRY, STATEMENT_SECONDS

_logger = logging.getLogger(__name__)

ACTIVITY = "mail.mail_activity_data_warning"


class CustomerSegment(models.Model):
    """What a refresh leaves behind: fresh, stale or stopped, and since when."""

    _inherit = "customer.segment"

    next_attempt = fields.Datetime(
        readonly=True,
        copy=False,
        help="When a stopped segment is tried again.",
    )

    @api.model
    def _due(self):
        """Segments to be refreshed now: the stalest first, stopped ones last.

        :rtype: recordset
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id
                  FROM customer_segment
                 WHERE active
                   AND CASE state
                       WHEN 'quarantined' THEN coalesce(next_attempt <= %(now)s, TRUE)
                       WHEN 'stale' THEN TRUE
                       ELSE last_refresh IS NULL
                            OR last_refresh + make_interval(mins => refresh_minutes)
                               <= %(now)s
                       END
                 ORDER BY state = 'quarantined',
                          CASE state WHEN 'quarantined' THEN next_attempt
                                     ELSE last_refresh END NULLS FIRST, id
                """,
                now=fields.Datetime.now(),
            )
        )
        return self.browse([row[0] for row in rows])

    def _waits_for_retry(self):
        """Whether this one was too slow a short while ago."""
        return (
            self.state == "quarantined"
            and self.next_attempt
            and self.next_attempt > fields.Datetime.now()
        )

    def _make_stale(self):
        """The definition changed: members are computed again, soon."""
        self.filtered(lambda segment: segment.state == "fresh").write(
            {"state": "stale"}
        )
        self.filtered("next_attempt").write({"next_attempt": False})
        if self:
            self.env["customer.segment.refresh"].sudo()._wake()

    def _dependents(self):
        """Active segments whose condition or exclusion uses these.

        :rtype: recordset
        """
        candidates = self.sudo().search(
            [
                ("id", "not in", self.ids),
                "|",
                ("exclude_segment_ids", "in", self.ids),
                "&",
                ("kind", "=", "dynamic"),
                ("domain", "like", "segment_ids"),
            ]
        )
        return candidates.filtered(lambda other: other._uses() & self)

    def _expire(self):
        """Let the worker refresh these at its next run.

        Also what is stale already: another worker may be about to call it fresh, as of
        before this. The statement waits for that.
        """
        expired = self.filtered(lambda segment: segment.state != "quarantined")
        if expired:
            expired._stamp(SQL("state = 'stale'"), ["state"])
            self.env["customer.segment.refresh"]._wake()

    # === STAMPS === #

    def _stamp(self, assignments, names):
        """Note the outcome of a refresh: one narrow statement, nobody's edit.

        :param SQL assignments: for SET
        :param list names: of the fields that it sets
        """
        if not self:
            return
        self.env.execute_query(
            SQL(
                "UPDATE customer_segment SET %s WHERE id = ANY(%s) RETURNING id",
                assignments,
                list(self.ids),
            )
        )
        self.invalidate_recordset(names, flush=False)

    def _note_refresh(self, as_of, seconds):
        """These are right as of a moment; who was stopped goes on.

        :param datetime as_of: when the computation began
        :param float seconds: how long it took
        """
        recovered = self.filtered(lambda segment: segment.state == "quarantined")
        self._stamp(
            SQL(
                "state = 'fresh', error = NULL, next_attempt = NULL, "
                "last_refresh = %s, refresh_seconds = %s",
                as_of,
                round(seconds, 3),
            ),
            ["state", "error", "next_attempt", "last_refresh", "refresh_seconds"],
        )
        if recovered:
            recovered.activity_unlink([ACTIVITY])

    def _count_members(self, found, is_total):
        """Set the number of members, where it changed.

        :param dict found: what ``customer.segment.difference`` returned
        :param bool is_total: whether everybody was looked at
        """
        ids, counts = [], []
        for segment in self:
            total, entered, left = found.get(segment.id, (0, 0, 0))
            ids.append(segment.id)
            counts.append(total if is_total else entered - left)
        if not is_total and not any(counts):
            return
        changed = self.env.execute_query(
            SQL(
                """
                UPDATE customer_segment s
                   SET member_count = %(count)s
                  FROM unnest(%(ids)s, %(counts)s) AS c(id, count)
                 WHERE s.id = c.id AND s.member_count IS DISTINCT FROM %(count)s
             RETURNING s.id
                """,
                count=SQL("c.count")
                if is_total
                else SQL("coalesce(s.member_count, 0) + c.count"),
                ids=ids,
                counts=counts,
            )
        )
        self.browse([row[0] for row in changed]).invalidate_recordset(
            ["member_count"], flush=False
        )

    # === STOPPED === #

    def _quarantine(self, error):
        """Keep the last good members, say why, and tell the responsible once.

        :param Exception error: why the condition cannot be evaluated
        """
        self.ensure_one()
        was_stopped = self.state == "quarantined"
        now = fields.Datetime.now()
        is_slow = isinstance(error, psycopg2.errors.QueryCanceled)
        self._stamp(
            SQL(
                "state = 'quarantined', error = %s, next_attempt = %s",
                self._reason(error),
                now + SLOW_RETRY if is_slow else now,
            ),
            ["state", "error", "next_attempt"],
        )
        if not was_stopped:
            _logger.info("Segment %s stopped: %s", self.id, type(error).__name__)
            self._tell_stopped()

    def _reason(self, error):
        """Why a condition cannot be evaluated, in the words of who is told."""
        me = self.with_context(lang=self._answerable_user().lang or self.env.lang)
        if isinstance(error, psycopg2.errors.QueryCanceled):
            return me.env._(
                "It takes longer than %s seconds. Ask for less, or split the segment.",
                STATEMENT_SECONDS,
            )
        try:
            condition = me.env["customer.segment.condition"]
            condition._check_domain(
                condition._model_of(me), condition._parse(me.domain)
            )
        except UserError as known:
            return known.args[0].splitlines()[0]
        except Exception as other:  # noqa: BLE001 - the first one says what is wrong
            _logger.debug("Segment %s: %s", self.id, type(other).__name__)
        text = str(error).strip()
        return text.splitlines()[0] if text else type(error).__name__

    def _tell_stopped(self):
        """One activity for the responsible, or who answers when that one has left."""
        user = self._answerable_user()
        me = self.with_context(lang=user.lang or self.env.lang)
        me.activity_schedule(
            ACTIVITY,
            user_id=user.id,
            summary=me.env._("This segment has stopped"),
            note=me.env._(
                "Its condition cannot be evaluated. The members of the last good "
                "refresh stay. Open the segment to see why."
            ),
        )
