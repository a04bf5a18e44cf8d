from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClubCommon
from .sms_case import SmsBuilders


@tagged("post_install", "-at_install")
class TestSmsQueueSend(SmsBuilders, ClubCommon):
    """Each message once, whatever the provider does."""

    def test_a_batch_is_taken_and_remembered(self):
        """With the provider's id on the message and on what outlives it."""
        messages = self.queue(2) + self.queue(1, start=5, source="order,7")
        self.run_queue()
        self.assertEqual(set(messages.mapped("state")), {"pending"})
        self.assertEqual(set(messages.mapped("outcome")), {"accepted"})
        self.assertEqual(
            messages.mapped("provider_id"), [one.id for one in self.provider.accepted]
        )
        self.assertEqual(
            messages.mapped("reference"), [one.ref for one in self.provider.accepted]
        )
        tracker = messages.sms_tracker_id
        self.assertEqual(tracker.sms_uuid, messages[2].uuid)
        self.assertEqual(tracker.provider_id, messages[2].provider_id)
        self.assertEqual(tracker.line_id, self.line)
        self.assertFalse(any(messages.mapped("to_delete")))

    def test_references_are_random(self):
        """Never derived from an id that another database has, too."""
        references = {int(sms.reference) for sms in self.queue(50)}
        self.assertEqual(len(references), 50)
        self.assertTrue(all(0 < one < 2**63 for one in references))
        self.assertGreater(max(references), 2**58)

    def test_unknown_is_not_sent_again_but_looked_up(self):
        """Not by the queue, not by core's cron, not by «Resend»."""
        messages = self.queue(4)
        self.provider.fail("half")
        self.run_queue()
        self.assertEqual(set(messages.mapped("outcome")), {"unknown"})
        self.assertEqual(set(messages.mapped("state")), {"process"})
        self.run_queue(2)
        self.run_queue(step="_reconcile_slice")
        messages.send()
        messages.resend_failed()
        self.run_queue()
        self.assertEqual(len(self.provider.accepted), 2)
        self.past(messages, reconcile_at=1)
        self.run_queue(step="_reconcile_slice")
        self.assertEqual(set(messages.mapped("state")), {"pending"})
        self.assertEqual(len(self.provider.accepted), 4)
        self.assertEqual(len(set(self.provider.numbers())), 4)

    def test_what_a_dead_process_claimed_is_looked_up(self):
        """It claimed and died before or after the call: nobody knows."""
        messages = self.queue(4)
        with patch.object(
            type(self.env["sms.queue"]), "_call_gateway", return_value=[]
        ):
            self.run_queue()
        self.assertEqual(set(messages.mapped("outcome")), {"claimed"})
        self.run_queue(2)
        self.run_queue(step="_reconcile_slice")
        self.assertFalse(self.provider.accepted)
        self.past(messages, claimed_at=11)
        self.run_queue(step="_reconcile_slice")
        self.assertEqual(set(messages.mapped("state")), {"pending"})
        self.assertEqual(len(self.provider.accepted), 4)

    def test_after_a_few_questions_a_person_decides(self):
        messages = self.queue(1)
        self.provider.fail("error_after", times=9)
        self.run_queue()
        for _turn in range(4):
            self.assertTrue(messages.reconcile_at)
            self.past(messages, reconcile_at=1)
            self.run_queue(step="_reconcile_slice")
        self.assertFalse(messages.reconcile_at)
        self.assertEqual(messages.state, "process")
        self.assertIn("decide", messages.progress)
        messages.action_mark_sent()
        self.assertEqual(messages.state, "pending")

    def test_what_the_provider_forgot_is_never_sent_anew(self):
        """Its memory of references ends; ours does not."""
        messages = self.queue(1)
        self.provider.fail("error_after")
        self.run_queue()
        self.provider.refs.clear()
        self.past(messages, reconcile_at=1, claimed_at=13 * 60)
        self.run_queue(step="_reconcile_slice")
        self.assertEqual(len(self.provider.accepted), 1)
        self.assertEqual(messages.outcome, "unknown")

    def test_list_of_the_provider_decides_or_a_person(self):
        """A message that is surely not there is sent again only if the line says so."""
        line = self.build_line(gateway="sms_ir")
        messages = self.queue(2, line)
        self.provider.fail("error_before")
        self.run_queue()
        self.past(messages, reconcile_at=1)
        self.run_queue(step="_reconcile_slice")
        self.assertEqual(set(messages.mapped("outcome")), {"absent"})
        self.run_queue()
        self.assertFalse(self.provider.accepted)
        messages[0].action_send_again()
        self.run_queue()
        self.assertEqual(self.provider.numbers(), ["0" + messages[0].number[3:]])
        line.resend_absent = True
        self.provider.fail("error_before")
        [another] = self.queue(1, line, start=7)
        self.run_queue()
        self.past(another, reconcile_at=1)
        self.run_queue(step="_reconcile_slice")
        self.run_queue()
        self.assertEqual(another.state, "pending")

    def test_account_trouble_pauses_the_line_with_one_notice(self):
        """No message fails by it; resumed, they leave."""
        messages = self.queue(5)
        self.line.batch_size = 2
        self.provider.fail("no_credit", times=3)
        self.run_queue(3)
        self.assertTrue(self.line.paused)
        self.assertEqual(len(self.line.activity_ids), 1)
        self.assertEqual(set(messages.mapped("state")), {"outgoing"})
        self.assertFalse(any(messages.mapped("tries")))
        self.assertIn("paused", messages[0].progress)
        self.assertEqual(self.provider.calls, 1)
        self.provider.faults.clear()
        self.line.action_resume()
        self.run_queue(3)
        self.assertEqual(set(messages.mapped("state")), {"pending"})
        self.assertFalse(self.line.activity_ids)

    def test_bad_number_fails_alone(self):
        messages = self.queue(6)
        self.provider.bad_numbers = {"0" + messages[2].number[3:]}
        self.run_queue()
        self.assertEqual(messages[2].state, "error")
        self.assertEqual(messages[2].failure_type, "sms_number_format")
        self.assertEqual(set((messages - messages[2]).mapped("state")), {"pending"})

    def test_refusals_for_now_are_tried_again_up_to_a_limit(self):
        message = self.queue()
        self.provider.fail("throttled", times=9)
        for turn in range(1, 6):
            self.run_queue()
            self.assertEqual((message.state, message.tries), ("outgoing", turn))
            self.assertGreater(message.due_at, fields.Datetime.now())
            self.assertGreater(self.line.retry_at, fields.Datetime.now())
            self.run_queue()
            self.assertEqual(self.provider.calls, turn, "it did not wait")
            self.past(message, due_at=1)
            self.line.retry_at = False
        self.run_queue()
        self.assertEqual((message.state, message.failure_type), ("error", "sms_server"))

    def test_untried_rest_of_a_call_waits_without_blame(self):
        line = self.build_line(gateway="melipayamak")
        messages = self.queue(4, line)
        self.provider.fail("error_after")
        self.run_queue()
        self.assertEqual(messages[0].outcome, "unknown")
        self.assertEqual(set(messages[1:].mapped("state")), {"outgoing"})
        self.assertFalse(any(messages.mapped("tries")))
        self.run_queue()
        self.assertEqual(len(set(self.provider.numbers())), 4)
        self.assertEqual(len(self.provider.accepted), 4)

    def test_slow_provider_gives_a_slice_not_an_hour(self):
        """One call per message: the rest of the batch goes with the next slice."""
        line = self.build_line(gateway="melipayamak")
        messages = self.queue(6, line)
        with patch(
            "odoo.addons.customer_segmentation.models.messaging.sms_queue.SLICE", 0
        ):
            self.run_queue()
        self.assertEqual(len(self.provider.accepted), 1)
        self.assertEqual(messages.mapped("state"), ["pending"] + ["outgoing"] * 5)

    def test_companies_and_lines_never_meet_in_a_call(self):
        other = self.build_company("Another company")
        theirs = self.build_line(other, sender=self.line.sender)
        batches = []
        self.provider.on_taken = lambda taken: batches.append(
            {one.text for one in taken}
        )
        self.queue(3, body="ours")
        self.queue(3, theirs, body="theirs")
        self.run_queue(3)
        self.assertEqual(
            sorted(batches, key=str),
            [{f"ours{self.ending()}"}, {f"theirs{self.ending(other)}"}],
        )

    def ending(self, company=None):
        suffix = (company or self.company)._get_sms_line("service").optout_suffix
        return f"\n{suffix}" if suffix else ""

    def test_limits_of_a_line(self):
        """So many a minute, so many a day, so many a call."""
        self.line.write({"rate_per_minute": 3, "batch_size": 2, "daily_cap": 4})
        messages = self.queue(9)
        self.run_queue(4)
        self.assertEqual(len(self.provider.accepted), 3)
        self.past(messages.filtered("provider_id"), claimed_at=2)
        self.run_queue(4)
        self.assertEqual(len(self.provider.accepted), 4)

    def test_limit_holds_however_postgresql_joins(self):
        """In a nested loop a locking subquery with a limit would run for each row."""
        self.line.batch_size = 2
        self.queue()
        # Statistics of the day before: one message.
        self.env.cr.execute("ANALYZE sms_sms")
        self.queue(9)
        self.env.cr.execute(
            "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
            "SET LOCAL enable_material = off; SET LOCAL enable_indexscan = off;"
            "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off"
        )
        self.run_queue()
        self.assertEqual(len(self.provider.accepted), 2)

    def test_advertising_waits_for_its_hours(self):
        """Told when it is queued, and asked again when it leaves."""
        line = self.build_line(
            name="Offers", message_class="advertising", tz="Asia/Tehran"
        )
        opening = line._get_opening
        for at, expected in (
            # Tehran is UTC+3:30: 08:59, 09:00, 20:59 and 21:00 there.
            (datetime(2026, 5, 1, 5, 29), datetime(2026, 5, 1, 5, 30)),
            (datetime(2026, 5, 1, 5, 30), datetime(2026, 5, 1, 5, 30)),
            (datetime(2026, 5, 1, 17, 29), datetime(2026, 5, 1, 17, 29)),
            (datetime(2026, 5, 1, 17, 30), datetime(2026, 5, 2, 5, 30)),
            (datetime(2026, 5, 1, 22, 0), datetime(2026, 5, 2, 5, 30)),
        ):
            self.assertEqual(opening(at), expected, at)
            self.assertEqual(self.line._get_opening(at), at)
        self.env["customer.consent"].create(
            {"number": "+989129900000", "kind": "consent"}
        )
        later = fields.Datetime.now() + timedelta(hours=1)
        with patch.object(type(line), "_get_opening", return_value=later):
            message = self.queue(1, line)
            self.past(message, due_at=1)
            self.run_queue()
        self.assertFalse(self.provider.accepted)
        self.run_queue()
        open_now = line._get_opening(fields.Datetime.now()) <= fields.Datetime.now()
        self.assertEqual(len(self.provider.accepted), int(open_now))

    def test_moments_are_told_in_the_readers_calendar_and_zone(self):
        self.env["res.lang"]._activate_lang("fa_IR")
        message = self.queue(due_at=datetime(2027, 3, 20, 20, 45))
        persian = message.with_context(lang="fa_IR", tz="Asia/Tehran")
        self.assertIn("۱ فروردین ۱۴۰۶، ۰۰:۱۵", persian.progress)

    def test_send_now_asks_the_queue(self):
        """No provider is called inside a person's request."""
        message = self.queue()
        message.send()
        self.assertEqual((message.state, self.provider.calls), ("outgoing", 0))

    def test_one_source_makes_one_message(self):
        """Also after the message itself was purged."""
        [message] = self.queue(1, source="campaign,1,2")
        again = {"number": message.number, "body": "x", "source": "campaign,1,2"}
        self.assertEqual(self.line._queue_messages([again]), [(None, "known")])
        message.unlink()
        self.assertEqual(self.line._queue_messages([again]), [(None, "known")])

    def test_rows_are_the_same_both_ways(self):
        """Inserted directly, or created where another app has a say in creating."""
        due = fields.Datetime.now() + timedelta(hours=1)
        partner = self.env.user.partner_id.id
        values = {"partner_id": partner, "due_at": due}
        self.assertTrue(self.line._may_insert_directly(self.env["sms.sms"]))
        [direct] = self.queue(1, source="one", **values)
        created, origin = [], type(self.env["sms.sms"]).create

        def create(model, vals_list):
            created.extend(vals_list)
            return origin(model, vals_list)

        self.patch(type(self.env["sms.sms"]), "create", create)
        create.__module__ = "odoo.addons.base_automation"
        self.assertFalse(self.line._may_insert_directly(self.env["sms.sms"]))
        [ordinary] = self.queue(1, source="two", **values)
        self.assertEqual(len(created), 1)
        names = set(direct._fields) - {
            *("id", "uuid", "reference", "source", "sms_tracker_id", "display_name"),
            *("create_date", "write_date"),
        }
        self.assertEqual(
            direct.read(names)[0] | {"id": 0}, ordinary.read(names)[0] | {"id": 0}
        )
        skipped = {"id", "sms_uuid", "source", "display_name"}
        trackers = [
            one.sms_tracker_id.read(set(one.sms_tracker_id._fields) - skipped)[0]
            for one in (direct, ordinary)
        ]
        for one in trackers:
            one.update(id=0, create_date=0, write_date=0)
        self.assertEqual(*trackers)

    def test_numbers_abroad_and_links(self):
        """Refused before they cost anything, with their reason."""
        self.line.write({"foreign_allowed": False, "links_allowed": False})
        results = self.line._queue_messages(
            [
                {"number": "+4915100000000", "body": "Hi"},
                {"number": "+989120000000", "body": "See shop.ir/x"},
                {"number": "+989120000000", "body": "1.5 kg. No link"},
            ]
        )
        self.assertEqual(
            [reason for _sms, reason in results], ["foreign", "link", None]
        )

    def test_core_provider_goes_the_same_way(self):
        """What nobody knows of IAP stays unknown instead of being doubled."""
        line = self.build_line(gateway="odoo")
        messages = self.queue(2, line)
        send = "odoo.addons.sms.tools.sms_api.SmsApi._send_sms_batch"
        with (
            patch(send, side_effect=OSError),
            mute_logger(
                "odoo.addons.customer_segmentation.models.messaging.sms_gateway_core"
            ),
        ):
            self.run_queue()
        self.assertEqual(set(messages.mapped("outcome")), {"unknown"})
        self.assertFalse(any(messages.mapped("reconcile_at")))
        with patch(send) as called:
            self.run_queue(2)
        called.assert_not_called()

    def test_keys_are_for_administrators(self):
        """Managers see the line and not its keys; nobody sees them in a log."""
        manager = self.build_user("club_manager")
        line = self.line.with_user(manager)
        self.assertEqual(line.sender, self.line.sender)
        for name in ("api_key", "password", "webhook_secret", "webhook_delivery_url"):
            with self.assertRaises(AccessError):
                line.read([name])
        line.action_pause()
        self.assertTrue(line.paused)
