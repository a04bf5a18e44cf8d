from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestClubCorrect(ClubCommon):
    """Marking, correcting, joining and merging keep the counts right."""

    def setUp(self):
        super().setUp()
        self.device.gap_minutes = 0

    def visit(self, phone, times=1, **values):
        for _visit in range(times):
            self.take(phone, **values)
        self.follow_up()
        return self.member(phone)

    def test_not_a_customer_recounts_and_leaves_the_group(self):
        """A passer-by no longer counts; the next visit is a first visit again."""
        phone = self.phone()
        member = self.visit(phone)
        partner = member.partner_id
        checkin = member.checkin_ids
        user = self.build_user("club_user")
        checkin.with_user(user).mark_not_customer("passer_by", "asked the way")
        self.assertEqual(member.visit_count, 0)
        self.assertFalse(member.first_visit)
        self.assertNotIn(partner, self.device.group_id.included_partner_ids)
        self.assertEqual(checkin.sms_id.state, "canceled")
        self.assertEqual(checkin.message_reason, "non_customer")
        self.assertEqual(self.take(phone)["result"], "new")
        checkin.with_user(user).action_undo_not_customer()
        self.assertEqual(member.visit_count, 2)

    def test_not_a_customer_before_the_batch_sends_nothing(self):
        """Marked at once: no group, no tag, no message."""
        phone = self.phone()
        self.take(phone, tag=1)
        checkin = self.checkins(phone)
        checkin.mark_not_customer("job_seeker")
        self.follow_up()
        partner = self.member(phone).partner_id
        self.assertFalse(checkin.sms_id)
        self.assertEqual(checkin.message_reason, "non_customer")
        self.assertNotIn(partner, self.device.group_id.included_partner_ids)
        self.assertFalse(partner.category_id)

    def test_cashier_may_not_mark(self):
        """Marking needs the club user's right."""
        checkin = self.visit(self.phone()).checkin_ids
        with self.assertRaises(AccessError):
            checkin.with_user(self.build_user("cashier")).mark_not_customer("mistake")

    def test_editing_the_phone_rekeys_the_member(self):
        """The member follows the contact's corrected number, with a note."""
        old, new = self.phone(), self.phone()
        member = self.visit(old, 2)
        member.partner_id.phone = new
        self.assertEqual(member.phone_e164, f"+98{new[1:]}")
        self.assertEqual(member.visit_count, 2)
        self.assertIn(f"+98{old[1:]}", member.partner_id.message_ids[0].body)
        self.assertEqual(self.take(new)["visit_no"], 3)

    def test_editing_the_phone_joins_two_members(self):
        """Visits add up, refusals stay, the other member disappears."""
        mine, theirs = self.phone(), self.phone()
        member, other = self.visit(mine, 2), self.visit(theirs, 3)
        other.no_sms = True
        member.partner_id.phone = theirs
        self.assertFalse(other.exists())
        self.assertEqual(member.phone_e164, f"+98{theirs[1:]}")
        self.assertEqual(member.visit_count, 5)
        self.assertEqual(len(member.checkin_ids), 5)
        self.assertTrue(member.no_sms)
        self.assertTrue(all(member.checkin_ids.mapped("phone_raw")))

    def test_editing_to_a_landline_keeps_the_member(self):
        """A number that takes no SMS never becomes a member's number."""
        phone = self.phone()
        member = self.visit(phone)
        member.partner_id.phone = "02188776655"
        self.assertEqual(member.phone_e164, f"+98{phone[1:]}")

    def test_correct_number_moves_the_visit_and_its_message(self):
        """Both counts are right, the waiting text goes to the right number only."""
        wrong, right = self.phone(), self.phone()
        self.visit(right, 2)
        member = self.visit(wrong)
        checkin, stray = member.checkin_ids, member.partner_id
        text = checkin.sms_id
        checkin.with_user(self.build_user("club_user")).correct_number(right)
        self.assertEqual(text.state, "canceled")
        self.assertFalse(member.exists())
        self.assertFalse(stray.active)
        self.follow_up()
        self.assertEqual(self.member(right).visit_count, 3)
        self.assertEqual(checkin.visit_no, 3)
        self.assertEqual(checkin.result, "repeat")
        self.assertEqual(checkin.sms_id.number, f"+98{right[1:]}")
        self.assertEqual(checkin.sms_id.state, "outgoing")

    def test_correct_number_to_a_new_one_keeps_other_visits(self):
        """The wrong number keeps its own visits; the right one becomes a member."""
        wrong, right = self.phone(), self.phone()
        member = self.visit(wrong, 3)
        member.checkin_ids[0].correct_number(right)
        self.follow_up()
        self.assertEqual(member.visit_count, 2)
        self.assertEqual(self.member(right).visit_count, 1)
        self.assertTrue(self.member(right).partner_id)

    def test_correct_number_refuses_a_landline(self):
        """The person is told, nothing moves."""
        checkin = self.visit(self.phone()).checkin_ids
        with self.assertRaises(UserError):
            checkin.correct_number("021 8877 6655")

    def test_merging_contacts_adds_visits_up_in_every_company(self):
        """Members, check-ins, groups and refusals move to the contact that stays."""
        first, second = self.phone(), self.phone()
        kept, gone = self.visit(first, 2).partner_id, self.visit(second, 3).partner_id
        other_company = self.build_company("Second company")
        other_group = self.build_group(other_company)
        other_device = self.build_device(other_company, group_id=other_group.id)
        for partner in kept, gone:
            partner.company_id = False
        self.take(second, device=other_device)
        self.follow_up()
        gone.no_sms = True
        (kept | gone).write({"email": "same@example.com"})
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((kept | gone).ids, kept)
        self.assertFalse(gone.exists())
        self.assertEqual(kept.club_visit_count, 5)
        self.assertEqual(
            kept.with_company(other_company)
            .with_context(allowed_company_ids=other_company.ids)
            .club_visit_count,
            1,
        )
        self.assertEqual(self.member(second).partner_id, kept)
        self.assertEqual(self.member(second).visit_count, 3)
        self.assertTrue(kept.no_sms)
        self.assertIn(kept, other_group.included_partner_ids)
