from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user

from .profile_world import (
    NOW,
    TODAY,
    ProfileWorld,
    by_entity,
    estimates,
    local_day,
    ranks,
)


@freeze_time(NOW)
class TestProfileRefresh(ProfileWorld):
    """All figures of a random world against plain Python."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.documents = {company: [] for company in cls.companies}
        for company in cls.companies:
            for _number in range(30):
                cls.random_order(company)
            for _number in range(10):
                cls.random_invoice(company)
        cls.env.flush_all()

    @classmethod
    def random_order(cls, company):
        partner = cls.random.choice(cls.partners[:-2])
        moment, amount = cls.moment(), cls.random.randrange(10, 400)
        foreign = cls.random.random() < 0.4
        order = cls.order(
            partner,
            company,
            moment,
            amount,
            pricelist_id=foreign and cls.pricelist.id,
            state=cls.random.choice(("sale", "sale", "sale", "cancel")),
        )
        if order.state != "sale":
            return
        rate = (0.25 if moment.year == 2026 else 0.5) if foreign else 1
        cls.documents[company].append(
            (partner.commercial_partner_id, local_day(moment), 1, amount / rate)
        )

    @classmethod
    def random_invoice(cls, company):
        partner = cls.random.choice(cls.partners[:-2])
        day, amount = local_day(cls.moment()), cls.random.randrange(10, 400)
        refund = cls.random.random() < 0.3
        foreign = cls.random.random() < 0.4
        cls.invoice(
            partner,
            company,
            day,
            amount,
            kind="out_refund" if refund else "out_invoice",
            currency_id=(cls.foreign if foreign else company.currency_id).id,
        )
        rate = (0.25 if day.year == 2026 else 0.5) if foreign else 1
        cls.documents[company].append(
            (
                partner.commercial_partner_id,
                day,
                0 if refund else 1,
                amount / rate * (-1 if refund else 1),
            )
        )

    def test_purchases_rfm_and_expectation_equal_plain_python(self):
        self.refresh()
        for company in self.companies:
            expected = by_entity(self.documents[company])
            cells = ranks(
                {
                    p: (row["last"], row["count"], row["total"])
                    for p, row in expected.items()
                }
            )
            values = estimates(
                {
                    p: (row["first"], row["last"], row["count"], row["total"])
                    for p, row in expected.items()
                },
                TODAY,
            )
            self.assertGreater(len(expected), 8)
            for partner, row in expected.items():
                profile = self.profile(partner, company)
                with self.subTest(partner=partner.name, company=company.name):
                    due = row["gap"] and row["last"] + timedelta(days=row["gap"])
                    self.assertEqual(
                        (
                            profile.first_purchase_date,
                            profile.last_purchase_date,
                            profile.purchase_gap_days,
                            profile.next_purchase_due_date or 0,
                            profile.purchase_count,
                            profile.purchase_total,
                        ),
                        (
                            row["first"],
                            row["last"],
                            row["gap"],
                            due,
                            row["count"],
                            row["total"],
                        ),
                    )
                    self.assertAlmostEqual(
                        profile.purchase_average, row["total"] / row["count"], 2
                    )
                    self.assertEqual(
                        profile.rfm_cell, "".join(map(str, cells[partner]))
                    )
                    purchases, value, sureness = values[partner]
                    self.assertAlmostEqual(profile.expected_purchases, purchases, 2)
                    self.assertAlmostEqual(profile.expected_value, value, 2)
                    self.assertEqual(profile.expected_value_sureness, sureness)
        bought = self.env["customer.profile"].search(
            [("company_id", "in", self.companies.ids), ("purchase_count", ">", 0)]
        )
        self.assertFalse(bought.partner_id.filtered("parent_id"))

    def test_second_run_writes_nothing(self):
        self.assertGreater(self.refresh(), 0)
        before = self.rows()
        self.assertEqual(self.refresh(), 0)
        self.assertEqual(self.rows(), before)
        self.assertEqual(self.refresh(self.partners.ids), 0)
        self.assertEqual(self.rows(), before)

    def rows(self):
        """Where each row stands: an update would move it."""
        self.env.cr.execute("SELECT id, ctid::text, xmin::text FROM customer_profile")
        return sorted(self.env.cr.fetchall())

    def test_some_contacts_end_where_all_end(self):
        self.refresh()
        person = self.partners.filtered("parent_id")[0]
        for amount in (5000, 7000):
            self.order(person, self.company, NOW - timedelta(days=3), amount)
        self.assertGreater(self.refresh(person.ids), 0)
        some = self.figures()
        self.refresh()
        everyone = self.figures()
        # What all have in common is from the last run of all.
        for row in (*some.values(), *everyone.values()):
            for name in [name for name in row if name.startswith("expected_")]:
                row.pop(name)
        self.assertEqual(some, everyone)
        self.assertEqual(
            self.profile(person.commercial_partner_id).last_purchase_date,
            TODAY - timedelta(days=3),
        )

    def figures(self):
        names = [
            name
            for name, field in self.env["customer.profile"]._fields.items()
            if field.store and name != "changed_at"
        ]
        profiles = self.env["customer.profile"].search(
            [("company_id", "in", self.companies.ids)]
        )
        return {row["id"]: row for row in profiles.read(names)}

    def test_as_many_queries_for_many_as_for_few(self):
        self.refresh()
        with self.assertQueryCount(17):
            self.env["customer.profile"].refresh()
        with self.assertQueryCount(15):
            self.env["customer.profile"].refresh(self.partners.ids)

    def test_figures_of_gone_documents_go(self):
        partner = self.partners[-1]
        order = self.order(partner, self.company, NOW - timedelta(days=9), 50)
        self.refresh()
        self.assertEqual(self.profile(partner).purchase_total, 50)
        order.write({"state": "cancel"})
        self.refresh(partner.ids)
        profile = self.profile(partner)
        self.assertEqual((profile.purchase_count, profile.purchase_total), (0, 0))
        self.assertFalse(profile.last_purchase_date)
        self.assertFalse(profile.rfm_cell)

    def test_invoices_of_orders_do_not_count_twice(self):
        partner = self.partners[-1]
        order = self.order(partner, self.company, NOW - timedelta(days=9), 50)
        order.order_line.qty_delivered = 1
        invoice = order.with_company(self.company)._create_invoices()
        invoice.invoice_date = TODAY - timedelta(days=8)
        invoice.action_post()
        self.refresh(partner.ids)
        profile = self.profile(partner)
        self.assertEqual((profile.purchase_count, profile.purchase_total), (1, 50))
        self.assertEqual(profile.unpaid_total, 50)

    def test_no_profiling_leaves_what_documents_show(self):
        self.refresh()
        partner = max(
            by_entity(self.documents[self.company]).items(),
            key=lambda item: item[1]["count"],
        )[0]
        before = self.profile(partner)
        kept = (before.purchase_count, before.purchase_total, before.last_purchase_date)
        self.assertTrue(before.rfm_cell)
        partner.no_profiling = True
        self.refresh()
        after = self.profile(partner)
        self.assertEqual(
            (after.purchase_count, after.purchase_total, after.last_purchase_date), kept
        )
        for name in (
            "rfm_cell",
            "rfm_recency",
            "next_purchase_due_date",
            "expected_value",
            "expected_value_sureness",
            "profit",
            "engagement",
            "last_contact_date",
        ):
            self.assertFalse(after[name], name)

    def test_who_may_refresh(self):
        salesman = new_test_user(
            self.env,
            login="profile-salesman",
            groups="sales_team.group_sale_salesman",
            company_id=self.company.id,
            company_ids=[(6, 0, self.companies.ids)],
        )
        employee = new_test_user(
            self.env,
            login="profile-stranger",
            groups="base.group_user",
            company_id=self.company.id,
        )
        profiles = self.env["customer.profile"].with_company(self.company)
        mine = profiles.with_user(salesman).with_context(
            allowed_company_ids=self.company.ids
        )
        self.assertGreater(mine.refresh(self.partners.ids), 0)
        self.assertFalse(self.profile(self.partners[0], self.other_company))
        with self.assertRaises(AccessError):
            mine.refresh()
        with self.assertRaises(AccessError):
            profiles.with_user(employee).refresh(self.partners.ids)
        for wrong in ("7", [None], [True], {"id": 7}):
            with self.assertRaises(ValidationError):
                mine.refresh(wrong)
        self.assertEqual(mine.refresh([10**8]), 0)
