import logging
import time

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.quiet_sql import quiet_sql

_logger = logging.getLogger(__name__)

BATCH_SIZE = 100
# One slice of the worker: Odoo gives a job ten rounds, and a long one delays the rest.
SLICE_SECONDS = 2.0
CRON = "customer_segmentation.customer_segment_action_cron"
RETRIABLE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.LockNotAvailable,
)


class CustomerSegmentActionJob(models.Model):
    """Somebody whom an action still has to reach; written with the events by SQL."""

    _name = "customer.segment.action.job"
    _description = "Waiting or Failed Action"
    _order = "id"
    _rec_name = "action_id"
    _log_access = False

    action_id = fields.Many2one(
        "customer.segment.action", required=True, ondelete="cascade", readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="cascade", readonly=True
    )
    lead_id = fields.Many2one(
        "crm.lead", index="btree_not_null", ondelete="cascade", readonly=True
    )
    date = fields.Datetime(string="Since", required=True, readonly=True)
    state = fields.Selection(
        [("waiting", "Waiting"), ("approved", "Approved"), ("failed", "Failed")],
        required=True,
        readonly=True,
    )
    error = fields.Text(readonly=True)

    _action_state = models.Index("(action_id, state, id)")

    # === WAKING AND RUNNING === #

    @api.model
    def _wake(self):
        """Wake the worker once for however many changes of this transaction."""
        data = self.env.cr.precommit.data
        if not data.get("customer_segmentation.actions"):
            data["customer_segmentation.actions"] = True
            self.env.ref(CRON).sudo()._trigger()

    @api.model
    def _cron_act(self):
        """One slice: batches until nothing is left or two seconds have passed."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        for action in self._actions_with_work():
            while time.monotonic() < stop:
                try:
                    with quiet_sql():
                        handled = self._act_batch(action)
                except RETRIABLE:
                    # Somebody edits the same records: after them.
                    self.env.cr.rollback()
                    self.env.ref(CRON).sudo()._trigger()
                    break
                cron._commit_progress(handled)
                if not handled:
                    break
            else:
                self.env.ref(CRON).sudo()._trigger()
                break
        cron._commit_progress(remaining=0)

    def _actions_with_work(self):
        """Actions that somebody waits for, in the order of their segment's list."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT action_id FROM customer_segment_action_job
                 WHERE state IN ('waiting', 'approved')
                """
            )
        )
        actions = self.env["customer.segment.action"].with_context(active_test=False)
        return actions.search(
            [("id", "in", [row[0] for row in rows]), ("active", "=", True)]
        )

    @api.model
    def _act_batch(self, action):
        """Act on up to ``BATCH_SIZE`` of those who wait.

        The work and its removal from the list are one transaction.

        :param action: one ``customer.segment.action``
        :return: how many were handled, failed ones included
        :rtype: int
        """
        jobs = self._take(action)
        if not jobs:
            return 0
        runner = self.env["customer.segment.action.run"]
        try:
            with quiet_sql(), self.env.cr.savepoint():
                skipped = runner._run(action, jobs._records())
        except RETRIABLE:
            raise
        except Exception as error:  # noqa: BLE001 - customisations raise anything
            if len(jobs) == 1 or not runner._is_able(action):
                self._fail(action, jobs, error)
                return len(jobs)
            # Somebody broke the batch: find out who, one by one.
            for job in jobs:
                self._act_single(action, job)
            return len(jobs)
        self._done(action, jobs, skipped)
        return len(jobs)

    def _act_single(self, action, job):
        try:
            with quiet_sql(), self.env.cr.savepoint():
                skipped = self.env["customer.segment.action.run"]._run(
                    action, job._records()
                )
        except RETRIABLE:
            raise
        except Exception as error:  # noqa: BLE001 - customisations raise anything
            self._fail(action, job, error)
        else:
            self._done(action, job, skipped)

    def _take(self, action):
        """The next of those who wait, locked; none while the action asks first."""
        waiting = [("action_id", "=", action.id)]
        approved = self.search(
            [*waiting, ("state", "=", "approved")], limit=BATCH_SIZE
        ).try_lock_for_update()
        if approved:
            return approved
        waiting.append(("state", "=", "waiting"))
        if action.is_asking:
            return self.browse()
        limit = action.ask_above
        if limit:
            jobs = self.search(waiting, limit=limit + 1)
            if len(jobs) > limit:
                self._ask(action)
                return self.browse()
            # So few need no word; nor do those of them that this batch leaves over.
            jobs[BATCH_SIZE:].write({"state": "approved"})
            jobs = jobs[:BATCH_SIZE]
        else:
            jobs = self.search(waiting, limit=BATCH_SIZE)
        return jobs.try_lock_for_update()

    def _records(self):
        """Contacts or leads of these jobs that still exist."""
        return (self.partner_id or self.lead_id).exists()

    def _drop_outdated(self):
        """Forget those for whom it is no longer true: left again, or back again.

        :return: the jobs that are still to be done
        """
        outdated = self.browse()
        for action, jobs in self.grouped("action_id").items():
            segment = action.segment_id
            members = set((segment.partner_ids or segment.lead_ids).ids)
            outdated += jobs.filtered(
                lambda job, members=members, action=action: (
                    ((job.partner_id or job.lead_id).id in members)
                    != (action.trigger == "enter")
                )
            )
        outdated.unlink()
        return self - outdated

    # === WHAT BECAME OF IT === #

    def _done(self, action, jobs, skipped):
        count = len(jobs)
        jobs.unlink()
        action.write(
            {
                "done_count": action.done_count + count - skipped,
                "skipped_count": action.skipped_count + skipped,
                "last_run": fields.Datetime.now(),
            }
        )

    def _fail(self, action, jobs, error):
        """Keep the failed ones with their reason and tell the responsible once."""
        text = str(error).strip()[:500] or type(error).__name__
        # The class only: an error text may hold a name or a number.
        _logger.warning(
            "Segment action %s failed for %s record(s): %s",
            action.id,
            len(jobs),
            type(error).__name__,
        )
        jobs.write({"state": "failed", "error": text})
        values = {"error": text, "last_run": fields.Datetime.now()}
        if not action.is_reported:
            values["is_reported"] = True
            segment = self._as_told(action)
            self._tell(
                segment,
                segment.env._(
                    "This action of the segment has failed: %s", action.offer_id.name
                ),
                segment.env._(
                    "Open the segment, page «On entry and exit», to see for whom and "
                    "why. The members and the other actions are not concerned."
                ),
            )
        action.write(values)

    def _ask(self, action):
        action.is_asking = True
        segment = self._as_told(action)
        self._tell(
            segment,
            segment.env._("This action waits for your word: %s", action.offer_id.name),
            segment.env._(
                "More people entered or left at once than it may reach unasked. Open "
                "the segment, page «On entry and exit», and decide."
            ),
        )

    def _as_told(self, action):
        """The action's segment in the language of whoever answers for it."""
        segment = action.segment_id
        return segment.with_context(lang=segment._answerable_user().lang or "en_US")

    def _tell(self, segment, summary, note):
        segment.activity_schedule(
            "mail.mail_activity_data_todo",
            user_id=segment._answerable_user().id,
            summary=summary,
            note=note,
        )
