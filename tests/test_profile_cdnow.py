"""Figures of 2,357 real customers, equal to a computation in plain Python."""

import importlib.util
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from unittest import SkipTest

from odoo.tests import TransactionCase

from .profile_world import estimates, gap_days, half_up, ranks

SCRIPT = Path(__file__).resolve().parent.parent / "dev" / "cdnow.py"
CUSTOMERS = 2_357


def cdnow():
    """The dev script that carries the sample."""
    spec = importlib.util.spec_from_file_location("cdnow", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestProfileCdnow(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.script = cdnow()
        try:
            cls.rows = cls.script.purchases()
        except cls.script.NotFetchedError as error:
            raise SkipTest(str(error)) from error
        cls.company = cls.env["res.company"].create({"name": "Records"})
        cls.company.club_tz = "UTC"
        cls.env.flush_all()
        cls.script.load(cls.env.cr, cls.company.id, cls.rows)
        cls.profiles = cls.env["customer.profile"]
        cls.partners = {
            int(partner.ref.split()[1]): partner
            for partner in cls.env["res.partner"].search([("ref", "like", "CDNOW ")])
        }

    def expected(self):
        """Figures by customer, from the lines of the file."""
        customers = defaultdict(list)
        for row in self.rows:
            customers[row.customer].append(row)
        return {
            customer: {
                "first_purchase_date": min(row.day for row in rows),
                "last_purchase_date": max(row.day for row in rows),
                "purchase_gap_days": gap_days(row.day for row in rows),
                "purchase_count": len(rows),
                "purchase_total": float(half_up(sum(row.amount for row in rows), 2)),
            }
            for customer, rows in customers.items()
        }

    def test_every_figure_equals_plain_python(self):
        today = self.script.HOLDOUT_END
        self.profiles._refresh(self.company, today=today)
        expected = self.expected()
        self.assertEqual(len(expected), CUSTOMERS)
        self.assertEqual(len(self.partners), CUSTOMERS)
        rows = {
            self.partners[customer].id: (row, customer)
            for customer, row in expected.items()
        }
        cells = ranks(
            {
                partner: (
                    row["last_purchase_date"],
                    row["purchase_count"],
                    row["purchase_total"],
                )
                for partner, (row, _customer) in rows.items()
            }
        )
        values = estimates(
            {
                partner: (
                    row["first_purchase_date"],
                    row["last_purchase_date"],
                    row["purchase_count"],
                    row["purchase_total"],
                )
                for partner, (row, _customer) in rows.items()
            },
            today,
        )
        differences, seen = [], 0
        for profile in self.profiles.search([("company_id", "=", self.company.id)]):
            seen += 1
            row, customer = rows[profile.partner_id.id]
            partner = profile.partner_id.id
            purchases, value, sureness = values[partner]
            due = row["purchase_gap_days"] and row["last_purchase_date"] + timedelta(
                days=row["purchase_gap_days"]
            )
            wanted = {
                **row,
                "next_purchase_due_date": due or False,
                "purchase_average": float(
                    half_up(
                        half_up(row["purchase_total"], 2) / row["purchase_count"], 2
                    )
                ),
                "rfm_cell": "".join(map(str, cells[partner])),
                "rfm_recency": cells[partner][0],
                "rfm_frequency": cells[partner][1],
                "rfm_monetary": cells[partner][2],
                "expected_purchases": purchases,
                "expected_value": float(half_up(value, 2)),
                "expected_value_sureness": sureness,
            }
            found = {name: profile[name] for name in wanted}
            if found != wanted:
                differences.append((customer, found, wanted))
        self.assertEqual(seen, CUSTOMERS)
        self.assertEqual(differences[:3], [])

    def test_second_run_and_some_contacts_change_nothing(self):
        today = self.script.HOLDOUT_END
        self.assertEqual(self.profiles._refresh(self.company, today=today), CUSTOMERS)
        self.assertEqual(self.profiles._refresh(self.company, today=today), 0)
        some = [self.partners[customer].id for customer in (1, 7, 2_000)]
        self.assertEqual(self.profiles._refresh(self.company, some, today), 0)
