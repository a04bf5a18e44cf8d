from datetime import datetime
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import ClubCommon

NOON = datetime(2026, 11, 23, 8, 30)  # in Tehran


@tagged("post_install", "-at_install")
@freeze_time(NOON)
class TestSmsComposerRefusals(ClubCommon):
    """Core's composer, server actions and mailings follow the rule."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.company._get_sms_line("service")
        cls.service.optout_suffix = "لغو11"
        cls.advertising = cls.service.copy(
            {"name": "Offers", "message_class": "advertising"}
        )
        cls.advertising.optout_suffix = "لغو11"
        iran = cls.env.ref("base.ir").id
        cls.willing, cls.refuser, cls.stranger = cls.env["res.partner"].create(
            [
                {"name": name, "phone": cls.phone(), "country_id": iran}
                for name in ("Willing", "Refuser", "Stranger")
            ]
        )
        cls.consents = cls.env["customer.consent"]
        for partner, kind in ((cls.willing, "consent"), (cls.refuser, "optout")):
            cls.consents.create(
                {
                    "number": partner.phone_sanitized,
                    "kind": kind,
                    "company_id": cls.company.id,
                }
            )
        cls.offer = cls.build_template(cls.company, "Sale {{ object.name }}")
        cls.offer.message_class = "advertising"
        cls.news = cls.build_template(cls.company, "Open until nine")
        cls.everyone = cls.willing | cls.refuser | cls.stranger

    def compose(self, records, user=None, **values):
        """A composer as the screen opens it."""
        single = len(records) == 1
        composer = self.env["sms.composer"].with_context(
            default_res_model=records._name,
            default_composition_mode="comment" if single else "mass",
            **(
                {"default_res_id": records.id}
                if single
                else {"default_res_ids": repr(records.ids)}
            ),
        )
        if user:
            composer = composer.with_user(user)
        return composer.create(values)

    def messages(self, records):
        """Messages by contact, the newest one."""
        found = self.env["sms.sms"].search([("partner_id", "in", records.ids)])
        return {
            partner: found.filtered(lambda sms, p=partner: sms.partner_id == p)[:1]
            for partner in records
        }

    def test_single_says_why_not(self):
        """Before and on sending."""
        composer = self.compose(self.refuser, body="Sale")
        self.assertEqual(composer.refusal_info, "Opted out of advertising")
        with self.assertRaisesRegex(UserError, "Opted out of advertising"):
            composer.action_send_sms()
        with self.assertRaisesRegex(UserError, "No consent to advertising"):
            self.compose(self.stranger, body="Sale").action_send_sms()

    def test_single_goes_over_the_line_with_its_ending_once(self):
        """And is counted."""
        composer = self.compose(self.willing, body="Sale\nلغو ۱۱")
        self.assertFalse(composer.refusal_info)
        composer.action_send_sms()
        sms = self.messages(self.willing)[self.willing]
        self.assertEqual(
            (sms.body, sms.line_id, sms.message_class, sms.company_id),
            ("Sale\nلغو11", self.advertising, "advertising", self.company),
        )
        with self.assertRaisesRegex(UserError, "Enough advertising that day"):
            self.compose(self.willing, body="Sale again").action_send_sms()

    def test_mass_cancels_with_reasons(self):
        """The others get it."""
        composer = self.compose(self.everyone, template_id=self.offer.id)
        self.assertEqual(
            composer.refusal_info,
            "Opted out of advertising: 1\nNo consent to advertising: 1",
        )
        composer.action_send_sms()
        sent = self.messages(self.everyone)
        self.assertEqual(
            [(sent[p].state, sent[p].failure_type) for p in self.everyone],
            [
                ("outgoing", False),
                ("canceled", "sms_optout"),
                ("canceled", "sms_no_consent"),
            ],
        )
        self.assertEqual(sent[self.willing].body, "Sale Willing\nلغو11")
        self.assertEqual(sent[self.willing].line_id, self.advertising)

    def test_mass_waits_for_the_hours(self):
        """Also when «Send now» is pressed."""
        with freeze_time(datetime(2026, 11, 23, 20, 0)):
            composer = self.compose(self.everyone, template_id=self.offer.id)
            self.assertIn("Leaves on 11/24/2026, 09:00", composer.due_info)
            composer.action_send_sms_mass_now()
        sms = self.messages(self.willing)[self.willing]
        self.assertEqual(sms.state, "outgoing")
        self.assertEqual(sms.due_at, datetime(2026, 11, 24, 5, 30))

    def test_numbers_mode(self):
        """Bare numbers are judged too."""
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "numbers",
                "numbers": self.refuser.phone_sanitized,
                "body": "Sale",
            }
        )
        with self.assertRaisesRegex(UserError, "Opted out"):
            composer.action_send_sms()

    def test_advertising_over_a_service_line_is_refused(self):
        """The owner of the line would be fined."""
        composer = self.compose(self.willing, body="Sale", line_id=self.service.id)
        with self.assertRaisesRegex(UserError, "service line carries no advertising"):
            composer.action_send_sms()

    def test_service_over_an_advertising_line_is_advertising(self):
        """The line decides who may be reached."""
        composer = self.compose(
            self.refuser, template_id=self.news.id, line_id=self.advertising.id
        )
        with self.assertRaisesRegex(UserError, "Opted out"):
            composer.action_send_sms()

    def test_service_text_reaches_everyone_and_is_noted(self):
        """As its template says, whatever was typed on the screen."""
        composer = self.compose(
            self.everyone, template_id=self.news.id, body="Big sale!"
        )
        composer.action_send_sms()
        sent = self.messages(self.everyone)
        self.assertEqual(
            {sms.body for sms in sent.values()}, {"Open until nine\nلغو11"}
        )
        self.assertEqual({sms.line_id for sms in sent.values()}, {self.service})
        log = self.env["sms.service.log"].search([], limit=1)
        self.assertEqual(
            (log.kind, log.template_id, log.message_count, log.user_id),
            ("send", self.news, 3, self.env.user),
        )

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_service_needs_the_right(self):
        """An employee may advertise to the willing, not send service texts."""
        user = new_test_user(
            self.env,
            login="seller",
            groups="base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.compose(self.willing, user, body="Sale").action_send_sms()
        with self.assertRaises(AccessError):
            self.compose(self.refuser, user, template_id=self.news.id).action_send_sms()
        self.assertFalse(self.messages(self.refuser)[self.refuser])

    def test_class_of_a_text_is_changed_by_managers_and_noted(self):
        """So that advertising does not become service on the way."""
        log = self.env["sms.service.log"]
        self.offer.with_user(self.build_user("club_manager")).message_class = "service"
        self.assertEqual(log.search([], limit=1).kind, "declared")
        self.news.body = "Open until ten"
        self.assertEqual(log.search([], limit=1).kind, "text")
        self.news.name = "Hours"
        self.news.message_class = "advertising"
        self.assertEqual(log.search([], limit=1).kind, "withdrawn")

    def test_server_action_follows_the_rule(self):
        """With and without a note on the contact."""
        for method in ("sms", "comment"):
            action = self.env["ir.actions.server"].create(
                {
                    "name": "Offer",
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "state": "sms",
                    "sms_template_id": self.offer.id,
                    "sms_method": method,
                }
            )
            self.company.sms_cap_day = 0
            action.with_context(
                active_model="res.partner", active_ids=self.everyone.ids
            ).run()
            sent = self.messages(self.everyone)
            self.assertEqual(
                [sent[p].state == "canceled" for p in self.everyone],
                [False, True, True],
                method,
            )
        notification = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.refuser.id)], limit=1
        )
        self.assertEqual(notification.failure_type, "sms_optout")

    def test_text_of_another_app_has_the_class_of_its_template(self):
        """A reminder reaches whoever did not stop us; an offer does not."""
        self.refuser._message_sms_with_template(self.news, put_in_queue=True)
        sms = self.messages(self.refuser)[self.refuser]
        self.assertEqual((sms.state, sms.line_id), ("outgoing", self.service))
        self.refuser._message_sms_with_template(self.offer, put_in_queue=True)
        self.assertEqual(self.messages(self.refuser)[self.refuser].state, "canceled")

    def test_posted_text_is_typed_by_hand(self):
        """Whoever posts an SMS over RPC meets consent, caps, hours and ending."""
        for partner in self.everyone:
            partner.message_post(
                body="Sale", message_type="sms", partner_ids=partner.ids
            )
        sent = self.messages(self.everyone)
        self.assertEqual(
            [(sent[p].failure_type, sent[p].line_id) for p in self.everyone],
            [
                (False, self.advertising),
                ("sms_optout", self.advertising),
                ("sms_no_consent", self.advertising),
            ],
        )
        self.assertEqual(sent[self.willing].body, "Sale\nلغو11")
        self.assertEqual(
            sent[self.refuser].mail_message_id.notification_ids.failure_type,
            "sms_optout",
        )
        number = self.willing.phone_sanitized
        for post in (
            lambda: self.willing.message_post(body="Sale", sms_numbers=[number]),
            lambda: self.willing.message_notify(
                body="Sale", partner_ids=self.stranger.ids, sms_numbers=[number]
            ),
        ):
            post()
            again = self.env["sms.sms"].search([("number", "=", number)], limit=1)
            self.assertEqual(again.failure_type, "sms_cap_day")

    def test_posted_text_waits_for_the_hours(self):
        with freeze_time(datetime(2026, 11, 23, 20, 0)):
            self.willing.message_post(
                body="Sale", message_type="sms", partner_ids=self.willing.ids
            )
        sms = self.messages(self.willing)[self.willing]
        self.assertEqual((sms.state, sms.due_at.hour), ("outgoing", 5))

    def test_test_of_a_mailing_goes_the_mailings_way(self):
        """Over its line, to employees; whoever else is typed in must have agreed."""
        user = self.build_user("marketer")
        user.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        own = self.phone()
        user.partner_id.write({"phone": own, "country_id": self.env.ref("base.ir").id})
        mailing = (
            self.env["mailing.mailing"]
            .with_user(user)
            .create(
                {
                    "subject": "Sale",
                    "mailing_type": "sms",
                    "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                    "body_plaintext": "{{ greeting ||| You }}: sale",
                }
            )
        )
        for line in (self.advertising, self.env["sms.line"]):
            mailing.sudo().line_id = line
            if not line:
                mailing.body_plaintext = "Plain sale"
            numbers = [own, self.refuser.phone_sanitized]
            numbers += [self.stranger.phone_sanitized, "12"]
            wizard = (
                self.env["mailing.sms.test"]
                .with_user(user)
                .create({"mailing_id": mailing.id, "numbers": "\n".join(numbers)})
            )
            send = "odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch"
            with patch(send, return_value=[]) as called:
                wizard.action_send_sms()
            said = mailing.sudo().message_ids[:2].mapped("body")
            self.assertIn("Opted out of advertising", "".join(said))
            self.assertIn("No consent to advertising", "".join(said))
            if line:
                self.assertFalse(called.called)
        messages = self.env["sms.sms"].search([("line_id", "=", self.advertising.id)])
        self.assertEqual(len(messages), 1)
        self.assertEqual(messages.number, user.partner_id.phone_sanitized)
        self.assertIn(": sale\nلغو11", messages.body)
        [batch] = called.call_args.args[0]
        self.assertEqual([one["number"] for one in batch["numbers"]], [messages.number])

    def test_mass_mailing_follows_the_rule(self):
        """Its traces say why; the line's ending stands instead of a link."""
        user = self.build_user("marketer")
        user.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        mailings = self.env["mailing.mailing"].with_user(user)
        mailing = mailings.create(
            {
                "subject": "Sale",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": repr([("id", "in", self.everyone.ids)]),
                "body_plaintext": "Sale",
                "sms_allow_unsubscribe": True,
            }
        )
        mailing.action_send_sms()
        mailing = mailing.sudo()
        traces = mailing.mailing_trace_ids
        self.assertEqual(
            {
                trace.res_id: (trace.trace_status, trace.failure_type)
                for trace in traces
            },
            {
                self.willing.id: ("outgoing", False),
                self.refuser.id: ("cancel", "sms_optout"),
                self.stranger.id: ("cancel", "sms_no_consent"),
            },
        )
        sms = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual((sms.body, sms.line_id), ("Sale\nلغو11", self.advertising))
