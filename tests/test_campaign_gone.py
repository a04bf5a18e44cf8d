"""What a group message needs is deleted or archived in the middle."""

import psycopg2

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_campaign_fire import FireCommon


@tagged("post_install", "-at_install")
class TestCampaignGone(FireCommon):
    def launched(self, first, count, **values):
        """Contacts and a campaign to them that waits for its turn."""
        people = self.members(first, count)
        mailing = self.campaign(**values)
        mailing.action_put_in_queue()
        return people, mailing

    def begun(self, first, count, **values):
        """One of them has it, the others wait."""
        people, mailing = self.launched(first, count, rate_per_hour=1, **values)
        self.work_off(mailing)
        mailing.rate_per_hour = 0
        return people, mailing

    def left_out(self, partner):
        group = self.env["customer.segment"].create(
            {"name": "Left out", "kind": "static", "company_id": self.company.id}
        )
        group.included_partner_ids = partner
        return group

    def test_segment_that_is_left_out(self):
        """It is kept as long as somebody has yet to be left out for it."""
        people = self.members(1200, 2)
        group = self.left_out(people[0])
        mailing = self.campaign(audience_exclude_segment_ids=group.ids)
        for step in (lambda: None, mailing.action_put_in_queue):
            step()
            for attempt in (group.unlink, group.action_archive):
                with self.assertRaisesRegex(UserError, "Still used by: New menu"):
                    attempt()
        # Past the button, by a bare write.
        group.active = False
        self.work_off(mailing)
        self.assertEqual(mailing.state, "draft")
        self.assertIn("“Left out” is archived", mailing.activity_ids.note)
        self.assertFalse(self.messages(mailing))
        for attempt in (mailing.preflight()["problem"], mailing.action_put_in_queue):
            if callable(attempt):
                with self.assertRaisesRegex(UserError, "“Left out” is archived"):
                    attempt()
            else:
                self.assertIn("“Left out” is archived", attempt)
        group.active = True
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(self.reasons(mailing), {people[1]: None})
        self.dispatch()
        self.assertEqual(mailing.state, "done")
        group.unlink()

    def test_segment_of_its_recipients(self):
        """It may go from a draft, and once the message has left."""
        _people, mailing = self.begun(1210, 2)
        with self.assertRaisesRegex(UserError, "Still used by: New menu"):
            self.group.unlink()
        self.work_off(mailing)
        self.dispatch()
        draft = self.campaign()
        self.group.unlink()
        self.assertEqual(draft.preflight()["total"], 0)

    @mute_logger("odoo.sql_db")
    def test_line(self):
        """It is not deleted under a message; archived it becomes a draft again."""
        _people, mailing = self.launched(1220, 1)
        with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint():
            self.line.sudo().unlink()
        self.line.sudo().active = False
        self.work_off(mailing)
        self.assertEqual(mailing.state, "draft")
        self.assertIn("is archived", mailing.activity_ids.note)

    def test_line_archived_afterwards(self):
        """Messages wait on it as on a paused one, and it says so."""
        _people, mailing = self.begun(1230, 2)
        self.line.sudo().active = False
        self.work_off(mailing)
        self.dispatch()
        self.assertEqual(self.states(mailing), {"outgoing": 2})
        self.assertIn("is archived: they wait", mailing.progress_sentence)
        self.line.sudo().active = True
        self.dispatch()
        self.assertEqual(self.states(mailing), {"pending": 2})
        self.assertEqual(mailing.state, "done")

    def test_saved_text(self):
        """The words were taken; over a line of approved texts nobody can approve them
        any more.
        """
        text = self.text()
        _people, mailing = self.begun(
            1240, 2, sms_template_id=text.id, body_plaintext=text.body
        )
        text.unlink()
        self.work_off(mailing)
        self.assertEqual(
            self.messages(mailing).mapped("body"), ["Half price\nلغو11"] * 2
        )

    def test_saved_text_that_was_approved(self):
        self.line.sudo().text_policy = "approved"
        text = self.text()
        people, mailing = self.begun(
            1250, 2, sms_template_id=text.id, body_plaintext=text.body
        )
        text.unlink()
        self.work_off(mailing)
        first, second = people
        self.assertEqual(self.reasons(mailing), {first: None, second: "no_template"})

    def test_contact(self):
        """Whoever was deleted gets nothing, whatever the number may be allowed."""
        people, mailing = self.begun(1260, 3)
        numbers = people.mapped("phone_sanitized")
        self.env["customer.consent"].sudo().create(
            [
                {
                    "company_id": self.company.id,
                    "number": number,
                    "kind": "consent",
                    "channel": "staff",
                }
                for number in numbers
            ]
        )
        people[1].sudo().unlink()
        mailing.invalidate_recordset(["waiting_count"])
        self.assertEqual(mailing.waiting_count, 1)
        self.work_off(mailing)
        self.assertCountEqual(
            self.messages(mailing).mapped("number"), [numbers[0], numbers[2]]
        )
        gone = mailing.recipient_ids.filtered(lambda one: not one.partner_id)
        self.assertEqual((gone.state, gone.reason), ("held", "gone"))
        self.dispatch()
        self.assertEqual(mailing.state, "done")

    def test_contact_erased(self):
        """Who asked to be erased does not wait, and is not waited for."""
        people, mailing = self.begun(1265, 2)
        waiting = mailing.recipient_ids.filtered(lambda one: one.state == "waiting")
        self.env["club.erasure"].sudo()._erase_contacts(waiting.partner_id.sudo())
        self.assertEqual((waiting.state, waiting.number), ("held", False))
        self.assertEqual(mailing.waiting_count, 0)
        self.work_off(mailing)
        self.assertEqual(len(self.messages(mailing)), 1)
        self.assertEqual(len(people), 2)

    def test_lead(self):
        """A lead that was deleted, too, though its contact is still there."""
        (guest,) = self.members(1270, 1)
        leads = (
            self.env["crm.lead"]
            .sudo()
            .create(
                [
                    {
                        "name": f"Lead {digit}",
                        "partner_id": guest.id,
                        "phone": f"+98912000127{digit}",
                        "company_id": self.company.id,
                    }
                    for digit in (1, 2)
                ]
            )
        )
        self.env["customer.consent"].sudo().create(
            [
                {
                    "company_id": self.company.id,
                    "number": lead.phone_sanitized,
                    "kind": "consent",
                    "channel": "staff",
                }
                for lead in leads
            ]
        )
        mailing = self.campaign(
            audience_mode="chosen", audience_lead_ids=leads.ids, rate_per_hour=1
        )
        mailing.action_put_in_queue()
        self.work_off(mailing)
        mailing.rate_per_hour = 0
        gone = mailing.recipient_ids.filtered(lambda one: one.state == "waiting")
        kept = leads - gone.lead_id
        gone.lead_id.sudo().unlink()
        self.work_off(mailing)
        self.assertEqual((gone.state, gone.reason), ("held", "gone"))
        self.assertEqual(
            self.messages(mailing).mapped("number"), [kept.phone_sanitized]
        )

    def test_contacts_merged(self):
        """Each number gets it once, as it was settled."""
        people, mailing = self.begun(1280, 3)
        numbers = people.mapped("phone_sanitized")
        merge = self.env["base.partner.merge.automatic.wizard"].sudo()
        merge._merge(people.ids, people[2].sudo())
        self.work_off(mailing)
        self.assertCountEqual(self.messages(mailing).mapped("number"), numbers)

    def test_launcher(self):
        """Whoever has sent it left the company: it goes on."""
        _people, mailing = self.begun(1290, 2)
        self.marketer.sudo().active = False
        self.work_off(mailing.sudo())
        self.assertEqual(len(self.messages(mailing)), 2)
