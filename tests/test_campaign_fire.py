"""Group messages when something changes in the middle: each ends in one right state."""

from datetime import datetime
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.customer_segmentation.models.campaign import mailing_queue

from .test_campaign_audience import CampaignCommon


class FireCommon(CampaignCommon):
    def text(self, body="Half price", **values):
        return (
            self.env["sms.template"]
            .sudo()
            .create(
                {
                    "name": "Sale",
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "body": body,
                    "message_class": "advertising",
                    **values,
                }
            )
        )

    def dispatch(self):
        """Let the lines send what is due."""
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            queue = self.env(cr=cr, su=True)["sms.queue"]
            while queue._send_slice()[1]:
                pass
        self.env.invalidate_all()

    def states(self, mailing):
        """How many messages of a campaign stand where.

        :rtype: dict[str, int]
        """
        counts = self.env["mailing.trace"]._read_group(
            [("mass_mailing_id", "=", mailing.id)], ["trace_status"], ["__count"]
        )
        return dict(counts)


@tagged("post_install", "-at_install")
class TestCampaignFire(FireCommon):
    def test_template_changed_while_sending(self):
        """Everybody gets the text as it was when it was launched."""
        self.members(600, 4)
        text = self.text()
        mailing = self.campaign(
            sms_template_id=text.id, body_plaintext=text.body, rate_per_hour=2
        )
        mailing.action_put_in_queue()
        self.work_off(mailing)
        text.body = "Full price"
        mailing.rate_per_hour = 0
        self.work_off(mailing)
        bodies = self.messages(mailing).mapped("body")
        self.assertEqual(bodies, ["Half price\nلغو11"] * 4)

    def test_chosen_in_one_language_sent_in_another(self):
        """A saved text that nobody edited goes out in each guest's language, whatever
        that of whoever chose it and of whoever sends it.
        """
        self.env["res.lang"].sudo()._activate_lang("fa_IR")
        self.members(605, 1)
        self.members(606, 1, lang="fa_IR")
        text = self.text()
        text.with_context(lang="fa_IR").body = "نصف قیمت"
        mailing = self.campaign(sms_template_id=text.id, body_plaintext=text.body)
        mailing.with_context(lang="fa_IR").action_put_in_queue()
        self.work_off(mailing)
        self.assertCountEqual(
            self.messages(mailing).mapped("body"),
            ["Half price\nلغو11", "نصف قیمت\nلغو11"],
        )

    def test_segment_stopped_between_launch_and_snapshot(self):
        """It becomes a draft again, with a word to its sender; nothing leaves."""
        self.members(610, 2)
        mailing = self.campaign()
        mailing.action_put_in_queue()
        self.group.sudo()._write({"state": "quarantined"})
        self.group.invalidate_recordset()
        self.work_off(mailing)
        self.assertEqual(mailing.state, "draft")
        self.assertFalse(mailing.recipient_ids)
        self.assertFalse(mailing.launched_by_id)
        activity = mailing.activity_ids
        self.assertEqual(activity.user_id, self.marketer)
        self.assertIn("was stopped", activity.note)

    def test_segment_stopped_after_the_snapshot(self):
        """Who gets it was settled before."""
        self.members(615, 3)
        mailing = self.campaign(rate_per_hour=1)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.group.sudo()._write({"state": "quarantined"})
        self.group.invalidate_recordset()
        mailing.rate_per_hour = 0
        self.work_off(mailing)
        self.assertEqual(len(self.messages(mailing)), 3)

    def test_line_paused_in_the_middle(self):
        """Messages wait on the paused line, the campaign stays open, each leaves once
        afterwards.
        """
        partners = self.members(620, 5)
        mailing = self.campaign(rate_per_hour=2)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.dispatch()
        self.assertEqual(self.states(mailing), {"pending": 2})
        self.assertIn("2 of 5 are handed over", mailing.progress_sentence)
        self.line.sudo()._pause("credit", "")
        mailing.invalidate_recordset(["progress_sentence"])
        self.assertIn("is paused", mailing.progress_sentence)
        mailing.rate_per_hour = 0
        self.work_off(mailing)
        self.dispatch()
        self.assertEqual(self.states(mailing), {"pending": 2, "outgoing": 3})
        self.assertTrue(mailing._get_remaining_recipients(), "it can still be stopped")
        self.assertEqual(mailing.state, "sending")
        self.line.sudo().action_resume()
        self.dispatch()
        self.assertEqual(self.states(mailing), {"pending": 5})
        self.assertEqual(mailing.state, "done")
        self.assertFalse(mailing._get_remaining_recipients())
        self.assertCountEqual(mailing.mailing_trace_ids.mapped("res_id"), partners.ids)

    def test_spread_over_hours_that_count(self):
        """What could not leave does not gather, to leave all at once afterwards."""
        self.members(635, 5)
        self.line.sudo().write({"tz": "UTC", "window_start": 9, "window_end": 21})
        with freeze_time("2026-11-29 22:00:00"):
            mailing = self.campaign(rate_per_hour=2)
            mailing.action_put_in_queue()
            self.work_off(mailing)
            self.assertFalse(self.messages(mailing))
            self.assertEqual(mailing.waiting_count, 5)
            cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")
            calls = (
                self.env["ir.cron.trigger"].sudo().search([("cron_id", "=", cron.id)])
            )
            self.assertIn(datetime(2026, 11, 30, 9), calls.mapped("call_at"))
        with freeze_time("2026-11-30 09:00:00"):
            self.line.sudo()._pause("credit", "")
            self.work_off(mailing)
            self.assertFalse(self.messages(mailing))
        with freeze_time("2026-11-30 10:00:00"):
            self.line.sudo().action_resume()
            self.work_off(mailing)
            self.assertEqual(len(self.messages(mailing)), 2)

    def test_nobody_can_be_reached(self):
        """A campaign to nobody is done, not under way for ever."""
        self.members(630, 2)
        self.env["res.partner"].search([("name", "=like", "Guest 63%")]).sudo().write(
            {"no_sms": True}
        )
        mailing = self.campaign()
        mailing.action_put_in_queue()
        self.work_off(mailing)
        mailing._finish()
        self.assertEqual(mailing.state, "done")
        self.assertFalse(mailing._get_remaining_recipients())

    def test_fifty_thousand_of_one_number(self):
        """It gets one message, and nothing fails at any size."""
        (first,) = self.members(640, 1)
        self.env.flush_all()
        self.env.cr.execute(
            """
            WITH made AS (
                INSERT INTO res_partner
                       (name, complete_name, active, type, phone, phone_sanitized,
                        partner_share, is_company, lang, autopost_bills, company_id)
                SELECT 'Copy', 'Copy', TRUE, 'contact', phone, phone_sanitized, TRUE,
                       FALSE, 'en_US', 'ask', company_id
                  FROM res_partner, generate_series(1, 50000) WHERE id = %s
             RETURNING id)
            INSERT INTO customer_segment_partner_rel (segment_id, partner_id)
            SELECT %s, id FROM made
            """,
            [first.id, self.group.id],
        )
        # Elsewhere autovacuum does it; without it the plan is one for five contacts.
        self.env.cr.execute("ANALYZE res_partner, customer_segment_partner_rel")
        mailing = self.campaign()
        mailing.action_put_in_queue()
        self.work_off(mailing)
        counts = self.env["mailing.recipient"]._read_group(
            [("mailing_id", "=", mailing.id)], ["reason"], ["__count"]
        )
        self.assertEqual(dict(counts), {False: 1, "duplicate": 50_000})
        self.assertEqual(len(self.messages(mailing)), 1)

    def test_text_that_the_panel_has_to_approve(self):
        """The preflight says that it waits; what was refused is not launched."""
        self.members(650, 1)
        self.line.sudo().text_policy = "approved"
        mailing = self.campaign()
        self.assertIn("only saved texts", mailing.preflight()["problem"])
        text = self.text()
        mailing.write({"sms_template_id": text.id, "body_plaintext": "Edited"})
        self.assertEqual(mailing.preflight()["previews"][0]["text"][:10], "Half price")
        self.assertIn("“Sale” waits until", mailing.preflight()["sentence"])
        approval = self.line.sudo().approval_ids.create(
            {"line_id": self.line.id, "template_id": text.id, "state": "refused"}
        )
        self.assertIn("The panel refused", mailing.preflight()["problem"])
        with self.assertRaisesRegex(UserError, "The panel refused"):
            mailing.action_put_in_queue()
        approval.state = "approved"
        self.assertNotIn("waits", mailing.preflight()["sentence"])
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(self.messages(mailing).approval_id, approval)

    def judged(self, first):
        """A campaign whose message waits for the panel, and its approval."""
        self.members(first, 1)
        self.line.sudo().text_policy = "approved"
        text = self.text()
        mailing = self.campaign(sms_template_id=text.id, body_plaintext=text.body)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.dispatch()
        self.assertEqual(self.states(mailing), {"outgoing": 1})
        mailing.invalidate_recordset(["progress_sentence"])
        self.assertIn("“Sale” waits until", mailing.progress_sentence)
        return mailing, self.line.sudo().approval_ids

    def test_panel_approves_afterwards(self):
        """Only then it leaves, and it is done."""
        mailing, approval = self.judged(652)
        approval.action_ask()
        self.dispatch()
        self.assertEqual(self.states(mailing), {"outgoing": 1})
        approval.action_approve()
        self.dispatch()
        self.assertEqual(self.states(mailing), {"pending": 1})
        self.assertEqual(mailing.state, "done")

    def test_panel_refuses_afterwards(self):
        """It does not leave; whoever sent it is told once, and may stop it."""
        mailing, approval = self.judged(654)
        approval.reason = "Too loud"
        approval.action_refuse()
        approval.action_refuse()
        self.dispatch()
        self.assertEqual(self.states(mailing), {"outgoing": 1})
        self.assertIn("refused “Sale”: Too loud", mailing.progress_sentence)
        activity = mailing.activity_ids
        self.assertEqual(activity.user_id, self.marketer)
        self.assertIn("refused “Sale”: Too loud", activity.note)
        mailing.action_stop()
        self.assertEqual(self.states(mailing), {"cancel": 1})
        self.assertEqual(mailing.state, "done")

    def test_preview_of_each_segments_text(self):
        """What the form holds and is not saved yet is what the preflight shows."""
        (guest,) = self.members(660, 1)
        text = self.text("A table is kept for you")
        answer = self.campaign().preflight({"variants": [[self.group.id, text.id]]})
        (preview,) = answer["previews"]
        self.assertEqual(preview["name"], guest.name)
        self.assertIn("A table is kept", preview["text"])

    def test_batch_by_batch(self):
        """More recipients than a batch: each is written to once."""
        partners = self.members(670, 5)
        mailing = self.campaign()
        mailing.action_put_in_queue()
        with patch.object(mailing_queue, "BATCH", 2):
            self.work_off(mailing)
        self.assertEqual(self.messages(mailing).partner_id, partners)
        self.assertEqual(len(self.messages(mailing)), 5)

    def test_handing_over_touches_no_index(self):
        """Each recipient is rewritten once: PostgreSQL leaves the indexes alone as long
        as none of them, its condition included, knows what changes.
        """
        self.env.cr.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = 'mailing_recipient'::regclass"
        )
        for (definition,) in self.env.cr.fetchall():
            for column in ("state", "queued_at", "part_count", "cost"):
                self.assertNotRegex(definition, rf"\b{column}\b")
