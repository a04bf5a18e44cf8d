"""Settings are remembered between check-ins, and never used once they have changed."""

from contextlib import contextmanager
from unittest.mock import patch

from odoo.tests import tagged

from .common import ClubHttpCommon


@tagged("post_install", "-at_install")
class TestSettings(ClubHttpCommon):
    def setUp(self):
        super().setUp()
        self.registry.clear_cache()
        self.check_in(self.phone())

    @contextmanager
    def assertReads(self, times):
        """The device's settings are read so many times."""
        pairing = self.registry["club.device.pairing"]
        with patch.object(
            pairing, "_get_row", autospec=True, side_effect=pairing._get_row
        ) as reads:
            yield
        self.assertEqual(reads.call_count, times)

    def test_unchanged_settings_are_not_read_again(self):
        with self.assertReads(0):
            self.check_in(self.phone())

    def test_changed_settings_count_at_once(self):
        """Of the device and of its company: read anew, once."""
        phone = self.phone()
        self.device.gap_minutes = 0
        self.env.flush_all()
        with self.assertReads(1):
            self.assertEqual(self.check_in(phone)["result"], "new")
            self.assertEqual(self.check_in(phone)["result"], "repeat")
        self.company.club_open = False
        self.env.flush_all()
        with self.assertReads(1):
            response = self.client.checkin(self.event_id(), phone)
        self.assertProblem(response, "club-closed", 403)

    def test_nothing_is_refused_by_settings_of_yesterday(self):
        """A device drops what is refused for good: so that is judged by today's."""
        phone = "+971501234567"
        response = self.client.checkin(self.event_id(), phone)
        self.assertProblem(response, "foreign-not-allowed", 422)
        self.device.foreign_allowed = True
        self.env.flush_all()
        self.assertEqual(self.check_in(phone)["result"], "new")

    def test_suspended_and_revoked(self):
        self.device.state = "suspended"
        self.env.flush_all()
        response = self.client.checkin(self.event_id(), self.phone())
        self.assertProblem(response, "device-inactive", 403)
        self.device.write({"state": "active", "token_hash": False})
        self.env.flush_all()
        response = self.client.checkin(self.event_id(), self.phone())
        self.assertProblem(response, "bad-token", 401)

    def test_flood_leaves_no_member(self):
        """Too fast by the present count: refused before anything is kept."""
        self.env.cr.execute(
            "UPDATE club_device_activity SET rate_tat = extract(epoch FROM now()) + %s"
            " WHERE device_id = %s",
            [10**8, self.device.id],
        )
        phone = self.phone()
        response = self.client.checkin(self.event_id(), phone)
        self.assertProblem(response, "quota-exceeded", 429)
        self.assertFalse(self.member(phone))
