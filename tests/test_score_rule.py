import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

GROUP = "customer_segmentation.customer_segmentation_group"


class ScoreCommon(TransactionCase):
    """A company with a marketer, and contacts nobody else has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Spice House"})
        cls.env.user.company_ids += cls.company
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.marketer = cls.build_user(
            "marketer", f"{GROUP}_marketer", "sales_team.group_sale_salesman_all_leads"
        )
        cls.manager = cls.build_user("manager", f"{GROUP}_club_manager")
        cls.food = cls.env["res.partner.industry"].create({"name": "Food"})
        cls.steel = cls.env["res.partner.industry"].create({"name": "Steel"})

    @classmethod
    def build_user(cls, login, *groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login=f"score-{login}",
            groups=",".join(("base.group_user", "base.group_partner_manager", *groups)),
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )

    def rule(self, points=10, domain="[]", **values):
        """A rule of the marketer."""
        return self.env["customer.score.rule"].create(
            {
                "name": "Rule",
                "points": points,
                "domain": str(domain),
                "user_id": self.marketer.id,
                "company_id": self.company.id,
                **values,
            }
        )

    def partner(self, name="Contact", **values):
        """A contact of the company."""
        return self.env["res.partner"].create(
            {"name": name, "company_id": self.company.id, **values}
        )

    def lead(self, name="Lead", **values):
        """A lead of the company."""
        return self.env["crm.lead"].create(
            {"name": name, "company_id": self.company.id, **values}
        )

    def refresh(self, **ids):
        """Work the scores out."""
        changed = self.env["customer.score.rule"].refresh(**ids)
        self.env.invalidate_all()
        return changed

    def lines(self, record):
        """Points of a contact's or lead's lines, by rule."""
        return {
            line.rule_id: line.points
            for line in record.customer_score_line_ids
            if line.company_id == self.company
        }


@tagged("post_install", "-at_install")
class TestScoreRule(ScoreCommon):
    """What may be a rule, and who may change it."""

    def test_food_industry_and_more_than_fifty_employees_give_ten(self):
        """The case of the assignment: only who meets both gets the points."""
        size = "employee_count" if self.has_employees() else "color"
        rule = self.rule(
            10, [("industry_id.name", "=", "Food"), (size, ">", 50)], name="Big food"
        )
        both = self.partner("Both", industry_id=self.food.id, **{size: 51})
        small = self.partner("Small", industry_id=self.food.id, **{size: 50})
        other = self.partner("Other", industry_id=self.steel.id, **{size: 500})
        self.refresh()
        self.assertEqual(self.lines(both), {rule: 10})
        self.assertEqual(both.customer_score, 10)
        self.assertEqual(both.customer_grade, "D")
        self.assertEqual((small | other).customer_score_line_ids.ids, [])
        self.assertEqual([small.customer_score, other.customer_score], [0, 0])

    def has_employees(self):
        return "employee_count" in self.env["res.partner"]._fields

    def test_what_is_no_day_or_no_number_is_refused_in_words(self):
        """Only other systems send such; either calendar is understood."""
        self.assertEqual(
            self.rule(valid_from="1405-01-01").valid_from,
            fields.Date.to_date("2026-03-21"),
        )
        for values, words in (
            ({"valid_from": "2026-13-45"}, "is no date"),
            ({"valid_to": "soon"}, "is no date"),
            ({"points": 10**12}, "too large"),
            ({"cap": -(10**12)}, "too large"),
            ({"half_life_days": 10**12}, "too large"),
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(ValidationError, words),
            ):
                self.rule(**values)

    @mute_logger("odoo.sql_db")
    def test_points_out_of_range_are_refused(self):
        """Beyond 100, below -100, and a cap that is none."""
        for values in (
            {"points": 101},
            {"points": -101},
            {"valid_from": "2026-02-02", "valid_to": "2026-02-01"},
        ):
            with (
                self.subTest(values),
                self.assertRaises(psycopg2.IntegrityError),
                self.cr.savepoint(),
            ):
                self.rule(**values)

    def test_ids_that_are_none_are_refused(self):
        """Of contacts and leads, in scores and segments."""
        rules, segments = self.env["customer.score.rule"], self.env["customer.segment"]
        for wrong in ("abc", ["a"], [True], {"a": 1}):
            for model in (rules, segments):
                with self.subTest(model=model, wrong=wrong):
                    with self.assertRaises(ValidationError):
                        model.refresh(partner_ids=wrong)
                    with self.assertRaises(ValidationError):
                        model.refresh(lead_ids=wrong)

    def test_broken_conditions_are_refused_with_words(self):
        """Whatever cannot be evaluated, segments, and the score itself."""
        for domain, text in (
            ("[(", "plain list"),
            ([("no_such_field", "=", 1)], "does not exist"),
            ([("segment_ids", "in", [1])], "segments ask for scores"),
            ([("child_ids.segment_ids", "in", [1])], "segments ask for scores"),
            ([("customer_score", ">", 1)], "the score itself"),
            ([("customer_profile_id.score", ">", 1)], "the score itself"),
        ):
            with self.subTest(domain), self.assertRaisesRegex(ValidationError, text):
                self.rule(domain=domain)

    def test_events_need_a_source_and_a_cap(self):
        for values in (
            {"repeat": "event", "cap": 5},
            {"repeat": "event", "event_source": "visit"},
            {"half_life_days": 10},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.rule(**values)

    def test_the_editor_of_a_condition_answers_for_it(self):
        """Else a manager's rule would read through another's eyes."""
        rule = self.rule(user_id=self.marketer.id)
        rule.with_user(self.manager).domain = "[('name', '=', 'x')]"
        self.assertEqual(rule.user_id, self.manager)
        with self.assertRaises(AccessError):
            rule.with_user(self.marketer).points = 5
        mine = (
            self.env["customer.score.rule"]
            .with_user(self.marketer)
            .create({"name": "Mine", "points": 1, "user_id": self.manager.id})
        )
        self.assertEqual(mine.user_id, self.marketer)

    def test_the_system_is_not_responsible(self):
        with self.assertRaises(UserError):
            self.rule(user_id=self.env.ref("base.user_root").id)

    def test_a_salesperson_sees_score_and_lines_only(self):
        """And nobody works out scores of all who may not write rules."""
        salesperson = self.build_user("sales", "sales_team.group_sale_salesman")
        rule = self.rule(30)
        partner = self.partner()
        self.refresh()
        seen = partner.with_user(salesperson)
        self.assertEqual(seen.customer_score, 30)
        self.assertEqual(seen.customer_grade, "C")
        self.assertEqual(seen.customer_score_line_ids.rule_id.name, "Rule")
        with self.assertRaises(AccessError):
            rule.with_user(salesperson).points = 1
        with self.assertRaises(AccessError):
            self.env["customer.score.rule"].with_user(salesperson).refresh()
        rule.points = 60
        seen.action_refresh_score()
        self.assertEqual(seen.customer_score, 60)

    def test_portal_users_see_and_search_nothing(self):
        """Neither the figure nor, by searching, whether it is high."""
        portal = new_test_user(
            self.env, login="score-portal", groups="base.group_portal"
        )
        self.rule(30)
        self.refresh()
        mine = portal.partner_id.with_user(portal)
        with self.assertRaises(AccessError):
            mine.read(["customer_score"])
        with self.assertRaises(AccessError):
            mine.search([("customer_score", ">", 1)])
        with self.assertRaises(AccessError):
            self.env["customer.score.line"].with_user(portal).search([])

    def test_packs_are_copied_and_say_what_is_missing(self):
        """What the data allows is on, the rest waits and cannot be switched on."""
        Template = self.env["customer.score.template"].with_user(self.marketer)
        self.partner(function="Managing director")
        rules = Template.use_pack("b2b")
        templates = Template.search([("pack", "=", "b2b")])
        self.assertEqual(rules.template_id, templates)
        self.assertEqual(rules.company_id, self.company)
        self.assertEqual(rules.user_id, self.marketer)
        role = rules.filtered(
            lambda rule: rule.name == "Decision-maker" and rule.model == "res.partner"
        )
        self.assertTrue(role.active)
        form = rules.filtered(lambda rule: rule.name == "Filled in a form")[:1]
        target = rules.filtered(lambda rule: rule.name == "Target industry")[:1]
        self.assertFalse(form.active)
        self.assertTrue(form.missing)
        self.assertIn("target industries", target.missing)
        for rule in form, target:
            with self.assertRaises(ValidationError), self.cr.savepoint():
                rule.action_switch_on()
        self.assertEqual(Template.use_pack("b2b"), rules)

    def test_what_two_packs_share_counts_once(self):
        """Of two rules that ask the same only the first is copied."""
        Template = self.env["customer.score.template"].with_user(self.marketer)
        b2b, shop = Template.use_pack("b2b"), Template.use_pack("shop")
        asked = [
            (template.model, template.domain, template.event_source, template.choice)
            for template in (b2b | shop).template_id
        ]
        self.assertEqual(len(asked), len(set(asked)))
        self.assertTrue(b2b & shop)
        self.assertEqual(Template.use_pack("shop"), shop)

    def test_missing_names_what_is_empty_first(self):
        """Nobody expects a product: not «nobody has an expected product's category»."""
        rule = self.rule(5, [("expected_product_id.categ_id.name", "=", "x")])
        self.assertEqual(rule.missing, "No contact has “Expects” yet.")

    def test_a_chosen_condition_may_be_switched_on(self):
        Template = self.env["customer.score.template"].with_user(self.marketer)
        rules = Template.use_pack("b2b")
        target = rules.filtered(
            lambda rule: rule.name == "Target industry" and rule.model == "res.partner"
        )
        partner = self.partner(industry_id=self.food.id)
        target.domain = str([("industry_id", "in", self.food.ids)])
        self.assertFalse(target.missing)
        target.action_switch_on()
        self.refresh()
        self.assertIn(target, self.lines(partner))

    def test_packs_are_for_marketers(self):
        salesperson = self.build_user("sales2", "sales_team.group_sale_salesman")
        with self.assertRaises(AccessError):
            self.env["customer.score.template"].with_user(salesperson).use_pack("shop")

    def test_what_if_counts_who_changes_grade(self):
        """From the grades of today's rules, switched together; nothing is written."""
        self.rule(50, [("ref", "=", "x")])
        more = self.rule(30, [("ref", "=", "x")], active=False)
        self.partner(ref="x")
        self.partner(ref="x")
        wizard = (
            self.env["customer.score.what.if"]
            .with_user(self.marketer)
            .with_context(active_ids=more.ids)
            .create({})
        )
        self.assertEqual(
            [(line.before, line.after, line.people) for line in wizard.line_ids],
            [("B", "A", 2)],
        )
        self.assertIn("2 of 2", wizard.sentence)
        self.assertFalse(more.line_ids)
        self.assertFalse(more.active)

    def test_the_day_is_the_companys(self):
        """A rule that ends today still counts, tomorrow it does not."""
        today = self.company._club_today()
        rule = self.rule(
            20, valid_to=today, valid_from=fields.Date.subtract(today, days=1)
        )
        partner = self.partner()
        self.refresh()
        self.assertEqual(partner.customer_score, 20)
        self.assertEqual(partner.customer_score_line_ids.expires, today)
        rule.valid_to = fields.Date.subtract(today, days=1)
        self.refresh()
        self.assertEqual(partner.customer_score, 0)
        self.assertFalse(partner.customer_grade)
