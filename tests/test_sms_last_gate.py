"""Whatever happens to a message between its queueing and its leaving."""

from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ClubCommon
from .sms_case import SmsBuilders

NIGHT = datetime(2026, 11, 23, 20, 0)  # UTC; half past eleven in Tehran
MORNING = NIGHT + timedelta(hours=12)


@tagged("post_install", "-at_install")
class TestSmsLastGate(SmsBuilders, ClubCommon):
    """Who refuses while a message waits does not get it, whoever queued it."""

    def setUp(self):
        super().setUp()
        self.company.sms_cap_day = self.company.sms_cap_week = 0
        self.offers = self.build_line(
            name="Offers",
            message_class="advertising",
            foreign_allowed=False,
            links_allowed=False,
        )
        self.partner = self.env["res.partner"].create(
            {
                "name": "Parvin",
                "phone": "+989120003333",
                "country_id": self.env.ref("base.ir").id,
            }
        )
        self.number = self.partner.phone_sanitized
        self.say("consent")

    def say(self, kind, **values):
        return self.env["customer.consent"].create(
            {
                "number": self.number,
                "kind": kind,
                "company_id": self.company.id,
                **values,
            }
        )

    def queue_one(self, line, **values):
        return self.queue(1, line, number=self.number, **values)

    def assertRefused(self, message, failure):
        self.assertEqual((message.state, message.failure_type), ("canceled", failure))
        self.assertNotIn("09120003333", self.provider.numbers())

    # === REFUSED WHILE IT WAITS === #

    def test_optout_over_night(self):
        with freeze_time(NIGHT):
            message = self.queue_one(self.offers)
            self.offers._receive_text(self.number, "لغو۱۱")
        with freeze_time(MORNING):
            self.run_queue()
        self.assertRefused(message, "sms_optout")

    def test_stop_while_the_line_is_paused(self):
        self.line.action_pause()
        message, other = self.queue_one(self.line), self.queue(1, start=7)
        self.line._receive_text(self.number, "11")
        self.line.action_resume()
        self.run_queue()
        self.assertRefused(message, "sms_stopped")
        self.assertEqual(other.state, "pending")

    def test_no_sms_before_a_person_sends_again(self):
        self.provider.fail("error_after")
        message = self.queue_one(self.line)
        self.run_queue()
        message.write({"reconcile_at": False})
        self.partner.no_sms = True
        self.provider.accepted.clear()
        message.action_send_again()
        self.run_queue()
        self.assertRefused(message, "sms_no_sms")

    def test_core_gateway_asks_again_too(self):
        message = self.env["sms.sms"].create(
            {"number": self.number, "body": "Hi", "company_id": self.company.id}
        )
        self.assertEqual(message.state, "outgoing")
        self.partner.no_sms = True
        send = "odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch"
        with patch(send) as called:
            message.send(unlink_sent=False)
        self.assertFalse([c for c in called.call_args_list if c.args[0]])
        self.assertRefused(message, "sms_no_sms")

    # === WRITTEN BY HAND === #

    def test_state_written_over_rpc(self):
        self.say("optout")
        message = self.env["sms.sms"].create(
            {
                "number": self.number,
                "body": "Sale",
                "line_id": self.offers.id,
                "message_class": "advertising",
                "company_id": self.company.id,
            }
        )
        self.assertRefused(message, "sms_optout")
        message.write({"state": "outgoing", "failure_type": False})
        with freeze_time(MORNING):
            self.run_queue()
        self.assertRefused(message, "sms_optout")

    def test_class_written_over_rpc(self):
        """Over an advertising line everything is advertising."""
        self.say("optout")
        message = self.env["sms.sms"].create(
            {
                "number": self.number,
                "body": "Sale",
                "line_id": self.offers.id,
                "message_class": "service",
                "company_id": self.company.id,
            }
        )
        self.assertRefused(message, "sms_optout")

    def test_another_spelling_of_the_number_over_rpc(self):
        self.partner.no_sms = True
        values = {"body": "Hi", "company_id": self.company.id}
        on_line = {"line_id": self.line.id, "message_class": "service"}
        self.line.foreign_allowed = True
        for number in ("09120003333", "0098 912 000 3333", "۰۹۱۲۰۰۰۳۳۳۳"):
            for more in ({}, on_line):
                message = self.env["sms.sms"].create(
                    {**values, **more, "number": number}
                )
                self.assertRefused(message, "sms_no_sms")
        other = self.queue(1)
        other.number = "09120003333"
        self.run_queue()
        self.assertRefused(other, "sms_no_sms")

    def test_company_written_over_rpc(self):
        """The company of a line's message is the line's."""
        self.say("optout")
        other = self.build_company("Other")
        message = self.env["sms.sms"].create(
            {
                "number": self.number,
                "body": "Sale",
                "line_id": self.offers.id,
                "message_class": "service",
                "company_id": other.id,
            }
        )
        self.assertEqual(message.company_id, self.company)
        self.assertRefused(message, "sms_optout")

    def test_failed_advertising_may_be_tried_again(self):
        """It does not stand in its own way."""
        self.company.sms_cap_day = 1
        message = self.queue_one(self.offers)
        message.write({"state": "error", "failure_type": "sms_server"})
        message.action_set_outgoing()
        self.assertEqual(message.state, "outgoing")

    # === THE LINE'S OWN RULES === #

    def compose(self, body, line, number=None, **values):
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "numbers",
                "numbers": number or self.number,
                "body": body,
                "line_id": line.id,
                **values,
            }
        )
        composer.action_send_sms()
        return self.env["sms.sms"].search([], order="id desc", limit=1)

    def test_composer_sends_no_link_over_a_line_without(self):
        with self.assertRaises(UserError):
            self.compose("See shop.ir", self.offers)
        self.run_queue()
        self.assertFalse(self.provider.accepted)

    def test_composer_sends_nothing_abroad_over_a_line_at_home(self):
        self.env["customer.consent"].create(
            {
                "number": "+971501234567",
                "kind": "consent",
                "company_id": self.company.id,
            }
        )
        with self.assertRaises(UserError):
            self.compose("Sale", self.offers, "+971501234567")
        self.run_queue()
        self.assertFalse(self.provider.accepted)

    def test_composer_sends_nothing_typed_over_a_line_of_patterns(self):
        self.offers.text_policy = "pattern"
        with self.assertRaises(UserError):
            self.compose("Sale", self.offers)
        self.run_queue()
        self.assertFalse(self.provider.accepted)

    def test_default_line_changes_its_class(self):
        self.line.is_default = True
        self.offers.is_default = True
        self.offers.message_class = "service"
        self.assertEqual((self.line | self.offers).filtered("is_default"), self.offers)
