from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .test_segment_refresh import SegmentCommon


@tagged("post_install", "-at_install")
class TestSegmentMerge(SegmentCommon):
    """Merging contacts or leads keeps what segments know, under stated rules."""

    def merge(self, gone, stays):
        """Merge contacts as the wizard does."""
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((gone | stays).ids, stays)
        self.count_again()

    def count_again(self):
        """Let the worker look again, as it does within seconds."""
        self.env.flush_all()
        while self.env["customer.segment.refresh"]._refresh_touched():
            pass
        self.env.invalidate_all()

    def events(self, segment, partner):
        """Kind and cause of a contact's events in a segment, oldest first."""
        return [
            (event.kind, event.cause)
            for event in self.env["customer.segment.event"].search(
                [("segment_id", "=", segment.id), ("partner_id", "=", partner.id)],
                order="date, id",
            )
        ]

    def by_hand(self, **values):
        """A group of the marketer."""
        return (
            self.env["customer.segment"]
            .with_user(self.marketer)
            .create({"name": "Group", **values})
        )

    def test_membership_of_the_contact_that_goes_is_kept(self):
        """With its pin, its history and two events of cause merge."""
        gone, stays = self.partners[0], self.partners[1]
        group = self.by_hand(included_partner_ids=[Command.link(gone.id)])
        self.merge(gone, stays)
        self.assertEqual(group.partner_ids, stays)
        self.assertEqual(group.included_partner_ids, stays)
        self.assertEqual(group.member_count, 1)
        self.assertEqual(
            self.events(group, stays),
            [("enter", "hand"), ("leave", "merge"), ("enter", "merge")],
        )
        self.assertEqual(group.refresh(), 0)

    def test_always_out_wins(self):
        """Pinned in and out by the merge: out."""
        gone, stays = self.partners[0], self.partners[1]
        segment = self.segment(
            [("id", "in", self.partners.ids)],
            included_partner_ids=[Command.link(gone.id)],
            excluded_partner_ids=[Command.link(stays.id)],
        )
        self.assertNotIn(stays, segment.partner_ids)
        self.merge(gone, stays)
        self.assertNotIn(stays, segment.partner_ids)
        self.assertIn(stays, segment.excluded_partner_ids)
        self.assertEqual(segment.member_count, len(segment.partner_ids))
        self.assertEqual(self.events(segment, stays)[-1], ("leave", "merge"))

    def test_condition_judges_the_merged_contact(self):
        """Not what the contact that goes once was."""
        gone, stays = self.partners[0], self.partners[1]
        segment = self.segment(
            [("id", "in", self.partners.ids), ("city", "=", "Tehran")]
        )
        self.assertIn(gone, segment.partner_ids)
        self.merge(gone, stays)
        self.assertEqual(stays.city, "Tabriz")
        self.assertNotIn(stays, segment.partner_ids)
        self.assertEqual(segment.member_count, 7)
        self.assertEqual(segment.refresh(), 0)

    def test_both_inside_are_one_without_a_gap(self):
        """In as long as any of them was in; nobody leaves by a merge."""
        gone, stays = self.partners[0], self.partners[1]
        group = self.by_hand(included_partner_ids=[Command.set((gone | stays).ids)])
        Event = self.env["customer.segment.event"]
        now = fields.Datetime.now()
        for partner, days in ((gone, 30), (stays, 20)):
            Event.search([("partner_id", "=", partner.id)]).date = now - timedelta(days)
        group.included_partner_ids = [Command.unlink(gone.id)]
        Event.search([("partner_id", "=", gone.id), ("kind", "=", "leave")]).date = (
            now - timedelta(10)
        )
        self.merge(gone, stays)
        self.assertEqual(group.partner_ids, stays)
        self.assertEqual(self.events(group, stays), [("enter", "hand")])
        for days, members in ((25, stays.ids), (5, stays.ids), (40, [])):
            with self.subTest(days):
                self.assertEqual(group.members_at(now - timedelta(days)), members)

    def test_an_exclusive_set_keeps_one_class(self):
        """Two classes meet in one contact: the first match stays."""
        classes = self.env["customer.segment.set"].create(
            {"name": "Value", "exclusive": True, "company_id": self.company.id}
        )
        first, second = (
            self.segment(
                [("id", "in", self.partners.ids), ("city", "=", city)],
                name=city,
                set_id=classes.id,
                sequence=sequence,
            )
            for sequence, city in enumerate(("Tehran", "Tabriz"))
        )
        gone, stays = self.partners[0], self.partners[1]
        self.merge(gone, stays)
        self.assertNotIn(stays, first.partner_ids)
        self.assertIn(stays, second.partner_ids)

    def test_actions_wait_for_the_one_that_stays_and_merging_is_no_entry(self):
        """Once, not twice; the merge itself sets nothing off."""
        gone, stays = self.partners[0], self.partners[1]
        offer = self.env.ref("customer_segmentation.segment_action_call_contact_offer")
        group = self.by_hand()
        self.env["customer.segment.action"].create(
            {"segment_id": group.id, "offer_id": offer.id}
        )
        group.included_partner_ids = [Command.set((gone | stays).ids)]
        other = self.by_hand(included_partner_ids=[Command.link(gone.id)])
        self.env["customer.segment.action"].create(
            {"segment_id": other.id, "offer_id": offer.id}
        )
        self.merge(gone, stays)
        jobs = self.env["customer.segment.action.job"].search([])
        self.assertEqual(jobs.partner_id, stays)
        self.assertEqual(len(jobs), 1)
        self.assertIn(stays, other.partner_ids)

    def test_another_companys_segments_are_kept_too(self):
        """Whoever merges sees one company only."""
        other = self.build_company("Another")
        gone, stays = self.partners[0], self.partners[1]
        (gone | stays).company_id = False
        group = self.env["customer.segment"].create(
            {
                "name": "Theirs",
                "company_id": other.id,
                "included_partner_ids": [Command.link(gone.id)],
            }
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(
            self.marketer
        )
        (gone | stays).email = "same@example.com"
        wizard.create({})._merge((gone | stays).ids, stays.with_user(self.marketer))
        self.env.invalidate_all()
        self.assertEqual(group.partner_ids, stays)

    def test_leads(self):
        """The same rules for leads and opportunities."""
        gone, stays = self.env["crm.lead"].create(
            [
                {"name": "One", "company_id": self.company.id, "probability": 10},
                {
                    "name": "Two",
                    "company_id": self.company.id,
                    "type": "opportunity",
                    "probability": 80,
                },
            ]
        )
        group = self.by_hand(
            model="crm.lead", included_lead_ids=[Command.link(gone.id)]
        )
        rejected = self.by_hand(
            model="crm.lead",
            kind="dynamic",
            domain="[]",
            excluded_lead_ids=[Command.link(gone.id)],
        )
        rejected.refresh()
        self.assertIn(stays, rejected.lead_ids)
        kept = (gone | stays).merge_opportunity()
        self.count_again()
        self.assertEqual(kept, stays)
        self.assertEqual(group.lead_ids, stays)
        self.assertEqual(group.member_count, 1)
        self.assertNotIn(stays, rejected.lead_ids)
        events = self.env["customer.segment.event"].search(
            [("lead_id", "=", stays.id), ("segment_id", "=", group.id)], order="id"
        )
        self.assertEqual(
            [(event.kind, event.cause) for event in events],
            [("enter", "hand"), ("leave", "merge"), ("enter", "merge")],
        )
