from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClubCommon

FOLLOWUP = "odoo.addons.customer_segmentation.models.club.club_checkin_followup"


@tagged("post_install", "-at_install")
class TestClubFollowup(ClubCommon):
    """Contact, group, tag and message follow from the journal."""

    def test_new_phone_becomes_a_contact_with_group_and_tag(self):
        """The visitor of an unknown number is a contact of the device's company."""
        phone = self.phone()
        self.take(phone, tag=1)
        self.follow_up()
        partner = self.member(phone).partner_id
        self.assertEqual(partner.name, phone)
        self.assertEqual(partner.phone_sanitized, f"+98{phone[1:]}")
        self.assertEqual(partner.company_id, self.company)
        self.assertEqual(partner.country_id.code, "IR")
        self.assertEqual(partner.lang, "en_US")
        self.assertIn(self.category_coffee, partner.category_id)
        self.assertIn(partner, self.device.group_id.included_partner_ids)

    def test_known_contact_is_found_person_before_company_then_oldest(self):
        """Among contacts with the number: a person, then the oldest, ours or shared."""
        phone = self.phone()
        other = self.build_company("Another company")
        vals = {"phone": phone, "country_id": self.env.ref("base.ir").id}
        partners = self.env["res.partner"].create(
            [
                {**vals, "name": "Their contact", "company_id": other.id},
                {**vals, "name": "The firm", "is_company": True},
                {**vals, "name": "Oldest person", "company_id": self.company.id},
                {**vals, "name": "Younger person"},
            ]
        )
        self.take(phone)
        self.follow_up()
        self.assertEqual(self.member(phone).partner_id, partners[2])

    def test_messages_are_queued_once_with_company_line_and_suffix(self):
        """One message per decided text, rendered once, over the service line."""
        self.company._get_sms_line("service").optout_suffix = "لغو11"
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        checkin = self.checkins(phone)
        sms = checkin.sms_id
        self.assertEqual(sms.state, "outgoing")
        self.assertEqual(sms.number, f"+98{phone[1:]}")
        self.assertEqual(sms.body, "Welcome to the club\nلغو11")
        self.assertEqual(sms.company_id, self.company)
        self.assertEqual(sms.line_id, self.company._get_sms_line("service"))
        self.assertEqual(sms.message_class, "service")
        self.assertEqual(checkin.message_state, "outgoing")
        checkin.state = "pending"
        self.follow_up()
        self.assertEqual(
            self.env["sms.sms"].search_count([("number", "=", sms.number)]), 1
        )

    def test_text_has_language_salutation_and_own_visit_number(self):
        """Two visits in one batch carry their own numbers, in the contact's words."""
        self.device.gap_minutes = 0
        salutation = self.env["customer.salutation"].create({"name": "Dear Dr."})
        phone = self.phone()
        self.env["res.partner"].create(
            {
                "name": "Parvin",
                "phone": phone,
                "country_id": self.env.ref("base.ir").id,
                "salutation_id": salutation.id,
            }
        )
        body = "{{ object.sms_greeting ||| Guest}}: {{ object.club_visit_count ||| }}"
        self.company.club_welcome_template_id.body = body
        self.company.club_repeat_template_id.body = body + "\n{{ object.city ||| }}"
        self.take(phone)
        self.take(phone)
        self.follow_up()
        self.assertEqual(
            self.checkins(phone).sms_id.sorted("id").mapped("body"),
            ["Dear Dr. Parvin: 1\nلغو11", "Dear Dr. Parvin: 2\nلغو11"],
        )

    def test_nameless_contact_is_not_greeted_by_its_number(self):
        """A contact that only has a number gets the fallback, never «False»."""
        self.company.club_welcome_template_id.body = (
            "{{ object.sms_greeting ||| Guest}}!"
        )
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        self.assertEqual(self.checkins(phone).sms_id.body, "Guest!\nلغو11")

    def test_silent_club_queues_nothing_and_holds_the_queue(self):
        """Silent: no message is prepared and none that waits leaves."""
        early = self.phone()
        self.take(early)
        self.follow_up()
        self.company.club_silent = True
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        self.assertEqual(self.checkins(phone).message_reason, "silent")
        waiting = self.checkins(early).sms_id
        self.send_messages()
        self.assertEqual(waiting.state, "outgoing")
        self.company.club_silent = False
        self.send_messages()
        self.assertEqual(waiting.state, "pending")

    def test_sending_reports_back_to_the_checkin(self):
        """The journal keeps what became of the message after core purged it."""
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        checkin = self.checkins(phone)
        self.send_messages()
        self.assertEqual(checkin.message_state, "pending")
        tracker = self.env["sms.tracker"].search([("checkin_id", "=", checkin.id)])
        checkin.sms_id.unlink()
        tracker._action_update_from_sms_state("sent")
        tracker._action_update_from_sms_state("pending")
        self.assertEqual(checkin.message_state, "sent", "never back from delivered")

    @mute_logger(FOLLOWUP)
    def test_poisoned_row_is_retried_and_shown_while_others_go_on(self):
        """One failing check-in does not stop the batch and is never lost."""
        good, bad = self.phone(), self.phone()
        self.take(good)
        self.take(bad)
        poisoned = self.member(bad)
        Followup = type(self.env["club.checkin.followup"])
        prepare = Followup._prepare_partner_values

        def fail_for_one(followup, member, checkin):
            if member.id == poisoned.id:
                raise ValueError("A broken customisation")
            return prepare(followup, member, checkin)

        with patch.object(Followup, "_prepare_partner_values", fail_for_one):
            self.follow_up()
            checkin = self.checkins(bad)
            self.assertEqual(self.checkins(good).state, "done")
            self.assertEqual((checkin.state, checkin.attempts), ("pending", 1))
            self.assertTrue(checkin.next_attempt_at)
            for _attempt in range(5):
                checkin.next_attempt_at = False
                self.follow_up()
        self.assertEqual(checkin.state, "failed")
        self.assertIn("broken customisation", checkin.error)
        checkin.action_retry()
        self.follow_up()
        self.assertEqual(checkin.state, "done")
        self.assertTrue(poisoned.partner_id)

    def test_failing_statement_leaves_no_number_in_the_log(self):
        """Core would quote the values of a failing statement."""
        phone = self.phone()
        self.take(phone)

        def fail(followup, member, checkin):
            followup.env.cr.execute("SELECT %s::int", (member.phone_e164 + "x",))

        Followup = type(self.env["club.checkin.followup"])
        with (
            patch.object(Followup, "_prepare_partner_values", fail),
            self.assertLogs(level="WARNING") as log,
        ):
            self.follow_up()
        self.assertEqual(self.checkins(phone).attempts, 1)
        self.assertNotIn(phone[1:], "".join(log.output))

    def test_statements_do_not_grow_with_members(self):
        """A batch of one and a batch of many cost the same number of statements."""

        def cost_of(visitors):
            for _visitor in range(visitors):
                self.take(self.phone(), tag=1)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["club.checkin.followup"]._follow_up_batch()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost_of(2)
        few, many = cost_of(5), cost_of(80)
        self.assertLess(many, few * 3, f"{few} statements for 5, {many} for 80")

    def test_deleted_contact_is_not_resurrected(self):
        """Its membership goes with it; the next check-in is a first visit again."""
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        checkin = self.checkins(phone)
        self.member(phone).partner_id.unlink()
        self.follow_up()
        self.assertFalse(self.member(phone))
        self.assertFalse(checkin.member_id)
        self.assertFalse(checkin.phone_raw)
        self.assertTrue(checkin.counted)
        self.device.gap_minutes = 0
        self.assertEqual(self.take(phone)["result"], "new")
