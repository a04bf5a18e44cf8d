from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClubCommon

NOON = datetime(2026, 11, 23, 8, 30)  # in Tehran


@tagged("post_install", "-at_install")
class TestSmsRefusals(ClubCommon):
    """One rule for every line and class, with the reason."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.company._get_sms_line("service")
        cls.advertising = cls.env["sms.line"].create(
            {
                "name": "Offers",
                "company_id": cls.company.id,
                "message_class": "advertising",
                "gateway": "test",
                "optout_suffix": "لغو11",
            }
        )
        cls.consents = cls.env["customer.consent"]
        cls.company.sms_cap_day = cls.company.sms_cap_week = 0

    def customer(self, name="Parvin", **values):
        """A contact with a number and a confirmed order."""
        partner = self.env["res.partner"].create(
            {
                "name": name,
                "phone": self.phone(),
                "country_id": self.env.ref("base.ir").id,
                **values,
            }
        )
        order = self.env["sale.order"].create(
            {"partner_id": partner.id, "company_id": self.company.id}
        )
        order.state = "sale"
        return partner

    def reason(self, line, partner):
        """Why ``line`` may not reach a contact."""
        number = partner.phone_sanitized
        return line._refused_numbers([number], [partner.id]).get(number)

    def say(self, partner, kind, **values):
        """Record what a contact said."""
        return self.consents.create(
            {
                "number": partner.phone_sanitized,
                "kind": kind,
                "company_id": self.company.id,
                **values,
            }
        )

    # === WHAT STOPS WHAT === #

    def test_optout_stops_advertising_only(self):
        """And only that of the company it was said to."""
        partner = self.customer()
        self.say(partner, "optout")
        self.assertEqual(self.reason(self.advertising, partner), "opted_out")
        self.assertIsNone(self.reason(self.service, partner))
        other = self.build_company("Another company")
        line = self.advertising.copy({"company_id": other.id})
        other.sms_consent_basis = "recorded"
        self.consents.create(
            {
                "number": partner.phone_sanitized,
                "kind": "consent",
                "company_id": other.id,
            }
        )
        self.assertIsNone(self.reason(line, partner))

    def test_optout_of_one_line_leaves_the_others(self):
        """A refusal may name its line."""
        partner = self.customer()
        self.say(partner, "optout", line_id=self.advertising.id)
        self.assertEqual(self.reason(self.advertising, partner), "opted_out")
        self.assertIsNone(self.reason(self.advertising.copy(), partner))

    def test_stop_on_a_service_line_stops_that_line_and_advertising(self):
        """Until it is taken back; other service lines go on, other companies too."""
        partner = self.customer()
        stop = self.say(partner, "stop", line_id=self.service.id)
        self.assertEqual(self.reason(self.service, partner), "stopped")
        self.assertEqual(self.reason(self.advertising, partner), "stopped")
        other = self.service.copy()
        self.assertIsNone(self.reason(other, partner))
        self.assertEqual(
            self.consents._judge(
                self.company, [partner.phone_sanitized], "service"
            ).refused,
            {partner.phone_sanitized: "stopped"},
            "nobody knows the line",
        )
        theirs = self.service.copy({"company_id": self.build_company("Theirs").id})
        self.assertIsNone(self.reason(theirs, partner))
        stop.action_take_back()
        self.assertIsNone(self.reason(self.service, partner))
        self.assertIsNone(self.reason(self.advertising, partner))
        self.assertEqual(stop.ended_channel, "staff")

    def test_no_sms_stops_everything(self):
        """Recorded, on the contact, or on the member."""
        recorded, marked = self.customer(), self.customer()
        self.say(recorded, "no_sms")
        marked.no_sms = True
        self.assertEqual(self.reason(self.service, recorded), "no_sms")
        self.assertEqual(self.reason(self.service, marked), "no_sms")
        self.assertEqual(self.reason(self.advertising, marked), "no_sms")

    def test_operators_block_lasts_thirty_days(self):
        """It stops advertising, never service, and ends by itself."""
        partner = self.customer()
        with freeze_time(NOON):
            block = self.say(partner, "blocked")
            self.assertEqual(self.reason(self.advertising, partner), "blocked")
            self.assertIsNone(self.reason(self.service, partner))
        self.assertEqual(block.until, NOON + timedelta(days=30))
        with freeze_time(NOON + timedelta(days=31)):
            self.assertIsNone(self.reason(self.advertising, partner))

    def test_strangers_get_no_advertising(self):
        """Members and customers do, where the company says so; consent counts."""
        stranger = self.env["res.partner"].create(
            {"name": "S", "phone": "+989120009001"}
        )
        customer = self.customer()
        self.assertEqual(self.reason(self.advertising, stranger), "no_consent")
        self.assertIsNone(self.reason(self.service, stranger))
        self.assertIsNone(self.reason(self.advertising, customer))
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        self.assertFalse(self.advertising._refused_numbers([f"+98{phone[1:]}"]))
        self.company.sms_consent_basis = "recorded"
        self.assertEqual(self.reason(self.advertising, customer), "no_consent")
        self.say(stranger, "consent")
        self.assertIsNone(self.reason(self.advertising, stranger))

    def test_customers_of_another_company_are_strangers(self):
        """Who bought there did not agree here."""
        partner = self.customer()
        other = self.build_company("Another company")
        line = self.advertising.copy({"company_id": other.id})
        self.assertEqual(self.reason(line, partner), "no_consent")

    def test_newest_word_holds(self):
        """A consent ends the opt-out before it, and the other way round."""
        partner = self.customer()
        optout = self.say(partner, "optout")
        consent = self.say(partner, "consent")
        self.assertFalse(optout.active)
        self.assertIsNone(self.reason(self.advertising, partner))
        self.say(partner, "optout")
        self.assertFalse(consent.active)
        self.assertEqual(self.reason(self.advertising, partner), "opted_out")

    def test_repeated_refusals_in_one_list_hold_once(self):
        """The same number twice, and what was said before."""
        partner = self.customer()
        first = self.say(partner, "optout")
        values = {
            "number": partner.phone_sanitized,
            "kind": "optout",
            "company_id": self.company.id,
        }
        second, third = self.consents.create([dict(values), dict(values)])
        self.assertEqual(
            [row.active for row in (first, second, third)], [False, False, True]
        )

    def test_refusal_follows_the_contact_to_a_new_number(self):
        """When it names the contact."""
        partner = self.customer()
        self.say(partner, "optout", partner_id=partner.id)
        partner.phone = self.phone()
        self.assertEqual(self.reason(self.advertising, partner), "opted_out")

    # === CAPS === #

    def queue(self, partner, times=1, line=None):
        return [
            reason
            for _sms, reason in (line or self.advertising)._queue_messages(
                [
                    {
                        "number": partner.phone_sanitized,
                        "body": "Sale",
                        "partner_id": partner.id,
                    }
                ]
                * times
            )
        ]

    def test_two_a_week_and_one_a_day(self):
        """Within one call, over calls, over days; service does not count."""
        self.company.write({"sms_cap_day": 1, "sms_cap_week": 2})
        partner = self.customer()
        with freeze_time(NOON):
            self.assertEqual(self.queue(partner, 2), [None, "cap_day"])
            self.assertEqual(self.queue(partner), ["cap_day"])
            self.assertEqual(self.queue(partner, line=self.service), [None])
        with freeze_time(NOON + timedelta(days=1)):
            self.assertEqual(self.queue(partner), [None])
        with freeze_time(NOON + timedelta(days=2)):
            self.assertEqual(self.queue(partner), ["cap_week"])
        with freeze_time(NOON + timedelta(days=8, hours=1)):
            self.assertEqual(self.queue(partner), [None])

    def test_cancelled_advertising_does_not_count(self):
        """Nobody got it."""
        self.company.write({"sms_cap_day": 1, "sms_cap_week": 2})
        partner = self.customer()
        with freeze_time(NOON):
            self.queue(partner)
            sms = self.env["sms.sms"].search(
                [("number", "=", partner.phone_sanitized)], limit=1
            )
            sms.action_set_canceled()
            self.assertEqual(self.queue(partner), [None])

    # === HOURS === #

    def test_advertising_waits_for_the_lines_hours(self):
        """Nine to nine in Tehran; service goes at once."""
        line = self.advertising
        self.assertEqual(line.tz, "Asia/Tehran")
        for now, due in (
            (NOON, NOON),
            (datetime(2026, 11, 23, 3, 0), datetime(2026, 11, 23, 5, 30)),
            (datetime(2026, 11, 23, 18, 0), datetime(2026, 11, 24, 5, 30)),
            (datetime(2026, 11, 23, 5, 30), datetime(2026, 11, 23, 5, 30)),
            (datetime(2026, 11, 23, 17, 30), datetime(2026, 11, 24, 5, 30)),
        ):
            self.assertEqual(line._next_due(now), due, now)

    def test_waiting_advertising_is_not_sent_early(self):
        """Neither by the queue nor by *Send now*."""
        partner = self.customer()
        night = datetime(2026, 11, 23, 20, 0)
        with freeze_time(night):
            self.queue(partner)
            sms = self.env["sms.sms"].search(
                [("number", "=", partner.phone_sanitized)], limit=1
            )
            self.assertEqual(sms.due_at, datetime(2026, 11, 24, 5, 30))
            self.assertIn("لغو11", sms.body)
            sms.send()
            self.send_messages()
            self.assertEqual(sms.state, "outgoing")
        with freeze_time(night + timedelta(hours=12)):
            self.send_messages()
            self.assertEqual(sms.state, "pending")

    # === EVERY PATH === #

    def test_whatever_creates_a_message_is_judged(self):
        """A row made without any of our methods, by another app say."""
        partner = self.customer()
        self.say(partner, "optout")
        values = {"number": partner.phone_sanitized, "body": "Hi"}
        unknown, service = self.env["sms.sms"].create(
            [values, {**values, "line_id": self.service.id, "message_class": "service"}]
        )
        self.assertEqual(
            (unknown.state, unknown.failure_type), ("canceled", "sms_optout")
        )
        self.assertEqual(service.state, "outgoing")
        unknown.action_set_outgoing()
        self.assertEqual(unknown.state, "canceled")

    def test_context_of_a_caller_opens_no_gate(self):
        """Only an object of the server's own says that refusals were looked at."""
        partner = self.customer()
        self.say(partner, "no_sms")
        sms = (
            self.env["sms.sms"]
            .with_context(sms_route={"judged": True}, sms_judged=True)
            .create({"number": partner.phone_sanitized, "body": "Hi"})
        )
        self.assertEqual(sms.state, "canceled")

    def test_club_text_respects_a_stop(self):
        """The welcome of a check-in."""
        phone = self.phone()
        self.consents.create(
            {
                "number": phone,
                "kind": "stop",
                "line_id": self.service.id,
                "company_id": self.company.id,
            }
        )
        self.take(phone)
        self.follow_up()
        self.assertEqual(self.checkins(phone).message_reason, "no_sms")

    def test_club_text_over_another_line_than_the_stopped_one(self):
        """The stop was said to one line only."""
        phone, stopped = self.phone(), self.service.copy()
        self.consents.create(
            {
                "number": phone,
                "kind": "stop",
                "line_id": stopped.id,
                "company_id": self.company.id,
            }
        )
        self.take(phone)
        self.follow_up()
        self.assertFalse(self.checkins(phone).message_reason)
        self.assertEqual(self.checkins(phone).message_state, "outgoing")

    def test_amount_of_numbers_does_not_change_the_number_of_queries(self):
        """One statement, whatever the audience."""
        numbers = [f"+98912{index:07d}" for index in range(3000)]
        self.advertising._refused_numbers(numbers[:2])
        with self.assertQueryCount(1):
            refused = self.advertising._refused_numbers(numbers)
        self.assertEqual(set(refused.values()), {"no_consent"})
        self.assertEqual(len(refused), 3000)

    # === OTHER SYSTEMS AND RIGHTS === #

    def test_record_takes_what_it_can(self):
        """Per item an answer; known and withdrawn ones too."""
        partner = self.customer()
        user = self.build_user("club_user")
        consents = self.consents.with_user(user).with_company(self.company)
        number = partner.phone
        answers = consents.record(
            [
                {
                    "number": number,
                    "kind": "optout",
                    "source": "Web shop",
                    "wording": "No news",
                    "date": "2026-01-02 10:00:00",
                },
                {"number": number, "kind": "optout"},
                {"number": "12", "kind": "optout"},
                {"number": number, "kind": "wish"},
                {"number": number, "kind": "stop"},
                {"number": number, "kind": "optout", "company_id": 1},
                {"number": number, "kind": "optout", "date": "yesterday"},
                {"number": number, "kind": "optout", "partner_id": 10**8},
                "optout",
                {"number": number, "kind": "optout", "withdrawn": True},
            ]
        )
        self.assertEqual(
            [answer["status"] for answer in answers],
            ["recorded", "known", *["refused"] * 7, "withdrawn"],
        )
        row = self.consents.browse(answers[0]["id"])
        self.assertEqual(
            (row.channel, row.source, row.wording, row.user_id, row.number),
            ("api", "Web shop", "No news", user, partner.phone_sanitized),
        )
        self.assertEqual(row.date, fields.Datetime.to_datetime("2026-01-02 10:00:00"))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.models")
    def test_rights(self):
        """Users of the club see and record, nobody rewrites or deletes."""
        partner = self.customer()
        row = self.say(partner, "optout")
        user = self.build_user("club_user")
        as_user = row.with_user(user)
        self.assertEqual(as_user.kind, "optout")
        for forbidden in (
            lambda: as_user.write({"kind": "consent"}),
            as_user.unlink,
            lambda: self.consents.with_user(self.build_user("cashier")).search([]),
            lambda: self.consents.with_user(self.build_user("cashier")).record([]),
        ):
            with self.assertRaises(AccessError):
                forbidden()
        mine = self.consents.with_user(user).create(
            {"number": partner.phone, "kind": "consent", "channel": "operator"}
        )
        self.assertEqual((mine.channel, mine.user_id), ("staff", user))
        mine.action_take_back()
        self.assertFalse(mine.active)
        stranger = self.build_user("club_user", self.build_company("Another company"))
        theirs = self.consents.with_user(stranger).with_context(
            allowed_company_ids=stranger.company_ids.ids
        )
        self.assertFalse(theirs.search([]))

    # === MERGE AND ERASURE === #

    def test_merge_keeps_refusals(self):
        """Of the number that goes, though no contact was named."""
        gone, stays = self.customer("Gone"), self.customer("Stays")
        self.say(gone, "optout")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((gone | stays).ids, stays)
        self.assertEqual(self.reason(self.advertising, stays), "opted_out")

    def test_erasure_forgets_the_number(self):
        """Rows that hold and rows that no longer do."""
        partner = self.customer()
        number = partner.phone_sanitized
        self.say(partner, "optout")
        self.say(partner, "consent")
        self.queue(partner)
        self.env["club.erasure"]._erase_contacts(partner)
        rows = self.consents.with_context(active_test=False)
        self.assertFalse(rows.search([("number", "=", number)]))
        counted = self.env["sms.advertising"]
        self.assertFalse(counted.search([("number", "=", number)]))

    def test_panel_on_the_contact(self):
        """Says whether advertising may be sent, and shows the rows."""
        partner = self.customer().with_company(self.company)
        self.assertEqual(partner.sms_reach_info, "May be sent")
        row = self.say(partner, "optout")
        partner.invalidate_recordset()
        self.assertIn("Opted out of advertising", partner.sms_reach_info)
        self.assertEqual(partner.customer_consent_ids, row)
        action = partner.action_record_consent()
        self.assertEqual(action["context"]["default_number"], partner.phone_sanitized)
