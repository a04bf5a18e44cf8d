"""Group messages by e-mail."""

import contextlib
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.customer_segmentation.models.campaign import (
    mailing_audience_chosen,
    mailing_mail,
)
from odoo.addons.mail.tests.common import MockEmail

from .test_campaign_audience import CampaignCommon


class MailCommon(CampaignCommon, MockEmail):
    def mailed(self, count, first=520, into=None, **values):
        """A campaign by e-mail to so many."""
        partners = self.members(first, count, into=into)
        for partner in partners:
            partner.sudo().email = f"{partner.name.replace(' ', '')}@example.com"
        return partners, self.campaign(
            **{
                "mailing_type": "mail",
                "body_html": "<p>Hello</p>",
                "reply_to_mode": "update",
                **values,
            }
        )

    def let_core_work(self, mailing):
        with (
            self.mock_mail_gateway(mail_unlink_sent=False),
            patch.object(type(self.env["ir.cron"]), "_commit_progress"),
        ):
            mailing._action_send_mail()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestCampaignMail(MailCommon):
    def test_each_address_once(self):
        """E-mails go through core's composer to the snapshot, each address once."""
        first, second, third, fourth, fifth = self.members(500, 5)
        first.sudo().email = "guest@example.com"
        second.sudo().email = "Guest@example.com"
        fourth.sudo().email = "refused@example.com"
        self.env["mail.blacklist"].sudo()._add("refused@example.com")
        fifth.sudo().email = "GUEST.five@example.com"
        left_out = self.env["customer.segment"].create(
            {"name": "Left out", "kind": "static", "company_id": self.company.id}
        )
        # The same address under another name.
        left_out.included_partner_ids = self.env["res.partner"].create(
            {"name": "Again", "email": "guest.five@example.com"}
        )
        mailing = self.campaign(
            audience_exclude_segment_ids=left_out.ids,
            mailing_type="mail",
            body_html="<p>Hello</p>",
            email_from="cafe@example.com",
            reply_to_mode="update",
        )
        self.assertEqual(
            [(row["reason"], row["count"]) for row in mailing.preflight()["held"]],
            [("no_email", 1), ("duplicate", 1), ("excluded", 1), ("blacklisted", 1)],
        )
        mailing.action_put_in_queue()
        self.assertTrue(mailing._get_remaining_recipients())
        with (
            self.mock_mail_gateway(mail_unlink_sent=False),
            patch.object(type(self.env["ir.cron"]), "_commit_progress"),
        ):
            mailing._action_send_mail()
        self.env.invalidate_all()
        self.assertFalse(mailing._get_remaining_recipients())
        self.assertEqual(
            self.reasons(mailing),
            {
                first: None,
                second: "duplicate",
                third: "no_email",
                fourth: "blacklisted",
                fifth: "excluded",
            },
        )
        self.assertEqual(mailing.mailing_trace_ids.mapped("res_id"), first.ids)
        self.assertEqual(mailing.state, "done")

    def test_batch_in_the_transaction_of_the_snapshot(self):
        """The first batch follows at once: what the snapshot noted is kept."""
        self.members(505, 1)[0].sudo().email = "first@example.com"
        mailing = self.campaign(
            mailing_type="mail", body_html="<p>Hi</p>", email_from="cafe@example.com"
        )
        mailing.action_put_in_queue()
        mailing._prepare()
        self.env.invalidate_all()
        mailing.sudo().progress_id.handled_id = -1
        self.assertTrue(mailing._next_mail_batch())
        self.env.flush_all()
        self.assertLess(mailing.sudo().progress_id.handled_id, mailing.recipient_ids.id)

    def test_crash_in_the_middle_of_a_batch(self):
        """Whoever has a trace was written to; nobody is written to twice."""
        partners = self.members(510, 3)
        for number, partner in enumerate(partners):
            partner.sudo().email = f"crash{number}@example.com"
        mailing = self.campaign(
            mailing_type="mail", body_html="<p>Hello</p>", reply_to_mode="update"
        )
        mailing.action_put_in_queue()
        mailing._prepare()
        # Core had committed the first one when the server died.
        self.env["mailing.trace"].sudo().create(
            {
                "mass_mailing_id": mailing.id,
                "model": "res.partner",
                "res_id": partners[0].id,
                "trace_type": "mail",
                "trace_status": "sent",
                "email": "crash0@example.com",
            }
        )
        with self.mock_mail_gateway(mail_unlink_sent=False):
            mailing._action_send_mail()
        self.assertEqual(
            sorted(mailing.mailing_trace_ids.mapped("res_id")), sorted(partners.ids)
        )
        self.assertEqual(set(mailing.recipient_ids.mapped("state")), {"queued"})

    def test_nobody_before_all_were_taken(self):
        """A slice that ends in the middle of the snapshot sends nothing."""
        _partners, mailing = self.mailed(5, first=590)
        mailing.action_put_in_queue()
        with (
            patch.object(mailing_audience_chosen, "SLICE", 2),
            patch.object(mailing_mail, "SLICE_SECONDS", -1),
        ):
            for taken in (2, 4):
                self.let_core_work(mailing)
                self.assertEqual(len(mailing.recipient_ids), taken)
                self.assertFalse(mailing.mailing_trace_ids)
                self.assertEqual(mailing.state, "in_queue")
            self.let_core_work(mailing)
        self.assertEqual(len(mailing.mailing_trace_ids), 5)
        self.assertEqual(mailing.state, "done")

    def test_empty_text(self):
        """It is not sent, and the preflight says so."""
        _partners, mailing = self.mailed(1, body_html="<p><br></p>")
        self.assertEqual(mailing.preflight()["problem"], "Write the text first.")
        with self.assertRaisesRegex(UserError, "Write the text first"):
            mailing.action_put_in_queue()

    def test_preflight_shows_some(self):
        """As their readers get them, what is typed and not saved included; no code."""
        partners, mailing = self.mailed(2, first=525)
        answer = mailing.preflight(
            {
                "subject": "For {{ object.name }}",
                "body_html": '<p>Dear <t t-out="object.name"/>,</p><p>come!</p>',
            }
        )
        self.assertCountEqual(
            [
                (one["name"], one["number"], one["subject"], one["text"].split())
                for one in answer["previews"]
            ],
            [
                (
                    partner.name,
                    partner.sudo().email_normalized,
                    f"For {partner.name}",
                    f"Dear {partner.name}, come!".split(),
                )
                for partner in partners
            ],
        )
        code = mailing.preflight({"body_html": '<t t-out="object.env.user.login"/>'})
        self.assertNotIn("previews", code)
        self.assertTrue(code["problem"])

    def test_leads_through_their_contacts(self):
        """One e-mail to an address, and a lead without a contact is told of."""
        partners, mailing = self.mailed(2, first=515)
        leads = (
            self.env["crm.lead"]
            .sudo()
            .create(
                [
                    {
                        "name": f"Lead {number}",
                        "partner_id": partner.id,
                        "email_from": f"lead{number}@example.com",
                        "company_id": self.company.id,
                    }
                    for number, partner in enumerate(
                        (*partners, self.env["res.partner"])
                    )
                ]
            )
        )
        seller = new_test_user(
            self.env(su=True),
            login="mail-seller",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "base.group_partner_manager,sales_team.group_sale_salesman_all_leads",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        mailing = mailing.with_user(seller)
        mailing.write(
            {
                "audience_mode": "chosen",
                "audience_partner_ids": partners[:1].ids,
                "audience_lead_ids": leads.ids,
            }
        )
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        self.assertEqual(
            {
                one.lead_id.id or one.partner_id.id: one.reason
                for one in mailing.recipient_ids
            },
            {
                partners[0].id: False,
                leads[0].id: "duplicate",
                leads[1].id: False,
                leads[2].id: "no_contact",
            },
        )
        self.assertCountEqual(mailing.mailing_trace_ids.mapped("res_id"), partners.ids)

    def test_at_most_an_hour(self):
        """The rest waits for its hour, and each is written to once."""
        partners, mailing = self.mailed(5, rate_per_hour=2)
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        self.assertEqual(len(mailing.mailing_trace_ids), 2)
        self.assertEqual(mailing.state, "sending")
        self.assertIn("2 of 5 are handed over", mailing.progress_sentence)
        self.let_core_work(mailing)
        self.assertEqual(len(mailing.mailing_trace_ids), 2, "not before the hour")
        for _hour in range(2):
            mailing.recipient_ids.sudo().write(
                {"queued_at": fields.Datetime.now() - timedelta(hours=2)}
            )
            self.let_core_work(mailing)
        self.assertEqual(mailing.state, "done")
        self.assertCountEqual(mailing.mailing_trace_ids.mapped("res_id"), partners.ids)

    def test_a_batch_looks_at_itself(self):
        """Core would read the addresses of the whole campaign for each batch."""
        partners, mailing = self.mailed(3, first=570)
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        one = mailing.with_context(active_ids=partners[:1].ids)
        self.assertEqual(one._get_seen_list(), {partners[0].email_normalized})

    def test_text_of_a_segment(self):
        """Whoever is in it gets its title and text, as they were at the launch."""
        other = self.env["customer.segment"].create(
            {"name": "VIP", "kind": "static", "company_id": self.company.id}
        )
        special, _unused = self.mailed(1, first=530, into=other)
        partners, mailing = self.mailed(
            1,
            first=531,
            audience_segment_ids=(other | self.group).ids,
            variant_ids=[
                Command.create(
                    {
                        "segment_id": other.id,
                        "subject": "For you alone",
                        "body_html": "<p>A table is kept</p>",
                    }
                )
            ],
        )
        mailing.action_put_in_queue()
        mailing.sudo().variant_ids.body_html = "<p>Changed later</p>"
        with self.assertRaisesRegex(UserError, "stays as it was checked"):
            mailing.body_html = "<p>Changed later</p>"
        self.let_core_work(mailing)
        mails = {mail.res_id: mail for mail in self._new_mails}
        self.assertEqual(mails[special.id].subject, "For you alone")
        self.assertIn("A table is kept", mails[special.id].body_html)
        self.assertEqual(mails[partners.id].subject, "New menu")
        self.assertIn("Hello", mails[partners.id].body_html)
        self.assertEqual(mailing.state, "done")

    def test_only_a_title_of_its_own(self):
        """The e-mail is that of the others; neither is refused."""
        values = {"segment_id": self.group.id}
        with self.assertRaisesRegex(ValidationError, "Give “Regulars” a text"):
            self.mailed(0, variant_ids=[Command.create(values)])
        (partner,), mailing = self.mailed(
            1, first=540, variant_ids=[Command.create({**values, "subject": "Psst"})]
        )
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        mail = self._new_mails.filtered(lambda mail: mail.res_id == partner.id)
        self.assertEqual(mail.subject, "Psst")
        self.assertIn("Hello", mail.body_html)

    def test_no_code_in_a_segments_text(self):
        """A marketer is no template editor."""
        for body in (
            "<p>Hi <t t-out=\"user.env['res.users'].search([])\"/></p>",
            '<p>Hi <t t-out="object.company_id.sudo()"/></p>',
        ):
            with self.assertRaises(AccessError):
                self.mailed(
                    0,
                    variant_ids=[
                        Command.create({"segment_id": self.group.id, "body_html": body})
                    ],
                )

    def test_dies_after_a_batch(self):
        """Core calls it done after each batch; whoever waits is still found."""
        partners, mailing = self.mailed(3, first=550)
        mailing.action_put_in_queue()
        with (
            patch.object(mailing_mail, "BATCH", 2),
            patch.object(type(mailing), "_note_mailed", side_effect=InterruptedError),
            contextlib.suppress(InterruptedError),
        ):
            self.let_core_work(mailing)
        self.env.invalidate_all()
        self.assertEqual(len(mailing.mailing_trace_ids), 1)
        self.assertEqual(mailing.state, "sending")
        self.let_core_work(mailing)
        self.assertEqual(mailing.state, "done")
        self.assertCountEqual(mailing.mailing_trace_ids.mapped("res_id"), partners.ids)
