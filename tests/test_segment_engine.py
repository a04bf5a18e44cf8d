"""The refresh engine: cheap when nothing changed, right when something fails."""

import random
from datetime import timedelta
from unittest.mock import Mock, patch

import psycopg2.errors

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..models.segment import (
    customer_segment_condition as condition_module,
)
from ..models.segment import (
    customer_segment_difference as difference_module,
)
from ..models.segment import customer_segment_refresh as refresh_module
from ..models.segment import customer_segment_worker as worker_module
from .test_segment_refresh import SegmentCommon

Condition = condition_module.CustomerSegmentCondition
Difference = difference_module.CustomerSegmentDifference
CRON = "customer_segmentation.customer_segment_refresh_cron"
TOUCH_CRON = "customer_segmentation.customer_segment_touch_cron"
STAMPS = ("last_refresh", "refresh_seconds", "state", "error", "next_attempt")


class EngineCommon(SegmentCommon):
    """Ways to run the workers, to break a condition and to see rows."""

    def setUp(self):
        super().setUp()
        self.engine = self.env["customer.segment.refresh"]

    def run_cron(self, xmlid=CRON):
        """One slice of a worker, as Odoo runs it."""
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref(xmlid).method_direct_trigger()
        self.env.invalidate_all()

    def fresh(self):
        """Let everything be refreshed and nobody be touched."""
        self.env.flush_all()
        for _run in range(3):
            if self.env["customer.segment"]._due():
                self.run_cron()
        self.env.cr.execute("DELETE FROM customer_segment_touch")

    def break_condition(self, segment):
        """As if the field of its condition had been removed."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_segment SET domain = %s WHERE id = %s",
            ("[('x_gone', '=', 1)]", segment.id),
        )
        segment.invalidate_recordset()

    def mend_condition(self, segment, domain):
        """As if the field were back: nobody saves the segment."""
        self.env.cr.execute(
            "UPDATE customer_segment SET domain = %s WHERE id = %s",
            (str(domain), segment.id),
        )
        segment.invalidate_recordset()

    def rows(self, segment):
        """Every row of members and events, with its version."""
        self.env.flush_all()
        found = []
        for table in "customer_segment_partner_rel", "customer_segment_event":
            self.env.cr.execute(
                SQL(
                    "SELECT ctid::text, xmin::text, cmin::text FROM %s "
                    "WHERE segment_id = %s",
                    SQL.identifier(table),
                    segment.id,
                )
            )
            found.append(sorted(self.env.cr.fetchall()))
        return found

    def warnings_of(self, segment):
        """Activities about a stopped segment."""
        return segment.sudo().activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id
                == self.env.ref("mail.mail_activity_data_warning")
            )
        )


@tagged("post_install", "-at_install")
class TestSegmentEngine(EngineCommon):
    """What is written, what it costs, and who may ask for it."""

    def test_nothing_changed_writes_no_member_and_no_event(self):
        """Only the time stamp moves: no edit, no message, no version of a row."""
        segment = self.segment([("city", "=", "Tehran")])
        self.env.flush_all()
        before, messages = self.rows(segment), segment.message_ids
        edited = segment.write_date
        segment.last_refresh = fields.Datetime.now() - timedelta(days=1)
        self.assertEqual(segment.refresh(), 0)
        self.assertEqual(self.rows(segment), before)
        self.assertAlmostEqual(
            segment.last_refresh, fields.Datetime.now(), delta=timedelta(minutes=1)
        )
        self.assertEqual(segment.message_ids, messages)
        self.assertEqual(segment.sudo().write_date, edited)

    def test_queries_of_a_refresh(self):
        """The same few, however many members."""
        segment = self.segment([("city", "=", "Tehran")]).sudo()
        for city in "Tehran", "Qom":
            self.partners.city = city
            self.env.flush_all()
            with self.subTest(city), self.assertQueryCount(12):
                self.engine._refresh_unit(segment)

    def test_queries_of_one_contact_over_many_segments(self):
        """One reading of the contact, whatever the number of segments."""
        segments = self.env["customer.segment"]
        for number in range(30):
            segments += self.segment(
                ["|", ("city", "=", "Tehran"), ("color", "=", number % 4)],
                name=str(number),
            )
        partner = self.partners[0]
        segments.refresh(partner_ids=partner.ids)
        with self.assertQueryCount(25):
            segments.refresh(partner_ids=partner.ids)

    def test_only_those_who_differ_are_written(self):
        """Also when they are too many to be fetched, and at the first fill."""
        segment = self.segment([("id", "in", self.partners.ids), ("color", "<", 2)])
        stays = self.partners.filtered(lambda partner: partner.color == 1)
        kept = self.rows(segment)[0]
        for few in difference_module.FEW, 3:
            with self.subTest(few), patch.object(difference_module, "FEW", few):
                segment.domain = str(
                    [("id", "in", self.partners.ids), ("color", ">", 0)]
                )
                self.assertEqual(segment.refresh(), 18)
                self.assertEqual(segment.member_count, 18)
                self.assertEqual(
                    segment.partner_ids, self.partners.filtered(lambda p: p.color > 0)
                )
                same = set(kept) & set(self.rows(segment)[0])
                self.assertEqual(len(same), len(stays))
                segment.domain = str(
                    [("id", "in", self.partners.ids), ("color", "<", 2)]
                )
                self.assertEqual(segment.refresh(), 18)

    def test_count_follows_deleted_contacts(self):
        """Deleting a contact removes its membership; the next refresh counts again."""
        segment = self.segment([("id", "in", self.partners[:5].ids)])
        self.partners[0].unlink()
        segment.refresh()
        self.assertEqual((segment.member_count, len(segment.partner_ids)), (4, 4))

    def test_history_goes_with_what_is_deleted(self):
        """Without foreign keys: by the ORM at once, what SQL deletes every night."""
        events = self.env["customer.segment.event"]
        for doomed in "contact", "lead", "segment", "by SQL":
            with self.subTest(doomed):
                lead = self.env["crm.lead"].create(
                    {"name": "Deal", "company_id": self.company.id}
                )
                contact = self.env["res.partner"].create({"name": "Doomed"})
                segments = self.segment([("id", "=", contact.id)])
                segments |= self.segment([("id", "=", lead.id)], model="crm.lead")
                mine = [("segment_id", "in", segments.ids)]
                self.assertEqual(events.search_count(mine), 2)
                if doomed == "by SQL":
                    self.env.cr.execute("DELETE FROM crm_lead WHERE id = %s", [lead.id])
                    self.env.cr.execute(
                        "DELETE FROM res_partner WHERE id = %s", [contact.id]
                    )
                    self.env.invalidate_all()
                    events._gc_orphans()
                    self.assertEqual(events.search_count(mine), 0)
                    continue
                {"contact": contact, "lead": lead, "segment": segments[:1]}[
                    doomed
                ].unlink()
                self.assertEqual(events.search_count(mine), 1)

    def test_contacts_are_no_leads(self):
        """Ids of contacts say nothing to a segment of leads."""
        lead = self.env["crm.lead"].create(
            {"name": "Deal", "company_id": self.company.id}
        )
        segment = self.segment([("id", "=", lead.id)], model="crm.lead")
        self.assertEqual(segment.lead_ids, lead)
        lead.active = False
        self.env.flush_all()
        self.assertEqual(segment.refresh(partner_ids=lead.ids), 0)
        self.assertEqual(segment.refresh(lead_ids=lead.ids), 1)
        self.assertFalse(segment.lead_ids)

    def test_who_may_refresh(self):
        """Marketers, also a colleague's segment; nobody else, and nothing hidden."""
        director = self.build_user("club_manager")
        segment = self.segment([("city", "=", "Tehran")])
        segment.with_user(director).user_id = director
        segment.with_user(self.marketer).refresh()
        segment.with_user(self.marketer).refresh(partner_ids=self.partners.ids)
        for role in "cashier", "club_user":
            with self.subTest(role), self.assertRaises(AccessError):
                segment.with_user(self.build_user(role)).refresh()
        segment.with_user(director).confidential = True
        with self.assertRaises(AccessError):
            segment.with_user(self.marketer).refresh()

    def test_users_of_a_changed_segment_follow(self):
        """Conditions and exclusions on a segment are refreshed after it."""
        first = self.segment([("id", "in", self.partners[:4].ids)], name="First")
        second = self.segment([("segment_ids", "in", first.ids)], name="Second")
        third = self.segment(
            [("id", "in", self.partners[:6].ids)],
            name="Third",
            exclude_segment_ids=[Command.link(first.id)],
        )
        self.fresh()
        self.partners[0].active = False
        self.partners[4].color = 9
        self.env.flush_all()
        self.mend_condition(first, [("id", "in", self.partners[:5].ids)])
        first.refresh()
        self.assertEqual((second.state, third.state), ("stale", "stale"))
        self.run_cron()
        self.assertEqual((second.state, third.state), ("fresh", "fresh"))
        self.assertEqual(second.partner_ids, self.partners[1:5])
        self.assertEqual(third.partner_ids, self.partners[5])


@tagged("post_install", "-at_install")
class TestSegmentFewRecords(EngineCommon):
    """Asked of a few contacts, conditions say the same as asked of everybody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.categories = cls.env["res.partner.category"].create(
            [{"name": f"Tag {number}"} for number in range(3)]
        )
        cls.categories[2].parent_id = cls.categories[1]
        firm = cls.partners[0]
        firm.is_company = True
        cls.partners[1:4].parent_id = firm
        for number, partner in enumerate(cls.partners):
            partner.category_id = cls.categories[number % 4 : number % 4 + 1]
        cls.leads = cls.env["crm.lead"].create(
            [
                {
                    "name": f"Deal {number}",
                    "type": ("opportunity", "lead")[number % 5 == 0],
                    "partner_id": cls.partners[number % 7].id,
                    "company_id": cls.company.id,
                    "expected_revenue": number * 10,
                    "user_id": cls.marketer.id,
                }
                for number in range(20)
            ]
        )
        product = cls.env["product.product"].create({"name": "Coffee"})
        cls.env["sale.order"].create(
            [
                {
                    "partner_id": cls.partners[number % 9].id,
                    "company_id": cls.company.id,
                    "user_id": cls.marketer.id,
                    "order_line": [
                        Command.create(
                            {"product_id": product.id, "product_uom_qty": number}
                        )
                    ],
                }
                for number in range(1, 12)
            ]
        )
        cls.env["sale.order"].search(
            [("company_id", "=", cls.company.id)], limit=7
        ).action_confirm()
        cls.env["customer.profile"]._refresh(cls.company)
        cls.group = cls.build_group(cls.company, "By hand")
        cls.group.included_partner_ids = cls.partners[::5]
        cls.env.flush_all()

    def partner_leaf(self, rng):
        """One condition on a contact; many of them ask other records."""
        number = rng.randrange(4)
        return rng.choice(
            [
                ("city", rng.choice(["=", "!=", "ilike"]), rng.choice(["Tehran", "a"])),
                ("color", rng.choice(["<", ">=", "=", "!="]), number),
                ("active", rng.choice(["=", "!="]), True),
                ("email", "=", False),
                ("category_id", rng.choice(["in", "not in"]), self.categories[:2].ids),
                ("category_id", "child_of", self.categories[1].id),
                ("category_id", rng.choice(["=", "!="]), False),
                ("category_id.name", "ilike", str(number)),
                ("parent_id", rng.choice(["=", "!="]), False),
                ("parent_id.city", rng.choice(["=", "!="]), "Tehran"),
                ("commercial_partner_id.is_company", "=", True),
                (
                    "commercial_partner_id",
                    rng.choice(["any", "not any"]),
                    [("sale_order_ids", "any", [("amount_total", ">=", number)])],
                ),
                ("child_ids.city", rng.choice(["=", "!="]), "Shiraz"),
                (
                    "sale_order_ids",
                    rng.choice(["any", "not any"]),
                    [("state", "=", "draft"), ("order_line.product_uom_qty", ">", 3)],
                ),
                ("sale_order_ids", rng.choice(["=", "!="]), False),
                ("opportunity_ids.expected_revenue", ">", number * 30),
                ("user_id.partner_id.city", "=", "Tehran"),
                ("create_date", ">=", "today"),
                ("club_visit_count", rng.choice(["=", ">"]), 0),
                ("club_month_visits", rng.choice(["=", ">", "<="]), 0),
                ("purchase_count", rng.choice(["=", "!=", ">=", "<"]), number // 2),
                ("last_purchase_date", rng.choice(["=", "!="]), False),
                ("segment_ids", rng.choice(["in", "not in"]), self.group.ids),
                (
                    "whole_company_ids",
                    rng.choice(["any", "not any"]),
                    [("purchase_count", ">", 0), ("city", "!=", "Tehran")],
                ),
            ]
        )

    def lead_leaf(self, rng):
        """One condition on a lead."""
        number = rng.randrange(4)
        return rng.choice(
            [
                ("expected_revenue", rng.choice(["<", ">="]), number * 50),
                ("type", "=", rng.choice(["lead", "opportunity"])),
                ("partner_id.city", rng.choice(["=", "!="]), "Tehran"),
                ("partner_id.category_id", "in", self.categories[:1].ids),
                (
                    "partner_id",
                    rng.choice(["any", "not any"]),
                    [("sale_order_ids", "!=", False), ("color", ">", number)],
                ),
                ("partner_id.commercial_partner_id.sale_order_ids", "!=", False),
                ("partner_id.purchase_count", rng.choice(["=", ">"]), number // 2),
                (
                    "partner_id.segment_ids",
                    rng.choice(["in", "not in"]),
                    self.group.ids,
                ),
                ("name", "ilike", str(number)),
                ("stage_id", "!=", False),
            ]
        )

    def tree(self, rng, leaf, depth):
        """A random condition, nested up to ``depth``."""
        if not depth or rng.random() < 0.2:
            return [leaf(rng)]
        operator = rng.choice("&|!")
        if operator == "!":
            return ["!", *self.tree(rng, leaf, depth - 1)]
        left, right = (self.tree(rng, leaf, depth - 1) for _side in "ab")
        return [operator, *left, *right]

    def check_random(self, model, everybody, leaf, seed, rounds):
        """Members are what ``search()`` finds; few or many records, the same."""
        rng = random.Random(seed)
        segment = self.segment(model=model).with_context(active_test=False)
        members = "partner_ids" if model == "res.partner" else "lead_ids"
        condition = self.env["customer.segment.condition"]
        searcher = condition._model_of(segment.sudo())
        audience = condition._audience_domain(segment.sudo())
        for number in range(rounds):
            domain = ["&", ("id", "in", everybody.ids), *self.tree(rng, leaf, 3)]
            found = searcher.search(Domain(domain) & audience)
            with self.subTest(seed=seed, number=number, domain=domain):
                segment.domain = str(domain)
                segment.refresh()
                self.assertEqual(set(segment[members].ids), set(found.ids))
                for size in 1, rng.randrange(2, len(everybody) + 1):
                    some = rng.sample(everybody.ids, size)
                    pairs = self.env.execute_query(
                        *condition._matches(segment.sudo(), some)
                    )
                    self.assertEqual(
                        {pair[1] for pair in pairs}, set(found.ids) & set(some)
                    )

    def test_random_conditions_on_contacts(self):
        """Nested conditions on contacts and what belongs to them."""
        everybody = self.partners | self.partners[5].copy({"active": False})
        self.check_random("res.partner", everybody, self.partner_leaf, 7, 60)

    def test_random_conditions_on_leads(self):
        """The same for leads."""
        self.check_random("crm.lead", self.leads, self.lead_leaf, 8, 40)

    def test_many_segments_at_once(self):
        """Each with its own condition, responsible and time zone."""
        rng = random.Random(9)
        seller = new_test_user(
            self.env,
            login="seller",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "sales_team.group_sale_salesman",
            context={"no_reset_password": True},
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        segments = self.env["customer.segment"]
        for number in range(40):
            domain = ["&", ("id", "in", self.partners.ids)]
            domain += self.tree(rng, self.partner_leaf, 2)
            user = self.marketer if number % 3 else seller
            segments += segments.with_user(user).create(
                {
                    "name": str(number),
                    "kind": "dynamic",
                    "domain": str(domain),
                    "tz": ("Asia/Tehran", "Pacific/Auckland")[number % 2],
                }
            )
        segments = segments.sudo()
        segments.refresh()
        expected = {segment: segment.partner_ids for segment in segments}
        self.env.cr.execute(
            "DELETE FROM customer_segment_partner_rel WHERE segment_id = ANY(%s)",
            [segments.ids],
        )
        self.env.invalidate_all()
        for some in self.partners[:1], self.partners[1:8], self.partners[8:]:
            segments.refresh(partner_ids=some.ids)
        for segment in segments:
            with self.subTest(segment.domain):
                self.assertEqual(segment.partner_ids, expected[segment])


@tagged("post_install", "-at_install")
class TestSegmentStopped(EngineCommon):
    """What cannot be evaluated stops alone, keeps its members, and recovers."""

    def assertStopped(self, segment, members, words=""):
        """The last good members stay, the reason stands there, one activity tells."""
        self.assertEqual(segment.state, "quarantined")
        self.assertEqual(segment.partner_ids, members)
        self.assertIn(words, segment.error)
        self.assertEqual(len(self.warnings_of(segment)), 1)

    def assertRecovered(self, segment):
        """Fresh again, without a trace of the trouble."""
        self.assertEqual((segment.state, segment.error), ("fresh", False))
        self.assertFalse(segment.next_attempt)
        self.assertFalse(self.warnings_of(segment))

    def test_worker_stops_the_broken_one_and_goes_on(self):
        """It recovers at the first run after the cause is gone."""
        domain = [("id", "in", self.partners[:5].ids)]
        broken = self.segment(domain, name="Broken")
        healthy = self.segment([("city", "=", "Tabriz")], name="Healthy")
        self.fresh()
        as_of = broken.last_refresh
        self.break_condition(broken)
        (broken | healthy).sudo().state = "stale"
        self.run_cron()
        self.assertStopped(broken, self.partners[:5], "x_gone")
        self.assertEqual(broken.last_refresh, as_of)
        self.assertEqual(self.warnings_of(broken).user_id, self.marketer)
        self.assertEqual(healthy.state, "fresh")
        self.run_cron()
        self.assertStopped(broken, self.partners[:5])
        self.mend_condition(broken, domain)
        self.run_cron()
        self.assertRecovered(broken)

    def test_responsible_left_or_lost_rights(self):
        """Archived, no longer of the company, or without access to what is asked."""
        domain = [("opportunity_ids.name", "ilike", "Deal")]
        self.env["crm.lead"].create(
            {
                "name": "Deal",
                "type": "opportunity",
                "partner_id": self.partners[0].id,
                "company_id": self.company.id,
            }
        )
        manager = self.build_user("club_manager")
        # Whoever is told reads the reason in their own language.
        (manager | self.marketer | self.env.ref("base.user_admin")).lang = "fa_IR"
        segment = self.segment(domain).sudo()
        self.assertEqual(segment.partner_ids, self.partners[0])
        user, other = self.marketer, self.build_company("Elsewhere")
        groups = user.group_ids
        sales = self.env.ref("sales_team.group_sale_manager")
        for lost, back in (
            ({"active": False}, {"active": True}),
            (
                {"company_id": other.id, "company_ids": [Command.set(other.ids)]},
                {
                    "company_id": self.company.id,
                    "company_ids": [Command.set(self.company.ids)],
                },
            ),
            (
                {"group_ids": [Command.unlink(sales.id)]},
                {"group_ids": [Command.set(groups.ids)]},
            ),
        ):
            with self.subTest(lost):
                self.fresh()
                user.sudo().write(lost)
                segment.sudo().state = "stale"
                self.run_cron()
                self.assertStopped(segment, self.partners[0])
                self.assertTrue(self.warnings_of(segment).user_id.active)
                self.assertRegex(segment.error, "[\u0600-\u06ff]{3}")
                user.sudo().write(back)
                self.run_cron()
                self.assertRecovered(segment)

    def test_anything_that_customisations_raise(self):
        """An error of somebody's search method stops that segment alone."""
        broken = self.segment([("city", "=", "Tehran")], name="Broken")
        healthy = self.segment([("city", "=", "Tabriz")], name="Healthy")
        members = broken.partner_ids
        query = Condition._query

        def fail(model, segment, *arguments):
            if segment == broken:
                raise ZeroDivisionError("somebody's mistake")
            return query(model, segment, *arguments)

        self.fresh()
        (broken | healthy).sudo().state = "stale"
        with patch.object(Condition, "_query", fail):
            self.run_cron()
        self.assertStopped(broken, members, "somebody's mistake")
        self.assertEqual(healthy.state, "fresh")

    def slow(self, broken, seconds=30):
        """A patch that makes one condition slow in the database."""
        query = Condition._query

        def sleep(model, segment, *arguments):
            answer = query(model, segment, *arguments)
            if segment == broken:
                sleep.asked += 1
                answer.add_where(SQL("pg_sleep(%s) IS NOT NULL", seconds))
            return answer

        sleep.asked = 0
        return patch.object(Condition, "_query", sleep)

    def test_too_slow(self):
        """Ended by PostgreSQL, told in words, tried again later and not at every run;
        and no limit is left behind.
        """
        broken = self.segment([("city", "=", "Tehran")], name="Broken")
        healthy = self.segment([("city", "=", "Tabriz")], name="Healthy")
        members = broken.partner_ids
        self.fresh()
        (broken | healthy).sudo().state = "stale"
        with (
            patch.object(refresh_module, "STATEMENT_SECONDS", 1.0),
            self.slow(broken) as condition,
        ):
            self.run_cron()
            self.assertStopped(broken, members, "longer than")
            self.assertEqual(healthy.state, "fresh")
            self.assertGreater(broken.next_attempt, fields.Datetime.now())
            asked = condition.asked
            self.run_cron()
            self.assertEqual(condition.asked, asked)
            self.assertNotIn(broken, self.env["customer.segment"]._due())
        self.env.cr.execute("SHOW statement_timeout")
        self.assertEqual(self.env.cr.fetchone()[0], "0")
        broken.refresh()
        self.assertRecovered(broken)

    def test_one_class_of_a_set_is_broken(self):
        """It keeps its members at its rank; the others are computed around it."""
        classes = self.env["customer.segment.set"].create(
            {"name": "Value", "exclusive": True, "company_id": self.company.id}
        )
        high, middle, low = (
            self.segment(
                [("id", "in", self.partners.ids), ("color", ">=", least)],
                name=str(least),
                set_id=classes.id,
                sequence=sequence,
            )
            for sequence, least in enumerate((3, 2, 0))
        )
        self.fresh()
        color = self.partners.grouped("color")
        self.assertEqual(middle.partner_ids, color[2])
        self.break_condition(middle)
        color[0][0].color = 3
        color[2][0].color = 0
        self.env.flush_all()
        (high | middle | low).sudo().state = "stale"
        self.run_cron()
        self.assertStopped(middle, color[2])
        self.assertEqual((high.state, low.state), ("fresh", "fresh"))
        self.assertEqual(high.partner_ids, color[3] | color[0][0])
        self.assertEqual(low.partner_ids, color[1] | color[0][1:])

    def test_slow_class_does_not_end_the_set(self):
        """The slow one is found and left out; the rest is computed."""
        classes = self.env["customer.segment.set"].create(
            {"name": "Value", "exclusive": True, "company_id": self.company.id}
        )
        fast, slow = (
            self.segment(
                [("id", "in", self.partners.ids), ("color", ">=", least)],
                name=str(least),
                set_id=classes.id,
                sequence=sequence,
            )
            for sequence, least in enumerate((2, 0))
        )
        self.fresh()
        members = slow.partner_ids
        (fast | slow).sudo().state = "stale"
        with (
            patch.object(refresh_module, "STATEMENT_SECONDS", 1),
            self.slow(slow),
        ):
            self.run_cron()
        self.assertStopped(slow, members, "longer than")
        self.assertEqual(fast.state, "fresh")

    def test_touched_contacts_stop_a_broken_one_alone(self):
        """Found out by the first contact; the others see the contact at once."""
        broken = self.segment([("id", "in", self.partners.ids)], name="Broken")
        healthy = self.segment([("city", "=", "Qom")], name="Healthy")
        self.fresh()
        self.break_condition(broken)
        self.partners[0].city = "Qom"
        self.env.flush_all()
        self.engine._refresh_touched()
        self.assertStopped(broken, self.partners, "x_gone")
        self.assertEqual(healthy.partner_ids, self.partners[0])
        self.partners[1].city = "Qom"
        self.env.flush_all()
        self.engine._refresh_touched()
        self.assertEqual(healthy.partner_ids, self.partners[:2])
        self.assertStopped(broken, self.partners)

    def test_pins_of_a_stopped_segment_count(self):
        """Always out has a say although the condition has none."""
        segment = self.segment([("id", "in", self.partners[:5].ids)])
        self.fresh()
        self.break_condition(segment)
        segment.refresh()
        segment.excluded_partner_ids = [Command.link(self.partners[0].id)]
        segment.included_partner_ids = [Command.link(self.partners[9].id)]
        segment.refresh()
        self.assertStopped(segment, self.partners[1:5] | self.partners[9])
        self.assertEqual(segment.member_count, 5)

    def test_another_transaction_in_the_way_stops_nobody(self):
        """Tried again at once; when that does not help, at the next run."""
        segment = self.segment([("city", "=", "Tehran")])
        self.fresh()
        for error in (
            psycopg2.errors.SerializationFailure,
            psycopg2.errors.DeadlockDetected,
            psycopg2.errors.LockNotAvailable,
            psycopg2.errors.ForeignKeyViolation,
        ):
            apply = Difference._apply
            stumble = Mock(side_effect=[error(), error(), None])

            def stumbling(*arguments, apply=apply, stumble=stumble):
                stumble()
                return apply(*arguments)

            with self.subTest(error.__name__):
                segment.sudo().state = "stale"
                with patch.object(Difference, "_apply", stumbling):
                    self.run_cron()
                self.assertEqual(segment.state, "fresh")
                segment.sudo().state = "stale"
                with (
                    patch.object(worker_module, "ATTEMPTS", 2),
                    patch.object(Difference, "_apply", side_effect=error),
                ):
                    self.run_cron()
                self.assertEqual((segment.state, segment.error), ("stale", False))
                self.assertFalse(self.warnings_of(segment))

    def test_database_away_stops_nobody(self):
        """The job fails, the segments do not."""
        segment = self.segment([("city", "=", "Tehran")])
        self.fresh()
        segment.sudo().state = "stale"
        for error in (
            psycopg2.errors.AdminShutdown,
            psycopg2.OperationalError,
            psycopg2.InterfaceError,
        ):
            with (
                self.subTest(error.__name__),
                patch.object(Difference, "_apply", side_effect=error),
                self.assertRaises(error),
                self.env.cr.savepoint(),
            ):
                self.engine._refresh_unit(segment.sudo())
            self.assertEqual(segment.state, "stale")

    @mute_logger(
        "odoo.addons.customer_segmentation.models.segment.customer_segment_worker"
    )
    def test_a_mistake_of_ours_stops_neither_worker_nor_segment(self):
        """It is logged; the others go on."""
        first = self.segment([("city", "=", "Tehran")], name="First")
        second = self.segment([("city", "=", "Tabriz")], name="Second")
        self.fresh()
        (first | second).sudo().state = "stale"
        target = Difference._target

        def fail(model, segments, *arguments):
            if first in segments:
                raise ZeroDivisionError()
            return target(model, segments, *arguments)

        with patch.object(Difference, "_target", fail):
            self.run_cron()
        self.assertNotEqual(first.state, "fresh")
        self.assertEqual(second.state, "fresh")


@tagged("post_install", "-at_install")
class TestSegmentWorker(EngineCommon):
    """What is due and in which order; who was touched."""

    def test_stalest_first(self):
        """Never refreshed, then the oldest; stopped ones last, slow ones not yet."""
        now = fields.Datetime.now()
        names = ("never", "fresh", "old", "stale", "broken", "slow", "older")
        made = {name: self.segment([("city", "=", name)]).sudo() for name in names}
        self.fresh()
        for name, values in {
            "never": {"last_refresh": False},
            "old": {"last_refresh": now - timedelta(minutes=90)},
            "older": {"last_refresh": now - timedelta(minutes=91)},
            "stale": {"state": "stale"},
            "broken": {"state": "quarantined", "next_attempt": now},
            "slow": {
                "state": "quarantined",
                "next_attempt": now + timedelta(minutes=30),
            },
        }.items():
            made[name].write(values)
        due = (
            self.env["customer.segment"]
            ._due()
            .filtered(lambda segment: segment in made.values())
        )
        self.assertEqual(
            list(due),
            [made[name] for name in ("never", "older", "old", "stale", "broken")],
        )

    def test_a_slice_ends_and_wakes_the_next(self):
        """Two seconds are enough: what is left follows at once."""
        segments = self.env["customer.segment"]
        for number in range(4):
            segments += self.segment([("city", "=", "Tehran")], name=str(number))
        self.fresh()
        segments.sudo().state = "stale"
        self.env["ir.cron.trigger"].search([]).unlink()
        with patch.object(worker_module, "SLICE_SECONDS", -1):
            self.run_cron()
        self.assertEqual(set(segments.mapped("state")), {"stale"})
        self.assertTrue(
            self.env["ir.cron.trigger"].search(
                [("cron_id", "=", self.env.ref(CRON).id)]
            )
        )
        self.run_cron()
        self.assertEqual(set(segments.mapped("state")), {"fresh"})

    def test_edited_contact_wakes_the_worker(self):
        """Edited, created, tagged: noted, and looked at within one run."""
        segment = self.segment([("category_id.name", "=", "Coffee")])
        self.fresh()
        self.env["ir.cron.trigger"].search([]).unlink()
        self.partners[0].category_id = self.category_coffee
        new = self.env["res.partner"].create(
            {
                "name": "New",
                "company_id": self.company.id,
                "category_id": [Command.link(self.category_coffee.id)],
            }
        )
        self.assertTrue(
            self.env["ir.cron.trigger"].search(
                [("cron_id", "=", self.env.ref(TOUCH_CRON).id)]
            )
        )
        self.run_cron(TOUCH_CRON)
        self.assertEqual(segment.partner_ids, self.partners[0] | new)
        self.assertEqual(segment.member_count, 2)

    def test_check_in_is_seen_within_one_run(self):
        """Conditions on visits follow a check-in of somebody known, too."""
        regulars = self.segment([("club_visit_count", ">=", 2)])
        phone = self.phone()
        self.device.gap_minutes = 0
        for visits in 1, 2:
            self.fresh()
            self.take(phone)
            self.follow_up()
            self.run_cron(TOUCH_CRON)
            self.assertEqual(len(regulars.partner_ids), visits - 1)

    def test_conditions_on_a_group_follow_its_device(self):
        """Somebody new in a group is new in what asks for the group."""
        group = self.device.group_id
        segment = self.segment([("segment_ids", "in", group.ids)])
        self.fresh()
        group._add_partners(self.partners[:2])
        self.run_cron(TOUCH_CRON)
        self.assertEqual(segment.partner_ids, self.partners[:2])

    def test_many_touched_are_computed_as_everybody(self):
        """Beyond a number it is cheaper to look at all."""
        segment = self.segment([("city", "=", "Qom")])
        self.fresh()
        self.partners.city = "Qom"
        self.env.flush_all()
        with patch.object(worker_module, "MANY_TOUCHED", 10):
            self.run_cron(TOUCH_CRON)
        self.assertEqual(segment.state, "stale")
        self.env.cr.execute("SELECT count(*) FROM customer_segment_touch")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.run_cron()
        self.assertEqual(segment.partner_ids, self.partners)

    def test_touched_of_a_busy_segment_wait(self):
        """They come back for just that segment."""
        free = self.segment([("city", "=", "Qom")], name="Free")
        busy = self.segment([("city", "=", "Qom")], name="Busy")
        self.fresh()
        self.partners[:2].city = "Qom"
        self.env.flush_all()
        lock = type(self.engine)._lock

        def lock_free(engine, segments, wait=True):
            return lock(engine, segments, wait) - busy

        with patch.object(type(self.engine), "_lock", lock_free):
            self.engine._refresh_touched()
        self.assertEqual(free.partner_ids, self.partners[:2])
        self.assertFalse(busy.partner_ids)
        self.env.cr.execute(
            "SELECT DISTINCT segment_id, partner_id FROM customer_segment_touch "
            "ORDER BY partner_id"
        )
        self.assertEqual(
            self.env.cr.fetchall(), [(busy.id, id_) for id_ in self.partners[:2].ids]
        )
        self.engine._refresh_touched()
        self.assertEqual(busy.partner_ids, self.partners[:2])

    def test_what_was_busy_is_looked_at_again_at_once(self):
        """After a pause within the job: Odoo tells nobody of a later trigger."""
        busy = self.segment([("city", "=", "Qom")], name="Busy").sudo()
        self.fresh()
        locked = patch.object(
            type(self.engine),
            "_lock",
            lambda _engine, segments, wait=True: segments[:0],
        )
        for xmlid in CRON, TOUCH_CRON:
            self.partners[:2].city = "Qom"
            busy.state = "stale"
            self.env.flush_all()
            triggers = self.env["ir.cron.trigger"].search([])
            triggers.unlink()
            with locked, patch.object(worker_module.time, "sleep") as pause:
                self.run_cron(xmlid)
            pause.assert_called_once_with(worker_module.BUSY_SECONDS)
            found = triggers.search([("cron_id", "=", self.env.ref(xmlid).id)])
            self.assertTrue(found)
            self.assertLessEqual(max(found.mapped("call_at")), fields.Datetime.now())

    def test_who_waits_too_long_is_told(self):
        """A person gets a sentence, not an error of the database."""
        segment = self.segment([("city", "=", "Tehran")]).sudo()
        with (
            patch.object(type(self.engine), "_may_begin_anew", return_value=True),
            patch.object(
                type(self.engine),
                "_in_turn",
                side_effect=psycopg2.errors.LockNotAvailable,
            ),
            self.assertRaises(UserError),
        ):
            self.engine._refresh_now(segment)
