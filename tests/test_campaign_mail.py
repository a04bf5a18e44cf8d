"""Group messages by e-mail."""

from odoo.tests import tagged

from odoo.addons.mail.tests.common import MockEmail

from .test_campaign_audience import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignMail(CampaignCommon, MockEmail):
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
        with self.mock_mail_gateway(mail_unlink_sent=False):
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
