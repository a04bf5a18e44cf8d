from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from .test_score_rule import ScoreCommon


@tagged("post_install", "-at_install")
class TestScoreRefresh(ScoreCommon):
    """Scores are the sum of their lines, always."""

    def opened(self, record, *days_ago):
        """E-mails of a campaign that somebody read so many days ago."""
        now = fields.Datetime.now()
        self.env["mailing.trace"].create(
            [
                {
                    "model": record._name,
                    "res_id": record.id,
                    "trace_type": "mail",
                    "open_datetime": now - timedelta(days=days),
                }
                for days in days_ago
            ]
        )

    def test_a_score_is_the_sum_of_its_lines_from_0_to_100(self):
        """Above 100 it is 100, below 0 it is 0, the lines say the rest."""
        big, more = self.rule(90, name="Big"), self.rule(90, [("ref", "=", "x")])
        minus = self.rule(-100, [("ref", "=", "y")], name="Minus")
        plain, high, low = (self.partner(ref=ref) for ref in (False, "x", "y"))
        self.refresh()
        self.assertEqual(self.lines(high), {big: 90, more: 90})
        self.assertEqual(self.lines(low), {big: 90, minus: -100})
        scores = [partner.customer_score for partner in (plain, high, low)]
        self.assertEqual(scores, [90, 100, 0])
        self.assertEqual([p.customer_grade for p in (plain, high, low)], list("AAD"))

    def test_nothing_changed_writes_nothing(self):
        """A second run finds no difference, also when it compares every line."""
        self.rule(10)
        self.rule(20, repeat="event", event_source="mail_open", cap=30)
        self.opened(self.partner(), 1, 2)
        self.assertTrue(self.refresh())
        self.assertEqual(self.refresh(), 0)
        engine = self.env["customer.score.refresh"]
        self.assertEqual(engine._refresh(self.company, "res.partner"), 0)

    def test_one_rule_for_another_with_the_same_points_changes_the_lines(self):
        """Without comparing every line: the checksum tells the sets apart."""
        first = self.rule(10)
        partner = self.partner()
        self.refresh()
        first.active = False
        second = self.rule(10)
        self.env["customer.score.refresh"]._refresh(self.company, "res.partner")
        self.env.invalidate_all()
        self.assertEqual(self.lines(partner), {second: 10})
        self.assertEqual(partner.customer_score, 10)
        second.unlink()
        self.refresh()
        self.assertFalse(partner.customer_score_line_ids)
        self.assertEqual(partner.customer_score, 0)
        self.assertFalse(partner.customer_grade)

    def test_a_line_that_went_astray_is_put_right_by_the_daily_run(self):
        """It compares every line."""
        rule = self.rule(10)
        partner = self.partner()
        self.refresh()
        self.env.cr.execute("UPDATE customer_score_line SET points = 99")
        self.env["customer.score.refresh"]._refresh_day(self.company, "res.partner")
        self.env.invalidate_all()
        self.assertEqual(self.lines(partner), {rule: 10})

    def test_since_stays_while_points_change(self):
        rule = self.rule(10)
        partner = self.partner()
        self.refresh()
        line = partner.customer_score_line_ids
        self.env.cr.execute("UPDATE customer_score_line SET since = '2026-01-05'")
        rule.points = 30
        self.refresh()
        self.assertEqual(partner.customer_score_line_ids, line)
        self.assertEqual(line.points, 30)
        self.assertEqual(line.since, fields.Date.to_date("2026-01-05"))

    def test_events_count_up_to_the_cap(self):
        """Each one, but not more than the cap; negative ones likewise."""
        rule = self.rule(4, repeat="event", event_source="mail_open", cap=10)
        minus = self.rule(-4, repeat="event", event_source="mail_open", cap=6)
        once = self.rule(7, event_source="mail_open")
        two, many, none = (self.partner() for _ in range(3))
        self.opened(two, 1, 400)
        self.opened(many, 1, 2, 3, 4)
        self.refresh()
        self.assertEqual(self.lines(two), {rule: 8, minus: -6, once: 7})
        self.assertEqual(self.lines(many), {rule: 10, minus: -6, once: 7})
        self.assertEqual(self.lines(none), {})

    def test_points_of_events_halve_and_go(self):
        """20 after 30 days are 10, after 60 days 5; they end when nothing is left."""
        rule = self.rule(
            20, repeat="event", event_source="mail_open", cap=100, half_life_days=30
        )
        today, month, both, ages = (self.partner() for _ in range(4))
        self.opened(today, 0)
        self.opened(month, 30)
        self.opened(both, 30, 60)
        self.opened(ages, 3000)
        self.refresh()
        self.assertEqual(
            [self.lines(partner).get(rule) for partner in (today, month, both, ages)],
            [20, 10, 15, None],
        )
        # 20 × ½^(d/30) is half a point after 30 × log2(40) = 159.7 days.
        expires = self.company._club_today() + timedelta(days=160)
        self.assertEqual(today.customer_score_line_ids.expires, expires)

    def test_events_before_the_rule_do_not_count(self):
        since = self.company._club_today() - timedelta(days=10)
        self.rule(5, repeat="event", event_source="mail_open", cap=50, valid_from=since)
        partner = self.partner()
        self.opened(partner, 5, 20)
        self.refresh()
        self.assertEqual(partner.customer_score, 5)

    def test_no_profiling_no_score(self):
        """Switched on, the lines go; also those of its leads."""
        self.rule(10)
        self.rule(10, model="crm.lead")
        partner = self.partner()
        lead = self.lead(partner_id=partner.id)
        self.refresh()
        self.assertEqual([partner.customer_score, lead.customer_score], [10, 10])
        partner.no_profiling = True
        self.refresh()
        self.assertEqual([partner.customer_score, lead.customer_score], [0, 0])
        self.assertFalse(partner.customer_score_line_ids + lead.customer_score_line_ids)

    def test_addresses_colleagues_and_archived_contacts_have_none(self):
        self.rule(10)
        partner = self.partner()
        address = self.partner(parent_id=partner.id, type="delivery")
        self.refresh()
        self.assertFalse((address | self.marketer.partner_id).customer_score_line_ids)
        partner.active = False
        self.refresh()
        self.assertFalse(partner.customer_score_line_ids)

    def test_a_rule_that_breaks_is_stopped_alone_and_keeps_its_lines(self):
        """Its responsible is told once; the others go on; repaired it works again."""
        bad = self.rule(10, [("ref", "=", "x")], name="Bad")
        good = self.rule(20, [("city", "=", "Tehran")], name="Good")
        old, new = self.partner(ref="x"), self.partner(ref="x")
        new.ref = "y"
        self.refresh()
        self.env.cr.execute(
            "UPDATE customer_score_rule SET domain = %s WHERE id = %s",
            ["[('no_such_field', '=', 1)]", bad.id],
        )
        self.env.invalidate_all()
        new.city = "Tehran"
        self.refresh()
        self.refresh()
        self.assertEqual(bad.state, "quarantined")
        self.assertIn("no_such_field", bad.error)
        self.assertEqual(good.state, "fresh")
        self.assertEqual(bad.activity_ids.user_id, self.marketer)
        self.assertEqual(len(bad.activity_ids), 1)
        self.assertEqual(self.lines(old), {bad: 10})
        self.assertEqual(self.lines(new), {good: 20})
        bad.domain = "[('ref', '=', 'y')]"
        self.refresh()
        self.assertEqual(bad.state, "fresh")
        self.assertFalse(bad.activity_ids)
        self.assertEqual(self.lines(new), {good: 20, bad: 10})

    def test_a_rule_that_fails_while_it_runs_is_found(self):
        """Only the database notices; the one statement names no culprit."""
        bad = self.rule(10, name="Bad")
        good = self.rule(20, name="Good")
        partner = self.partner()
        scan = self.env.registry["customer.score.scan"]
        holds = scan._column

        def divide(self, rule, query, ids=None):
            column = holds(self, rule, query, ids)
            if rule == bad:
                points = SQL(
                    "10 / (%s - %s)",
                    SQL.identifier(query.table, "id"),
                    SQL.identifier(query.table, "id"),
                )
                return column._replace(points=points)
            return column

        self.patch(scan, "_column", divide)
        self.refresh()
        self.assertEqual([bad.state, good.state], ["quarantined", "fresh"])
        self.assertEqual(self.lines(partner), {good: 20})

    def test_conditions_run_with_the_rights_of_the_responsible(self):
        """Who may not work for the company any more stops the rule."""
        rule = self.rule(10)
        partner = self.partner()
        self.refresh()
        self.marketer.active = False
        self.refresh()
        self.assertEqual(rule.state, "quarantined")
        self.assertEqual(self.lines(partner), {rule: 10})

    def test_touched_contacts_follow_by_themselves(self):
        """The worker that refreshes segments works out scores before."""
        self.rule(40, [("city", "=", "Tabriz")])
        self.rule(40, [("city", "=", "Tabriz")], model="crm.lead")
        partner, lead = self.partner(), self.lead()
        self.refresh()
        self.env.cr.execute("DELETE FROM customer_segment_touch")
        partner.city = lead.city = "Tabriz"
        segment = self.env["customer.segment"].create(
            {
                "name": "High",
                "kind": "dynamic",
                "domain": "[('customer_score', '>=', 40)]",
                "user_id": self.marketer.id,
                "company_id": self.company.id,
            }
        )
        segment.refresh()
        self.env.flush_all()
        engine = self.env["customer.segment.refresh"]
        while engine._refresh_touched():
            pass
        self.env.invalidate_all()
        self.assertEqual([partner.customer_score, lead.customer_score], [40, 40])
        self.assertEqual(segment.partner_ids, partner)

    def test_scores_belong_to_a_company(self):
        """Of contacts both companies share, each has its own."""
        other = self.env["res.company"].create({"name": "Other"})
        self.marketer.company_ids += other
        self.env.user.company_ids += other
        self.rule(10)
        self.rule(70, company_id=other.id)
        shared = self.partner(company_id=False)
        self.refresh()
        there = self.env["customer.score.rule"].with_context(
            allowed_company_ids=other.ids
        )
        there.refresh()
        self.env.invalidate_all()
        self.assertEqual(shared.customer_score, 10)
        elsewhere = shared.with_context(allowed_company_ids=other.ids)
        self.assertEqual(elsewhere.customer_score, 70)
        self.assertEqual(elsewhere.customer_grade, "B")
        both = shared.with_context(allowed_company_ids=[other.id, self.company.id])
        self.assertEqual(both.own_score_line_ids.mapped("points"), [70])
        self.assertEqual(len(both.customer_score_line_ids), 2)

    def test_lists_are_searched_sorted_and_grouped_by_it(self):
        """Contacts and leads; without a score it is 0 and comes last."""
        for model, make in (("res.partner", self.partner), ("crm.lead", self.lead)):
            with self.subTest(model):
                self.rule(30, [("city", "in", ("B", "C"))], model=model)
                self.rule(50, [("city", "=", "C")], model=model)
                none, low, high = (make(name=city, city=city) for city in "ABC")
                self.refresh()
                records = none | low | high
                subjects = self.env[model]
                mine = [("id", "in", records.ids)]
                self.assertEqual(
                    subjects.search(mine, order="customer_score desc, id"),
                    high + low + none,
                )
                self.assertEqual(
                    subjects.search(mine, order="customer_score, id"), low + high + none
                )
                for domain, found in (
                    ([("customer_score", ">", 30)], high),
                    ([("customer_score", "<", 5)], none),
                    ([("customer_score", "=", 0)], none),
                    ([("customer_score", "!=", 30)], none + high),
                    ([("customer_grade", "=", "A")], high),
                    ([("customer_grade", "in", ["A", "C"])], low + high),
                    ([("customer_grade", "=", False)], none),
                ):
                    self.assertEqual(subjects.search(mine + domain), found, domain)
                groups = subjects._read_group(mine, ["customer_grade"], ["__count"])
                self.assertEqual(dict(groups), {"A": 1, "C": 1, False: 1})

    def test_a_lead_has_the_score_of_its_company(self):
        """Also for who works in another one of theirs right now."""
        other = self.env["res.company"].create({"name": "Other"})
        self.env.user.company_ids += other
        self.rule(30, model="crm.lead")
        lead = self.lead()
        self.refresh()
        both = lead.with_context(allowed_company_ids=[other.id, self.company.id])
        self.assertEqual(both.customer_score, 30)
        self.assertEqual(both.search([("customer_score", "=", 30)]), lead)
        self.assertEqual(both.own_score_line_ids.points, 30)
        history = both.action_open_score_history()["domain"]
        self.assertIn(("company_id", "=", self.company.id), history)
        self.rule(5, model="crm.lead")
        both.action_refresh_score()
        self.env.invalidate_all()
        self.assertEqual(both.customer_score, 35)

    def test_merged_contacts_keep_lines_and_are_judged_anew(self):
        """The larger points and the earlier day stay until the rules have spoken."""
        rule = self.rule(4, repeat="event", event_source="mail_open", cap=50)
        city = self.rule(30, [("city", "=", "Shiraz")])
        stays, gone = self.partner(), self.partner(city="Shiraz")
        self.opened(stays, 1)
        self.opened(gone, 1, 2, 3)
        self.refresh()
        self.env.cr.execute(
            "UPDATE customer_score_line SET since = '2026-01-05' WHERE partner_id = %s",
            [gone.id],
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((gone | stays).ids, stays)
        self.env.invalidate_all()
        lines = self.lines(stays)
        self.assertEqual(lines.pop(city), 30)
        # Core moves the e-mails of one contact to the other, or leaves them.
        self.assertGreaterEqual(lines[rule], 4)
        self.assertEqual(stays.customer_score, 30 + lines[rule])
        since = stays.customer_score_line_ids.filtered(lambda ln: ln.rule_id == rule)
        self.assertEqual(since.since, fields.Date.to_date("2026-01-05"))

    def test_merged_leads_are_judged_anew(self):
        rule = self.rule(30, [("city", "=", "Shiraz")], model="crm.lead")
        stays, gone = self.lead(), self.lead(city="Shiraz")
        self.refresh()
        lead = (stays | gone).merge_opportunity()
        self.env.invalidate_all()
        self.assertEqual(lead.customer_score_line_ids.rule_id, rule)
        self.assertEqual(lead.customer_score, 30)

    def test_grades_follow_the_settings(self):
        self.rule(30)
        partner = self.partner()
        self.refresh()
        self.assertEqual(partner.customer_grade, "C")
        self.company.write({"score_grade_b": 30, "score_grade_c": 10})
        run = self.env["customer.score.run"]
        self.assertIn((self.company, "res.partner"), run._due())
        self.refresh()
        self.assertEqual(partner.customer_grade, "B")
        self.assertNotIn((self.company, "res.partner"), run._due())

    def test_every_night_scores_are_kept_for_charts_and_old_ones_go(self):
        """A day on which nothing changes leaves no row."""
        rule = self.rule(30)
        partner = self.partner()
        engine = self.env["customer.score.refresh"]
        engine._refresh_day(self.company, "res.partner")
        mine = [("partner_id", "=", partner.id)]
        snapshots = self.env["customer.score.snapshot"]
        self.assertEqual(snapshots.search(mine).mapped("score"), [30])
        engine._refresh_day(self.company, "res.partner")
        self.assertEqual(len(snapshots.search(mine)), 1)
        self.env.cr.execute("UPDATE customer_score_snapshot SET date = date - 500")
        self.env.cr.execute("UPDATE customer_score_day SET date = date - 500")
        engine._refresh_day(self.company, "res.partner")
        self.assertEqual(len(snapshots.search(mine)), 1, "the last one stays")
        rule.points = 60
        engine._refresh_day(self.company, "res.partner")
        self.env.invalidate_all()
        self.assertEqual(snapshots.search(mine).mapped("score"), [60])
        days = self.env["customer.score.day"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(days.mapped("grade"), ["B"])

    def test_the_worker_works_out_what_is_due(self):
        """A changed rule, in its company only."""
        self.rule(10)
        partner = self.partner()
        with self.enter_registry_test_mode():
            self.env.ref(
                "customer_segmentation.customer_score_refresh_cron"
            ).method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(partner.customer_score, 10)
        self.assertFalse(self.env["customer.score.run"]._due())
