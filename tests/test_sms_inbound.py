from odoo.tests import tagged

from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestSmsInbound(ClubCommon):
    """What customers answer to a line."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.company._get_sms_line("service")
        cls.advertising = cls.service.copy(
            {"name": "Offers", "message_class": "advertising"}
        )
        cls.partner = cls.env["res.partner"].create(
            {"name": "Parvin", "phone": "+989120008001", "company_id": cls.company.id}
        )

    def holding(self):
        """Kind and line of what holds for the number."""
        rows = self.env["customer.consent"].search([("number", "=", "+989120008001")])
        return {(row.kind, row.line_id) for row in rows}

    def test_eleven_on_an_advertising_line_ends_advertising(self):
        """And «12» takes it back, which is a consent."""
        answer = self.advertising._receive_text("09120008001", "لغو۱۱", "a1")
        self.assertEqual(answer, "stop")
        self.assertEqual(self.holding(), {("optout", self.env["sms.line"])})
        row = self.env["customer.consent"].search([("number", "=", "+989120008001")])
        self.assertEqual(
            (row.channel, row.wording, row.partner_id, row.source),
            ("sms", "لغو۱۱", self.partner, "Offers"),
        )
        self.assertFalse(self.service._refused_numbers(["+989120008001"]))
        self.assertEqual(
            self.advertising._receive_text("989120008001", "12", "a2"), "rejoin"
        )
        self.assertEqual(self.holding(), {("consent", self.env["sms.line"])})
        self.assertFalse(self.advertising._refused_numbers(["+989120008001"]))

    def test_eleven_on_a_service_line_ends_that_line(self):
        """Until «12» to that line; other service lines go on, an opt-out stays."""
        self.env["customer.consent"].create(
            {"number": "09120008001", "kind": "optout", "company_id": self.company.id}
        )
        self.service._receive_text("09120008001", "STOP", "b1")
        self.assertEqual(
            self.service._refused_numbers(["+989120008001"]),
            {"+989120008001": "stopped"},
        )
        self.assertFalse(self.service.copy()._refused_numbers(["+989120008001"]))
        self.service._receive_text("09120008001", "12", "b2")
        self.assertFalse(self.service._refused_numbers(["+989120008001"]))
        self.assertEqual(self.holding(), {("optout", self.env["sms.line"])})

    def test_a_number_that_nobody_has_may_refuse(self):
        """It is kept for the day it becomes a contact."""
        self.assertEqual(
            self.advertising._receive_text("09120008009", "11", "c1"), "stop"
        )
        refused = self.advertising._refused_numbers(["+989120008009"])
        self.assertEqual(refused, {"+989120008009": "opted_out"})

    def test_handed_over_twice_counts_once(self):
        """By the panel's id; without one by number, text and time."""
        self.assertEqual(
            self.service._receive_text("09120008001", "Hello", "d1"), "posted"
        )
        posted = len(self.partner.message_ids)
        self.assertEqual(
            self.service._receive_text("09120008001", "Hello", "d1"), "known"
        )
        when = "2026-11-23 10:00:00"
        self.service._receive_text("09120008001", "Again", None, when)
        self.service._receive_text("09120008001", "Again", None, when)
        self.assertEqual(len(self.partner.message_ids), posted + 1)

    def test_other_texts_are_posted_as_text(self):
        """Escaped, by the customer, and nobody is e-mailed."""
        self.service._receive_text("09120008001", "<b>Is it open?</b>", "e1")
        message = self.partner.message_ids[0]
        self.assertIn("&lt;b&gt;Is it open?", message.body)
        self.assertEqual(message.author_id, self.partner)
        self.assertFalse(message.notification_ids)

    def test_the_note_is_in_the_companys_language(self):
        """The provider's push has none."""
        self.env["res.lang"]._activate_lang("fa_IR")
        self.company.partner_id.lang = "fa_IR"
        self.service._receive_text("09120008001", "Hello", "l1")
        self.assertIn("پیامک به", self.partner.message_ids[0].body)

    def test_lead_gets_the_text_when_no_contact_has_the_number(self):
        """And what nobody has is ignored."""
        lead = self.env["crm.lead"].create(
            {
                "name": "A hall for a wedding",
                "phone": "+989120008002",
                "company_id": self.company.id,
            }
        )
        self.assertEqual(
            self.service._receive_text("09120008002", "When?", "f1"), "posted"
        )
        self.assertIn("When?", lead.message_ids[0].body)
        self.assertEqual(
            self.service._receive_text("09120008003", "When?", "f2"), "ignored"
        )
        self.assertEqual(self.service._receive_text("1000", "11", "f3"), "ignored")

    def test_another_companys_contact_hears_nothing(self):
        """A line belongs to one company."""
        self.partner.company_id = self.build_company("Another company")
        self.assertEqual(
            self.service._receive_text("09120008001", "Hello", "g1"), "ignored"
        )
