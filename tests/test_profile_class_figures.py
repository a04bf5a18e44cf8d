from datetime import timedelta

from freezegun import freeze_time

from odoo import Command
from odoo.tests import tagged

from .profile_world import NOW, ProfileWorld


@tagged("post_install", "-at_install")
class TestProfileClassFigures(ProfileWorld):
    """The figures that classes ask for equal an independent computation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        categories = cls.env["product.category"].create(
            [{"name": "Sofas"}, {"name": "Tables"}]
        )
        cls.products = cls.env["product.product"].create(
            [
                {"name": category.name, "categ_id": category.id, "taxes_id": False}
                for category in categories
            ]
        )

    def sell(self, partner, days, amounts, discount=0):
        """An order with a line per product."""
        moment = NOW - timedelta(days=days)
        order = self.order(partner, self.company, moment, 0, state="draft")
        order.order_line = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "product_id": product.id,
                        "price_unit": amount,
                        "discount": discount,
                        "tax_ids": False,
                    }
                )
                for product, amount in zip(self.products, amounts, strict=True)
            ),
        ]
        order.write({"state": "sale", "date_order": moment})
        return order

    @freeze_time(NOW)
    def test_main_category_and_recent_purchases(self):
        partner = self.partners[-1]
        for days, amounts in ((400, (500, 0)), (100, (10, 300)), (5, (90, 500))):
            self.sell(partner, days, amounts)
        self.refresh()
        profile = self.profile(partner)
        self.assertEqual(profile.main_category_id, self.products[1].categ_id)
        self.assertAlmostEqual(profile.main_category_share, 800 / 1400, 4)
        self.assertEqual(profile.purchase_count, 3)
        self.assertEqual(profile.recent_purchase_count, 2)

    @freeze_time(NOW)
    def test_tenths_count_how_many_have_less(self):
        """1 + how many whole tenths of the customers are below; equal ones alike."""
        discounts = [0, 0, 0, 5, 5, 10, 20, 20, 30, 40]
        buyers = self.partners.filtered(lambda partner: not partner.parent_id)
        buyers = buyers[: len(discounts)]
        for partner, discount in zip(buyers, discounts, strict=True):
            self.sell(partner, 10, (100, 0), discount)
        self.refresh()
        for partner, discount in zip(buyers, discounts, strict=True):
            below = sum(other < discount for other in discounts)
            tenth = 1 + 10 * below // len(discounts)
            self.assertEqual(self.profile(partner).discount_tenth, tenth)

    @freeze_time(NOW)
    def test_quotations_and_chances(self):
        partner = self.partners[-1]
        self.sell(partner, 50, (10, 0))
        old = self.order(
            partner, self.company, NOW - timedelta(days=60), 10, state="sent"
        )
        self.refresh()
        profile = self.profile(partner)
        self.assertFalse(profile.quotation_is_newer)
        self.assertEqual(profile.sent_quotation_count, 1)
        new = self.order(
            partner, self.company, NOW - timedelta(days=4), 10, state="draft"
        )
        new.is_assured = True
        old.validity_date = NOW - timedelta(days=30)
        lead = self.env["crm.lead"].create(
            {
                "name": "Chance",
                "partner_id": partner.id,
                "company_id": self.company.id,
                "probability": 35,
            }
        )
        self.refresh()
        self.assertTrue(profile.quotation_is_newer)
        self.assertEqual(profile.assured_quotation_count, 1)
        self.assertEqual(profile.sent_quotation_count, 0)
        self.assertEqual(profile.open_quotation_count, 1)
        self.assertEqual(profile.lead_probability, 35)
        lead.is_assured = True
        self.refresh(partner.ids)
        self.assertEqual(profile.lead_probability, 100)

    @freeze_time(NOW)
    def test_lateness(self):
        """By the figure's own dates; only comparisons with a number are answered."""
        partner = self.partners[-1]
        for days in (60, 40, 30):
            self.sell(partner, days, (10, 0))
        self.refresh()
        profile = self.profile(partner)
        self.assertEqual(profile.purchase_gap_days, 15)
        self.assertAlmostEqual(profile.purchase_lateness, 2, 2)
