"""Past the buttons: what a marketer or a manager may write over RPC, and may not."""

from functools import partial

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .test_campaign_fire import FireCommon


@tagged("post_install", "-at_install")
class TestCampaignDoors(FireCommon):
    def setUp(self):
        super().setUp()
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})

    def begun(self, first, count):
        """One of them has it, the others wait."""
        self.members(first, count)
        mailing = self.campaign(rate_per_hour=1)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        return mailing

    def other_marketer(self):
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        return new_test_user(
            self.env(su=True),
            login="door-marketer",
            groups="customer_segmentation.customer_segmentation_group_marketer",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )

    def test_mailings_are_no_marketers(self):
        """Odoo's own right to send e-mails opens no group message but to read."""
        self.members(1295, 1)
        mailing = self.campaign()
        seller = new_test_user(
            self.env(su=True),
            login="door-seller",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        theirs = mailing.with_user(seller)
        self.assertEqual(theirs.subject, "New menu")
        for attempt in (
            partial(theirs.write, {"body_plaintext": "Sale"}),
            theirs.copy,
            theirs.unlink,
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        mailing.action_put_in_queue()
        for attempt in theirs.action_stop, theirs.action_cancel:
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        self.assertEqual(mailing.state, "in_queue")
        own = self.env["mailing.mailing"].with_user(seller)
        own.create(
            {"subject": "News", "mailing_model_id": mailing.mailing_model_id.id}
        ).subject = "Other news"

    def test_under_way_it_is_stopped_not_put_away(self):
        """Neither archived nor called done while somebody waits."""
        mailing = self.begun(1300, 2)
        for vals in {"active": False}, {"state": "done"}:
            with self.assertRaisesRegex(UserError, "It is under way: stop it first"):
                mailing.write(vals)
        mailing.action_stop()
        mailing.active = False
        self.assertEqual(mailing.state, "done")

    def test_no_split_between_two_versions(self):
        """Odoo's A/B test chooses its share of its own recipients, not of ours."""
        self.members(1310, 10)
        values = {"ab_testing_enabled": True, "ab_testing_pc": 10}
        with self.assertRaisesRegex(ValidationError, "A/B"):
            self.campaign(**values)
        mailing = self.campaign()
        with self.assertRaisesRegex(ValidationError, "A/B"):
            mailing.write(values)
        partners = self.env["ir.model"]._get_id("res.partner")
        own = self.campaign(audience_mode="odoo", mailing_model_id=partners, **values)
        with self.assertRaisesRegex(ValidationError, "A/B"):
            own.audience_mode = "segments"

    def test_failed_ones_are_not_sent_by_a_second_launch(self):
        """Core's «Retry» would launch it again; each message has its own."""
        mailing = self.begun(1320, 1)
        message = self.messages(mailing)
        message._update_sms_state_and_trackers("error", failure_type="sms_server")
        with self.assertRaisesRegex(UserError, "tried again one by one"):
            mailing.action_retry_failed()
        self.assertEqual(self.messages(mailing), message)

    def test_stopped_while_being_handed_over(self):
        """What the gateway did not take after all does not leave later."""
        mailing = self.begun(1330, 1)
        message = self.messages(mailing)
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            claim = self.env(cr=cr, su=True)["sms.queue"]._claim()
        self.env.invalidate_all()
        self.assertEqual(message.state, "process")
        mailing.action_stop()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr, su=True)["sms.queue"]._release(claim[1])
        self.dispatch()
        self.assertEqual(
            (message.state, message.failure_type), ("canceled", "sms_halted")
        )
        self.assertEqual(mailing.mailing_trace_ids.trace_status, "cancel")
        self.assertEqual(mailing.state, "done")

    def test_what_has_left_does_not_leave_again(self):
        """Not by hand, not over RPC, not by whoever may write messages."""
        mailing = self.begun(1340, 1)
        self.dispatch()
        manager = new_test_user(
            self.env(su=True),
            login="door-manager",
            groups="customer_segmentation.customer_segmentation_group_club_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        message = self.messages(mailing).with_user(manager)
        for state in "pending", "sent", "process":
            message.sudo().state = state
            message.action_set_outgoing()
            message.resend_failed()
            self.assertEqual(message.state, state)
            for vals in {"state": "outgoing"}, {"state": "error"}:
                with self.assertRaisesRegex(UserError, "may have left"):
                    message.write(vals)
            with self.assertRaisesRegex(UserError, "may have left"):
                message.action_set_error("unknown")
        message.sudo().state = "error"
        message.action_set_outgoing()
        self.assertEqual(message.state, "outgoing")
        message.action_set_canceled()
        self.assertEqual(message.state, "canceled")

    def test_what_messages_are_known_by(self):
        """Whoever could write it made a message leave twice, or never."""
        mailing = self.begun(1350, 2)
        tracker = (
            self.env["sms.tracker"]
            .sudo()
            .search([("mailing_trace_id", "in", mailing.mailing_trace_ids.ids)])
        )
        self.assertTrue(tracker.source)
        stranger = self.other_marketer()
        own = {"allowed_company_ids": stranger.company_ids.ids}
        theirs = self.env["sms.tracker"].with_user(stranger).with_context(**own)
        self.assertFalse(theirs.search([("id", "=", tracker.id)]))
        waiting = mailing.recipient_ids.filtered(lambda one: one.state == "waiting")
        for trackers in theirs.browse(tracker.ids), tracker.with_user(self.marketer):
            for attempt in (
                trackers.unlink,
                partial(trackers.write, {"source": False}),
                partial(
                    trackers.create,
                    {
                        "sms_uuid": "0" * 32,
                        "source": f"mailing.recipient,{waiting.id}",
                    },
                ),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    attempt()
                    self.env.flush_all()

    def test_composer_sends_in_no_campaigns_name(self):
        """Over its line to anybody, with an id that one need not even see."""
        guests = self.members(1355, 2)
        mailing = self.campaign()
        own = self.campaign(
            audience_mode="odoo",
            mailing_model_id=self.env["ir.model"]._get_id("res.partner"),
        )
        stranger = self.other_marketer()
        theirs = self.env["sms.composer"].with_user(stranger)
        theirs = theirs.with_context(allowed_company_ids=stranger.company_ids.ids)
        guests.sudo().company_id = False
        for composers, used, error in (
            (theirs, mailing, AccessError),
            (theirs, own, AccessError),
            (self.env["sms.composer"], mailing, UserError),
        ):
            composer = composers.create(
                {
                    "composition_mode": "mass",
                    "mailing_id": used.id,
                    "res_model": "res.partner",
                    "res_ids": repr(guests.ids),
                    "body": "Sale",
                }
            )
            with self.assertRaises(error):
                composer.action_send_sms()
        messages = self.env["sms.sms"].sudo().search([("line_id", "=", self.line.id)])
        self.assertFalse(messages)

    def test_statistics_stay(self):
        """Whoever has a trace was written to; up to whom nobody waits any more."""
        mailing = self.begun(1358, 2)
        trace = mailing.mailing_trace_ids
        for attempt in (
            trace.unlink,
            partial(trace.copy, {"res_id": 1}),
            partial(mailing.write, {"progress_id": False}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
                self.env.flush_all()
        self.assertTrue(trace.exists())

    def test_when_it_is_due(self):
        """A time outside the line's hours is one that it waits until they begin."""
        self.members(1360, 1)
        self.line.sudo().write({"tz": "UTC", "window_start": 9, "window_end": 21})
        mailing = self.campaign(
            schedule_type="scheduled", schedule_date="2100-01-01 02:00:00"
        )
        self.assertIn("01/01/2100, 09:00", mailing.preflight()["sentence"])
        mailing.schedule_date = "2100-01-01 12:00:00"
        self.assertIn("01/01/2100, 12:00", mailing.preflight()["sentence"])
        mailing.schedule_date = fields.Datetime.now()
        self.assertNotIn("2100", mailing.preflight()["sentence"])
