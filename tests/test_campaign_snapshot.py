"""Who gets a group message is taken slice after slice, and comes to the same."""

from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.customer_segmentation.models.campaign import mailing_audience_chosen

from .test_campaign_audience import CampaignCommon

SAME = ("partner_id", "lead_id", "segment_id", "number", "state", "reason")


@tagged("post_install", "-at_install")
class TestCampaignSnapshot(CampaignCommon):
    def sliced(self, size):
        return patch.object(mailing_audience_chosen, "SLICE", size)

    def launched(self, **values):
        mailing = self.campaign(**values)
        mailing.action_put_in_queue()
        return mailing

    def taken(self, mailing):
        """Take all slices.

        :return: how many there were, and the snapshot as it is without ids
        """
        slices = 0
        while not mailing.is_prepared:
            self.assertTrue(mailing._claim_turn() and mailing._prepare())
            slices += 1
        return slices, [
            tuple(one[name] for name in SAME)
            for one in mailing.recipient_ids.sorted(
                lambda one: (one.lead_id.id, one.partner_id.id)
            )
        ]

    def everybody(self):
        """Contacts of all kinds in the group: duplicates of earlier ones, refused,
        excluded, abroad, without a number, a company; and leads of theirs.

        :return: values of a campaign to all of them
        """
        partners = self.members(700, 12).sudo()
        partners[7].phone = partners[1].phone
        partners[8].phone = partners[2].phone
        (partners[7] | partners[8]).club_member_ids.sudo().unlink()
        partners[2].no_sms = True
        partners[4].club_member_ids.sudo().unlink()
        partners[4].phone = False
        partners[5].club_member_ids.sudo().unlink()
        partners[5].phone = "+447911123456"
        excluded = self.env["customer.segment"].create(
            {"name": "Not them", "kind": "static", "company_id": self.company.id}
        )
        excluded.sudo().write({"included_partner_ids": [(4, partners[9].id)]})
        # The same number as somebody who is excluded, and as an employee of a company.
        partners[10].club_member_ids.sudo().unlink()
        partners[10].phone = partners[9].phone
        company = (
            self.env["res.partner"]
            .sudo()
            .create(
                {
                    "name": "Bakery",
                    "is_company": True,
                    "company_id": self.company.id,
                    "country_id": self.env.ref("base.ir").id,
                    "child_ids": [
                        (0, 0, {"name": "Baker", "phone": partners[11].phone}),
                        (0, 0, {"name": "Other", "phone": "09129999999"}),
                    ],
                }
            )
        )
        self.group.sudo().write({"included_partner_ids": [(4, company.id)]})
        leads = (
            self.env["crm.lead"]
            .sudo()
            .create(
                [
                    {
                        "name": f"Lead {number}",
                        "phone": phone,
                        "country_id": self.env.ref("base.ir").id,
                        "company_id": self.company.id,
                    }
                    for number, phone in enumerate(
                        [partners[0].phone, "09121230001", "09121230001", "09121230002"]
                    )
                ]
            )
        )
        of_leads = (
            self.env["customer.segment"]
            .sudo()
            .create(
                {
                    "name": "Leads",
                    "kind": "static",
                    "model": "crm.lead",
                    "included_lead_ids": leads.ids,
                    "company_id": self.company.id,
                }
            )
        )
        return {
            "audience_segment_ids": (self.group | of_leads).ids,
            "audience_exclude_segment_ids": excluded.ids,
        }

    def test_slices_come_to_the_same(self):
        """However it is cut: the same people, numbers and reasons, as was shown."""
        values = self.everybody()
        shown = self.campaign(**values).preflight(patience=60)
        whole, at_once = self.taken(self.launched(**values))
        self.assertEqual(whole, 2, "contacts, leads")
        for size in (1, 3, 5):
            with self.subTest(size=size), self.sliced(size):
                mailing = self.launched(**values)
                slices, snapshot = self.taken(mailing)
                self.assertGreaterEqual(slices, 17 // size)
                self.assertEqual(snapshot, at_once)
                self.assertEqual(mailing.waiting_count, shown["reachable"])
        reasons = [row[-1] for row in at_once]
        self.assertEqual(
            {one["reason"]: one["count"] for one in shown["held"]},
            {reason: reasons.count(reason) for reason in set(reasons) if reason},
        )
        self.assertLessEqual(
            {"duplicate", "no_sms", "no_mobile", "foreign", "excluded"}, set(reasons)
        )

    def test_all_ways_of_choosing(self):
        """By tag, condition, hand, earlier message: nobody is lost or doubled."""
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        partners = self.members(720, 5)
        tag = self.env["res.partner.category"].sudo().create({"name": "Sliced"})
        partners.sudo().category_id = tag
        colleague = self.marketer.partner_id
        earlier = self.work_off(self.launched())
        ways = [
            {"audience_segment_ids": [], "audience_tag_ids": tag.ids},
            {
                "audience_mode": "condition",
                "audience_segment_ids": [],
                "audience_condition": f"[('category_id', 'in', {tag.ids})]",
            },
            {
                "audience_mode": "chosen",
                "audience_partner_ids": (partners | colleague).ids,
            },
            {
                "audience_mode": "previous",
                "previous_mailing_id": earlier.id,
                "previous_answer": "silent",
            },
        ]
        for values in ways:
            with self.subTest(**values), self.sliced(2):
                slices, snapshot = self.taken(self.launched(**values))
                self.assertGreaterEqual(slices, 3)
                waiting = [row[0] for row in snapshot if row[4] == "waiting"]
                self.assertEqual(waiting, list(partners.sorted("id")))
                unfit = [row[0] for row in snapshot if row[5] == "unfit"]
                self.assertEqual(
                    unfit, list(colleague) * (values.get("audience_mode") == "chosen")
                )

    def test_by_mail(self):
        """An address gets it once, across slices, too."""
        partners = self.members(730, 5).sudo()
        for partner, name in zip(partners, "abcad", strict=True):
            partner.email = f"{name}@example.com"
        with self.sliced(2):
            mailing = self.launched(mailing_type="mail", body_html="<p>Hello</p>")
            slices, snapshot = self.taken(mailing)
        self.assertEqual(slices, 3)
        self.assertEqual(
            [row[5] for row in snapshot], [False, False, False, "duplicate", False]
        )

    def test_stopped_in_the_middle(self):
        """Whoever was taken gets nothing, and nobody else is taken."""
        self.members(740, 5)
        with self.sliced(2):
            mailing = self.launched()
            mailing._work_off_batch()
            self.assertEqual(
                mailing.progress_sentence, "Its recipients are being taken: 2 so far."
            )
            mailing.action_stop()
            self.work_off(mailing)
        self.assertEqual(mailing.recipient_ids.mapped("reason"), ["halted"] * 2)
        self.assertFalse(self.messages(mailing))
        self.assertFalse(mailing._get_remaining_recipients())

    def test_draft_again_in_the_middle(self):
        """By hand or since a segment was stopped: it is chosen anew the next time."""
        self.members(750, 5)
        with self.sliced(2):
            mailing = self.launched()
            mailing._work_off_batch()
            mailing.action_cancel()
            self.assertFalse(mailing.recipient_ids)
            mailing.action_put_in_queue()
            mailing._work_off_batch()
            self.group.sudo()._write({"state": "quarantined"})
            self.group.invalidate_recordset()
            self.work_off(mailing)
            self.assertEqual(mailing.state, "draft")
            self.assertFalse(mailing.recipient_ids)
            self.group.sudo()._write({"state": "fresh"})
            self.group.invalidate_recordset()
            mailing.action_put_in_queue()
            self.work_off(mailing)
        self.assertEqual(len(self.messages(mailing)), 5)
        self.assertEqual(mailing.queued_count, 5)
        self.assertEqual(mailing.waiting_count, 0)

    def test_deleted_with_all_that_was_noted(self):
        """Nothing of it stays."""
        self.members(755, 2)
        mailing = self.work_off(self.launched())
        progress, recipients = mailing.sudo().progress_id, mailing.recipient_ids
        self.assertEqual(progress.queued_count, 2)
        mailing.action_stop()
        mailing.sudo().unlink()
        self.assertFalse(progress.exists() or recipients.exists())

    def test_a_slice_asks_as_much_as_any(self):
        """The last one is not slower than the first ones."""
        self.members(760, 8)
        with self.sliced(2):
            mailing = self.launched()
            mailing._work_off_batch()
            for _slice in range(3):
                with self.assertQueryCount(25):
                    mailing._work_off_batch()
