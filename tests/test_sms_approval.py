from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import ClubCommon
from .sms_case import SmsBuilders


@tagged("post_install", "-at_install")
class TestSmsApproval(SmsBuilders, ClubCommon):
    """Lines whose texts the panel has to approve."""

    def setUp(self):
        super().setUp()
        self.line.text_policy = "pattern"
        self.template = self.company.club_welcome_template_id
        self.partner = self.env["res.partner"].create(
            {"name": "Parvin", "phone": "+989120003333", "city": "Rey Old Town"}
        )

    def queue_text(self, line=None, **values):
        """Queue the template's text, rendered for the contact."""
        message = {
            "number": "+989120003333",
            "body": self.template.body,
            "template_id": self.template.id,
            "res_id": self.partner.id,
            **values,
        }
        [(sms_id, reason)] = (line or self.line)._queue_messages([message])
        self.assertFalse(reason)
        return self.env["sms.sms"].browse(sms_id)

    def approval(self, line=None):
        return self.template.approval_ids.filtered(
            lambda one: one.line_id == (line or self.line)
        )

    def test_message_waits_for_the_approval_and_goes_as_a_pattern(self):
        """With its variables, in the pattern's order."""
        manager = self.build_user("club_manager")
        self.env["sms.template.approval"].create(
            {
                "line_id": self.line.id,
                "template_id": self.template.id,
                "pattern_code": "welcome",
                "variables": "token={{ name ||| you }}\ntoken10={{ object.city }}",
            }
        )
        message = self.queue_text()
        approval = self.approval()
        self.assertEqual(approval.waiting_count, 1)
        for state in ("none", "waiting", "refused"):
            approval.with_user(manager).state = state
            self.run_queue()
            self.assertEqual((message.state, self.provider.calls), ("outgoing", 0))
            self.assertIn("panel", message.progress)
        approval.with_user(manager).action_approve()
        self.run_queue()
        self.assertEqual(message.state, "pending")
        [taken] = self.provider.accepted
        self.assertEqual(taken.pattern, "welcome")
        self.assertEqual(
            dict(taken.params), {"token": "Parvin", "token10": "Rey Old Town"}
        )

    def test_one_waiting_text_holds_up_no_other(self):
        free = self.build_line(name="Own line", message_class="service")
        waiting = self.queue_text()
        other = self.queue_text(free)
        self.run_queue(2)
        self.assertEqual((waiting.state, other.state), ("outgoing", "pending"))

    def test_a_first_message_asks_for_an_approval(self):
        """The row says who has to do what."""
        self.queue_text()
        self.queue_text(number="+989120003334")
        self.assertEqual(self.approval().state, "none")
        self.assertEqual(self.approval().waiting_count, 2)

    def test_text_typed_by_hand_is_refused(self):
        """Nobody can have approved it."""
        message = {"number": "+989120003333", "body": "Typed"}
        self.assertEqual(self.line._queue_messages([message]), [(None, "no_template")])

    def test_changed_words_need_another_approval(self):
        """Where the panel approved words; a pattern has its own."""
        self.line.text_policy = "approved"
        self.queue_text()
        approval = self.approval()
        approval.action_approve()
        self.template.body = f"{self.template.body} "
        self.assertEqual(approval.state, "approved")
        self.template.body = "Other words"
        self.assertEqual(approval.state, "none")
        approval.write({"pattern_code": "7", "state": "approved"})
        self.template.body = "And others"
        self.assertEqual(approval.state, "approved")
        # What the panel judges now are not these words.
        approval.pattern_code = False
        approval.action_ask()
        self.template.body = "Quite others"
        self.assertEqual(approval.state, "none")

    def test_approved_words_go_as_they_are(self):
        self.line.text_policy = "approved"
        message = self.queue_text()
        self.approval().action_approve()
        self.run_queue()
        [taken] = self.provider.accepted
        self.assertEqual((taken.pattern, taken.text), ("", message.body))

    def test_panel_that_can_be_asked_is_asked(self):
        """Every half hour while it is waiting, and once it is handed to the panel."""
        line = self.build_line(name="Test", gateway="test", text_policy="pattern")
        message = self.queue_text(line)
        approval = self.approval(line)
        self.assertEqual(self.run_queue(step="_poll_approvals"), 0)
        approval.action_ask()
        self.assertEqual(self.run_queue(step="_poll_approvals"), 1)
        self.assertEqual(approval.state, "approved")
        self.run_queue()
        self.assertEqual(message.state, "pending")

    def test_panel_with_a_list_of_patterns(self):
        """What it said while it thinks, and its approval."""
        line = self.build_line(gateway="melipayamak", text_policy="pattern")
        line.pattern_url = f"{line.base_url}/GetSharedServiceBody"
        self.queue_text(line)
        approval = self.approval(line)
        approval.write({"pattern_code": "77", "state": "waiting"})
        self.provider.patterns = {"77": ("0", "tomorrow")}
        self.run_queue(step="_poll_approvals")
        self.assertEqual((approval.state, approval.reason), ("waiting", "tomorrow"))
        approval.asked_at = False
        self.provider.patterns = {"77": ("1", "")}
        self.run_queue(step="_poll_approvals")
        self.assertEqual((approval.state, approval.reason), ("approved", False))

    def test_panel_that_cannot_be_asked_leaves_it_to_a_person(self):
        self.queue_text()
        self.approval().action_ask()
        self.assertEqual(self.run_queue(step="_poll_approvals"), 1)
        self.assertEqual(self.run_queue(step="_poll_approvals"), 0, "asked too often")
        self.assertEqual(self.approval().state, "waiting")

    def test_broken_variables_are_refused_when_saved(self):
        self.queue_text()
        for broken in ("just words", "token=", "={{ object.name }}", "a={{ object. }}"):
            with self.assertRaises(UserError):
                self.approval().variables = broken
        # Where the administrator lets editors only write any placeholder.
        editors = self.env.ref("mail.group_mail_template_editor")
        self.env.ref("base.group_user")._remove_group(editors)
        manager = self.build_user("club_manager")
        with self.assertRaises(ValidationError):
            self.approval().with_user(
                manager
            ).variables = "token={{ object.company_id.sudo().bank_ids }}"

    def test_other_companies_see_nothing(self):
        self.queue_text()
        other = self.build_company("Another company")
        stranger = self.build_user("club_manager", other)
        with self.assertRaises(AccessError):
            self.approval().with_user(stranger).read(["state"])


@tagged("post_install", "-at_install")
class TestSmsLine(SmsBuilders, ClubCommon):
    """What administrators and managers do with a line."""

    def test_test_message_goes_over_the_real_line(self):
        with self.assertRaises(UserError):
            self.line.action_send_test()
        self.env.user.partner_id.write(
            {"phone": "09120004444", "country_id": self.env.ref("base.ir").id}
        )
        action = self.line.action_send_test()
        message = self.env["sms.sms"].browse(action["res_id"])
        self.run_queue()
        self.assertEqual(message.state, "pending")
        self.assertEqual(self.provider.numbers(), ["09120004444"])

    def test_test_over_an_advertising_line_needs_no_consent(self):
        """Whoever presses the button asked for it, and may press it twice."""
        self.env.user.partner_id.write(
            {"phone": "09120004444", "country_id": self.env.ref("base.ir").id}
        )
        line = self.build_line(name="Offers", message_class="advertising")
        line.write({"window_start": 0, "window_end": 24})
        for _turn in range(2):
            line.action_send_test()
            self.run_queue()
        self.assertEqual(self.provider.numbers(), ["09120004444"] * 2)
        self.env.user.partner_id.no_sms = True
        with self.assertRaisesRegex(UserError, "Wants no SMS"):
            line.action_send_test()

    def test_test_over_a_line_of_patterns_is_an_approved_text(self):
        partner = self.env.user.partner_id
        partner.write(
            {"phone": "09120004444", "country_id": self.env.ref("base.ir").id}
        )
        self.line.text_policy = "pattern"
        with self.assertRaisesRegex(UserError, "approved"):
            self.line.action_send_test()
        self.env["sms.template.approval"].create(
            {
                "line_id": self.line.id,
                "template_id": self.company.club_welcome_template_id.id,
                "pattern_code": "welcome",
                "state": "approved",
            }
        )
        self.line.action_send_test()
        self.run_queue()
        self.assertEqual(
            [(one.number, one.pattern) for one in self.provider.accepted],
            [("09120004444", "welcome")],
        )

    def test_balance_is_stored_and_told_once_when_low(self):
        self.line.balance_low = 500
        self.line.action_refresh_balance()
        self.assertEqual(self.line.balance, 1_000_000)
        self.assertFalse(self.line.activity_ids)
        self.provider.credit = 100
        for _turn in range(2):
            self.line.action_refresh_balance()
        self.assertEqual((self.line.balance, len(self.line.activity_ids)), (100, 1))
        self.assertEqual(self.env["club.dashboard"]._get_sms_credit(), 100)

    def test_settings_that_cannot_work_are_refused_in_words(self):
        for values, word in (
            ({"api_key": False}, "API key"),
            ({"base_url": "http://example.com", "allow_private": False}, "https"),
            (
                {
                    "gateway": "generic_http",
                    "http_body": "{",
                    "base_url": "https://example.com",
                },
                "Body",
            ),
        ):
            with self.assertRaises(ValidationError) as caught:
                self.line.write(values)
            self.assertIn(word, str(caught.exception))

    def test_one_line_is_used_first(self):
        second = self.build_line(name="Second", message_class="service")
        get_line = self.company._get_sms_line
        self.assertEqual(get_line("service"), self.line)
        second.is_default = True
        self.assertEqual(get_line("service"), second)
        self.line.is_default = True
        self.assertEqual(get_line("service"), self.line)
        self.assertFalse(second.is_default)

    def test_paused_lines_are_on_today(self):
        self.line._pause("credit", "418")
        self.line._pause("credit", "418")
        self.assertEqual(len(self.line.activity_ids), 1)
        entries = self.env["club.dashboard.attention"]._get_message_attention()
        self.assertIn("paused_lines", [entry["key"] for entry in entries])
