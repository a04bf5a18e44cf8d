"""Odoo's own SMS mailings: they use our lines, and are no way past our rules."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_campaign_audience import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignOwn(CampaignCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env(su=True),
            login="own-seller",
            groups="mass_mailing.group_mass_mailing_user,"
            "sales_team.group_sale_salesman_all_leads",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.ready = (
            cls.env["sms.template"]
            .sudo()
            .create(
                {
                    "name": "Ready",
                    "model_id": cls.env["ir.model"]._get_id("res.partner"),
                    "body": "Your order is ready",
                    "message_class": "service",
                }
            )
        )

    def own(self, user, partners, **values):
        """A mailing as Odoo itself makes it."""
        return (
            self.env["mailing.mailing"]
            .with_user(user)
            .create(
                {
                    "mailing_type": "sms",
                    "subject": "Own",
                    "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                    "mailing_domain": str([("id", "in", partners.ids)]),
                    "body_plaintext": "Hello",
                    **values,
                }
            )
        )

    def work(self, mailing):
        """As the job of the queue does, which is the system."""
        mailing.with_user(self.env.ref("base.user_root")).action_send_sms()
        self.env.flush_all()
        self.env.invalidate_all()

    def test_salesperson_cannot_send_service_texts(self):
        """Whichever way the text gets into the queue, which the system works off."""
        guests = self.members(1100, 1)
        service = {"sms_template_id": self.ready.id}
        mailing = self.own(self.seller, guests, **service)
        hurried = self.own(self.seller, guests)
        hurried.action_put_in_queue()
        for attempt in (
            mailing.action_put_in_queue,
            mailing.action_launch,
            lambda: mailing.write({"state": "in_queue"}),
            lambda: mailing.write({"state": "sending"}),
            lambda: self.own(self.seller, guests, state="in_queue", **service),
            lambda: hurried.write(service),
            lambda: hurried.write({"line_id": self.service.id}),
        ):
            with self.assertRaisesRegex(AccessError, "service text"):
                attempt()
        mailing = self.own(self.marketer, guests, **service)
        mailing.action_put_in_queue()
        self.work(mailing)
        self.assertEqual(self.messages(mailing).mapped("message_class"), ["service"])
        log = self.env["sms.service.log"].sudo().search([("kind", "=", "send")])
        log = log.filtered(lambda note: note.template_id == self.ready)
        self.assertEqual(log.user_id, self.marketer)

    def test_line_of_another_company(self):
        """Neither with a company of its own nor without one."""
        guests = self.members(1110, 1)
        other = self.env["res.company"].sudo().create({"name": "Other"})
        theirs = (
            self.env["sms.line"]
            .sudo()
            .create({"name": "9000", "company_id": other.id, "gateway": "test"})
        )
        for values in (
            {"line_id": theirs.id},
            {"line_id": self.line.id, "company_id": False},
        ):
            with self.assertRaisesRegex(ValidationError, "choose what belongs"):
                self.own(self.seller, guests, **values)

    def test_one_that_cannot_be_sent_holds_up_no_other(self):
        """It becomes a draft again and whoever queued it is told; the job goes on."""
        guests = self.members(1120, 1)
        broken = self.own(self.seller, guests)
        broken.action_put_in_queue()
        # Advertising on a service line: what the composer refuses.
        broken.sudo().line_id = self.service
        fine = self.own(self.seller, guests)
        fine.action_put_in_queue()
        self.work(broken | fine)
        self.assertEqual((broken.state, fine.state), ("draft", "in_queue"))
        self.assertFalse(self.messages(broken))
        self.assertEqual(len(self.messages(fine)), 1)
        activity = broken.sudo().activity_ids
        self.assertEqual(activity.user_id, self.seller)
        self.assertIn("A service line carries no advertising", activity.note)

    def test_any_failure_holds_up_no_other(self):
        """Not only what is meant for people: a field that is gone, for example."""
        self.members(1140, 1)
        broken, fine = self.campaign(), self.campaign(subject="Fine")
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        (broken | fine).action_put_in_queue()
        job = (broken | fine).with_user(self.env.ref("base.user_root"))
        render = type(job)._render_rows

        def fail_one(mailing, rows):
            if mailing == broken:
                raise ValueError("Invalid field")
            return render(mailing, rows)

        engine = self.env["customer.segment.refresh"]
        with (
            patch.object(type(job), "_render_rows", fail_one),
            patch.object(type(self.env["ir.cron"]), "_commit_progress"),
            patch.object(type(engine), "_in_turn", lambda _engine, step: step()),
            patch.object(self.env.cr, "rollback"),
            mute_logger(
                "odoo.addons.customer_segmentation.models.campaign.mailing_own"
            ),
        ):
            job._action_send_mail()
        self.env.invalidate_all()
        self.assertEqual((broken.state, broken.is_stopped), ("done", True))
        self.assertIn("server's log", broken.activity_ids.note)
        self.assertEqual(len(self.messages(fine)), 1)

    def test_the_queue_is_the_systems(self):
        """Nobody hands a scheduled one over before its time by calling the queue."""
        self.members(1145, 1)
        mailing = self.campaign(
            schedule_type="scheduled",
            schedule_date=fields.Datetime.now() + timedelta(days=2),
        )
        mailing.action_put_in_queue()
        with self.assertRaises(AccessError):
            mailing.action_send_sms()
        self.work_off(mailing)
        self.assertFalse(mailing.is_prepared)
        mailing.action_stop()
        self.assertEqual(mailing.state, "done")

    def test_broken_text_holds_up_no_other(self):
        """Whatever fails as the job works it off: of what has begun the rest stays."""
        guests = self.members(1130, 3)
        guests.sudo().email = "guest@example.com"
        partners = self.env["ir.model"]._get_id("res.partner")
        broken = (
            self.env["mailing.mailing"]
            .sudo()
            .create(
                {
                    "subject": "Broken",
                    "user_id": self.seller.id,
                    "mailing_model_id": partners,
                    "mailing_domain": str([("id", "in", guests.ids)]),
                    "body_html": '<t t-out="object.name.nothing()"/>',
                    "state": "in_queue",
                }
            )
        )
        begun = self.campaign(rate_per_hour=1)
        begun.action_put_in_queue()
        self.work_off(begun)
        begun.rate_per_hour = 0
        fine = self.own(self.seller, guests[:1])
        fine.action_put_in_queue()
        engine = self.env["customer.segment.refresh"]
        job = (broken | begun | fine).with_user(self.env.ref("base.user_root"))
        with (
            patch.object(type(job), "_render_rows", side_effect=UserError("Broken")),
            patch.object(type(self.env["ir.cron"]), "_commit_progress"),
            patch.object(type(engine), "_in_turn", lambda _engine, step: step()),
            mute_logger("odoo.addons.mail.models.mail_render_mixin"),
        ):
            job._action_send_mail()
        self.env.invalidate_all()
        self.assertEqual(broken.state, "draft")
        self.assertIn("render", broken.activity_ids.note)
        self.assertEqual((begun.state, begun.is_stopped), ("done", True))
        self.assertEqual(begun.activity_ids.user_id, self.marketer)
        self.assertIn("Broken", begun.activity_ids.note)
        # What was written before the break waited for the line: it is taken back, too.
        self.assertEqual(begun.recipient_ids.mapped("reason"), ["halted"] * 3)
        self.assertEqual(len(self.messages(fine)), 1)
