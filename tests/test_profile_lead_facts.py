from odoo.fields import Command
from odoo.tests import tagged

from .test_profile_attributes import AttributesCommon


@tagged("post_install", "-at_install")
class TestProfileLeadFacts(AttributesCommon):
    """What a lead says is on its contact once it is one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env["product.product"].create({"name": "Flour"})
        cls.facts = {
            "budget": 5000,
            "expected_product_id": cls.product.id,
            "expected_delivery_date": "2030-01-15",
            "employee_count": 60,
            "capital": 9000,
        }

    def build_lead(self, name="A lead", **values):
        """A lead of the company."""
        return self.env["crm.lead"].create(
            {"name": name, "type": "lead", "company_id": self.company.id, **values}
        )

    def convert(self, lead, action, partner=None):
        """Convert as the wizard does."""
        wizard = (
            self.env["crm.lead2opportunity.partner"]
            .with_context(
                active_model="crm.lead", active_id=lead.id, active_ids=lead.ids
            )
            .create(
                {
                    "name": "convert",
                    "action": action,
                    "partner_id": partner and partner.id,
                }
            )
        )
        wizard.action_apply()
        self.env.flush_all()

    def assertFacts(self, partner):
        """The contact says what the lead said."""
        self.assertEqual(partner.budget, 5000)
        self.assertEqual(partner.expected_product_id, self.product)
        self.assertEqual(str(partner.expected_delivery_date), "2030-01-15")
        self.assertEqual(partner.employee_count, 60)
        self.assertEqual(partner.capital, 9000)

    def test_a_new_customer_gets_the_facts(self):
        """Employees and capital on its company."""
        lead = self.build_lead(
            partner_name="Bakery Ltd.", contact_name="A Baker", **self.facts
        )
        self.convert(lead, "create")
        self.assertEqual(lead.partner_id.name, "A Baker")
        self.assertFacts(lead.partner_id)
        company = lead.partner_id.parent_id
        self.assertEqual(company.own_employee_count, 60)
        self.assertEqual(company.own_currency_id, self.company.currency_id)

    def test_an_existing_customer_keeps_what_it_is(self):
        """Wishes are newer on the lead; employees and capital only fill a gap."""
        partner = self.build_contact(employee_count=10, budget=1)
        lead = self.build_lead(**self.facts)
        self.convert(lead, "exist", partner)
        self.assertEqual(lead.partner_id, partner)
        self.assertEqual((partner.budget, partner.employee_count), (5000, 10))
        self.assertEqual(partner.capital, 9000)

    def test_amounts_are_converted(self):
        """Into the currency in which the contact's amounts are kept."""
        dollar, euro = self.env.ref("base.USD"), self.env.ref("base.EUR")
        (dollar | euro).active = True
        other = euro if self.company.currency_id == dollar else dollar
        self.env["res.currency.rate"].create(
            {
                "currency_id": other.id,
                "company_id": self.company.id,
                "rate": 0.5,
                "name": "2020-01-01",
            }
        )
        partner = self.build_contact(own_currency_id=other.id)
        lead = self.build_lead(budget=5000, partner_id=partner.id)
        self.convert(lead, "exist", partner)
        self.assertEqual(partner.budget, 2500)

    def test_merged_leads_join_their_facts(self):
        """The first that says something; the contact learns it; events move along."""
        partner = self.build_contact()
        trait = self.env["customer.trait"].create(
            {"name": "Curious", "neutral_label": "C"}
        )
        first = self.build_lead("First", partner_id=partner.id, budget=5000)
        second = self.build_lead(
            "Second",
            partner_id=partner.id,
            employee_count=60,
            trait_ids=[Command.link(trait.id)],
        )
        event = self.env["customer.event"].create(
            {"lead_id": second.id, "kind": "call", "company_id": self.company.id}
        )
        merged = (first | second).merge_opportunity()
        self.assertEqual((merged.budget, merged.employee_count), (5000, 60))
        self.assertEqual(event.lead_id, merged)
        self.assertEqual((partner.budget, partner.employee_count), (5000, 60))
        self.assertEqual(merged.trait_ids, trait)

    def test_traits_of_a_lead_follow_to_its_contact(self):
        """Noted before or after the contact is there, taken back too; no profiling."""
        traits = self.env["customer.trait"].create(
            [
                {"name": "Curious", "neutral_label": "C"},
                {"name": "Loud", "neutral_label": "L"},
            ]
        )
        lead = self.build_lead(trait_ids=[Command.link(traits[0].id)])
        partner = self.build_contact()
        lead.partner_id = partner
        self.assertEqual(partner.trait_ids, traits[0])
        lead.trait_ids |= traits[1]
        self.assertEqual(partner.trait_ids, traits)
        lead.trait_ids -= traits[0]
        self.assertEqual(partner.trait_ids, traits[1])
        silent = self.build_contact(no_profiling=True)
        lead.partner_id = silent
        self.assertFalse(silent.trait_ids)
