import json
from unittest.mock import patch

import requests

from odoo.tests import tagged
from odoo.tools import file_open

from .common import ClubHttpCommon
from .sms_case import SmsBuilders


@tagged("post_install", "-at_install")
class TestSmsDelivery(SmsBuilders, ClubHttpCommon):
    """What became of a message reaches everybody who asks, and never goes back."""

    def push(self, kind="delivery", line=None, method="GET", **values):
        """A push of the provider to one of the line's addresses."""
        line = line or self.line
        self.env.flush_all()
        path = f"/sms_line/{line.id}/{line.webhook_secret}/{kind}"
        if method == "JSON":
            response = self.url_open(
                path,
                data=json.dumps(values),
                headers={"Content-Type": "application/json"},
            )
        elif method == "POST":
            response = self.url_open(path, data=values)
        else:
            response = self.opener.get(
                self.base_url() + path, params=values, timeout=60
            )
        self.env.invalidate_all()
        return response

    def sent(self):
        """A message of a check-in that the provider has taken."""
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        self.run_queue()
        checkin = self.checkins(phone)
        self.assertEqual(checkin.sms_id.state, "pending")
        return checkin, checkin.sms_id

    def test_report_reaches_message_and_checkin(self):
        """By query string, form and JSON alike."""
        for method in ("GET", "POST", "JSON"):
            checkin, sms = self.sent()
            response = self.push(method=method, messageid=sms.provider_id, status="10")
            self.assertEqual((response.status_code, response.text), (200, "ok"))
            self.assertEqual((sms.state, checkin.message_state), ("sent", "sent"))
            self.assertFalse(sms.poll_at)

    def test_report_reaches_the_chatter(self):
        partner = self.env["res.partner"].create(
            {"name": "Parvin", "phone": "+989120007777", "company_id": self.company.id}
        )
        message = partner._message_sms(
            "Hello",
            partner_ids=partner.ids,
            put_in_queue=True,
            sms_numbers=["+989120007777"],
        )
        sms = self.env["sms.sms"].search([("number", "=", "+989120007777")])
        sms.line_id = self.line
        notification = message.notification_ids
        self.run_queue()
        self.assertEqual(notification.notification_status, "pending")
        self.push(messageid=sms.provider_id, status="10")
        self.assertEqual(notification.notification_status, "sent")
        self.push(messageid=sms.provider_id, status="11")
        self.assertEqual(notification.notification_status, "sent", "never back")

    def test_reports_never_go_back(self):
        """Late, repeated and contradicting ones change nothing."""
        checkin, sms = self.sent()
        for status, state in (("4", "pending"), ("10", "sent"), ("10", "sent")):
            self.push(messageid=sms.provider_id, status=status)
            self.assertEqual((sms.state, checkin.message_state), (state, state))
        for status in ("1", "5", "11", "14", "6", "100"):
            self.push(messageid=sms.provider_id, status=status)
            self.assertEqual((sms.state, checkin.message_state), ("sent", "sent"))

    def test_not_delivered_is_shown_and_may_turn_out_delivered(self):
        checkin, sms = self.sent()
        self.push(messageid=sms.provider_id, status="11")
        self.assertEqual((sms.state, checkin.message_state), ("error", "error"))
        self.push(messageid=sms.provider_id, status="4")
        self.assertEqual(sms.state, "error")
        self.push(messageid=sms.provider_id, status="10")
        self.assertEqual((sms.state, checkin.message_state), ("sent", "sent"))

    def test_undelivered_is_sent_again_under_a_new_reference(self):
        """The provider knows the old one and would only show the old attempt."""
        checkin, message = self.sent()
        self.push(messageid=message.provider_id, status="11")
        self.assertEqual(message.state, "error")
        answer = message.resend_failed()
        self.assertIn("1 of 1", answer["params"]["message"])
        self.assertEqual((message.state, message.tries), ("outgoing", 0))
        self.run_queue()
        self.assertEqual(message.state, "pending")
        self.assertEqual(len(self.provider.accepted), 2)
        self.push(messageid=message.provider_id, status="10")
        self.assertEqual((message.state, checkin.message_state), ("sent", "sent"))

    def test_only_the_lines_own_messages_move(self):
        """Not by another line's secret, nor by a wrong one."""
        _checkin, sms = self.sent()
        other = self.build_line(name="Other", message_class="service")
        self.push(line=other, messageid=sms.provider_id, status="10")
        self.assertEqual(sms.state, "pending")
        for path in (
            f"/sms_line/{self.line.id}/wrong/delivery",
            f"/sms_line/{self.line.id}/{other.webhook_secret}/delivery",
            f"/sms_line/999999/{other.webhook_secret}/delivery",
        ):
            response = self.opener.get(
                self.base_url() + path,
                params={"messageid": sms.provider_id, "status": "10"},
                timeout=60,
            )
            self.assertEqual(response.status_code, 404)
        self.env.invalidate_all()
        self.assertEqual(sms.state, "pending")

    def test_nonsense_is_answered_and_ignored(self):
        path = f"/sms_line/{self.line.id}/{self.line.webhook_secret}/delivery"
        for data, kind in (
            ("{", "application/json"),
            ("[" * 100_000, "application/json"),
            ('[1, {"messageid": "1\\u0000", "status": "10"}]', "application/json"),
            ("self=1&messageid=%00&status=10", "application/x-www-form-urlencoded"),
            ("x" * 70_000, "text/plain"),
        ):
            response = self.url_open(path, data=data, headers={"Content-Type": kind})
            self.assertEqual(response.status_code, 200, data[:20])

    def test_report_faster_than_the_answer_is_kept(self):
        """It comes while the call is under way: the id is nobody's yet."""
        self.env["sms.early.report"].search([]).unlink()
        message = self.queue()
        reports = []

        def report(taken):
            # As the webhook does, before the answer to the call.
            [one] = taken
            reports.append(one.id)

        self.provider.on_taken = report
        self.provider.fail("error_after")
        self.run_queue()
        self.assertEqual(message.outcome, "unknown")
        self.push(messageid=reports[0], status="10")
        self.assertEqual(self.env["sms.early.report"].search_count([]), 1)
        self.past(message, reconcile_at=1)
        self.provider.on_taken = None
        self.run_queue(step="_reconcile_slice")
        self.assertEqual(message.state, "sent")
        self.assertFalse(self.env["sms.early.report"].search_count([]))

    def test_unknown_ids_are_not_hoarded(self):
        """Nothing of this line is under way: nobody will ever ask for them."""
        for number in range(5):
            self.push(messageid=str(number), status="10")
        self.assertFalse(self.env["sms.early.report"].search_count([]))

    def test_polling_follows_its_schedule(self):
        """At 5 min, 15 min, 1 h, 6 h, 24 h and 47 h, then no more."""
        [message] = self.queue()
        self.run_queue()
        for minutes in (5, 15, 60, 360, 1440, 2820):
            due = (message.poll_at - message.claimed_at).total_seconds() / 60
            self.assertAlmostEqual(due, minutes, delta=1)
            self.assertEqual(self.run_queue(step="_poll_slice"), 0)
            self.past(message, poll_at=0)
            self.assertEqual(self.run_queue(step="_poll_slice"), 1)
            self.assertEqual(message.state, "pending")
        self.assertFalse(message.poll_at)

    def test_polling_finds_delivery(self):
        messages = self.queue(3)
        self.run_queue()
        self.provider.states = {
            messages[0].provider_id: 10,
            messages[1].provider_id: 14,
        }
        self.past(messages, poll_at=0)
        self.run_queue(step="_poll_slice")
        self.assertEqual(messages.mapped("state"), ["sent", "error", "pending"])
        self.assertEqual(messages[1].failure_type, "sms_blocked")

    def test_answer_of_a_person_lands_in_the_chatter_once(self):
        """Providers push a text until they are answered."""
        partner = self.env["res.partner"].create(
            {
                "name": "Parvin",
                "phone": "09120008888",
                "country_id": self.env.ref("base.ir").id,
                "company_id": self.company.id,
            }
        )
        text = "<b>سلام</b> & thanks"
        for method in ("GET", "POST", "JSON"):
            self.push(
                "inbound",
                method=method,
                **{"messageid": "77", "from": "09120008888", "message": text},
            )
        found = partner.message_ids.filtered(lambda one: "thanks" in (one.body or ""))
        self.assertEqual(len(found), 1)
        self.assertEqual(found.author_id, partner)
        self.assertIn("&lt;b&gt;", found.body)

    def test_addresses_can_be_tried_and_renewed(self):
        """The settings say whether a provider could reach them."""
        self.env["ir.config_parameter"].sudo().set_param(
            "web.base.url", self.base_url()
        )
        self.line.invalidate_recordset()
        response = self.push(ping="1")
        self.assertEqual(response.text, "ok")
        settings = (
            self.env["res.config.settings"]
            .with_company(self.line.company_id)
            .create({})
        )
        self.assertEqual(settings.sms_line_ids, self.line, "test lines need none")
        shown = settings.new({"company_id": self.company.id}).sms_line_ids
        self.assertEqual(shown.webhook_delivery_url, self.line.webhook_delivery_url)
        self.assertEqual(shown.webhook_inbound_url, self.line.webhook_inbound_url)
        get = "odoo.addons.customer_segmentation.models.messaging.sms_line_webhook"
        with patch(f"{get}.requests.get", side_effect=self.opener.get):
            told = self.line.action_test_webhooks()["params"]
            self.assertEqual(told["type"], "success", told["message"])
            self.assertIn(self.line.name, told["message"])
        with patch(f"{get}.requests.get", side_effect=requests.ConnectionError):
            told = self.line.action_test_webhooks()["params"]
            self.assertEqual(told["type"], "danger")
        old = self.line.webhook_secret
        self.line.action_renew_webhook_secret()
        self.assertNotEqual(self.line.webhook_secret, old)
        self.assertGreaterEqual(len(old), 32)

    def test_copies_of_the_database_know_no_keys(self):
        """What `odoo-bin neutralize` does: nothing leaves, nothing is known."""
        with file_open("customer_segmentation/data/neutralize.sql") as file:
            sql = file.read()
        self.line.write({"username": "u", "http_headers": "Authorization: x"})
        self.env.flush_all()
        old = self.line.webhook_secret
        self.env.cr.execute(sql)
        self.env.invalidate_all()
        self.assertEqual(self.line.gateway, "test")
        for name in ("api_key", "username", "password", "base_url", "http_headers"):
            self.assertFalse(self.line[name], name)
        self.assertNotEqual(self.line.webhook_secret, old)
