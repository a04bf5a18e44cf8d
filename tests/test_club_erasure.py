from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestClubErasure(ClubCommon):
    """Erase and retention: people go, counts stay."""

    def setUp(self):
        super().setUp()
        self.device.gap_minutes = 0
        self.number = self.phone()
        self.take(self.number, tag=1)
        self.take(self.number)
        self.follow_up()
        self.partner = self.member(self.number).partner_id
        self.partner.write({"name": "Parvin Example", "email": "parvin@example.com"})
        self.partner.message_post(body="Parvin called from home")

    def personal_rows(self):
        """Where the number or the name still stands, by table."""
        self.env.flush_all()
        found = {}
        e164 = f"+98{self.number[1:]}"
        for table, column in (
            ("club_member", "phone_e164"),
            ("club_checkin", "phone_raw"),
            ("club_checkin", "fingerprint"),
            ("sms_sms", "number"),
            ("mail_message", "body"),
            ("res_partner", "phone_sanitized"),
            ("res_partner", "name"),
            ("club_checkin", "not_customer_note"),
            ("mail_activity", "note"),
            ("mailing_recipient", "number"),
            ("mailing_trace", "sms_number"),
            ("mailing_trace", "email"),
        ):
            rows = self.env.execute_query(
                SQL(
                    "SELECT count(*) FROM %s WHERE %s ILIKE ANY(%s)",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    [f"%{self.number[1:]}%", f"%{e164}%", "%Parvin%"],
                )
            )
            if rows[0][0]:
                found[table, column] = rows[0][0]
        return found

    def test_erase_leaves_no_name_or_number_and_keeps_the_counts(self):
        """Member, visits, messages and notes are emptied; two visits are still two."""
        self.assertTrue(self.personal_rows())
        manager = self.build_user("club_manager")
        manager.group_ids += self.env.ref("base.group_partner_manager")
        self.partner.with_user(manager).action_erase_personal_data()
        self.assertEqual(self.personal_rows(), {})
        self.assertFalse(self.partner.active)
        self.assertEqual(
            self.env["club.checkin"].search_count(
                [("device_id", "=", self.device.id), ("counted", "=", True)]
            ),
            2,
        )

    def a_property(self):
        """A custom property that holds a name."""
        definition = {"name": "nickname", "type": "char", "string": "Nickname"}
        return [{**definition, "value": "Pari", "definition_changed": True}]

    def test_erase_reaches_campaigns_plans_and_remarks(self):
        """Recipients, traces, activities, the desk's remark, the place of the house."""
        model = self.env["ir.model"]._get_id("res.partner")
        mailing = self.env["mailing.mailing"].create(
            {"subject": "M", "mailing_model_id": model, "company_id": self.company.id}
        )
        found = {"mailing_id": mailing.id, "company_id": self.company.id}
        e164 = f"+98{self.number[1:]}"
        recipients = self.env["mailing.recipient"].create(
            [
                {**found, "number": e164, "state": "waiting"},
                {**found, "number": "parvin@example.com", "state": "queued"},
            ]
        )
        to = {"model": "res.partner", "res_id": self.partner.id}
        self.env["mailing.trace"].create(
            [
                {**to, "trace_type": "sms", "sms_number": e164},
                {**to, "trace_type": "mail", "email": "parvin@example.com"},
            ]
        )
        self.partner.activity_schedule(
            "mail.mail_activity_data_todo", note="Ask Parvin about the cake"
        )
        self.partner.write({"partner_latitude": 35.7, "properties": self.a_property()})
        self.checkins(self.number)[:1].mark_not_customer("other", "Parvin's brother")
        before = self.personal_rows()
        for place in (
            ("mailing_recipient", "number"),
            ("mailing_trace", "email"),
            ("mailing_trace", "sms_number"),
            ("mail_activity", "note"),
            ("club_checkin", "not_customer_note"),
        ):
            self.assertIn(place, before)
        self.partner.action_erase_personal_data()
        self.assertEqual(self.personal_rows(), {})
        self.assertFalse(self.partner.partner_latitude)
        self.assertFalse(self.partner.properties["nickname"])
        self.assertEqual(recipients.mapped("state"), ["held", "queued"])

    def test_erase_needs_the_manager(self):
        """A club user may not erase."""
        with self.assertRaises(AccessError):
            self.partner.with_user(
                self.build_user("club_user")
            ).action_erase_personal_data()

    def test_colleagues_cannot_be_erased(self):
        """The contact of an internal user is refused with a reason."""
        with self.assertRaises(UserError):
            self.env.user.partner_id.action_erase_personal_data()

    def test_portal_account_ends_with_its_contact(self):
        """Its login is the address."""
        user = new_test_user(
            self.env,
            login="parvin@example.com",
            groups="base.group_portal",
            partner_id=self.partner.id,
            context={"no_reset_password": True},
        )
        manager = self.build_user("club_manager")
        manager.group_ids += self.env.ref("base.group_partner_manager")
        self.partner.with_user(manager).action_erase_personal_data()
        self.assertFalse(user.active)
        self.assertNotIn("parvin", user.login)
        self.assertFalse(self.partner.active)

    def test_erased_number_does_not_come_back_from_a_queue(self):
        """An older check-in that a device still held counts without a person."""
        before = fields.Datetime.now() - timedelta(hours=1)
        self.partner.action_erase_personal_data()
        answer = self.take(self.number, at=before)
        self.follow_up()
        self.assertTrue(answer["counted"])
        self.assertFalse(self.member(self.number))
        self.assertEqual(self.personal_rows(), {})

    def test_erased_person_may_join_again(self):
        """A new visit after the erasure makes a new member."""
        self.partner.action_erase_personal_data()
        erasure = self.env["club.erasure"].search([])
        erasure.erased_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assertEqual(self.take(self.number)["result"], "new")
        self.assertTrue(self.member(self.number))

    def test_replay_of_an_erased_event_is_a_replay(self):
        """The device drops what was erased meanwhile instead of retrying."""
        self.take(self.number, event_id="event-erased-1")
        self.follow_up()
        self.partner.action_erase_personal_data()
        answer = self.take(self.number, event_id="event-erased-1")
        self.assertTrue(answer["replayed"])

    def test_retention_folds_visits_into_the_member(self):
        """Old rows go, the member's count and dates stay."""
        member = self.member(self.number)
        first = member.first_visit
        old = member.checkin_ids[-1]
        self.company.club_retention_checkin_months = 13
        self.env.flush_all()
        long_ago = fields.Datetime.now() - timedelta(days=500)
        old.write({"arrived_at": long_ago})
        self.assertEqual(self.env["club.retention"]._forget_checkins(), 1)
        self.assertFalse(old.exists())
        member._recount()
        self.assertEqual((member.visit_count, member.first_visit), (2, first))

    def test_retention_removes_texts_that_are_done_with(self):
        """A sent text goes after its months, a waiting one stays."""
        messages = self.env["sms.sms"].search([("partner_id", "=", self.partner.id)])
        self.assertEqual(len(messages), 2)
        messages[1].due_at = fields.Datetime.now() + timedelta(hours=1)
        self.send_messages()
        self.env.cr.execute(
            "UPDATE sms_sms SET create_date = now() - interval '3 years' "
            "WHERE id = ANY(%s)",
            (messages.ids,),
        )
        messages.invalidate_recordset()
        self.env["club.retention"]._forget_messages()
        self.assertEqual(messages.exists().mapped("state"), ["outgoing"])

    def test_privacy_lookup_offers_to_erase(self):
        """Odoo's own look-up erases the contact it found."""
        wizard = self.env["privacy.lookup.wizard"].create(
            {"name": "Parvin Example", "email": "parvin@example.com"}
        )
        wizard.action_lookup()
        line = wizard.line_ids.filtered(
            lambda found: (
                (found.res_model, found.res_id) == ("res.partner", self.partner.id)
            )
        )
        line.action_erase_personal_data()
        self.assertEqual(self.personal_rows(), {})
