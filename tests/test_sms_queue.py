from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms.tools.sms_api import SmsApi

from ..hooks import uninstall_hook
from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestSmsQueue(ClubCommon):
    """One queue, many companies and lines: none stops another."""

    def setUp(self):
        super().setUp()
        self.other = self.build_company("Another company")
        self.sent = []

        def send(api, messages, delivery_reports_url=False):
            self.sent.append((api.company, messages))
            return [
                {"uuid": number["uuid"], "state": "success", "credit": 1}
                for message in messages
                for number in message["numbers"]
            ]

        self.patch(SmsApi, "_send_sms_batch", send)

    def queue(self, company, gateway="odoo", number="+989120000001", body="Hello"):
        line = company._get_sms_line("service")
        line.gateway = gateway
        [(sms_id, reason)] = line._queue_messages([{"number": number, "body": body}])
        self.assertFalse(reason)
        return self.env["sms.sms"].browse(sms_id)

    def process_queue(self):
        cron = self.env.ref("sms.ir_cron_sms_scheduler_action")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_queue_of_two_companies_is_sent_by_each_ones_gateway(self):
        """Core raises «Expected singleton» here and stops for everyone."""
        ours, theirs = self.queue(self.company), self.queue(self.other)
        self.process_queue()
        self.assertEqual((ours | theirs).mapped("state"), ["pending", "pending"])
        self.assertEqual(
            {company for company, _messages in self.sent}, {self.company, self.other}
        )
        self.assertTrue(all(len(messages) == 1 for _company, messages in self.sent))

    def test_test_gateway_lets_nothing_out(self):
        """Marked as sent although no gateway was called."""
        sms = self.queue(self.company, gateway="test")
        self.process_queue()
        self.assertEqual(sms.state, "pending")
        self.assertFalse(self.sent)

    def test_message_is_called_by_its_recipient(self):
        """Its page in Persian would begin a number at the wrong end."""
        sms = self.queue(self.company)
        self.assertEqual(sms.display_name, "+989120000001")
        sms.partner_id = self.env["res.partner"].create({"name": "Parvin"})
        self.assertEqual(sms.display_name, "Parvin")

    def test_silent_company_does_not_block_the_others(self):
        """Its messages wait, those of others leave."""
        silent, other = self.queue(self.company), self.queue(self.other)
        self.company.club_silent = True
        self.process_queue()
        self.assertEqual((silent.state, other.state), ("outgoing", "pending"))

    def test_message_of_core_gets_its_documents_company(self):
        """A message that core queues for a contact belongs to a company too."""
        partner = self.env["res.partner"].create(
            {"name": "Parvin", "phone": "+989120000002", "company_id": self.other.id}
        )
        partner._message_sms(
            "Hello",
            partner_ids=partner.ids,
            put_in_queue=True,
            sms_numbers=["+989120000002"],
        )
        sms = self.env["sms.sms"].search([("number", "=", "+989120000002")])
        self.assertEqual(sms.company_id, self.other)

    def test_no_sms_stops_service_and_blacklist_only_advertising(self):
        """One rule for the whole product, applied where messages are queued."""
        service = self.company._get_sms_line("service")
        advertising = self.env["sms.line"].create(
            {
                "name": "Offers",
                "company_id": self.company.id,
                "message_class": "advertising",
                "gateway": "test",
            }
        )
        iran = self.env.ref("base.ir").id
        refuser, blacklisted = self.env["res.partner"].create(
            [
                {"name": "A", "phone": "09120000003", "country_id": iran},
                {"name": "B", "phone": "09120000004", "country_id": iran},
            ]
        )
        refuser.no_sms = True
        self.env["phone.blacklist"].add(blacklisted.phone_sanitized)
        messages = [
            {"number": partner.phone_sanitized, "body": "Hi", "partner_id": partner.id}
            for partner in (refuser, blacklisted)
        ]
        self.assertEqual(
            [reason for _sms, reason in service._queue_messages(messages)],
            ["no_sms", None],
        )
        self.assertEqual(
            [reason for _sms, reason in advertising._queue_messages(messages)],
            ["no_sms", "blacklisted"],
        )

    def test_one_number_per_contact_everywhere(self):
        """The member's phone, else the phone if it is mobile; never a landline."""
        iran = self.env.ref("base.ir").id
        member_phone = self.phone()
        self.take(member_phone)
        self.follow_up()
        joined = self.member(member_phone).partner_id
        mobile, landline = self.env["res.partner"].create(
            [
                {"name": "M", "phone": "09120000005", "country_id": iran},
                {"name": "L", "phone": "02188776655", "country_id": iran},
            ]
        )
        partners = joined | mobile | landline
        with patch.object(type(joined), "phone_sanitized", "+989120000099"):
            numbers = joined._get_sms_numbers(self.company)
        self.assertEqual(numbers, {joined.id: f"+98{member_phone[1:]}"})
        self.assertEqual(
            partners._get_sms_numbers(self.company),
            {joined.id: f"+98{member_phone[1:]}", mobile.id: "+989120000005"},
        )
        infos = partners.with_company(self.company)._sms_get_recipients_info()
        self.assertEqual(infos[mobile.id]["sanitized"], "+989120000005")
        self.assertFalse(infos[landline.id]["sanitized"])

    def test_uninstall_cancels_what_waits_on_our_lines(self):
        """Else core would send it over its own gateway."""
        sms = self.queue(self.company)
        uninstall_hook(self.env)
        self.assertEqual(sms.state, "canceled")
