"""Results by the text that was sent: the message's own or that of a segment."""

from ast import literal_eval
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_campaign_audience import CampaignCommon


@tagged("post_install", "-at_install")
class TestCampaignVariant(CampaignCommon):
    def setUp(self):
        super().setUp()
        self.hagglers, self.elders = self.env["customer.segment"].create(
            [
                {"name": name, "kind": "static", "company_id": self.company.id}
                for name in ("Hagglers", "Elders")
            ]
        )
        self.members(900, 2)
        self.members(910, 3, into=self.hagglers)
        self.members(920, 1, into=self.elders)
        templates = (
            self.env["sms.template"]
            .sudo()
            .create(
                [
                    {
                        "name": name,
                        "model_id": self.env["ir.model"]._get_id("res.partner"),
                        "body": name,
                        "message_class": "advertising",
                        "company_id": self.company.id,
                    }
                    for name in ("A discount", "In large letters")
                ]
            )
        )
        self.mailing = self.campaign(
            audience_segment_ids=(self.group | self.hagglers | self.elders).ids,
            variant_ids=[
                (0, 0, {"segment_id": segment.id, "sms_template_id": template.id})
                for segment, template in zip(
                    self.hagglers | self.elders, templates, strict=True
                )
            ],
        )
        self.discount, self.letters = self.mailing.variant_ids

    def send(self):
        self.mailing.action_put_in_queue()
        self.work_off(self.mailing)
        first = self.mailing.recipient_ids.filtered(
            lambda one: one.segment_id == self.hagglers
        )[0]
        for trace in self.mailing.sudo().mailing_trace_ids:
            if trace.res_id == first.partner_id.id:
                trace.links_click_datetime = fields.Datetime.now() + timedelta(hours=1)
        self.mailing.refresh_results()

    def grouped(self, *groupby):
        """What lists, pivots and graphs ask, and integrators over RPC."""
        return self.env["mailing.recipient"].formatted_read_group(
            [("mailing_id", "=", self.mailing.id)],
            list(groupby),
            ["__count", "is_clicked:sum"],
        )

    def test_results_are_grouped_by_the_text(self):
        """Named after the saved text; each group opens its own rows."""
        self.send()
        rows = self.grouped("variant_id")
        self.assertEqual(
            [
                (row["variant_id"], row["__count"], row["is_clicked:sum"])
                for row in rows
            ],
            [
                (False, 2, 0),
                ((self.discount.id, "A discount"), 3, 1),
                ((self.letters.id, "In large letters"), 1, 0),
            ],
        )
        recipients = self.env["mailing.recipient"]
        for row in rows:
            with self.subTest(row["variant_id"]):
                found = recipients.search(
                    [("mailing_id", "=", self.mailing.id), *row["__extra_domain"]]
                )
                self.assertEqual(len(found), row["__count"])
                ids = (row["variant_id"] or [False])[:1]
                self.assertEqual(found.mapped("variant_id.id") or [False], list(ids))
                self.assertEqual(found, found.filtered_domain(row["__extra_domain"]))
        self.assertEqual(
            [
                (row["state"], row["segment_id"][1])
                for row in self.grouped("variant_id", "segment_id", "state")
            ],
            [("queued", "Regulars"), ("queued", "Hagglers"), ("queued", "Elders")],
        )
        described = recipients.fields_get(["variant_id"])["variant_id"]
        self.assertTrue(described["groupable"])
        self.assertTrue(described["searchable"])
        self.assertEqual(described["falsy_value_label"], "The message's own text")

    def test_other_searches(self):
        """Not that text, a part of its name, sorted by it."""
        self.send()
        recipients = self.env["mailing.recipient"]
        mine = [("mailing_id", "=", self.mailing.id)]
        for domain, count in (
            ([("variant_id", "!=", self.discount.id)], 3),
            ([("variant_id", "not in", self.mailing.variant_ids.ids)], 2),
            ([("variant_id", "in", [self.letters.id, False])], 3),
            ([("variant_id.sms_template_id.name", "ilike", "discount")], 3),
            ([("variant_id", "!=", False)], 4),
        ):
            with self.subTest(domain):
                self.assertEqual(recipients.search_count(mine + domain), count)
        found = recipients.search(mine, order="variant_id, id")
        self.assertEqual(
            found.mapped("variant_id"), self.mailing.variant_ids.sorted("id")
        )

    def test_results_open_by_text_where_there_are_several(self):
        """One text only is no column."""
        self.send()
        action = self.mailing.action_open_results()
        self.assertEqual(
            action["context"]["pivot_row_groupby"],
            ["variant_id", "segment_id", "state"],
        )
        other = self.campaign()
        other.action_put_in_queue()
        self.work_off(other)
        self.assertEqual(
            other.action_open_results()["context"]["pivot_row_groupby"],
            ["segment_id", "state"],
        )
        everything = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.mailing_recipient_action"
        )
        self.assertEqual(
            literal_eval(everything["context"])["pivot_row_groupby"],
            ["mailing_id", "segment_id", "variant_id"],
        )

    def test_texts_stay_as_they_were_sent(self):
        """Neither the text of a segment nor its segment can be taken away."""
        self.send()
        other = self.env["customer.segment"].create(
            {"name": "Other", "kind": "static", "company_id": self.company.id}
        )
        for change in (
            lambda: self.discount.write({"segment_id": other.id}),
            self.discount.unlink,
            lambda: self.mailing.write({"variant_ids": [(5,)]}),
            lambda: self.discount.copy({"segment_id": other.id}),
        ):
            with self.assertRaises(UserError) as caught:
                change()
            self.assertIn("stays as it was checked", str(caught.exception))
        copy = self.mailing.copy()
        self.assertEqual(len(copy.variant_ids), 2)
        copy.variant_ids[0].unlink()

    def test_name_of_a_text_by_e_mail(self):
        """Its title, else its segment."""
        mailing = self.campaign(
            mailing_type="mail",
            body_html="<p>Hello</p>",
            variant_ids=[
                (0, 0, {"segment_id": self.hagglers.id, "subject": "Ten percent off"}),
                (0, 0, {"segment_id": self.elders.id, "body_html": "<p>Large</p>"}),
            ],
        )
        self.assertEqual(
            mailing.variant_ids.mapped("display_name"), ["Ten percent off", "Elders"]
        )
