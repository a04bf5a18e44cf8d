from datetime import date

from odoo.exceptions import AccessError
from odoo.fields import Field
from odoo.tests import TransactionCase, new_test_user
from odoo.tools import mute_logger


class TestProfileContact(TransactionCase):
    """Figures read through the contact: searched, sorted, grouped, summed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Café Naderi"})
        cls.other_company = cls.env["res.company"].create({"name": "Furniture"})
        cls.env.user.company_ids += cls.company + cls.other_company
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        tag = cls.env["res.partner.category"].create({"name": "Profile test"})
        cls.few, cls.many, cls.none = cls.env["res.partner"].create(
            [{"name": name, "category_id": tag.ids} for name in ("Few", "Many", "None")]
        )
        cls.mine = [("category_id", "=", tag.id)]
        cls.env["customer.profile"].create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    **figures,
                }
                for partner, company, figures in (
                    (
                        cls.few,
                        cls.company,
                        {
                            "purchase_count": 2,
                            "purchase_total": 10.0,
                            "purchase_margin": 4.0,
                            "rfm_cell": "111",
                            "last_purchase_date": date(2026, 1, 5),
                        },
                    ),
                    (
                        cls.many,
                        cls.company,
                        {
                            "purchase_count": 9,
                            "purchase_total": 90.0,
                            "rfm_cell": "555",
                            "last_purchase_date": date(2026, 3, 5),
                        },
                    ),
                    (cls.many, cls.other_company, {"purchase_count": 1}),
                )
            ]
        )

    def search(self, *domain, order=None, company=None):
        partners = self.env["res.partner"]
        if company:
            partners = partners.with_company(company)
        return partners.search([*self.mine, *domain], order=order)

    def test_figures_are_of_the_current_company(self):
        self.assertEqual(self.many.purchase_count, 9)
        there = self.many.with_context(
            allowed_company_ids=[self.other_company.id, self.company.id]
        )
        self.assertEqual(there.purchase_count, 1)
        self.assertEqual(self.none.purchase_count, 0)

    def test_search_agrees_with_what_is_shown(self):
        for domain, expected in (
            (("purchase_count", ">", 5), self.many),
            (("purchase_count", "<", 5), self.few + self.none),
            (("purchase_count", ">", 0), self.few + self.many),
            (("purchase_count", ">=", 0), self.few + self.many + self.none),
            (("purchase_count", "=", 0), self.none),
            (("purchase_count", "in", [0, 2]), self.few + self.none),
            (("purchase_count", "not in", [0, 2]), self.many),
            (("purchase_count", "!=", 0), self.few + self.many),
            (("rfm_cell", "=", "555"), self.many),
            (("rfm_cell", "=", False), self.none),
            (("rfm_cell", "!=", "555"), self.few + self.none),
            (("last_purchase_date", ">=", "2026-02-01"), self.many),
            (("customer_profile_id", "=", False), self.none),
            (("customer_profile_id", "!=", False), self.few + self.many),
            (("customer_profile_id.purchase_count", "=", 2), self.few),
        ):
            with self.subTest(domain):
                self.assertEqual(self.search(domain), expected.sorted("complete_name"))
        self.assertEqual(
            self.search(("purchase_count", "=", 1), company=self.other_company),
            self.many,
        )

    def test_sorted_without_figures_last(self):
        order = self.few + self.many + self.none
        self.assertEqual(self.search(order="purchase_count"), order)
        self.assertEqual(
            self.search(order="purchase_count desc, id"),
            self.many + self.few + self.none,
        )

    def test_grouped_and_summed(self):
        groups = self.env["res.partner"]._read_group(
            self.mine, ["rfm_cell"], ["purchase_total:sum", "__count"]
        )
        self.assertEqual(
            sorted(groups, key=str),
            sorted([("111", 10.0, 1), ("555", 90.0, 1), (False, 0.0, 1)], key=str),
        )
        months = self.env["res.partner"]._read_group(
            self.mine, ["last_purchase_date:month"], ["__count"]
        )
        self.assertEqual(
            [month for month, _count in months if month],
            [date(2026, 1, 1), date(2026, 3, 1)],
        )
        self.assertEqual(
            self.env["res.partner"].fields_get(["purchase_count"])["purchase_count"][
                "aggregator"
            ],
            "sum",
        )

    def test_fields_say_of_themselves_what_core_would_find_out(self):
        """Whether they sort, group and sum."""
        partners = self.env["res.partner"]
        for name, field in partners._fields.items():
            if "customer_segmentation" not in field._modules:
                continue
            for question in ("sortable", "groupable", "aggregator"):
                with self.subTest(name, question=question):
                    method = f"_description_{question}"
                    core = getattr(Field, method)(field, self.env)
                    self.assertEqual(getattr(field, method)(self.env), core)

    def test_descriptions_are_kept_for_a_language_and_what_one_may_do(self):
        """A changed answer changes nobody else's."""
        attributes = ["string", "type", "readonly"]
        names = ["name", "occupation", "religion"]
        self.env["res.lang"]._activate_lang("fa_IR")
        partners = self.env["res.partner"]
        mine = partners.fields_get(names, attributes)
        mine["occupation"]["string"] = "Changed"
        self.assertEqual(
            partners.fields_get(names, attributes)["occupation"],
            {"string": "Occupation", "type": "char", "readonly": False},
        )
        persian = partners.with_context(lang="fa_IR").fields_get(names, attributes)
        self.assertNotEqual(persian["occupation"]["string"], "Occupation")
        employee = new_test_user(self.env, login="described", groups="base.group_user")
        theirs = partners.with_user(employee).fields_get(names, attributes)
        self.assertEqual(theirs.keys(), {"name", "occupation"})

    def test_contacts_are_read_without_what_only_their_pages_show(self):
        """And the pages' columns all at once."""
        self.env.invalidate_all()
        self.assertEqual(self.few.name, "Few")
        cached = self.few._fields["occupation"]._get_cache(self.env)
        self.assertNotIn(self.few.id, cached)
        with self.assertQueryCount(1):
            values = [self.few[name] for name in ("occupation", "county", "budget")]
        self.assertFalse(any(values))

    @mute_logger("odoo.orm.models", "odoo.models", "odoo.addons.base.models.ir_rule")
    def test_portal_and_plain_employees_cannot_find_out(self):
        portal = new_test_user(
            self.env,
            login="profile-portal",
            groups="base.group_portal",
            company_id=self.company.id,
        )
        employee = new_test_user(
            self.env,
            login="profile-employee",
            groups="base.group_user,base.group_partner_manager",
            company_id=self.company.id,
        )
        for user, name in ((portal, "purchase_count"), (employee, "purchase_margin")):
            partners = self.env["res.partner"].with_user(user)
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    partners.search([(name, ">", 0)])
                with self.assertRaises(AccessError):
                    partners.search([("id", "=", self.few.id)], order=name)
                with self.assertRaises(AccessError):
                    partners.env["res.users"].search([(f"partner_id.{name}", ">", 0)])
                with self.assertRaises(AccessError):
                    partners._read_group([], [], [f"{name}:sum"])
                with self.assertRaises(AccessError):
                    self.few.with_user(user).sudo(False).read([name])
        self.assertEqual(self.few.with_user(employee).purchase_count, 2)
