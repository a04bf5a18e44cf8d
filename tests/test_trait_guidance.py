from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CLUB
from .test_profile_attributes import AttributesCommon


@tagged("post_install", "-at_install")
class TestTraitGuidance(AttributesCommon):
    """Cards from traits and segments, for those who may read them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.haggler = cls.env["customer.trait"].create(
            {
                "name": "Test haggler",
                "neutral_label": "Price-aware",
                "urgency": "1",
                "guidance_do": "Open with room.",
                "guidance_avoid": "Discounts on everything.",
                "limits_discount": True,
                "discount_ceiling_pct": 12.5,
                "price_headroom_pct": 5,
            }
        )
        cls.warm = cls.env["customer.trait"].create(
            {"name": "Test warm", "neutral_label": "Chatty", "urgency": "3"}
        )
        cls.contact = cls.build_contact(
            phone="+98 912 000 0103",
            trait_ids=[Command.set((cls.warm | cls.haggler).ids)],
        )
        cls.group = cls.env["customer.segment"].create(
            {
                "name": "Key customers",
                "company_id": cls.company.id,
                "guidance": "Offer first.",
                "included_partner_ids": [Command.link(cls.contact.id)],
            }
        )
        cls.salesman = cls.build_colleague(
            "salesman-guided",
            "sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
        )
        cls.cashier = cls.build_colleague(
            "cashier-guided", f"{CLUB}_cashier,base.group_partner_manager"
        )

    def titles(self, cards):
        """The cards from top to bottom."""
        return [card["title"] for card in cards]

    def card_as(self, user, record=None):
        """What a user sees on a form."""
        record = (record or self.contact).with_user(user)
        record.invalidate_recordset()
        return record.guidance_card

    def test_most_urgent_stands_first(self):
        """Traits before segments of the same urgency."""
        self.assertEqual(
            self.titles(self.card_as(self.salesman)),
            ["Test haggler", "Key customers", "Test warm"],
        )
        self.group.guidance_urgency = "1"
        self.haggler.urgency = "2"
        self.assertEqual(
            self.titles(self.card_as(self.salesman)),
            ["Key customers", "Test haggler", "Test warm"],
        )

    def test_a_card_says_what_to_do(self):
        """Plain text, line by line; empty lines are left out."""
        first, second, third = self.card_as(self.salesman)
        self.assertEqual(
            first["lines"],
            [
                {"label": "Do", "text": "Open with room."},
                {"label": "Avoid", "text": "Discounts on everything."},
                {
                    "label": "Price",
                    "text": "at most 12.50 % discount · "
                    "accepts up to 5 % above the list price",
                },
            ],
        )
        self.assertEqual(second["lines"], [{"label": "", "text": "Offer first."}])
        self.assertEqual(third["lines"], [])

    def test_shared_screens_show_neutral_labels(self):
        """To a cashier: no name, no guidance, no segment, by no way."""
        cards = self.card_as(self.cashier)
        self.assertEqual(self.titles(cards), ["Price-aware", "Chatty"])
        self.assertFalse(any(card["lines"] for card in cards))
        trait = self.haggler.with_user(self.cashier)
        trait.invalidate_recordset()
        self.assertEqual(trait.display_name, "Price-aware")
        self.assertEqual(
            trait.search([("display_name", "=", "Price-aware")]), self.haggler
        )
        self.assertFalse(trait.name_search("Test haggler"))
        for name in "name", "guidance_do", "recognise", "discount_ceiling_pct":
            with self.subTest(name=name):
                with self.assertRaises(AccessError):
                    trait.read([name])
                with self.assertRaises(AccessError):
                    trait.search([(name, "!=", False)])
        with self.assertRaises(AccessError):
            trait.neutral_label = "Mine"

    def test_a_confidential_segment_gives_nothing_away(self):
        """Nor does one of another company, or an archived one."""
        self.group.confidential = True
        self.assertNotIn("Key customers", self.titles(self.card_as(self.salesman)))
        self.group.write({"confidential": False, "active": False})
        self.assertNotIn("Key customers", self.titles(self.card_as(self.salesman)))

    def test_no_profiling_has_no_card(self):
        """Neither from traits nor from segments."""
        self.contact.no_profiling = True
        self.assertFalse(self.card_as(self.salesman))

    def test_leads_and_quotations_have_the_card(self):
        """Of their own traits and of their contact."""
        curious = self.env["customer.trait"].create(
            {"name": "Test curious", "neutral_label": "C", "urgency": "2"}
        )
        lead = self.env["crm.lead"].create(
            {
                "name": "A lead",
                "company_id": self.company.id,
                "trait_ids": [Command.link(curious.id)],
            }
        )
        self.assertEqual(
            self.titles(self.card_as(self.salesman, lead)), ["Test curious"]
        )
        lead.partner_id = self.contact
        self.assertEqual(
            self.titles(self.card_as(self.salesman, lead)),
            ["Test haggler", "Test curious", "Key customers", "Test warm"],
        )
        order = self.env["sale.order"].create(
            {"partner_id": self.contact.id, "company_id": self.company.id}
        )
        self.assertEqual(
            self.titles(self.card_as(self.salesman, order))[:2],
            ["Test haggler", "Test curious"],
        )
        order.with_user(self.salesman).trait_ids -= curious
        self.assertNotIn(curious, self.contact.trait_ids)

    def test_who_is_calling_shows_the_card(self):
        """For whoever may look up numbers."""
        user = self.build_user("club_user")
        answer = self.env["club.dashboard"].with_user(user).find_caller("09120000103")
        self.assertEqual(
            self.titles(answer["callers"][0]["guidance"])[0], "Test haggler"
        )

    def test_a_new_record_has_an_empty_card(self):
        """Before anything is chosen."""
        for model in "res.partner", "crm.lead", "sale.order":
            self.assertFalse(self.env[model].new({}).guidance_card)

    def test_many_at_once(self):
        """From lists of contacts, leads and quotations; no profiling is left out."""
        silent = self.build_contact(no_profiling=True)
        plain = self.build_contact()
        contacts = plain | silent
        self.assign("res.partner", contacts)
        self.assertEqual(plain.trait_ids, self.haggler)
        self.assertFalse(silent.trait_ids)
        self.assign("res.partner", contacts, mode="remove")
        self.assertFalse(plain.trait_ids)
        orders = self.env["sale.order"].create(
            [
                {"partner_id": contact.id, "company_id": self.company.id}
                for contact in contacts
            ]
        )
        self.assign("sale.order", orders)
        self.assertEqual(plain.trait_ids, self.haggler)
        lead = self.env["crm.lead"].create(
            {"name": "A lead", "company_id": self.company.id}
        )
        self.assign("crm.lead", lead)
        self.assertEqual(lead.trait_ids, self.haggler)
        with self.assertRaises(UserError):
            self.assign("res.users", self.env.user)
        reader = self.build_colleague("reader", "base.group_user")
        with self.assertRaises(AccessError):
            self.assign("res.partner", plain, user=reader)

    def assign(self, model, records, mode="add", user=None):
        """Set the haggler's trait as the wizard does."""
        wizard = (
            self.env["customer.trait.assign"]
            .with_user(user or self.salesman)
            .with_context(active_model=model, active_ids=records.ids)
            .create({"mode": mode, "trait_ids": [Command.link(self.haggler.id)]})
        )
        wizard.action_apply()
        self.env.invalidate_all()

    def test_shipped_traits(self):
        """Content in both languages is checked by the translation's own test."""
        for name, family in (
            ("cold", "temperament"),
            ("warm", "temperament"),
            ("fault_finder", "personality"),
            ("hesitant", "personality"),
            ("haggler", "attitude"),
            ("sporty", "lifestyle"),
            ("opinion_leader", "social_status"),
        ):
            with self.subTest(name=name):
                trait = self.env.ref(f"customer_segmentation.customer_trait_{name}")
                self.assertEqual(trait.family, family)
                self.assertTrue(trait.guidance_do and trait.neutral_label)
                self.assertNotEqual(trait.name, trait.neutral_label)
