"""What people answer to a campaign, from the provider's side to their contact form."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.mail.tests.common import MockEmail

from ..tools.sms_text import count
from .common import ClubHttpCommon
from .sms_case import SmsBuilders

BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/130.0"}


@tagged("post_install", "-at_install")
class TestCampaignAnswer(SmsBuilders, MockEmail, ClubHttpCommon):
    """Clicks and replies are those of one person, and feed the profile."""

    def setUp(self):
        super().setUp()
        self.company.write(
            {"sms_consent_basis": "relation", "sms_cap_day": 0, "sms_cap_week": 0}
        )
        self.offers = self.build_line(
            name="Offers",
            message_class="advertising",
            window_start=0,
            window_end=24,
            price_per_part=100,
        )
        self.people = self.env["res.partner"].create(
            [
                {
                    "name": name,
                    "phone": f"+98912777000{turn}",
                    "email": f"{name.lower()}@example.com",
                    "company_id": self.company.id,
                    "lang": "en_US",
                }
                for turn, name in enumerate(("Clicker", "Replier", "Refuser", "Silent"))
            ]
        )
        self.env["club.member"].create(
            [
                {
                    "company_id": self.company.id,
                    "phone_e164": partner.phone_sanitized,
                    "partner_id": partner.id,
                    "joined_by": "hand",
                }
                for partner in self.people
            ]
        )
        self.guests = self.build_group(self.company, "Guests")
        self.guests._add_partners(self.people, cause="hand")
        self.marketer = new_test_user(
            self.env,
            login="campaign-answer",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )

    def sent(self, text="Our menu: https://example.com/menu", **values):
        """A campaign that the provider has taken."""
        mailing = (
            self.env["mailing.mailing"]
            .with_user(self.marketer)
            .create(
                {
                    "mailing_type": "sms",
                    "subject": "New menu",
                    "company_id": self.company.id,
                    "audience_mode": "segments",
                    "audience_segment_ids": self.guests.ids,
                    "line_id": self.offers.id,
                    "body_plaintext": text,
                    **values,
                }
            )
        )
        mailing.action_put_in_queue()
        if mailing.mailing_type == "mail":
            mailing._action_send_mail()
        else:
            while mailing._work_off_batch():
                continue
            self.run_queue()
        # Nobody answers within the second.
        self.back(mailing.sudo(), hours=1)
        return mailing.sudo()

    def back(self, mailings, **ago):
        """Let campaigns have left so much earlier."""
        for trace in mailings.mailing_trace_ids:
            trace.sent_datetime -= timedelta(**ago)

    def taken(self, partner):
        """The last text that the provider took for a contact."""
        number = "0" + partner.phone_sanitized[3:]
        return [one for one in self.provider.accepted if one.number == number][-1].text

    def click(self, text):
        """Open the link of a text as a phone does."""
        link = re.search(r"https?://\S+", text)[0]
        response = self.url_open(
            urlsplit(link).path, headers=BROWSER, allow_redirects=False
        )
        self.assertIn("https://example.com/menu", response.headers["Location"])

    def reply(self, partner, text, line=None):
        """What the provider pushes when somebody answers."""
        line = line or self.offers
        response = self.url_open(
            urlsplit(line.webhook_inbound_url).path,
            data={"from": partner.phone, "to": line.sender, "message": text},
        )
        self.assertEqual(response.status_code, 200)

    def answers(self, mailing):
        """Names of who clicked and of who replied."""
        mailing.refresh_results()
        return tuple(
            sorted(mailing.recipient_ids.filtered(name).partner_id.mapped("name"))
            for name in ("is_clicked", "is_replied")
        )

    def test_clicks_and_replies_reach_the_contact_form(self):
        """From the provider's socket to the rates and the best channel."""
        clicker, replier, refuser, silent = self.people
        mailing = self.sent()
        self.assertEqual(len(self.provider.accepted), 4)
        self.click(self.taken(clicker))
        self.reply(replier, "Is there cake, too?")
        self.reply(refuser, "11")
        self.assertEqual(self.answers(mailing), (["Clicker"], ["Replier"]))
        self.assertIn("; 1 clicked and 1 replied; it cost", mailing.result_sentence)
        self.env["customer.profile"]._refresh_now(self.people)
        self.env.invalidate_all()
        self.assertEqual(
            [
                (one.sms_response_rate, one.mail_response_rate, one.best_channel)
                for one in self.people
            ],
            [(1, 0, "sms"), (1, 0, "sms"), (0, 0, False), (0, 0, False)],
        )
        self.sent("Once more", audience_exclude_segment_ids=[])
        self.env["customer.profile"]._refresh_now(self.people)
        self.env.invalidate_all()
        self.assertEqual(clicker.sms_response_rate, 0.5)
        self.assertFalse(silent.best_channel)

    def test_the_better_channel_is_the_one_that_is_answered(self):
        """Two texts of which one was answered, an e-mail that was clicked."""
        person = self.people[0]
        self.sent()
        self.reply(person, "Thank you")
        self.sent("Once more")
        with self.mock_mail_gateway(mail_unlink_sent=False):
            mailing = self.sent(
                mailing_type="mail",
                line_id=False,
                email_from="cafe@example.com",
                body_html='<p><a href="https://example.com/menu">Menu</a></p>',
                reply_to_mode="update",
            )
        [body] = [
            mail["body"] for mail in self._mails if person.email in mail["email_to"][0]
        ]
        self.click(re.search(r'href="([^"]+/r/[^"]+)"', body)[1])
        self.assertEqual(self.answers(mailing), (["Clicker"], []))
        self.env["customer.profile"]._refresh_now(person)
        self.env.invalidate_all()
        self.assertEqual(
            (person.sms_response_rate, person.mail_response_rate, person.best_channel),
            (0.5, 1, "mail"),
        )

    def test_a_late_report_takes_no_answer_back(self):
        """Core counts clicks and replies by a state that «delivered» would replace."""
        clicker, replier, *_others = self.people
        mailing = self.sent()
        self.click(self.taken(clicker))
        self.reply(replier, "Thank you")
        traces = mailing.mailing_trace_ids.sorted("res_id")
        self.assertEqual(traces.mapped("trace_status")[:2], ["open", "reply"])
        trackers = self.env["sms.tracker"].search(
            [("mailing_trace_id", "in", traces.ids)]
        )
        trackers._action_update_from_sms_state("sent")
        self.assertEqual(
            traces.mapped("trace_status"), ["open", "reply", "sent", "sent"]
        )
        mailing.refresh_results()
        self.assertEqual(sum(mailing.recipient_ids.mapped("is_delivered")), 4)

    def test_a_changed_answer_is_found_by_the_job(self):
        """Whoever clicks is worked out anew, without the nightly run."""
        clicker, replier, *_others = self.people
        self.sent()
        self.env.flush_all()
        for table in ("mailing_trace", "res_partner", "club_member"):
            self.env.cr.execute(
                SQL("UPDATE %s SET write_date = '2020-01-01'", SQL.identifier(table))
            )
        self.click(self.taken(clicker))
        self.reply(replier, "Thank you")
        touched = self.env["customer.profile.touch"]._touched(
            fields.Datetime.now() - timedelta(minutes=1), message_id=10**9
        )
        self.assertEqual(touched, (clicker | replier).ids)

    def test_a_reply_is_to_the_last_message_of_its_line(self):
        """Within its days; «12» is no reply, nor is a word to another line."""
        partner = self.people[0]
        first, last = self.sent("One"), self.sent("Two")
        self.back(first, days=1)
        other = self.build_line(name="Others", message_class="advertising")
        self.reply(partner, "To somebody else", line=other)
        self.reply(partner, "12")
        for mailing in (first, last):
            self.assertEqual(self.answers(mailing), ([], []))
        self.reply(partner, "A table for two")
        self.assertEqual(self.answers(last), ([], ["Clicker"]))
        self.back(first | last, days=7)
        self.reply(self.people[1], "Too late")
        for mailing in (first, last):
            self.assertNotIn("Replier", self.answers(mailing)[1])

    def test_parts_count_what_a_link_adds(self):
        """What is shown before, and what it cost, is what the provider gets."""
        room = 160 - len(self.line.get_base_url() + "/r/code ")
        text = "x" * room + " https://example.com/menu"
        mailing = self.sent(text)
        taken = self.taken(self.people[0])
        parts = count(taken).parts
        self.assertRegex(taken, r"/r/\w+/s/\d+")
        self.assertGreater(parts, count(re.sub(r"/s/\d+", "", taken)).parts)
        self.assertEqual(set(mailing.recipient_ids.mapped("part_count")), {parts})
        self.assertEqual(mailing.queued_cost, 4 * parts * 100)
        draft = mailing.with_user(self.marketer).copy({"body_plaintext": text})
        answer = draft.preflight()
        self.assertEqual(answer["parts"], parts)
        self.assertRegex(answer["previews"][0]["text"], r"/r/\w+/s/\d+")
