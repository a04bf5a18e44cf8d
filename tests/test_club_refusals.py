from odoo.tests import tagged

from .common import ClubHttpCommon


@tagged("post_install", "-at_install")
class TestClubRefusals(ClubHttpCommon):
    """What a device was told to drop is shown to the staff, without the number."""

    def test_dropped_checkins_are_counted_with_their_reason(self):
        """Single and in a batch; what the device keeps is not a loss."""
        self.assertProblem(
            self.client.checkin(self.event_id(), "02188776655"), "not-mobile", 422
        )
        items = [
            {"event_id": self.event_id(), "phone": "0912"},
            {"event_id": self.event_id(), "phone": self.phone()},
        ]
        self.client.batch(items)
        self.env.invalidate_all()
        self.assertEqual(self.device.refused_count, 2)
        self.assertEqual(self.device.last_refusal, "invalid-phone")
        self.assertTrue(self.device.last_refused_at)
        self.company.club_open = False
        self.client.checkin(self.event_id(), self.phone())
        self.env.invalidate_all()
        self.assertEqual(self.device.refused_count, 2, "kept for later, not dropped")
