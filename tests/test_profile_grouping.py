import json
from datetime import date

from odoo.fields import Domain
from odoo.tests import TransactionCase, new_test_user

from ..models.profile.customer_profile_rank import RANKED

INTERVALS = ("day", "week", "month", "quarter", "year")


class TestProfileGrouping(TransactionCase):
    """Customers and contacts grouped by each figure: every group opens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env["res.company"].create({"name": "Café Naderi"})
        user = new_test_user(
            cls.env,
            "grouping",
            "customer_segmentation.customer_segmentation_group_marketer",
            company_id=company.id,
            company_ids=company.ids,
        )
        tag = cls.env["res.partner.category"].create({"name": "Grouping test"})
        _unknown, none, empty, some, more = cls.env["res.partner"].create(
            [
                {"name": f"Person {at}", "category_id": tag.ids, "city": city}
                for at, city in enumerate((False, False, False, "Rey", "Rey"))
            ]
        )
        cls.create_profiles(company, none + empty + some + more)
        cls.set_figures(empty, {"integer": 0, "float": 0, "monetary": 0}, RANKED)
        cls.set_figures(
            some,
            {
                "integer": 3,
                "float": 0.3333,
                "monetary": 12.34,
                "date": date(2026, 3, 21),
                "boolean": True,
                "char": "543",
            },
        )
        cls.set_figures(more, {"integer": 7, "float": 0.7, "date": date(2026, 3, 22)})
        cls.env = cls.env(user=user)
        cls.contacts = Domain("category_id", "=", tag.id)
        cls.customers = Domain("partner_id.category_id", "=", tag.id)

    @classmethod
    def create_profiles(cls, company, partners):
        """Rows of which nothing is known, as the refresh writes them."""
        cls.env.flush_all()
        cls.env.cr.execute(
            "INSERT INTO customer_profile (partner_id, company_id) "
            "SELECT unnest(%s), %s",
            [partners.ids, company.id],
        )

    @classmethod
    def set_figures(cls, partner, values, left=()):
        """Give a contact's figures a value each, by their kind, but for those left."""
        profile = cls.env["customer.profile"].search([("partner_id", "=", partner.id)])
        profile.write(
            {
                name: values[field.type]
                for name, field in profile._fields.items()
                if field.store and field.type in values and name not in ("id", *left)
            }
        )
        profile.flush_recordset()

    def assert_groups_open(self, model, domain, names):
        """Group by each of these fields; open each group; add them up."""
        everybody = model.search_count(domain)
        for name, described in model.fields_get(names, ["type", "groupable"]).items():
            if not described["groupable"]:
                continue
            dated = described["type"] in ("date", "datetime")
            for group_by in [f"{name}:{by}" for by in INTERVALS] if dated else [name]:
                with self.subTest(group_by):
                    groups = model.formatted_read_group(domain, [group_by], ["__count"])
                    opened = {
                        str(group[group_by]): model.search_count(
                            domain & Domain(sent(group["__extra_domain"]))
                        )
                        for group in groups
                    }
                    counted = {
                        str(group[group_by]): group["__count"] for group in groups
                    }
                    self.assertEqual(opened, counted)
                    self.assertEqual(
                        sum(group["__count"] for group in groups), everybody
                    )

    def test_every_group_of_customers_opens(self):
        profiles = self.env["customer.profile"]
        self.assert_groups_open(profiles, self.customers, list(profiles._fields))

    def test_customers_of_whom_nothing_is_known_are_with_those_who_have_none(self):
        profiles = self.env["customer.profile"]
        for figure, counts in (
            ("purchase_count", {0: 2, 3: 1, 7: 1}),
            ("rfm_recency", {False: 2, 3: 1, 7: 1}),
        ):
            groups = profiles._read_group(self.customers, [figure], ["__count"])
            self.assertEqual(dict(groups), counts)

    def test_what_only_the_refresh_compares_is_no_figure(self):
        self.assertNotIn("score_key", self.env["customer.profile"].fields_get())

    def test_every_group_of_contacts_opens(self):
        partners = self.env["res.partner"]
        names = [
            name
            for name, field in partners._fields.items()
            if (field.related or "").startswith("customer_profile_id.")
        ]
        self.assertGreater(len(names), 40)
        self.assert_groups_open(partners, self.contacts, names)


def sent(domain):
    """A domain as the browser sends it back."""
    return json.loads(json.dumps(domain))
