"""Group messages by e-mail."""

from odoo.tests import tagged

from odoo.addons.mail.tests.common import MockEmail

from .test_campaign_audience import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignMail(CampaignCommon, MockEmail):
    def test_each_address_once(self):
        """E-mails go through core's composer to the snapshot, each address once."""
        first, second, third = self.members(500, 3)
        first.sudo().email = "guest@example.com"
        second.sudo().email = "Guest@example.com"
        mailing = self.campaign(
            mailing_type="mail",
            body_html="<p>Hello</p>",
            email_from="cafe@example.com",
            reply_to_mode="update",
        )
        self.assertEqual(
            [(row["reason"], row["count"]) for row in mailing.preflight()["held"]],
            [("no_email", 1), ("duplicate", 1)],
        )
        mailing.action_put_in_queue()
        self.assertTrue(mailing._get_remaining_recipients())
        with self.mock_mail_gateway(mail_unlink_sent=False):
            mailing._action_send_mail()
        self.env.invalidate_all()
        self.assertFalse(mailing._get_remaining_recipients())
        self.assertEqual(
            self.reasons(mailing), {first: None, second: "duplicate", third: "no_email"}
        )
        self.assertEqual(mailing.mailing_trace_ids.mapped("res_id"), first.ids)
        self.assertEqual(mailing.state, "done")
