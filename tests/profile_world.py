"""A small random world of customers, and their figures by plain Python."""

import math
import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from statistics import median, variance
from zoneinfo import ZoneInfo

from odoo import Command
from odoo.tests import TransactionCase

NOW = datetime(2026, 6, 15, 22, 30)  # in Tehran it is the 16th already
TODAY = date(2026, 6, 16)
TZ = ZoneInfo("Asia/Tehran")


def local_day(moment):
    """The day in Tehran of a naive UTC moment."""
    return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(TZ).date()


def half_up(value, digits=0):
    """Round as people and SQL numerics do."""
    step = Decimal(1).scaleb(-digits)
    return Decimal(str(value)).quantize(step, ROUND_HALF_UP)


def two_digits(value):
    """Round to two digits that count."""
    if value < 0.005:
        return 0.0
    return float(half_up(value, 1 - math.floor(math.log10(value))))


def gap_days(days):
    """Median of the gaps between different days, or 0 as the ORM reads NULL."""
    ordered = sorted(set(days))
    gaps = [(after - before).days for before, after in pairwise(ordered)]
    return int(half_up(median(gaps))) if gaps else 0


def ranks(customers):
    """R, F and M of ``{partner: (last day, count, total)}``."""
    total = len(customers)

    def fifths(position):
        ordered = sorted(
            customers, key=lambda p: (customers[p][position], getattr(p, "id", p))
        )
        size, more = divmod(total, 5)
        found, start = {}, 0
        for fifth in range(1, 6):
            end = start + size + (fifth <= more)
            found.update(dict.fromkeys(ordered[start:end], fifth))
            start = end
        return found

    recency, monetary = fifths(0), fifths(2)
    frequency = {
        partner: 1 + 5 * sum(other[1] < row[1] for other in customers.values()) // total
        for partner, row in customers.items()
    }
    return {p: (recency[p], frequency[p], monetary[p]) for p in customers}


def estimates(customers, today, horizon=365):
    """Expected purchases and value of ``{partner: (first, last, count, total)}``."""
    ages = {p: (today - row[0]).days for p, row in customers.items()}
    repeats = {p: row[2] - 1 for p, row in customers.items()}
    mean = sum(repeats.values()) / sum(ages.values())
    average = sum(row[3] for row in customers.values()) / sum(
        row[2] for row in customers.values()
    )
    count = len(customers)
    spread = (variance(repeats.values()) - sum(repeats.values()) / count) / (
        sum(ages.values()) / count
    ) ** 2
    shape = min(max(mean**2 / spread, 0.05), 10) if spread > 0 else 10
    rate = shape / mean
    found = {}
    for partner, (first, last, bought, total) in customers.items():
        x, age, seen = repeats[partner], ages[partner], (last - first).days
        alive = 1.0
        if x:
            alive = 1 / (1 + ((rate + age) / (rate + seen)) ** (shape + x) / (x + 1))
        expected = (shape + x) / (rate + age) * alive * horizon
        value = expected * max(total + 2 * average, 0) / (bought + 2)
        doubt = math.inf if expected < 0.005 else 1 / expected + 1 / (shape + x)
        sureness = "high" if doubt <= 0.25 else "medium" if doubt <= 1 else "low"
        found[partner] = (two_digits(expected), two_digits(value), sureness)
    return found


class ProfileWorld(TransactionCase):
    """Two companies, some entities with persons, and random documents in each."""

    entities = 14

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(7)
        cls.companies = cls.env["res.company"]
        for name in ("Café Naderi", "Furniture"):
            cls.companies += cls.build_company(name)
        cls.company, cls.other_company = cls.companies
        cls.env.user.company_ids += cls.companies
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.companies.ids}
        )
        cls.foreign = cls.env.ref("base.EUR")
        cls.foreign.active = True
        for company in cls.companies:
            for day, rate in ((date(2025, 1, 1), 0.5), (date(2026, 1, 1), 0.25)):
                cls.env["res.currency.rate"].create(
                    {
                        "currency_id": cls.foreign.id,
                        "company_id": company.id,
                        "name": day,
                        "rate": rate,
                    }
                )
        cls.pricelist = cls.env["product.pricelist"].create(
            {"name": "EUR", "currency_id": cls.foreign.id, "company_id": False}
        )
        cls.product = cls.env["product.product"].create(
            {"name": "Chair", "type": "consu", "taxes_id": False, "list_price": 100}
        )
        cls.partners = cls.build_partners()

    @classmethod
    def build_company(cls, name):
        """A company in Tehran with the accounts an invoice needs."""
        company = cls.env["res.company"].create(
            {
                "name": name,
                "currency_id": cls.env.ref("base.USD").id,
                "country_id": cls.env.ref("base.ir").id,
                "club_tz": "Asia/Tehran",
            }
        )
        cls.env.user.company_ids += company
        env = cls.env(context={**cls.env.context, "allowed_company_ids": company.ids})
        receivable, payable, income = env["account.account"].create(
            [
                {
                    "code": f"P{kind[:3]}",
                    "name": kind,
                    "account_type": kind,
                    "reconcile": kind != "income",
                }
                for kind in ("asset_receivable", "liability_payable", "income")
            ]
        )
        env["account.journal"].create(
            {
                "name": "Sales",
                "code": "PSAL",
                "type": "sale",
                "default_account_id": income.id,
            }
        )
        for field, account in (
            ("property_account_receivable_id", receivable),
            ("property_account_payable_id", payable),
        ):
            env["ir.default"].set(
                "res.partner", field, account.id, company_id=company.id
            )
        return company

    @classmethod
    def build_partners(cls):
        companies = cls.env["res.partner"].create(
            [{"name": f"Works {at}", "is_company": True} for at in range(4)]
        )
        persons = cls.env["res.partner"].create(
            [
                {"name": f"Person {at}", "parent_id": companies[at % 4].id}
                for at in range(6)
            ]
        )
        singles = cls.env["res.partner"].create(
            [{"name": f"Single {at}"} for at in range(cls.entities - 4)]
        )
        return companies + persons + singles

    @classmethod
    def moment(cls, earliest=500):
        """A random moment of the past, often around midnight in Tehran."""
        moment = NOW - timedelta(days=cls.random.randrange(2, earliest))
        return moment.replace(hour=cls.random.choice((3, 12, 20, 21)), minute=40)

    @classmethod
    def order(cls, partner, company, moment, amount, state="sale", **values):
        """A sale order with one line.

        :return: ``sale.order``
        """
        line = {
            "product_id": cls.product.id,
            "product_uom_qty": values.pop("quantity", 1),
            "price_unit": amount,
            "discount": values.pop("discount", 0),
            "tax_ids": False,
        }
        order = (
            cls.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "date_order": moment,
                    "pricelist_id": False,
                    "order_line": [Command.create(line)],
                    **values,
                }
            )
        )
        order.write({"state": state, "date_order": moment})
        return order

    @classmethod
    def invoice(cls, partner, company, day, amount, kind="out_invoice", **values):
        """A posted invoice or credit note that no order produced.

        :return: ``account.move``
        """
        move = (
            cls.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": kind,
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "invoice_date": day,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": cls.product.id,
                                "quantity": 1,
                                "price_unit": amount,
                                "tax_ids": False,
                            }
                        )
                    ],
                    **values,
                }
            )
        )
        move.action_post()
        return move

    def profile(self, partner, company=None):
        """The profile of a contact in a company."""
        return self.env["customer.profile"].search(
            [
                ("partner_id", "=", partner.id),
                ("company_id", "=", (company or self.company).id),
            ]
        )

    def refresh(self, *args):
        """Refresh after writing everything; read nothing from the cache."""
        changed = self.env["customer.profile"].refresh(*args)
        self.env.invalidate_all()
        return changed


def purchases(partner, documents):
    """Figures of one entity from ``(entity, day, purchases, amount)``."""
    mine = [row for row in documents if row[0] == partner]
    bought = [row for row in mine if row[2]]
    if not bought:
        return None
    days = [row[1] for row in bought]
    return {
        "first": min(days),
        "last": max(days),
        "gap": gap_days(days),
        "count": len(bought),
        "total": float(half_up(sum(row[3] for row in mine), 2)),
    }


def by_entity(documents):
    """Purchase figures of all entities that bought."""
    found = defaultdict(dict)
    for entity in {row[0] for row in documents}:
        figures = purchases(entity, documents)
        if figures:
            found[entity] = figures
    return found
