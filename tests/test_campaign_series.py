"""Text after text to whoever stays in a segment."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .test_campaign_audience import MARKETER, CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignSeries(CampaignCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        texts = (
            cls.env["sms.template"]
            .sudo()
            .create(
                [
                    {
                        "name": name,
                        "model_id": cls.env["ir.model"]._get_id("res.partner"),
                        "body": name,
                        "message_class": "advertising",
                    }
                    for name in ("First", "Second")
                ]
            )
        )
        cls.series = cls.env["mailing.series"].create(
            {
                "name": "Come back",
                "segment_id": cls.group.id,
                "line_id": cls.line.id,
                "every_days": 14,
                "company_id": cls.company.id,
                "step_ids": [(0, 0, {"sms_template_id": text.id}) for text in texts],
            }
        )

    def run_series(self):
        """What the job does, and the queue after it.

        :return: numbers by text
        :rtype: dict
        """
        known = self.series.mailing_ids
        self.series.sudo()._send_due()
        self.assertFalse(self.series.error)
        sent = {}
        for mailing in self.series.mailing_ids - known:
            self.work_off(mailing)
            mailing.sudo().state = "done"
            for message in self.messages(mailing):
                sent.setdefault(message.body.split("\n")[0], []).append(message.number)
        return {text: sorted(numbers) for text, numbers in sent.items()}

    def days_pass(self, days):
        self.env.cr.execute(
            "UPDATE mailing_series_progress"
            " SET last_at = last_at - make_interval(days => %s)",
            [days],
        )

    def test_next_text_every_so_many_days(self):
        """The first at once, the second after 14 days, then no more."""
        first, second = self.members(400, 2)
        numbers = ["+989120000400", "+989120000401"]
        self.assertEqual(self.run_series(), {"First": numbers})
        self.assertEqual(self.run_series(), {})
        self.days_pass(13)
        self.assertEqual(self.run_series(), {})
        self.days_pass(1)
        self.assertEqual(self.run_series(), {"Second": numbers})
        self.days_pass(14)
        self.assertEqual(self.run_series(), {})
        self.assertTrue(first | second)

    def test_leaving_ends_it_and_coming_back_goes_on(self):
        """Out of the segment nobody gets the next text."""
        first, second = self.members(410, 2)
        self.run_series()
        self.group.sudo().write({"included_partner_ids": [(3, first.id)]})
        self.days_pass(20)
        self.assertEqual(self.run_series(), {"Second": ["+989120000411"]})
        self.group.sudo().write({"included_partner_ids": [(4, first.id)]})
        self.assertEqual(self.run_series(), {"Second": ["+989120000410"]})
        self.assertTrue(second)

    def test_who_may_not_be_reached_stays_due(self):
        """A refusal taken back: the text that was due comes."""
        [guest] = self.members(420, 1)
        guest.sudo().no_sms = True
        self.assertEqual(self.run_series(), {})
        self.assertFalse(self.series.mailing_ids, "an empty message")
        guest.sudo().no_sms = False
        self.assertEqual(self.run_series(), {"First": ["+989120000420"]})

    def test_series_that_cannot_send_says_why(self):
        """The reason stands on the series; nothing is half done."""
        self.members(430, 1)
        self.line.sudo().active = False
        self.series.sudo()._send_due()
        self.assertIn("archived", self.series.error)
        self.assertFalse(self.series.mailing_ids)

    def test_only_the_responsible_changes_it(self):
        """Or a colleague would send with somebody's rights."""
        colleague = new_test_user(
            self.env(su=True),
            login="series_colleague",
            groups=MARKETER,
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        mine = self.series.with_user(colleague)
        for attempt in (
            lambda: mine.write({"every_days": 1}),
            lambda: mine.write({"user_id": colleague.id}),
            lambda: mine.step_ids[0].write({"sequence": 99}),
            mine.step_ids[0].copy,
            mine.step_ids.unlink,
            mine.unlink,
        ):
            with self.assertRaisesRegex(AccessError, "responsible"):
                attempt()
        since = fields.Datetime.now() - timedelta(days=1)
        self.assertGreater(self.series.create_date, since)

    def test_series_reaches_no_hidden_segment(self):
        """Its recipients would tell who is in it."""
        self.members(440, 1)
        director = self.env.ref("base.user_admin")
        self.group.sudo().write({"confidential": True, "user_id": director.id})
        self.series.sudo()._send_due()
        self.assertIn("may not see", self.series.sudo().error)
        self.assertFalse(self.series.sudo().mailing_ids)
        with self.assertRaises(AccessError):
            self.series.copy()
