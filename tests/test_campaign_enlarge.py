"""Who answered a campaign, or was chosen in its results, joins a segment."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_campaign_result import ResultCommon


@tagged("post_install", "-at_install")
class TestCampaignEnlarge(ResultCommon):
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

    def chosen(self, recipients, **values):
        """The same dialog from the list of results, with some of them ticked."""
        return (
            recipients.env["customer.segment.assign"]
            .with_context(active_model="mailing.recipient", active_ids=recipients.ids)
            .create(values)
        )

    def test_those_chosen_in_the_results_join(self):
        """In a group, in a new one, always in a segment of the campaign; counted."""
        mailing = self.sent(3)
        recipients = mailing.recipient_ids.sorted("id")
        action = self.env.ref(
            "customer_segmentation.customer_segment_assign_action_enlarge"
        )
        bound = self.env["ir.actions.actions"].get_bindings("mailing.recipient")
        self.assertEqual([one["id"] for one in bound["action"]], action.ids)
        self.chosen(recipients[:2], target="new").action_apply()
        group = self.env["customer.segment"].search(
            [("name", "=", "Chosen from “New menu”")]
        )
        self.assertEqual(group.partner_ids, self.partners[:2])
        wizard = self.chosen(recipients, segment_id=group.id)
        self.assertEqual(wizard.mailing_id, mailing)
        self.assertIn(group, wizard.available_segment_ids)
        self.assertEqual(
            wizard.enlarge_sentence, "3 in all · 1 will be added · 2 in already"
        )
        self.env["res.lang"].sudo()._activate_lang("fa_IR")
        self.assertIn(
            "در مجموع ۳ نفر · ۱ نفر", wizard.with_context(lang="fa_IR").enlarge_sentence
        )
        wizard.action_apply()
        self.assertEqual(group.partner_ids, self.partners)

    def test_chosen_of_several_campaigns_and_companies(self):
        """Groups only where there is no one campaign; one company at a time."""
        segment = self.env["customer.segment"].create(
            {
                "name": "Near by",
                "kind": "dynamic",
                "company_id": self.company.id,
                "domain": "[('id', '=', 0)]",
            }
        )
        segments = (self.group | segment).ids
        first = self.sent(2, audience_segment_ids=segments)
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        second = self.campaign(audience_segment_ids=segments)
        second.action_put_in_queue()
        self.work_off(second)
        several = first.recipient_ids[0] | second.recipient_ids[1]
        self.assertFalse(self.chosen(several).new_name, "a person has to say")
        wizard = self.chosen(
            several,
            target="new",
            new_name="Both",
        )
        self.assertFalse(wizard.mailing_id)
        self.assertIn(self.group, wizard.available_segment_ids)
        self.assertNotIn(segment, wizard.available_segment_ids)
        self.assertIn(segment, self.chosen(first.recipient_ids).available_segment_ids)
        wizard.action_apply()
        both = self.env["customer.segment"].search([("name", "=", "Both")])
        self.assertEqual(both.partner_ids, self.partners)
        self.assertEqual(both.company_id, self.company)
        company = self.env["res.company"].sudo().create({"name": "Other Cafe"})
        self.marketer.sudo().company_ids += company
        second.recipient_ids.sudo().company_id = company
        env = self.env(context={"allowed_company_ids": (self.company | company).ids})
        with self.assertRaises(UserError):
            self.chosen((first | second).with_env(env).recipient_ids, target="new")

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
