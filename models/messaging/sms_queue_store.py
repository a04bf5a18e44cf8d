import contextlib
import json
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...tools.gateways import BATCH_WIDE
from ...tools.sms_text import strip_controls

MAX_TRIES = 6
RETRY_MINUTES = (1, 2, 5, 15, 60)
RECONCILE_MINUTES = (2, 10, 60, 360)
POLL_MINUTES = (5, 15, 60, 6 * 60, 24 * 60, 47 * 60)
FAILURES = {
    "credit": "sms_credit",
    "key": "sms_acc",
    "line": "sms_acc",
    "setup": "sms_server",
    "number": "sms_number_format",
    "blocked": "sms_blocked",
    "server": "sms_server",
    "throttled": "sms_server",
}


class SmsQueue(models.AbstractModel):
    """What becomes of the messages of a call."""

    _inherit = "sms.queue"

    @api.model
    def _store(self, line_id, batch, pairs):
        """Write down what the provider said of claimed or looked-up messages.

        :param list pairs: (row as :meth:`_claim` returns them, Result)
        """
        line = self.env["sms.line"].browse(line_id)
        line.fetch(["gateway", "resend_absent", "retry_count"])
        now = fields.Datetime.now()
        caps = line._get_caps()
        values = [
            self._prepare_result_values(line, caps, row, result, now)
            for row, result in pairs
        ]
        stored = self._write_results(batch, values)
        by_id = {vals["id"]: vals for vals in values}
        self._update_trackers(
            [(vals["uuid"], vals["state"], vals) for vals in map(by_id.get, stored)],
            line_id,
        )
        self._tell_chatter([row for row, _r in pairs if row["id"] in stored])
        results = [result for _row, result in pairs]
        self._judge_line(line, results)
        self._note_blocks(
            line, [row["number"] for row, r in pairs if r.kind == "blocked"]
        )
        self._match_early_reports(line)

    def _prepare_result_values(self, line, caps, row, result, now):
        """New values of one row, by outcome."""
        values = {
            "id": row["id"],
            "uuid": row["uuid"],
            "state": "process",
            "outcome": result.outcome,
            "failure_type": None,
            "provider_id": strip_controls(result.provider_id)[:64] or None,
            "cost": float(result.cost) if result.cost is not None else None,
            "fail_code": strip_controls(result.code)[:32] or None,
            "fail_message": strip_controls(result.message)[:200] or None,
            "tries": row["tries"] or 0,
            "due_at": None,
            "poll_at": None,
            "reconcile_at": None,
            "reconcile_count": row["reconcile_count"] or 0,
        }
        prepare = getattr(self, f"_prepare_{result.outcome}_values")
        values.update(prepare(line, caps, values, result, now))
        for key in ("due_at", "poll_at", "reconcile_at"):
            values[key] = values[key] and fields.Datetime.to_string(values[key])
        return values

    def _prepare_accepted_values(self, line, caps, values, result, now):
        poll = caps.poll and result.provider_id
        return {
            "state": "pending",
            "poll_at": now + timedelta(minutes=POLL_MINUTES[0]) if poll else None,
            "fail_message": None,
        }

    def _prepare_rejected_values(self, line, caps, values, result, now):
        return {
            "state": "error",
            "failure_type": FAILURES.get(result.kind, "unknown"),
        }

    def _prepare_retry_values(self, line, caps, values, result, now):
        """Surely not taken. Trouble of the line is not the message's own."""
        if values["outcome"] == "retry" and values["reconcile_count"]:
            # Could not even ask: it stays unknown until somebody could.
            return self._prepare_unknown_values(line, caps, values, result, now)
        waiting = {"state": "outgoing", "outcome": None, "provider_id": None}
        if result.kind in BATCH_WIDE or not result.tried:
            return waiting
        tries = values["tries"] + 1
        if tries >= MAX_TRIES:
            return {
                "outcome": "rejected",
                "state": "error",
                "failure_type": FAILURES.get(result.kind, "unknown"),
                "tries": tries,
            }
        minutes = RETRY_MINUTES[min(tries, len(RETRY_MINUTES)) - 1]
        return {**waiting, "tries": tries, "due_at": now + timedelta(minutes=minutes)}

    def _prepare_unknown_values(self, line, caps, values, result, now):
        """Ask the provider later, a few times; then a person decides."""
        count = values["reconcile_count"]
        can_ask = (caps.ref_dedupes or caps.sent_list) and count < len(
            RECONCILE_MINUTES
        )
        return {
            "state": "process",
            "outcome": "unknown",
            "reconcile_at": (
                now + timedelta(minutes=RECONCILE_MINUTES[count]) if can_ask else None
            ),
            "reconcile_count": count + 1,
        }

    def _prepare_absent_values(self, line, caps, values, result, now):
        """Surely not there: the line says who decides."""
        if line.resend_absent:
            return {
                "state": "outgoing",
                "outcome": None,
                "tries": values["tries"] + 1,
                "due_at": now,
            }
        return {"state": "process", "outcome": "absent"}

    def _write_results(self, batch, values):
        """One statement for all; rows that somebody else decided about stay.

        :return: ids of the rows written
        :rtype: set
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE sms_sms s
                   SET state = v.state, outcome = v.outcome,
                       failure_type = v.failure_type, provider_id = v.provider_id,
                       cost = v.cost, fail_code = v.fail_code,
                       fail_message = v.fail_message, tries = v.tries,
                       due_at = v.due_at, poll_at = v.poll_at, poll_count = 0,
                       reconcile_at = v.reconcile_at,
                       reconcile_count = v.reconcile_count,
                       write_date = now() AT TIME ZONE 'UTC'
                  FROM json_to_recordset(%(values)s) AS v(
                       id int, state text, outcome text, failure_type text,
                       provider_id text, cost float8, fail_code text,
                       fail_message text, tries int, due_at timestamp,
                       poll_at timestamp, reconcile_at timestamp,
                       reconcile_count int)
                 WHERE s.id = v.id AND s.batch = %(batch)s
                   AND s.outcome IN ('claimed', 'unknown') AND s.state = 'process'
             RETURNING s.id
                """,
                values=json.dumps(values),
                batch=batch,
            )
        )
        stored = {row[0] for row in self.env.cr.fetchall()}
        self.env["sms.sms"].invalidate_model()
        return stored

    def _judge_line(self, line, results):
        """Pause a line whose account has trouble; let a busy provider breathe."""
        tried = [result for result in results if result.tried]
        if pausing := next((result for result in tried if result.pauses), None):
            line._pause(pausing.kind, pausing.code)
        elif any(result.outcome == "retry" for result in tried):
            line._back_off()
        elif line.retry_count and any(r.outcome == "accepted" for r in tried):
            line.write({"retry_at": False, "retry_count": 0})

    def _note_blocks(self, line, numbers):
        """Remember who closed advertising; a number nobody can read costs nothing."""
        for number in numbers:
            with (
                contextlib.suppress(UserError, ValidationError),
                self.env.cr.savepoint(),
            ):
                line._on_operator_block([number])

    # === TRACKERS === #

    def _update_trackers(self, changes, line_id=None):
        """Let notifications, mailings and check-ins follow.

        :param list changes: (uuid, ``sms.sms`` state, values of the row)
        """
        if not changes:
            return
        by_uuid = self._keep_provider_ids(
            line_id,
            [
                (uuid, values["provider_id"])
                for uuid, _state, values in changes
                if values.get("provider_id")
            ],
        )
        others = [one for one, _state, _values in changes if one not in by_uuid]
        by_uuid.update(self._get_followed(others))
        groups = defaultdict(self.env["sms.tracker"].browse)
        for uuid, state, values in changes:
            if tracker := by_uuid.get(uuid):
                failure = values.get("failure_type") or False
                key = (state, failure, values.get("fail_message") or False)
                groups[key] |= tracker
        for (state, failure, reason), group in groups.items():
            group._action_update_from_sms_state(
                state, failure_type=failure, failure_reason=reason
            )

    def _keep_provider_ids(self, line_id, ids):
        """Write down the provider's ids where something outlives the messages.

        :param list ids: ``(uuid, provider's id)``
        :return: by uuid, the tracker that something follows, else an empty recordset
        :rtype: dict[str, recordset]
        """
        trackers = self.env["sms.tracker"]
        if not ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_tracker
                   SET provider_id = v.provider_id, line_id = %(line)s
                  FROM unnest(%(uuids)s::varchar[], %(ids)s::varchar[])
                       AS v(uuid, provider_id)
                 WHERE sms_uuid = v.uuid
             RETURNING v.uuid, id, (%(followed)s)
                """,
                line=line_id,
                uuids=[uuid for uuid, _provider_id in ids],
                ids=[provider_id for _uuid, provider_id in ids],
                followed=self._get_followed_sql(),
            )
        )
        trackers.invalidate_model(["provider_id", "line_id"])
        found = dict.fromkeys((uuid for uuid, _provider_id in ids), trackers)
        for uuid, tracker_id, followed in rows:
            if followed:
                found[uuid] = trackers.browse(tracker_id)
        return found

    def _get_followed(self, uuids):
        """The trackers that something follows: a notification, a mailing, a check-in.

        :rtype: dict[str, recordset]
        """
        if not uuids:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT id, sms_uuid FROM sms_tracker "
                "WHERE sms_uuid = ANY(%s) AND (%s)",
                list(uuids),
                self._get_followed_sql(),
            )
        )
        trackers = self.env["sms.tracker"].browse(row[0] for row in rows)
        return {
            uuid: tracker for (_id, uuid), tracker in zip(rows, trackers, strict=True)
        }

    def _get_followed_sql(self):
        """Which rows of ``sms_tracker`` something follows; a hook."""
        return SQL(
            "checkin_id IS NOT NULL OR mail_notification_id IS NOT NULL "
            "OR mailing_trace_id IS NOT NULL"
        )

    def _tell_chatter(self, rows):
        """Show the new state where the message stands in a chatter."""
        ids = {row["mail_message_id"] for row in rows if row["mail_message_id"]}
        self.env["mail.message"].browse(ids)._notify_message_notification_update()
