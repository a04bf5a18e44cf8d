import random
import uuid
from collections import Counter
from datetime import date, datetime, timedelta
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun import freeze_time
from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from ..models.club import club_dashboard, club_dashboard_attention
from .common import ClubCommon

# 13:30 in Tehran; its day began on the 9th at 20:30 UTC.
NOW = datetime(2026, 3, 10, 10)
TEHRAN = ZoneInfo("Asia/Tehran")
UTC = ZoneInfo("UTC")


class DashboardCommon(ClubCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.club_tz = "Asia/Tehran"
        cls.user = cls.build_user("club_user")
        cls.cashier = cls.build_user("cashier")
        cls.manager = cls.build_user("club_manager")

    def build_visit(self, occurred_at=NOW, **values):
        """One journal row as the intake would leave it."""
        device = values.pop("device", self.device)
        return self.env["club.checkin"].create(
            {
                "company_id": device.company_id.id,
                "device_id": device.id,
                "event_id": str(uuid.uuid4()),
                "occurred_at": occurred_at,
                "arrived_at": occurred_at,
                "counted": values.get("result") != "too_soon",
                "result": "new",
                "state": "done",
                **values,
            }
        )

    def build_member(self, first_visit=NOW, **values):
        return self.env["club.member"].create(
            {
                "company_id": self.company.id,
                "phone_e164": f"+98{self.phone()[1:]}",
                "first_visit": first_visit,
                "last_visit": first_visit,
                "visit_count": 1,
                "joined_device_id": self.device.id,
                **values,
            }
        )

    def figures(self, period="today", branch=False, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        dashboard = self.env["club.dashboard"].with_user(user or self.user)
        return dashboard.with_company(self.company).get_figures(period, branch)

    def values(self, *args, **kwargs):
        """Values of the tiles by key."""
        return {
            tile["key"]: tile["value"]
            for group in self.figures(*args, **kwargs)["groups"]
            for tile in group["tiles"]
        }

    def attention(self, **kwargs):
        return {entry["key"]: entry for entry in self.figures(**kwargs)["attention"]}

    def library_outdated(self, outdated):
        return patch.object(
            club_dashboard_attention, "library_is_outdated", lambda: outdated
        )

    def count_list(self, action, user=None):
        """How many records the list behind a figure shows to the user."""
        model = self.env[action["res_model"]].with_user(user or self.user)
        return model.search_count(action["domain"])


@tagged("-at_install", "post_install", "customer_segmentation")
@freeze_time(NOW)
class TestClubDashboard(DashboardCommon):
    # === FIGURES === #

    def test_a_day_begins_at_midnight_of_the_club(self):
        self.user.tz = "America/New_York"
        self.build_visit(datetime(2026, 3, 9, 20, 29, 59))
        self.build_visit(datetime(2026, 3, 9, 20, 30))
        self.build_visit(datetime(2026, 3, 10, 9, 59), result="repeat")
        today, yesterday = self.figures(), self.figures("yesterday")
        self.assertEqual(self.values()["visits"], 2)
        self.assertEqual(self.values("yesterday")["visits"], 1)
        self.assertEqual(today["charts"][0]["labels"][0], "0:00")
        self.assertEqual(today["charts"][0]["series"][0]["values"][0], 1)
        self.assertEqual(yesterday["charts"][0]["labels"][-1], "23:00")
        self.assertEqual(yesterday["charts"][0]["series"][0]["values"][-1], 1)

    def test_days_in_persian_are_solar_hijri(self):
        self.build_visit(NOW)
        self.env["res.lang"]._activate_lang("fa_IR")
        dashboard = self.env["club.dashboard"].with_user(self.user)
        figures = dashboard.with_context(lang="fa_IR").get_figures("7_days")
        self.assertEqual(figures["period_text"], "۱۳ اسفند ۱۴۰۴ – ۱۹ اسفند ۱۴۰۴")
        self.assertEqual(figures["charts"][0]["labels"][-1], "۱۹ اسفند")
        self.assertIn("۱۲:۰۰", figures["charts"][1]["labels"])
        self.assertEqual(self.figures()["period_text"], "03/10/2026")

    def test_midnights_where_clocks_change_at_midnight(self):
        """00:00 did not exist in Tehran on 2022-03-22, and came twice in Havana."""
        for zone, day, expected in (
            ("Asia/Tehran", date(2022, 3, 22), "2022-03-21 20:30:00"),
            ("Asia/Tehran", date(2022, 3, 23), "2022-03-22 19:30:00"),
            ("America/Havana", date(2025, 11, 2), "2025-11-02 04:00:00"),
        ):
            with self.subTest(zone=zone, day=day):
                self.assertEqual(
                    club_dashboard._midnight(day, club_dashboard.pytz.timezone(zone)),
                    expected,
                )

    def test_figures_match_records_counted_one_by_one(self):
        other = self.build_device(self.company, name="Door", branch="Tajrish")
        self.device.branch = "Valiasr"
        chance = random.Random(19)
        visits = self.env["club.checkin"].browse()
        for _number in range(150):
            visits += self.build_visit(
                NOW - timedelta(minutes=chance.randrange(50 * 24 * 60)),
                device=chance.choice([self.device, other]),
                result=chance.choice(["new", "repeat", "too_soon"]),
                message_state=chance.choice(
                    [False, "outgoing", "process", "pending", "sent", "error"]
                ),
                unknown_digit=chance.random() < 0.2,
            )
        members = self.env["club.member"].browse()
        for _number in range(30):
            members += self.build_member(
                NOW - timedelta(minutes=chance.randrange(50 * 24 * 60)),
                joined_device_id=chance.choice([self.device, other]).id,
            )
        days = {
            "today": ["2026-03-10", "2026-03-10"],
            "yesterday": ["2026-03-09", "2026-03-09"],
            "7_days": ["2026-03-04", "2026-03-10"],
            "30_days": ["2026-02-09", "2026-03-10"],
            "month": ["2026-03-01", "2026-03-10"],
        }
        for period, (first, last) in days.items():
            for branch in (False, "Valiasr", "Tajrish"):
                with self.subTest(period=period, branch=branch):
                    self._check_figures(visits, members, period, branch, first, last)

    def _check_figures(self, visits, members, period, branch, first, last):
        def inside(moment, device):
            day = moment.replace(tzinfo=UTC).astimezone(TEHRAN).date().isoformat()
            return first <= day <= last and branch in (False, device.branch)

        visits = [v for v in visits if inside(v.occurred_at, v.device_id)]
        expected = self._count_one_by_one(visits)
        expected["new_members"] = sum(
            inside(member.first_visit, member.joined_device_id) for member in members
        )
        data = self.figures(period, branch)
        for group in data["groups"]:
            for tile in group["tiles"]:
                self.assertEqual(tile["value"], expected[tile["key"]], tile["key"])
                self.assertEqual(self.count_list(tile["action"]), tile["value"])
        for chart in data["charts"]:
            self._check_chart(chart, visits)
        for row in data["devices"]:
            self.assertEqual(self.count_list(row["visits_action"]), row["visits"])
        of_devices = sum(row["visits"] for row in data["devices"])
        self.assertEqual(of_devices, expected["visits"])

    def _count_one_by_one(self, visits):
        expected = Counter()
        for visit in visits:
            if visit.counted:
                expected["visits"] += 1
                expected["first" if visit.result == "new" else "repeat"] += 1
            else:
                expected["not_counted"] += 1
            kind = {
                "pending": "sent",
                "sent": "sent",
                "outgoing": "waiting",
                "process": "waiting",
                "error": "failed",
            }.get(visit.message_state)
            expected[kind] += 1
        return expected

    def _check_chart(self, chart, visits):
        expected = Counter()
        for visit in visits:
            local = visit.occurred_at.replace(tzinfo=UTC).astimezone(TEHRAN)
            bar = f"{local.hour}:00" if chart["key"] == "hour" else f"{local:%-d %b}"
            expected[bar] += bool(visit.counted)
        first, repeat = (series["values"] for series in chart["series"])
        sums = [sum(bar) for bar in zip(first, repeat, strict=True)]
        bars = dict(zip(chart["labels"], sums, strict=True))
        self.assertEqual(+Counter(bars), +expected)
        for domain, value in zip(chart["domains"], sums, strict=True):
            listed = self.count_list({**chart["action"], "domain": domain})
            self.assertEqual(listed, value)

    def test_what_arrives_late_counts_on_the_day_it_happened(self):
        self.build_visit(
            NOW - timedelta(days=1), arrived_at=NOW, message_state="outgoing"
        )
        self.assertEqual(self.values()["visits"], 0)
        self.assertEqual(self.values("yesterday")["visits"], 1)
        self.assertEqual(self.values()["waiting"], 1)

    def test_other_company_stays_out(self):
        company = self.build_company("Elsewhere")
        device = self.build_device(company, branch="Far away")
        self.build_visit(device=device, message_state="error", state="failed")
        self.build_member(company_id=company.id, joined_device_id=device.id)
        self.user.company_ids += company
        data = self.figures()
        self.assertEqual(set(self.values().values()), {0})
        self.assertFalse(data["branches"])
        self.assertEqual([row["id"] for row in data["devices"]], self.device.ids)
        self.assertNotIn("failed_checkins", self.attention())

    def test_unknown_period_and_branch_fall_back(self):
        data = self.figures("for ever", "Nowhere")
        self.assertEqual((data["period"], data["branch"]), ("today", False))

    def test_archived_device_keeps_its_visits(self):
        self.build_visit()
        self.device.active = False
        self.assertEqual(self.values()["visits"], 1)
        self.assertFalse(self.figures()["devices"])

    def test_queries_do_not_grow_with_the_records(self):
        def queries():
            self.figures("30_days")
            before = self.env.cr.sql_log_count
            self.figures("30_days")
            return self.env.cr.sql_log_count - before

        self.build_visit()
        self.build_member()
        few = queries()
        for number in range(12):
            device = self.build_device(self.company, name=f"Desk {number}")
            for day in range(5):
                self.build_visit(NOW - timedelta(days=day), device=device)
                self.build_member(NOW - timedelta(days=day))
        self.assertEqual(queries(), few)
        self.assertLess(few, 40)

    def test_hour_is_the_clubs_whoever_looks(self):
        visit = self.build_visit(datetime(2026, 3, 10, 9, 45))
        self.user.tz = "America/New_York"
        self.assertEqual(visit.with_user(self.user).occurred_hour, 13)
        Checkin = self.env["club.checkin"].with_user(self.user)
        self.assertEqual(Checkin.search([("occurred_hour", "=", 13)]), visit)
        self.assertEqual(Checkin.search([("occurred_hour", "in", [9, 13])]), visit)
        self.assertFalse(Checkin.search([("occurred_hour", "!=", 13)]))

    # === RIGHTS === #

    def test_cashier_sees_today_only(self):
        self.build_visit()
        self.build_visit(NOW - timedelta(days=1), state="failed")
        data = self.figures("30_days", user=self.cashier)
        self.assertEqual(data["period"], "today")
        self.assertEqual([period["key"] for period in data["periods"]], ["today"])
        self.assertEqual([g["key"] for g in data["groups"]], ["visits", "messages"])
        self.assertFalse(data["can_find_callers"])
        self.assertFalse(data["onboarding"])
        self.assertFalse(self.attention(user=self.cashier))
        for zone in ("Asia/Tehran", "Pacific/Kiritimati", "America/New_York"):
            self.cashier.tz = zone
            data = self.figures(user=self.cashier)
            tile = data["groups"][0]["tiles"][0]
            with self.subTest(zone=zone):
                self.assertEqual(tile["value"], 1)
                self.assertEqual(self.count_list(tile["action"], self.cashier), 1)

    def test_today_is_the_clubs_whoever_looks(self):
        """The cashier's list, its filter, the device's count and Today agree."""
        self.build_visit(datetime(2026, 3, 9, 20, 29, 59))
        early = self.build_visit(datetime(2026, 3, 9, 20, 30)) + self.build_visit(
            datetime(2026, 3, 10, 3)
        )
        for zone in ("Asia/Tehran", "Pacific/Kiritimati", "America/New_York", False):
            self.cashier.tz = zone
            self.env.invalidate_all()
            checkins = self.env["club.checkin"].with_user(self.cashier)
            own = [("device_id", "=", self.device.id)]
            with self.subTest(zone=zone):
                self.assertEqual(checkins.search(own), early[::-1])
                today = checkins.search([*own, ("arrived_today", "=", True)])
                self.assertEqual(today, early[::-1])
                self.assertEqual(set(today.mapped("arrived_today")), {True})
                device = self.device.with_user(self.cashier)
                self.assertEqual(device.checkins_today, 2)
                self.assertEqual(self.values(user=self.cashier)["visits"], 2)
        self.user.tz = "America/New_York"
        before = self.env["club.checkin"].with_user(self.user)
        before = before.search([*own, ("arrived_today", "=", False)])
        self.assertEqual(before.mapped("arrived_today"), [False])

    def filter_domain(self, model, name):
        """The domain of a filter, as the web client reads it from the search view."""
        arch = etree.fromstring(self.env[model].get_view(view_type="search")["arch"])
        return safe_eval(arch.find(f".//filter[@name='{name}']").get("domain"))

    def test_week_and_month_are_the_clubs_whoever_looks(self):
        """Filters of the week, on members and contacts, and visits of the month."""
        partners = self.env["res.partner"].create(
            [{"name": name, "company_id": self.company.id} for name in ("old", "new")]
        )
        # Sunday, and the first of March, begin at 20:30 UTC of the day before.
        self.build_member(datetime(2026, 3, 7, 20, 29, 59), partner_id=partners[0].id)
        new = self.build_member(datetime(2026, 3, 7, 20, 30), partner_id=partners[1].id)
        for moment in (
            datetime(2026, 2, 28, 20, 29, 59),
            datetime(2026, 2, 28, 20, 30),
            NOW,
        ):
            self.build_visit(moment, member_id=new.id)
        for zone in ("Asia/Tehran", "Pacific/Kiritimati", "America/New_York", False):
            self.user.tz = zone
            self.env.flush_all()
            self.env.invalidate_all()
            user_env = self.env(user=self.user)
            user_env = user_env["base"].with_company(self.company).env
            with self.subTest(zone=zone):
                for model, name, among, expected in (
                    (
                        "club.member",
                        "filter_first_this_week",
                        [("partner_id", "in", partners.ids)],
                        new,
                    ),
                    (
                        "res.partner",
                        "filter_club_first_this_week",
                        [("id", "in", partners.ids)],
                        partners[1],
                    ),
                ):
                    domain = self.filter_domain(model, name)
                    found = user_env[model].search(among + domain)
                    self.assertEqual(found, expected, model)
                self.assertTrue(new.with_env(user_env).first_this_week)
                seen = partners[1].with_env(user_env)
                self.assertEqual(seen.club_month_visits, 2)
                domain = [("id", "=", seen.id), ("club_month_visits", "=", 2)]
                self.assertEqual(seen.search(domain), seen)

    def test_others_see_nothing(self):
        preset = self.env["club.preset"].search([], limit=1)
        for groups in ("base.group_user", "base.group_portal", "base.group_public"):
            user = new_test_user(
                self.env,
                login=f"{groups}-dashboard",
                groups=groups,
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            dashboard = self.env["club.dashboard"].with_user(user)
            with self.subTest(groups=groups):
                with self.assertRaises(AccessError):
                    dashboard.get_figures()
                with self.assertRaises(AccessError):
                    dashboard.find_caller("09120000001")
                with self.assertRaises(AccessError):
                    dashboard.apply_preset(preset.id)

    def test_cashier_may_not_ask_who_calls(self):
        with self.assertRaises(AccessError):
            self.env["club.dashboard"].with_user(self.cashier).find_caller(
                "09120000001"
            )

    # === WHAT NEEDS A PERSON === #

    def test_nothing_needs_a_person(self):
        self.env["club.device.activity"].search([]).last_seen = NOW
        self.build_visit()
        with patch.object(
            club_dashboard_attention, "library_is_outdated", lambda: False
        ):
            self.assertEqual(self.attention(), {})

    def test_a_currency_without_a_rate_is_named(self):
        """Its amounts count one to one in the figures until somebody enters a rate."""
        currency = self.env["res.currency"].create({"name": "XTS", "symbol": "x"})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Guest"}).id,
                "company_id": self.company.id,
            }
        )
        order.flush_recordset()
        self.env.cr.execute(
            "UPDATE sale_order SET currency_id = %s, state = 'sale' WHERE id = %s",
            [currency.id, order.id],
        )
        entry = self.attention()["no_rate"]
        self.assertIn("XTS", entry["text"])
        domain = entry["action"]["domain"]
        self.assertEqual(self.env["res.currency"].search(domain), currency)
        currency.rate_ids = [(0, 0, {"rate": 2.0, "company_id": self.company.id})]
        self.assertNotIn("no_rate", self.attention())

    def test_what_needs_a_person_opens_its_list(self):
        hours_ago = NOW - timedelta(hours=2)
        self.build_visit(state="failed")
        self.build_visit(NOW - timedelta(days=300), state="failed")
        self.build_visit(hours_ago, state="pending")
        self.build_visit(hours_ago, state="pending", attempts=2)
        self.build_visit(NOW, state="pending")
        self.build_visit(message_state="error")
        self.build_visit(unknown_digit=True, digit=7)
        line = self.company._get_sms_line("service")
        for waits in (True, False):
            sms = self.env["sms.sms"].create(
                {
                    "number": "+989120000001",
                    "body": "Welcome",
                    "line_id": line.id,
                    "company_id": self.company.id,
                }
            )
            sms.flush_recordset()
            self.env.cr.execute(
                "UPDATE sms_sms SET create_date = %s WHERE id = %s",
                [hours_ago if waits else NOW, sms.id],
            )
        self.env["club.device.activity"].search([]).last_seen = NOW - timedelta(days=2)
        found = self.attention()
        counts = {
            "failed_checkins": 2,
            "stuck_checkins": 1,
            "failed_messages": 1,
            "unknown_digits": 1,
            "stuck_messages": 1,
            "unseen_devices": 1,
        }
        for key, count in counts.items():
            with self.subTest(key=key):
                self.assertEqual(found[key]["count"], count)
                self.assertEqual(self.count_list(found[key]["action"]), count)
        levels = [entry["level"] for entry in found.values()]
        self.assertEqual(levels, sorted(levels))

    def test_settings_that_stop_the_club(self):
        self.company.write({"club_open": False, "club_silent": True})
        self.company._get_sms_line("service").active = False
        with patch.object(
            club_dashboard_attention, "library_is_outdated", lambda: True
        ):
            found = self.attention()
        self.assertLessEqual({"closed", "silent", "no_line", "library"}, set(found))
        self.assertFalse(found["no_line"]["action"])
        lines = self.attention(user=self.manager)["no_line"]["action"]
        self.assertEqual(lines["res_model"], "sms.line")

    def test_device_rows(self):
        self.device.activity_row_ids.write({"last_seen": NOW, "queue_length": 4})
        silent = self.build_device(self.company, name="Silent", branch="Tajrish")
        silent.state = "active"
        rows = {row["name"]: row for row in self.figures()["devices"]}
        self.assertEqual(rows["Counter"]["waiting"], 4)
        self.assertFalse(rows["Counter"]["is_unseen"])
        self.assertTrue(rows["Silent"]["is_unseen"])
        self.assertFalse(rows["Silent"]["last_seen"])

    # === ONBOARDING === #

    def test_onboarding_until_a_device_checks_in(self):
        self.company.write(
            {"club_welcome_template_id": False, "club_repeat_template_id": False}
        )

        def done():
            onboarding = self.figures(user=self.manager)["onboarding"]
            return onboarding and {
                step["key"]: step["done"] for step in onboarding["steps"]
            }

        self.assertEqual(
            done(), {"trade": False, "welcome": False, "device": True, "try": False}
        )
        self.build_visit(event_id="hand-0001")
        self.assertTrue(done()["try"])
        self.build_visit()
        self.assertFalse(done())

    def test_onboarding_ends_when_all_is_done(self):
        self.build_visit(event_id="hand-0001")
        self.assertFalse(self.figures(user=self.manager)["onboarding"])

    def test_onboarding_is_for_managers(self):
        self.assertFalse(self.figures(user=self.user)["onboarding"])
        self.assertTrue(self.figures(user=self.manager)["onboarding"]["presets"])

    def test_onboarding_steps_lead_a_manager_to_what_they_say(self):
        """Settings are for administrators: the trade brings the first text."""
        self.company.write(
            {"club_welcome_template_id": False, "club_repeat_template_id": False}
        )
        steps = {
            step["key"]: step["action"]
            for step in self.figures(user=self.manager)["onboarding"]["steps"]
        }
        self.assertEqual(steps["welcome"]["res_model"], "club.preset.apply")
        self.assertEqual(steps["device"]["context"], {"default_kind": "tablet"})

    def test_texts_of_a_trade_are_named_in_the_managers_language(self):
        self.env["res.lang"]._activate_lang("fa_IR")
        preset = self.env["club.preset"].create(
            {"name": "Tea house", "welcome_body": "Welcome to tea"}
        )
        self.manager.lang = "fa_IR"
        self.env["club.dashboard"].with_user(self.manager).with_context(
            lang="fa_IR"
        ).apply_preset(preset.id)
        self.assertEqual(
            self.company.club_welcome_template_id.with_context(lang="fa_IR").name,
            f"متن خوش‌آمدگویی · {self.company.name}",
        )

    def test_trade_in_one_click(self):
        preset = self.env["club.preset"].create(
            {
                "name": "Tea house",
                "welcome_body": "Welcome to tea",
                "gap_minutes": 33,
                "tag_ids": [(0, 0, {"digit": 1, "label": "Samovar"})],
            }
        )
        device = self.build_device(self.company, name="New one")
        dashboard = self.env["club.dashboard"].with_user(self.manager)
        self.assertIn("tags on New one: Tea house", dashboard.apply_preset(preset.id))
        self.assertIn("choose it again", dashboard.apply_preset(preset.id))
        self.assertEqual(self.company.club_welcome_template_id.body, "Welcome to tea")
        self.assertEqual(device.gap_minutes, 33)
        self.assertEqual(device.tag_ids.mapped("label"), ["Samovar"])
        self.assertEqual(len(self.device.tag_ids), 3, "a device with tags keeps them")


@tagged("-at_install", "post_install", "customer_segmentation")
class TestClubDashboardCaller(DashboardCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "Sample Guest",
                "phone": "0912 000 1234",
                "country_id": cls.env.ref("base.ir").id,
                "category_id": [(6, 0, cls.category_coffee.ids)],
            }
        )

    def find(self, phone):
        self.env.flush_all()
        return self.env["club.dashboard"].with_user(self.user).find_caller(phone)

    def build_member_of(self, partner, **values):
        return self.build_member(
            phone_e164=partner.phone_sanitized,
            partner_id=partner.id,
            visit_count=7,
            **values,
        )

    def test_member_in_whatever_digits(self):
        member = self.build_member_of(self.partner, no_sms=True)
        for phone in (
            "09120001234",
            "۰۹۱۲ ۰۰۰ ۱۲۳۴",
            "+98 912-000-1234",
            "٠٩١٢٠٠٠١٢٣٤",
            "\u200e0912 000 1234\u200f",
        ):
            with self.subTest(phone=phone):
                answer = self.find(phone)
                self.assertFalse(answer["error"])
                (caller,) = answer["callers"]
                self.assertEqual(caller["name"], "Sample Guest")
                self.assertEqual(caller["visits"], 7)
                self.assertTrue(caller["is_member"] and caller["no_sms"])
                self.assertEqual(caller["last_visit"], str(member.last_visit))
                self.assertEqual([tag["name"] for tag in caller["tags"]], ["Coffee"])
                self.assertEqual(caller["action"]["res_id"], self.partner.id)

    def test_contact_who_is_no_member(self):
        (caller,) = self.find("09120001234")["callers"]
        self.assertEqual(caller["name"], "Sample Guest")
        self.assertFalse(caller["is_member"] or caller["visits_action"])

    def test_landline_of_a_contact(self):
        self.partner.phone = "021 8888 1234"
        (caller,) = self.find("۰۲۱۸۸۸۸۱۲۳۴")["callers"]
        self.assertEqual(caller["id"], self.partner.id)

    def test_member_before_contacts_with_the_same_number(self):
        twin = self.partner.copy({"name": "Twin", "phone": self.partner.phone})
        self.build_member_of(twin)
        callers = self.find("09120001234")["callers"]
        self.assertEqual(
            [caller["name"] for caller in callers], ["Twin", "Sample Guest"]
        )
        self.assertEqual([caller["is_member"] for caller in callers], [True, False])

    def test_member_whose_contact_is_still_made(self):
        member = self.build_member(phone_e164="+989120005678")
        (caller,) = self.find("09120005678")["callers"]
        self.assertEqual(caller["name"], "+989120005678")
        self.assertEqual(caller["action"]["res_id"], member.id)

    def test_nobody_and_no_number(self):
        answer = self.find("09120009999")
        self.assertFalse(answer["callers"] or answer["error"])
        self.assertEqual(answer["checkin_action"]["res_model"], "club.checkin.manual")
        self.assertEqual(
            answer["checkin_action"]["context"]["default_phone"], "+989120009999"
        )
        for phone in ("12", "hello", "", "0912 000 1234, 0912 000 1235"):
            with self.subTest(phone=phone):
                answer = self.find(phone)
                self.assertTrue(answer["error"])
                self.assertFalse(answer["callers"])

    def test_other_company_stays_hidden(self):
        company = self.build_company("Elsewhere")
        self.partner.company_id = company
        self.build_member_of(
            self.partner, company_id=company.id, joined_device_id=False
        )
        self.assertFalse(self.find("09120001234")["callers"])
