from odoo import api
from odoo.tests import tagged

from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestClubWake(ClubCommon):
    """Waking the worker: never lost, never once per check-in. Real connections."""

    def setUp(self):
        super().setUp()
        self.cron = self.env.ref("customer_segmentation.club_checkin_followup_cron")
        self.addCleanup(self.clear)
        self.clear()

    def real_cursor(self):
        """A second connection, which commits for real."""
        return self.registry.cursor()

    def clear(self):
        with self.real_cursor() as cr:
            cr.execute("DELETE FROM ir_cron_trigger WHERE cron_id = %s", [self.cron.id])

    def wake(self):
        with self.real_cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            env["club.checkin.followup"]._wake()
            notify = bool(cr.postcommit._funcs)
            cr.postcommit.clear()
        return notify

    def triggers(self):
        with self.real_cursor() as cr:
            cr.execute(
                "SELECT count(*) FROM ir_cron_trigger WHERE cron_id = %s",
                [self.cron.id],
            )
            return cr.fetchone()[0]

    def test_many_checkins_leave_one_trigger(self):
        """Only the first of a burst adds a trigger and notifies."""
        self.assertEqual([self.wake() for _checkin in range(5)], [True] + [False] * 4)
        self.assertEqual(self.triggers(), 1)

    def test_trigger_held_by_the_running_job_does_not_count(self):
        """Its trigger is about to go with the rows it has seen: a new one is needed."""
        self.wake()
        running = self.real_cursor()
        self.addCleanup(running.close)
        # What ir.cron does as a job starts, uncommitted until the job ends.
        running.execute(
            "DELETE FROM ir_cron_trigger WHERE cron_id = %s", [self.cron.id]
        )
        self.assertTrue(self.wake())
        running.commit()
        self.assertEqual(self.triggers(), 1)

    def test_trigger_of_a_killed_worker_does_not_count(self):
        """A trigger that nobody took up for long: the next check-in wakes again."""
        self.wake()
        with self.real_cursor() as cr:
            cr.execute(
                "UPDATE ir_cron_trigger SET call_at = call_at - interval '20 seconds' "
                "WHERE cron_id = %s",
                [self.cron.id],
            )
        self.assertEqual([self.wake(), self.wake()], [True, False])
