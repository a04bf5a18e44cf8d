"""A group message uses nothing of another company, also when it is named by its id."""

from functools import partial

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .test_campaign_audience import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignCompany(CampaignCommon):
    """Whoever works for both companies mixes them as little as anybody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].sudo().create({"name": "Other Cafe"})
        cls.marketer.sudo().company_ids += cls.other
        both = (cls.company | cls.other).ids
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": both})
        cls.shared, cls.foreign = (
            cls.env["sms.template"]
            .sudo()
            .create(
                [
                    {
                        "name": name,
                        "model_id": cls.env["ir.model"]._get_id("res.partner"),
                        "body": name,
                        "company_id": company,
                    }
                    for name, company in (
                        ("For all", False),
                        ("Trade secret", cls.other.id),
                    )
                ]
            )
        )
        cls.foreign_group = (
            cls.env["customer.segment"]
            .sudo()
            .create({"name": "Their guests", "company_id": cls.other.id})
        )

    def refused(self, write):
        """In words, which do not name what is another company's."""
        with self.assertRaises(ValidationError) as caught, self.env.cr.savepoint():
            write()
        self.assertIn("Cafe Campaign", str(caught.exception))
        self.assertNotIn("secret", str(caught.exception))
        self.assertNotIn("guests", str(caught.exception))

    def test_campaign(self):
        """Its text, segments, line and earlier campaign."""
        mailing = self.campaign(sms_template_id=self.shared.id)
        theirs = mailing.sudo().copy(
            {
                "company_id": self.other.id,
                "line_id": False,
                "audience_segment_ids": False,
            }
        )
        for name, value in (
            ("sms_template_id", self.foreign.id),
            ("audience_segment_ids", self.foreign_group.ids),
            ("audience_exclude_segment_ids", self.foreign_group.ids),
            ("previous_mailing_id", theirs.id),
        ):
            with self.subTest(name):
                self.refused(partial(mailing.write, {name: value}))
                self.refused(partial(self.campaign, **{name: value}))

    def test_variant(self):
        """Its text and its segment."""
        mailing = self.campaign()
        for values in (
            {"segment_id": self.group.id, "sms_template_id": self.foreign.id},
            {"segment_id": self.foreign_group.id, "sms_template_id": self.shared.id},
        ):
            with self.subTest(values):
                vals = {"mailing_id": mailing.id, **values}
                variants = self.env["mailing.variant"].sudo()
                self.refused(partial(variants.create, vals))

    def test_series(self):
        """The text of a step."""
        series = self.env["mailing.series"].create(
            {
                "name": "Come back",
                "segment_id": self.group.id,
                "line_id": self.line.id,
                "company_id": self.company.id,
                "step_ids": [(0, 0, {"sms_template_id": self.shared.id})],
            }
        )
        step = series.step_ids
        vals = {"sms_template_id": self.foreign.id}
        self.refused(partial(step.write, vals))
        self.refused(partial(step.create, {"series_id": series.id, **vals}))

    def test_text_that_is_given_away(self):
        """What was chosen while it was for all is asked for again at the launch."""
        self.members(700, 1)
        mailing = self.campaign(sms_template_id=self.shared.id)
        self.shared.company_id = self.other
        with self.assertRaises(UserError):
            mailing.action_put_in_queue()
        self.assertEqual(mailing.state, "draft")
