import random
from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.tools import SQL

PERSONS = (
    *("آرزو فتحی", "بهرام ملکی", "پریسا کاظمی", "تینا رضوی", "جواد امینی"),
    *("حدیث مقدم", "خسرو شریفی", "دریا سلیمی", "رامین جلالی", "زهره نیکنام"),
    *("Laura Bennett", "Oliver Grant", "Mia Fischer", "Noah Keller"),
)
WORKS = (
    *("هتل آفتاب", "دفتر معماری ایوان", "رستوران باغ سیب", "کلینیک مهر نو"),
    *("Hotel Cedar", "Blue Door Offices"),
)
# How many purchases in a year, and how many days ago the last one was.
RHYTHMS = ((11, 4), (7, 12), (5, 30), (4, 100), (3, 170), (2, 45), (1, 12), (1, 200))
MONTHS = 4
SETS = ("value", "behaviour", "familiarity", "journey", "position", "rfm", "needs")


class CustomerDemo(models.AbstractModel):
    """Fills demo databases with customers: only the files in ``demo/`` call it."""

    _name = "customer.demo"
    _description = "Customer Demo Data"

    def _ref(self, name):
        return self.env.ref(name if "." in name else f"customer_segmentation.{name}")

    @api.model
    def _create_customers(self, company, products):
        """Customers of a company with a year of orders, and its classes month by month.

        :param str company: xml id
        :param list products: xml ids
        """
        luck = random.Random(19)
        company = self._ref(company)
        me = self.with_company(company)
        me._stock_goods(company)
        partners = me._prepare_partners(company)
        products = self.env["product.product"].concat(*map(self._ref, products))
        me._tell_facts(company, partners, products)
        for product in products.with_company(company)[:-1]:
            product.standard_price = product.list_price * 0.68
        plans = [
            (partner, days, luck.choice(products), luck.choice((1, 1, 2, 4)), luck)
            for at, partner in enumerate(partners)
            for days in me._days_of(RHYTHMS[at % len(RHYTHMS)], luck)
        ]
        for months in range(MONTHS, -1, -1):
            youngest = 30 * months
            due = [plan for plan in plans if plan[1] >= youngest]
            plans = [plan for plan in plans if plan[1] < youngest]
            me._create_orders(company, due)
            if months == 0:
                me._create_quotations(company, partners, products)
            me._classify(company, youngest)

    def _stock_goods(self, company):
        """With Inventory installed nothing is sold without a warehouse."""
        if "stock.warehouse" in self.env:
            self.env["stock.warehouse"].create(
                {"name": company.name, "code": "SAMAN", "company_id": company.id}
            )

    def _days_of(self, rhythm, luck):
        count, last = rhythm
        gap = max(20, (360 - last) // max(count, 1))
        return [last + at * gap + luck.randrange(6) * bool(at) for at in range(count)]

    def _prepare_partners(self, company):
        iran = self.env.ref("base.ir")
        return self.env["res.partner"].create(
            [
                {
                    "name": name,
                    "is_company": at >= len(PERSONS),
                    "phone": f"+98 912 000 03{at:02}",
                    "city": ("تهران", "تبریز", "Tehran")[at % 3],
                    "country_id": iran.id,
                    "company_id": company.id,
                }
                for at, name in enumerate(PERSONS + WORKS)
            ]
        )

    def _tell_facts(self, company, partners, products):
        """What is known of some: enough for every grade, and for guidance."""
        now = fields.Datetime.now()
        for partner in partners.filtered("is_company"):
            partner.employee_count = 120
            partner.function = "Purchasing manager"
        for at, partner in enumerate(partners[1:]):
            if at % 7 == 0:
                partner.trait_ids = self._ref("customer_trait_haggler")
                partner.expected_product_id = products[0]
            for number in range(at % 4):
                self.env["customer.event"].create(
                    {
                        "kind": ("call", "form", "download")[number],
                        "partner_id": partner.id,
                        "company_id": company.id,
                        "date": now - timedelta(days=3 + 2 * at + number),
                    }
                )

    def _create_orders(self, company, plans):
        now = fields.Datetime.now()
        for partner, days, product, quantity, luck in plans:
            self._create_order(
                company,
                partner,
                product,
                quantity,
                date=now - timedelta(days=days),
                discount=luck.choice((0, 0, 0, 5, 15)),
                state="sale",
            )

    def _create_quotations(self, company, partners, products):
        """Three offers that are out; of one the salesperson is sure."""
        now = fields.Datetime.now()
        for at, partner in enumerate(partners[1:20:7]):
            order = self._create_order(
                company,
                partner,
                products[at % len(products)],
                2,
                date=now - timedelta(days=at + 1),
                discount=0,
                state="sent",
            )
            order.is_assured = at == 2

    def _create_order(self, company, partner, product, quantity, **values):
        line = {
            "product_id": product.id,
            "product_uom_qty": quantity,
            "discount": values.pop("discount"),
            "tax_ids": False,
        }
        day = {"date_order": values["date"], "state": values["state"]}
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "order_line": [Command.create(line)],
            }
        )
        order.write(day)
        return order

    def _classify(self, company, days_ago):
        """Work the classes out as if it were some days ago."""
        self.env["customer.profile"]._refresh(company)
        [[last]] = self.env.execute_query(
            SQL("SELECT coalesce(max(id), 0) FROM customer_segment_event")
        )
        self._use_sets(company.id)
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE customer_segment_event SET date = date - make_interval(days => "
                "%s) WHERE id > %s",
                days_ago,
                last,
            )
        )
        self.env["customer.segment.event"].invalidate_model()

    @api.model
    def _use_sets(self, company_id, names=SETS):
        """Use class sets in a company, as the administrator."""
        admin = self.env.ref("base.user_admin")
        templates = self.env["customer.segment.set.template"]
        for name in names:
            template = templates | self._ref(f"customer_segment_set_template_{name}")
            template = template.with_user(admin).with_context(
                allowed_company_ids=[company_id]
            )
            used = self.env["customer.segment"].browse(template.use()["class_ids"])
            used.filtered("active").refresh()

    @api.model
    def _score(self, company, packs):
        """Switch scoring packs on in a company, and work all figures out.

        :param str company: xml id
        :param list packs: of ``customer.score.template``
        """
        company = self._ref(company)
        admin = self.env.ref("base.user_admin")
        templates = self.env["customer.score.template"].with_user(admin)
        templates = templates.with_context(allowed_company_ids=company.ids)
        profiles = self.env["customer.profile"].with_context(
            allowed_company_ids=company.ids
        )
        # A pack switches on what has data: figures come first.
        profiles.refresh()
        for pack in packs:
            templates.use_pack(pack)
        profiles.refresh()
        for model in "res.partner", "crm.lead":
            self.env["customer.score.snapshot"]._take(company, model)
        self._remember_scores(company)

    def _remember_scores(self, company):
        """Scores of the last months, as they may have been."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_score_snapshot
                            (date, company_id, partner_id, score, grade)
                SELECT p.date, p.company_id, p.partner_id, p.score,
                       CASE WHEN score >= c.score_grade_a THEN 'A'
                            WHEN score >= c.score_grade_b THEN 'B'
                            WHEN score >= c.score_grade_c THEN 'C' ELSE 'D' END
                  FROM (SELECT s.date - d.days AS date, s.company_id, s.partner_id,
                               round(s.score * d.share)::integer AS score
                          FROM customer_score_snapshot s,
                               (VALUES (100, 0.2), (75, 0.4), (50, 0.7), (30, 0.6),
                                       (14, 0.9)) d(days, share)
                         WHERE s.company_id = %(company)s AND s.score > 0
                           AND s.partner_id IS NOT NULL) p
                  JOIN res_company c ON c.id = p.company_id
                """,
                company=company.id,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_score_day
                            (date, company_id, model, grade, people, score)
                SELECT date, company_id, 'res.partner', grade, count(*), avg(score)
                  FROM customer_score_snapshot
                 WHERE company_id = %(company)s AND partner_id IS NOT NULL
                   AND date < (SELECT max(date) FROM customer_score_snapshot)
                 GROUP BY date, company_id, grade
                """,
                company=company.id,
            )
        )
        self.env.invalidate_all(flush=False)
