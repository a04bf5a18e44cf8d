"""What came of a group message."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_campaign_audience import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignResult(CampaignCommon):
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
        self.assertIn("it cost", mailing.result_sentence)

    def test_sentence_against_the_held_back(self):
        """«41 more visits than without it», scaled to the size of both groups."""
        mailing = self.sent(60, holdout_percent=40)
        queued = mailing.recipient_ids.filtered(lambda one: one.state == "queued")
        holdout = mailing.recipient_ids - queued
        self.visit(queued[:10].partner_id, timedelta(hours=1))
        self.visit(holdout[:1].partner_id, timedelta(hours=2))
        mailing.refresh_results()
        expected = 10 - round(len(queued) / len(holdout))
        self.assertIn(f"{len(queued)} got it, 10 came", mailing.result_sentence)
        self.assertIn(
            f"{expected} more visits and 0 more purchases than", mailing.result_sentence
        )

    def test_to_those_who_did_not_answer(self):
        """A follow-up reaches the silent ones of the earlier campaign only."""
        mailing = self.sent(4)
        self.visit(self.partners[:1], timedelta(hours=1))
        mailing.refresh_results()
        mailing.state = "done"
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

    # === ENLARGE A SEGMENT === #

    def enlarge(self, mailing, **values):
        """The dialog behind «Enlarge a segment», filled in."""
        action = mailing.action_enlarge_segment()
        return (
            mailing.env["customer.segment.assign"]
            .with_context(
                active_model="mailing.mailing",
                active_ids=mailing.ids,
                **action["context"],
            )
            .create(values)
        )

    def test_those_who_answered_join_a_group(self):
        """Each kind of answer; who is always out stays out, and is said."""
        mailing = self.sent(6)
        came, bought, clicked, replied, left_out, _silent = self.partners
        self.visit(came | left_out, timedelta(hours=1))
        self.order(bought, 120)
        now = fields.Datetime.now()
        for trace in mailing.sudo().mailing_trace_ids:
            if trace.res_id == clicked.id:
                trace.links_click_datetime = now
            elif trace.res_id == replied.id:
                trace.reply_datetime = now
        group = self.env["customer.segment"].create(
            {
                "name": "Friends",
                "kind": "static",
                "company_id": self.company.id,
                "included_partner_ids": replied.ids,
                "excluded_partner_ids": left_out.ids,
            }
        )
        wizard = self.enlarge(mailing, segment_id=group.id)
        self.assertIn(group, wizard.available_segment_ids)
        for answer, total, added in (
            ("answered", 5, 3),
            ("came", 2, 1),
            ("bought", 1, 1),
            ("visited", 3, 2),
            ("clicked", 1, 1),
            ("replied", 1, 0),
        ):
            with self.subTest(answer):
                wizard.answer = answer
                said = wizard.enlarge_sentence
                self.assertIn(f"{total} in all · {added} will be added", said)
        wizard.answer = "answered"
        self.assertIn("1 in already", wizard.enlarge_sentence)
        self.assertIn("1 kept out", wizard.enlarge_sentence)
        told = wizard.action_apply()
        self.assertIn("3", told["params"]["message"])
        self.assertEqual(group.partner_ids, came | bought | clicked | replied)
        self.assertEqual(group.excluded_partner_ids, left_out)
        events = self.env["customer.segment.event"].search(
            [("segment_id", "=", group.id), ("partner_id", "in", (came | bought).ids)]
        )
        self.assertEqual(set(events.mapped("cause")), {"hand"})
        with self.assertRaises(UserError):
            wizard.action_apply()

    def test_those_who_answered_are_always_in(self):
        """In one of the campaign's segments by a condition, and in no other."""
        self.partners = self.members(300, 3)
        segments = self.env["customer.segment"].create(
            [
                {
                    "name": name,
                    "kind": "dynamic",
                    "company_id": self.company.id,
                    "domain": str([("id", "in", self.partners.ids)]),
                }
                for name in ("Near by", "Far away")
            ]
        )
        segments.refresh()
        named, other = segments
        mailing = self.campaign(audience_segment_ids=named.ids)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.visit(self.partners[:2], timedelta(hours=1))
        wizard = self.enlarge(mailing, segment_id=named.id)
        self.assertIn("2 will be added", wizard.enlarge_sentence)
        wizard.action_apply()
        self.assertEqual(named.included_partner_ids, self.partners[:2])
        named.domain = "[('id', '=', 0)]"
        named.refresh()
        self.assertEqual(named.partner_ids, self.partners[:2])
        with self.assertRaises(UserError):
            self.enlarge(mailing, segment_id=other.id).action_apply()
        self.assertFalse(other.included_partner_ids)

    def test_those_who_answered_become_a_group(self):
        """Of the campaign's company; nobody is no group."""
        mailing = self.sent(3)
        with self.assertRaises(UserError):
            self.enlarge(mailing, target="new").action_apply()
        self.visit(self.partners[:2], timedelta(hours=1))
        self.enlarge(mailing, target="new").action_apply()
        group = self.env["customer.segment"].search(
            [("name", "=", "Answered “New menu”")]
        )
        self.assertEqual(group.partner_ids, self.partners[:2])
        self.assertEqual((group.kind, group.company_id), ("static", self.company))
        # The same from the list of recipients, one by one.
        last = mailing.recipient_ids.filtered(
            lambda one: one.partner_id == self.partners[2]
        )
        self.env["customer.segment.assign"].with_context(
            active_model="mailing.recipient", active_ids=last.ids
        ).create({"segment_id": group.id}).action_apply()
        self.assertEqual(group.partner_ids, self.partners)

    def test_enlarging_keeps_to_rights_and_company(self):
        """No other company's segment, no colleague's, and not without the right."""
        mailing = self.sent(2)
        self.visit(self.partners, timedelta(hours=1))
        company = self.env["res.company"].sudo().create({"name": "Other Cafe"})
        self.marketer.sudo().company_ids += company
        both = self.env(
            context={
                **self.env.context,
                "allowed_company_ids": (self.company | company).ids,
            }
        )
        foreign, colleagues = (
            both["customer.segment"]
            .sudo()
            .create(
                [
                    {
                        "name": "Foreign",
                        "kind": "static",
                        "company_id": company.id,
                        "user_id": self.marketer.id,
                    },
                    {
                        "name": "A colleague's",
                        "kind": "static",
                        "company_id": self.company.id,
                        "user_id": self.env.ref("base.user_admin").id,
                    },
                ]
            )
            .with_env(both)
        )
        for segment, error in ((foreign, UserError), (colleagues, AccessError)):
            with self.subTest(segment.name):
                wizard = self.enlarge(mailing.with_env(both)).with_env(both)
                wizard.segment_id = segment
                self.assertNotIn(segment, wizard.available_segment_ids)
                with self.assertRaises(error):
                    wizard.action_apply()
                self.assertFalse(segment.sudo().partner_ids)
        clerk = new_test_user(
            self.env(su=True),
            login="campaign_clerk",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        view = self.env.ref("customer_segmentation.mailing_campaign_form")
        for user, expected in ((self.marketer, True), (clerk, False)):
            arch = mailing.with_user(user).get_view(view.id, "form")["arch"]
            self.assertEqual("action_enlarge_segment" in arch, expected)
        with self.assertRaises(AccessError):
            self.env["customer.segment.assign"].with_user(clerk).create(
                {"mailing_id": mailing.id, "target": "new"}
            )
        stranger = new_test_user(
            self.env(su=True),
            login="campaign_stranger",
            groups="customer_segmentation.customer_segmentation_group_marketer",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        with self.assertRaises(AccessError):
            self.env["customer.segment.assign"].with_user(stranger).with_context(
                allowed_company_ids=company.ids
            ).create({"mailing_id": mailing.id, "target": "new"})

    def test_a_hidden_segment_tells_nobody_who_answered(self):
        """Neither the dialog nor a follow-up of a colleague reaches its people."""
        mailing = self.sent(2)
        self.visit(self.partners, timedelta(hours=1))
        self.assertEqual(mailing.recipient_ids.segment_id, self.group)
        self.group.sudo().confidential = True
        colleague = new_test_user(
            self.env(su=True),
            login="campaign_colleague",
            groups="base.group_partner_manager,"
            "customer_segmentation.customer_segmentation_group_marketer",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        for user, expected in ((self.marketer, 2), (colleague, 0)):
            with self.subTest(user.login):
                env = self.env(user=user)
                wizard = self.enlarge(mailing.with_env(env), target="new")
                said = wizard.with_env(env).enlarge_sentence
                self.assertIn(f"{expected} in all", said)
                follow_up = mailing.with_env(env).action_follow_answered()
                draft = env["mailing.mailing"].browse(follow_up["res_id"])
                self.assertEqual(draft.preflight()["total"], expected)
