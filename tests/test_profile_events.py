from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import CLUB
from .test_profile_attributes import AttributesCommon


@tagged("post_install", "-at_install")
class TestProfileEvents(AttributesCommon):
    """Events that other systems post: each once, each refusal alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.robot = cls.build_colleague(
            "robot", f"{CLUB}_marketer,sales_team.group_sale_salesman_all_leads"
        )
        cls.contact = cls.build_contact(email="guest@example.com", phone="09120000101")
        cls.events = cls.env["customer.event"].with_user(cls.robot)

    def event(self, event_id, /, **values):
        """A download of the contact."""
        return {
            "kind": "download",
            "source": "website",
            "external_id": event_id,
            "partner_id": self.contact.id,
            **values,
        }

    def statuses(self, *events):
        """What became of a batch."""
        return [answer["status"] for answer in self.events.record_batch(list(events))]

    def test_posted_twice_counts_once(self):
        """In one batch, in the next, and by another name."""
        self.assertEqual(
            self.statuses(self.event("a"), self.event("b"), self.event("a")),
            ["created", "created", "known"],
        )
        self.assertEqual(
            self.statuses(self.event("b"), self.event("c")), ["known", "created"]
        )
        self.assertEqual(self.statuses(self.event("a", source="app")), ["created"])
        self.assertEqual(len(self.contact.customer_event_ids), 4)
        answers = self.events.record_batch([self.event("a")])
        self.assertEqual(
            answers,
            [
                {
                    "external_id": "a",
                    "status": "known",
                    "id": self.events.search(
                        [("external_id", "=", "a"), ("source", "=", "website")]
                    ).id,
                    "message": "",
                }
            ],
        )

    def test_one_that_cannot_be_taken_stops_no_other(self):
        """Each says why."""
        bad = {
            "There is no contact “999999999” here.": {"partner_id": 999999999},
            "There is no contact “nobody@example.com” here.": {
                "partner_id": None,
                "email": "nobody@example.com",
            },
            "There is no contact “not a number” here.": {
                "partner_id": None,
                "phone": "not a number",
            },
            "There is no lead 5 thousand here.": {"lead_id": "5 thousand"},
            "kind is one of: download, web_visit, form, call, social, other": {
                "kind": "dance"
            },
            "“soon” is no date; write 2026-03-21T09:30:00Z.": {"date": "soon"},
            "“2999-01-01” cannot be the date of it.": {"date": "2999-01-01"},
            "value is a number.": {"value": "much"},
            "source is missing.": {"source": ""},
            "external_id is missing.": {"external_id": None},
            "Unknown keys: colour": {"colour": 1},
            "Say whom it belongs to: partner_id, lead_id, phone, email.": {
                "partner_id": None
            },
            "name is longer than 250 characters.": {"name": "x" * 251},
        }
        events = [
            self.event(f"bad {number}", **values)
            for number, values in enumerate(bad.values())
        ]
        answers = self.events.record_batch([*events, "nonsense", self.event("good")])
        self.assertEqual(
            [answer["message"] for answer in answers],
            [*bad, "An event is a dictionary.", ""],
        )
        self.assertEqual({answer["status"] for answer in answers[:-1]}, {"refused"})
        self.assertEqual(answers[-1]["status"], "created")
        self.assertEqual(self.contact.customer_event_ids.external_id, "good")

    def test_contacts_are_found_by_mail_and_number(self):
        """A member's number first; digits of any script."""
        self.take("09120000102")
        self.follow_up()
        member = self.member("09120000102")
        self.assertEqual(
            self.statuses(
                self.event("1", partner_id=None, email=" Guest@Example.com "),
                self.event("2", partner_id=None, phone="۰۹۱۲۰۰۰۰۱۰۱"),
                self.event("3", partner_id=None, phone="+98 912 000 0102"),
                self.event("4", partner_id=str(self.contact.id)),
            ),
            ["created"] * 4,
        )
        self.assertEqual(len(self.contact.customer_event_ids), 3)
        self.assertEqual(member.partner_id.customer_event_ids.external_id, "3")

    def test_dates_become_utc(self):
        """With and without a zone."""
        self.statuses(
            self.event("1", date="2026-03-21T09:30:00+03:30"),
            self.event("2", date="2026-03-21 09:30:00", value=2.5, name="Price list"),
        )
        first, second = self.contact.customer_event_ids.sorted("id")
        self.assertEqual(str(first.date), "2026-03-21 06:00:00")
        self.assertEqual(str(second.date), "2026-03-21 09:30:00")
        self.assertEqual((second.value, second.name), (2.5, "Price list"))

    def test_dates_written_by_hand_are_refused_alike(self):
        """With a message, on creation and later."""
        values = {"partner_id": self.contact.id, "kind": "call"}
        event = self.events.create({**values, "date": "2026-03-21 09:30:00"})
        for day in "2026-02-30", "soon", "2999-01-01", 5:
            with self.subTest(day=day):
                with self.assertRaises(ValidationError):
                    self.events.create({**values, "date": day})
                with self.assertRaises(ValidationError):
                    event.write({"date": day})
                event.invalidate_recordset()
        self.assertEqual(str(event.date), "2026-03-21 09:30:00")

    def test_leads_have_events_too(self):
        """With or without a contact."""
        lead = self.env["crm.lead"].create(
            {"name": "A lead", "company_id": self.company.id}
        )
        self.assertEqual(
            self.statuses(self.event("1", partner_id=None, lead_id=lead.id)),
            ["created"],
        )
        self.assertEqual(lead.customer_event_ids.kind, "download")

    def test_no_profiling_is_respected(self):
        """Nothing is kept; the sender learns why; its lead's too."""
        self.contact.no_profiling = True
        answers = self.events.record_batch([self.event("a")])
        self.assertEqual(answers[0]["status"], "ignored")
        self.assertFalse(self.contact.customer_event_ids)
        self.assertFalse(answers[0]["id"])

    def test_events_of_a_company_stay_there(self):
        """Neither seen nor clashing elsewhere; another company's contact is unknown."""
        other = self.build_company("Another company")
        theirs = self.env["res.partner"].create(
            {"name": "Theirs", "company_id": other.id}
        )
        self.statuses(self.event("a"))
        answers = self.events.record_batch([self.event("b", partner_id=theirs.id)])
        self.assertEqual(answers[0]["status"], "refused")
        shared = self.env["res.partner"].create({"name": "Shared"})
        answers = (
            self.env["customer.event"]
            .with_company(other)
            .record_batch([self.event("a", partner_id=shared.id)])
        )
        self.assertEqual(answers[0]["status"], "created")
        self.assertFalse(self.events.search([("partner_id", "=", shared.id)]))

    def test_events_follow_a_merged_contact(self):
        """And are found by conditions on it; the merged contact is touched."""
        stays = self.build_contact()
        self.statuses(self.event("a"))
        self.merge(self.contact, stays)
        self.assertEqual(stays.customer_event_ids.external_id, "a")
        self.assertEqual(
            self.found(stays, ("customer_event_ids.kind", "=", "download")), stays
        )

    def test_who_may_post(self):
        """Marketers; nobody floods it."""
        user = self.build_colleague("event-reader", f"{CLUB}_club_user")
        with self.assertRaises(AccessError):
            self.events.with_user(user).record_batch([self.event("a")])
        for events in [self.event("a")] * 1001, "nonsense", {"kind": "form"}:
            with self.subTest(type=type(events)), self.assertRaises(UserError):
                self.events.record_batch(events)
        self.assertEqual(self.events.record_batch([]), [])

    def test_posting_touches_the_contact(self):
        """Its segments follow within seconds."""
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM customer_segment_touch")
        self.statuses(self.event("a"))
        self.env.cr.execute("SELECT partner_id FROM customer_segment_touch")
        self.assertEqual(self.env.cr.fetchall(), [(self.contact.id,)])
