from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .test_profile_attributes import AttributesCommon


@tagged("post_install", "-at_install")
class TestTraitDiscount(AttributesCommon):
    """Ceiling, floor and suggested price on a quotation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"guidance_min_margin_pct": 10, "guidance_above_list": True})
        cls.haggler, cls.price_led = cls.env["customer.trait"].create(
            [
                {
                    "name": "Test haggler",
                    "neutral_label": "Price-aware",
                    "limits_discount": True,
                    "discount_ceiling_pct": 10,
                },
                {
                    "name": "Test price-led",
                    "neutral_label": "Compares",
                    "limits_discount": True,
                    "discount_ceiling_pct": 15,
                },
            ]
        )
        cls.contact = cls.build_contact(trait_ids=[Command.link(cls.haggler.id)])
        cls.product = cls.env["product.product"].create(
            {"name": "Chair", "list_price": 100, "taxes_id": False}
        )
        cls.product.with_company(cls.company).standard_price = 70
        cls.salesman = cls.build_colleague(
            "salesman-discount", "sales_team.group_sale_salesman_all_leads"
        )
        cls.manager = cls.build_colleague(
            "manager-discount", "sales_team.group_sale_manager"
        )

    def build_order(self, product=None, **line):
        """A quotation of one line."""
        product = product or self.product
        return self.env["sale.order"].create(
            {
                "partner_id": self.contact.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": 1, **line}
                    )
                ],
            }
        )

    def test_suggested_price_keeps_the_margin_after_the_ceiling(self):
        """opening = max(list, floor ÷ (1 − ceiling)); floor = cost × (1 + margin)."""
        cases = (
            # cost, above list allowed, floor, opening
            (70, True, 77.0, 100.0),
            (90, True, 99.0, 110.0),
            (90, False, 99.0, 100.0),
            (95, True, 104.5, 116.11),
            (0, True, 0.0, 100.0),
        )
        for cost, above_list, floor, opening in cases:
            with self.subTest(cost=cost, above_list=above_list):
                self.product.with_company(self.company).standard_price = cost
                self.company.guidance_above_list = above_list
                line = self.build_order().order_line
                self.assertAlmostEqual(line.price_floor, floor, 2)
                self.assertAlmostEqual(line.opening_price, opening, 2)

    def test_the_lowest_ceiling_holds(self):
        """Of several traits; none without a ceiling."""
        self.product.with_company(self.company).standard_price = 90
        self.contact.trait_ids |= self.price_led
        self.assertAlmostEqual(self.build_order().order_line.opening_price, 110)
        self.contact.trait_ids = self.price_led
        self.assertAlmostEqual(self.build_order().order_line.opening_price, 116.47, 2)
        self.contact.trait_ids = False
        order = self.build_order(discount=50)
        self.assertEqual(order.order_line.opening_price, 0)
        self.assertFalse(order.discount_ceiling_text)

    def test_floor_in_the_units_taxes_and_currency_of_the_line(self):
        """A dozen, with taxes where the price includes them, in the order's money."""
        tax = self.env["account.tax"].create(
            {
                "name": "Included",
                "amount": 10,
                "price_include_override": "tax_included",
                "company_id": self.company.id,
                "country_id": self.company.account_fiscal_country_id.id,
                "tax_group_id": self.env["account.tax.group"]
                .create(
                    {
                        "name": "Group",
                        "company_id": self.company.id,
                        "country_id": self.company.account_fiscal_country_id.id,
                    }
                )
                .id,
            }
        )
        dozen = self.env.ref("uom.product_uom_dozen")
        self.product.with_company(self.company).standard_price = 90
        line = self.build_order(
            product_uom_id=dozen.id, tax_ids=[Command.set(tax.ids)]
        ).order_line
        self.assertAlmostEqual(line.price_floor, 90 * 1.1 * 12 * 1.1, 2)
        self.assertAlmostEqual(line.opening_price, 90 * 1.1 * 12 * 1.1 / 0.9, 2)

    def test_a_discount_beyond_the_ceiling_warns_at_once(self):
        """While typing: in the column, or hidden in the price; not at the ceiling."""
        for values, warns in (
            ({"discount": 10}, False),
            ({"discount": 10.5}, True),
            ({"price_unit": 90}, False),
            ({"price_unit": 89}, True),
            ({"price_unit": 95, "discount": 6}, True),
            ({"price_unit": 116, "discount": 9}, False),
        ):
            with self.subTest(values=values):
                order = self.build_order(**values)
                self.assertEqual(bool(order.discount_ceiling_text), warns)
        with Form(self.build_order()) as form:
            self.assertFalse(form.discount_ceiling_text)
            with form.order_line.edit(0) as line:
                line.price_unit = 80
            self.assertIn("20 %", form.discount_ceiling_text)
            with form.order_line.edit(0) as line:
                line.price_unit = 100

    def test_an_amount_off_the_whole_counts(self):
        """A negative line is a discount, too."""
        order = self.build_order()
        off = self.env["product.product"].create({"name": "Off", "type": "service"})
        order.order_line = [
            Command.create(
                {"product_id": off.id, "price_unit": -9, "tax_ids": [Command.clear()]}
            )
        ]
        self.assertFalse(order.discount_ceiling_text)
        order.order_line[-1].price_unit = -11
        self.assertIn("11 %", order.discount_ceiling_text)

    def test_a_manager_may_go_on_and_it_is_logged(self):
        """Others are told whom to ask, and nothing is confirmed."""
        order = self.build_order(discount=20)
        with self.assertRaisesRegex(UserError, "A sales manager may confirm"):
            order.with_user(self.salesman).action_confirm()
        self.assertEqual(order.state, "draft")
        order.with_user(self.manager).action_confirm()
        self.assertEqual(order.state, "sale")
        note = order.message_ids.filtered(lambda message: "20 %" in message.body)
        self.assertEqual(len(note), 1)
        self.assertIn(self.manager.name, note.body)

    def test_within_the_ceiling_anybody_confirms(self):
        """Without a note."""
        order = self.build_order(discount=10)
        order.with_user(self.salesman).action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertFalse(
            order.message_ids.filtered(lambda message: "discount" in message.body)
        )

    def test_a_customer_who_accepts_online_is_not_stopped(self):
        """The quotation was sent; the note tells it."""
        order = self.build_order(discount=20)
        public = self.env.ref("base.public_user")
        order.with_user(public).sudo().action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertTrue(
            order.message_ids.filtered(lambda message: "20 %" in message.body)
        )

    def test_the_card_says_where_to_open(self):
        """Over the whole quotation, with the floor where every cost is known."""
        self.product.with_company(self.company).standard_price = 90
        order = self.build_order(product_uom_qty=2)
        line = order.with_user(self.salesman).guidance_card[0]["lines"][0]
        self.assertEqual(line["label"], "Open at")
        self.assertIn("220", line["text"])
        self.assertIn("198", line["text"])
        self.product.with_company(self.company).standard_price = 0
        order = self.build_order(product_uom_qty=2)
        line = order.with_user(self.salesman).guidance_card[0]["lines"][0]
        self.assertNotIn("floor", line["text"])

    def test_no_profiling_has_no_ceiling(self):
        """Its traits are gone."""
        self.contact.no_profiling = True
        self.assertFalse(self.build_order(discount=50).discount_ceiling_text)
