"""What came of a group message."""

from datetime import timedelta
from unittest.mock import patch

import pytz

from odoo import fields
from odoo.tests import tagged

from .test_campaign_audience import CampaignCommon


class ResultCommon(CampaignCommon):
    """Campaigns that have left, and what people do then."""

    def sent(self, count=40, **values):
        """A campaign that has left, to as many contacts."""
        self.partners = self.members(300, count)
        mailing = self.campaign(**values)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        return mailing

    def visit(self, partners, after):
        """A counted check-in of each, so long after now."""
        members = (
            self.env["club.member"].sudo().search([("partner_id", "in", partners.ids)])
        )
        device = (
            self.env["club.device"]
            .sudo()
            .create(
                {
                    "name": "Desk",
                    "company_id": self.company.id,
                    "group_id": self.group.id,
                }
            )
        )
        at = fields.Datetime.now() + after
        self.env["club.checkin"].sudo().create(
            [
                {
                    "company_id": self.company.id,
                    "device_id": device.id,
                    "member_id": member.id,
                    "event_id": f"visit-{member.id}-{int(after.total_seconds())}",
                    "occurred_at": at,
                    "arrived_at": at,
                    "counted": True,
                    "visit_no": 1,
                    "result": "new",
                    "state": "done",
                }
                for member in members
            ]
        )

    def order(self, partner, price):
        """A confirmed order of today."""
        order = (
            self.env["sale.order"]
            .sudo()
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "order_line": [
                        (
                            0,
                            0,
                            {
                                "product_id": self.env["product.product"]
                                .sudo()
                                .create({"name": "Cake", "taxes_id": False})
                                .id,
                                "product_uom_qty": 1,
                                "price_unit": price,
                                "tax_ids": False,
                            },
                        )
                    ],
                }
            )
        )
        order.action_confirm()
        order.date_order = fields.Datetime.now()


@tagged("post_install", "-at_install")
class TestCampaignResult(ResultCommon):
    def reach(self, mailing):
        """Let everybody have got it."""
        mailing.sudo().mailing_trace_ids.trace_status = "sent"
        mailing.refresh_results()

    def sums(self, mailing, state="queued"):
        recipients = mailing.recipient_ids.filtered(lambda one: one.state == state)
        return {
            name: sum(recipients.mapped(name))
            for name in (
                "is_sent",
                "is_delivered",
                "is_failed",
                "is_clicked",
                "is_opted_out",
                "is_visited",
                "is_purchased",
                "revenue",
            )
        }

    def test_sent_again_counts_with_its_recipient(self):
        """The provider gets another reference; the result still finds its person."""
        mailing = self.sent(2)
        sms = self.env["sms.sms"].sudo().search([("mailing_id", "=", mailing.id)])[0]
        before = sms.uuid
        sms.write({"state": "error", "provider_id": "1"})
        sms.action_set_outgoing()
        self.assertNotEqual(sms.uuid, before)
        self.env["sms.tracker"].sudo().search(
            [("sms_uuid", "=", sms.uuid)]
        )._action_update_from_sms_state("sent")
        mailing.refresh_results()
        [delivered] = mailing.recipient_ids.filtered("is_delivered")
        self.assertEqual(delivered.number, sms.number)

    def test_answers_within_their_days(self):
        """Delivery, clicks, refusals, visits and purchases are counted once each."""
        mailing = self.sent(5, answer_days=7)
        first, second, third, fourth, _fifth = self.partners
        traces = mailing.sudo().mailing_trace_ids.sorted("res_id")
        by_partner = {trace.res_id: trace for trace in traces}
        by_partner[first.id].trace_status = "sent"
        by_partner[second.id].write(
            {"trace_status": "sent", "links_click_datetime": fields.Datetime.now()}
        )
        by_partner[third.id].write(
            {"trace_status": "error", "failure_type": "sms_number_format"}
        )
        self.env["customer.consent"].sudo().create(
            {
                "company_id": self.company.id,
                "number": "+989120000303",
                "kind": "optout",
            }
        )
        self.visit(first | second, timedelta(days=1))
        self.visit(third, timedelta(days=8))
        self.order(fourth, 120)
        self.assertTrue(mailing.refresh_results())
        self.assertEqual(
            self.sums(mailing),
            {
                "is_sent": 2,
                "is_delivered": 2,
                "is_failed": 1,
                "is_clicked": 1,
                "is_opted_out": 1,
                "is_visited": 2,
                "is_purchased": 1,
                "revenue": 120,
            },
        )
        failed = mailing.recipient_ids.filtered("is_failed")
        self.assertEqual(failed.failure_type, "sms_number_format")
        self.assertEqual(mailing.refresh_results(), 0, "written for nothing")

    def test_what_it_cost(self):
        """Parts at the price the line had when they were handed over."""
        self.line.sudo().price_per_part = 150
        mailing = self.sent(2)
        self.line.sudo().price_per_part = 900
        self.assertEqual(mailing.recipient_ids.mapped("part_count"), [1, 1])
        self.assertEqual(mailing.recipient_ids.mapped("cost"), [150, 150])
        self.reach(mailing)
        self.assertIn("it cost", mailing.result_sentence)

    def test_sentence_against_the_held_back(self):
        """«41 more visits than without it», scaled to the size of both groups."""
        mailing = self.sent(60, holdout_percent=40)
        queued = mailing.recipient_ids.filtered(lambda one: one.state == "queued")
        holdout = mailing.recipient_ids - queued
        self.visit(queued[:10].partner_id, timedelta(hours=1))
        self.visit(holdout[:1].partner_id, timedelta(hours=2))
        self.reach(mailing)
        expected = 10 - round(len(queued) / len(holdout))
        self.assertIn(f"{len(queued)} got it, 10 came", mailing.result_sentence)
        self.assertIn(
            f"{expected} more visits and 0 more purchases than", mailing.result_sentence
        )

    def test_nobody_got_what_waits_or_failed(self):
        """Handed over to the line is not sent yet; what failed nobody got."""
        mailing = self.sent(3)
        self.assertIs(self.campaign().result_sentence, False)
        self.assertIs(mailing.result_sentence, False)
        mailing.refresh_results()
        self.assertIs(mailing.result_sentence, False)
        self.assertIn("3 of 3 are handed over", mailing.progress_sentence)
        self.reach(mailing)
        mailing.sudo().mailing_trace_ids[0].trace_status = "error"
        cron = self.env.ref("customer_segmentation.mailing_result_cron")
        triggers = self.env["ir.cron.trigger"].sudo()
        before = triggers.search_count([("cron_id", "=", cron.id)])
        mailing.sudo().state = "done"
        after = triggers.search_count([("cron_id", "=", cron.id)])
        self.assertEqual(after, before + 1, "its results wait for the next hour")
        mailing.refresh_results()
        self.assertIn("2 got it, 0 came", mailing.result_sentence)
        self.assertEqual((mailing.queued_count, mailing.delivered_count), (3, 2))

    def test_progress_says_when(self):
        """A planned message, and one outside the line's hours."""
        self.members(360, 1)
        now = fields.Datetime.now()
        mailing = self.campaign(schedule_date=now + timedelta(days=2))
        mailing.action_put_in_queue()
        moment = self.env["sms.placeholder"]._moment
        when = moment(mailing.schedule_date, self.line.sudo().tz, self.env.lang)
        self.assertIn(f"It waits until {when}", mailing.progress_sentence)
        mailing.sudo().schedule_date = False
        self.work_off(mailing)
        self.assertNotIn("hours", mailing.progress_sentence)
        local = now.astimezone(pytz.timezone(self.line.sudo().tz or "UTC"))
        later = (local.hour + 2) % 22
        self.line.sudo().write({"window_start": later, "window_end": later + 1})
        mailing.invalidate_recordset(["progress_sentence"])
        self.assertRegex(
            mailing.progress_sentence, rf"leaves from .*{later:02d}:00, in the line"
        )

    def test_numbers_are_written_as_the_reader_does(self):
        """In Persian with its digits and groups; money in the company's own unit."""
        self.env["res.lang"].sudo()._activate_lang("fa_IR")
        rial = self.env.ref("base.IRR").sudo()
        rial.active = True
        self.company.sudo().currency_id = rial
        self.line.sudo().price_per_part = 500
        mailing = self.sent(2)
        mailing.sudo().progress_id.write(
            {"queued_count": 1150, "waiting_count": 30, "queued_cost": 575000}
        )
        mailing.sudo().result_counts = {"queued": {"count": 1150, "is_sent": 1150}}
        persian = mailing.with_context(lang="fa_IR")
        for record, result, progress in (
            (mailing, "1,150 got it, 0 came", "1,150 of 1,180 are"),
            (persian, "۱٬۱۵۰ نفر پیام را گرفتند؛ ظرف ۷ روز ۰ نفر", "۱٬۱۵۰ از ۱٬۱۸۰"),
        ):
            self.assertIn(result, record.result_sentence)
            self.assertIn(progress, record.progress_sentence)
        self.assertIn("575,000 rial", mailing.result_sentence)
        self.assertIn("۵۷۵٬۰۰۰ ریال", persian.result_sentence)
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        self.members(350, 1, no_sms=True)
        answer = self.campaign().with_context(lang="fa_IR").preflight()
        self.assertIn("برای ۲ نفر", answer["sentence"])
        self.assertRegex(answer["sentence"], r": ۱[.،]")
        self.assertEqual(answer["cost"], "۱٬۰۰۰ ریال")
        self.assertEqual(answer["reachable"], 2)

    def test_to_those_who_did_not_answer(self):
        """A follow-up reaches the silent ones of the earlier campaign only."""
        mailing = self.sent(4)
        self.visit(self.partners[:1], timedelta(hours=1))
        mailing.refresh_results()
        mailing.sudo().state = "done"
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        silent = self.env["mailing.mailing"].browse(mailing.action_resend()["res_id"])
        self.assertEqual(silent.state, "draft")
        silent.action_put_in_queue()
        self.work_off(silent)
        self.assertEqual(silent.recipient_ids.partner_id, self.partners[1:])
        answered = self.env["mailing.mailing"].browse(
            mailing.action_follow_answered()["res_id"]
        )
        self.assertEqual(answered.preflight()["total"], 1)

    def test_counted_as_long_as_answers_count(self):
        """Hourly for so many days and three more; later when somebody looks."""
        mailing = self.sent(2, answer_days=7)
        now = fields.Datetime.now()

        def is_counted(days):
            self.env.cr.execute(
                "UPDATE mailing_recipient SET is_visited = NULL WHERE mailing_id = %s",
                [mailing.id],
            )
            mailing.sudo().write(
                {"state": "done", "sent_date": now - timedelta(days=days)}
            )
            with patch.object(type(self.env["ir.cron"]), "_commit_progress"):
                self.env["mailing.mailing"].sudo()._cron_refresh_results()
            return self.is_known(mailing)

        self.assertTrue(is_counted(days=9))
        self.assertFalse(is_counted(days=11))
        mailing.refresh_results()
        self.assertTrue(self.is_known(mailing))

    def is_known(self, mailing):
        """Whether it was counted who came."""
        self.env.cr.execute(
            "SELECT bool_and(is_visited IS NOT NULL) FROM mailing_recipient"
            " WHERE mailing_id = %s",
            [mailing.id],
        )
        return self.env.cr.fetchone()[0]
