import ast
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..models.partner import partner_birthday_mixin
from .test_segment_refresh import SegmentCommon

TEMPLATE = "customer.segment.condition.template"
READY = "customer_segmentation.customer_segment_condition"
GALLERY = "customer_segmentation.customer_segment_gallery"


class ReadyCommon(SegmentCommon):
    """Ready conditions as the marketer uses them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Template = cls.env[TEMPLATE].with_user(cls.marketer)
        # Shipped records may be deleted by users; the test needs its own.
        cls.product = cls.env["product.product"].create({"name": "Coffee beans"})

    def ready(self, name):
        """A shipped ready condition, for the marketer."""
        return self.env.ref(f"{READY}_{name}").with_user(self.marketer)

    def filled(self, name, **values):
        """The condition of a shipped ready condition."""
        return self.ready(name).fill(values)

    def order(self, partner, state="sale", days_ago=1):
        """An order of a partner."""
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "order_line": [Command.create({"product_id": self.product.id})],
            }
        )
        order.write(
            {
                "state": state,
                "date_order": fields.Datetime.now() - timedelta(days=days_ago),
            }
        )
        return order


@tagged("post_install", "-at_install")
class TestSegmentConditionReady(ReadyCommon):
    """Conditions with blanks: offered where they work, filled in, kept honest."""

    def test_every_offered_condition_makes_a_segment_that_refreshes(self):
        """All of them, gallery included, with whatever their lists offer."""
        used = 0
        for template in self.Template.search([("is_available", "=", True)]):
            with self.subTest(template.name):
                values = {
                    blank.key: blank._default() or self.some_value(blank)
                    for blank in template.blank_ids
                }
                segment = self.segment(
                    template.fill(values), name=template.name, model=template.model
                )
                self.assertEqual((segment.state, segment.error), ("fresh", False))
                used += 1
        self.assertGreater(used, 35)

    def some_value(self, blank):
        if blank.kind == "text":
            return "Tehran"
        if blank.kind in ("selection", "east_of"):
            return blank._options()[0][0]
        found = self.env[blank.comodel].with_user(self.marketer).search([], limit=2)
        if not found:
            found = self.env[blank.comodel].create({"name": "Sample"})
        return found.ids if blank.kind == "many2many" else found[0].id

    def test_only_what_exists_here_is_offered(self):
        """A field of a module that is not installed keeps a condition away."""
        offered = {row["name"] for row in self.Template.offered("res.partner")}
        self.assertIn(self.ready("invoice_unpaid").name, offered)
        missing = self.env[TEMPLATE].create(
            {"name": "Missing", "domain": "[('x_gone_ids', 'any', [('a', '=', 1)])]"}
        )
        blankless = self.env[TEMPLATE].create(
            {"name": "No such blank", "domain": "[('city', '=', '{city}')]"}
        )
        foreign = self.env[TEMPLATE].create(
            {
                "name": "No such records",
                "domain": "[('city', '=', '{thing}')]",
                "blank_ids": [
                    Command.create(
                        {
                            "key": "thing",
                            "name": "Thing",
                            "kind": "many2one",
                            "comodel": "x.gone",
                        }
                    )
                ],
            }
        )
        offered = {row["id"] for row in self.Template.offered("res.partner")}
        for template in missing | blankless | foreign:
            self.assertNotIn(template.id, offered, template.name)
        if "contract.contract" not in self.env:
            self.assertFalse(self.ready("contract").is_available)

    def test_what_the_user_may_not_read_is_not_offered(self):
        """A marketer without sales rights is not sent into a refusal."""
        plain = self.build_user("marketer")
        offered = {
            row["name"] for row in self.Template.with_user(plain).offered("res.partner")
        }
        self.assertIn(self.ready("city").name, offered)
        self.assertNotIn(self.ready("invoice_unpaid").name, offered)

    def test_blanks_are_filled_in_as_values(self):
        """Ids, numbers and texts; a text never becomes code."""
        tag = self.category_coffee
        self.assertEqual(
            ast.literal_eval(self.filled("tag", tags=tag.ids)),
            [("category_id", "in", tag.ids)],
        )
        self.assertIn("today -45d", self.filled("order", days=45))
        text = "x', ('id', '>', 0), '{city}"
        self.assertEqual(
            ast.literal_eval(self.filled("city", city=text)),
            [("city", "ilike", text)],
        )

    def test_blanks_that_do_not_fit_are_refused(self):
        """Each names its question."""
        refused = [
            ("city", {"city": "  "}),
            ("city", {}),
            ("order", {"days": 0}),
            ("order", {"days": "30"}),
            ("order", {"days": True}),
            ("order", {"days": 999_999}),
            ("tag", {"tags": []}),
            ("tag", {"tags": ["1"]}),
            ("tag", {"tags": [2**30]}),
            ("language", {"lang": "xx_XX"}),
            ("visits", {"visits": None}),
        ]
        for name, values in refused:
            with (
                self.subTest(name, values=values),
                self.assertRaises(ValidationError) as caught,
            ):
                self.filled(name, **values)
            self.assertIn(self.ready(name).blank_ids.name, str(caught.exception))

    def test_template_text_must_be_a_literal_list(self):
        for domain in ("nonsense", "[('city', '~', 'x')]", "__import__('os')"):
            with self.subTest(domain), self.assertRaises(ValidationError):
                self.env[TEMPLATE].create({"name": "Bad", "domain": domain})

    def test_managers_add_their_own_and_marketers_do_not(self):
        values = {"name": "Guests of Qom", "domain": "[('city', '=', 'Qom')]"}
        manager = self.build_user("club_manager")
        mine = self.env[TEMPLATE].with_user(manager).create(values)
        self.assertIn(
            mine.id, [row["id"] for row in self.Template.offered("res.partner")]
        )
        with self.assertRaises(AccessError):
            self.Template.create(values)

    def test_documents_count_for_the_whole_company(self):
        """An order of one contact counts for the company and all its contacts."""
        company = self.env["res.partner"].create(
            {
                "name": "Sample Trading",
                "is_company": True,
                "company_id": self.company.id,
                "child_ids": [
                    Command.create({"name": "Buyer", "company_id": self.company.id}),
                    Command.create({"name": "Keeper", "company_id": self.company.id}),
                ],
            }
        )
        buyer, keeper = company.child_ids
        self.order(buyer, days_ago=10)
        recent = self.segment(self.filled("order", days=30))
        self.assertEqual(recent.partner_ids, company | buyer | keeper)
        silent = self.segment(self.filled("no_order", days=30))
        self.assertFalse(silent.partner_ids & (company | buyer | keeper))
        self.assertIn(self.partners[0], silent.partner_ids)
        buyer.active = False
        recent.refresh()
        self.assertEqual(recent.partner_ids, company | keeper)
        old = self.segment(self.filled("order", days=5))
        self.assertFalse(old.partner_ids)

    def test_portal_users_learn_nothing_by_company_or_birthday(self):
        portal = new_test_user(
            self.env,
            login="portal-visitor",
            groups="base.group_portal",
            context={"no_reset_password": True},
        )
        Partner = self.env["res.partner"].with_user(portal)
        for name, operator, value in (
            ("whole_company_ids", "any", [("email", "ilike", "@")]),
            ("next_birthday", "<=", "today +7d"),
            ("club_month_visits", ">", 0),
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                Partner.search([(name, operator, value)])

    def test_birthday_is_offered_once_birth_dates_exist(self):
        """Whoever adds the field brings it along; 29 February has one every year."""
        birthday = self.ready("birthday")
        if "birthdate_date" not in self.env["res.partner"]._fields:
            self.assertFalse(birthday.is_available)
        field = "calendar_last_notif_ack"  # a stored date that any contact has
        people = self.partners[:5]
        for partner, born in zip(
            people,
            ("1990-12-30", "1991-01-02", "1992-01-08", "1993-06-01", "1992-02-29"),
            strict=True,
        ):
            partner[field] = f"{born} 12:00:00"
        Partner = self.env["res.partner"]
        mine = [("id", "in", people.ids)]
        with patch.object(partner_birthday_mixin, "BIRTHDATE", field):
            with freeze_time("2026-12-28 08:00:00"):
                week = Partner.search([*mine, ("next_birthday", "<=", "today +7d")])
                self.assertEqual(week, people[:2])
                later = Partner.search([*mine, ("next_birthday", ">", "today +7d")])
                self.assertEqual(later, people[2:])
            with freeze_time("2027-02-27 08:00:00"):
                self.assertEqual(
                    Partner.search([*mine, ("next_birthday", "=", "2027-02-28")]),
                    people[4],
                )
                people.invalidate_recordset(["next_birthday"])
                self.assertEqual(
                    people.mapped("next_birthday")[-1],
                    datetime(2027, 2, 28).date(),
                )

    def test_visits_of_this_month(self):
        """Counted visits since the first of the month; nobody else has none."""
        often, once = self.phone(), self.phone()
        now = fields.Datetime.now()
        for phone, count in ((often, 3), (once, 1)):
            self.take(phone)
            member = self.member(phone)
            checkin = member.checkin_ids
            for _number in range(count - 1):
                checkin.copy({"event_id": self.phone(), "counted": True})
        self.follow_up()
        partner = self.member(often).partner_id
        other = self.member(once).partner_id
        everybody = [("id", "in", (partner | other | self.partners[0]).ids)]
        Partner = self.env["res.partner"]
        for operator, value, expected in (
            (">=", 3, partner),
            ("=", 1, other),
            ("<", 3, other | self.partners[0]),
            ("=", 0, self.partners[0]),
            ("!=", 0, partner | other),
        ):
            with self.subTest(operator=operator, value=value):
                found = Partner.search(
                    [*everybody, ("club_month_visits", operator, value)]
                )
                self.assertEqual(found, expected)
        self.assertEqual((partner.club_month_visits, other.club_month_visits), (3, 1))
        with freeze_time(now + timedelta(days=40)):
            self.assertFalse(
                Partner.search([*everybody, ("club_month_visits", ">", 0)])
            )

    def test_gallery_makes_a_segment_of_its_own(self):
        """Copied with its guidance; whoever does so answers for it."""
        template = self.env.ref(f"{GALLERY}_lapsed").with_user(self.marketer)
        action = template.action_use()
        self.assertEqual(action["tag"], "customer_segment_use_template")
        action = template.use({"days": 90})
        segment = self.env["customer.segment"].browse(action["res_id"])
        self.assertEqual(segment.user_id, self.marketer)
        self.assertEqual(segment.company_id, self.company)
        self.assertEqual(segment.guidance, template.guidance)
        lapsed, loyal = self.partners[:2]
        self.order(lapsed, days_ago=200)
        self.order(loyal, days_ago=200)
        self.order(loyal, days_ago=3)
        segment.refresh()
        self.assertEqual(segment.partner_ids, lapsed)
        simple = self.env.ref(f"{GALLERY}_never_bought").with_user(self.marketer)
        self.assertEqual(simple.action_use()["res_model"], "customer.segment")


@tagged("post_install", "-at_install")
class TestSegmentConditionPlaces(ReadyCommon):
    """Iran's provinces, and one letter written two ways."""

    def iran(self):
        return self.env["res.country.state"].search(
            [("country_id", "=", self.env.ref("base.ir").id)]
        )

    def test_thirty_one_provinces_by_two_names(self):
        provinces = self.iran()
        self.assertEqual(len(provinces), 31)
        State = self.env["res.country.state"]
        for name in ("Gilan", "گیلان", "گيلان"):
            with self.subTest(name):
                self.assertEqual(
                    State.search([("display_name", "ilike", name)]).mapped("code"),
                    ["01"],
                )
                self.assertTrue(State.name_search(name))
        self.env["res.lang"]._activate_lang("fa_IR")
        gilan = provinces.filtered(lambda state: state.code == "01")
        self.assertIn("گیلان", gilan.with_context(lang="fa_IR").display_name)
        self.assertIn("Gilan", gilan.with_context(lang="en_US").display_name)

    def test_address_carries_the_name_not_the_code(self):
        gilan = self.iran().filtered(lambda state: state.code == "01")
        partner = self.env["res.partner"].create(
            {"name": "X", "country_id": gilan.country_id.id, "state_id": gilan.id}
        )
        self.assertIn("Gilan", partner.contact_address)
        self.assertNotIn("01", partner.contact_address)

    def test_provinces_of_another_module_stay(self):
        """By code or by name, however it writes them; nothing is doubled."""
        State = self.env["res.country.state"]
        country = self.env.ref("base.ir")
        self.iran().unlink()
        theirs = State.create(
            [
                {"country_id": country.id, "code": "THR", "name": "استان تهران"},
                {"country_id": country.id, "code": "GIL", "name": "گيلان"},
                {"country_id": country.id, "code": "07", "name": "Fārs"},
            ]
        )
        State._create_iran_provinces()
        self.assertEqual(len(self.iran()), 31)
        self.assertLessEqual(theirs, self.iran())
        State._create_iran_provinces()
        self.assertEqual(len(self.iran()), 31)

    def test_both_ways_to_write_a_letter_are_one(self):
        """In «contains», «is», «is one of» and their opposites."""
        persian, arabic, other = self.partners[:3]
        persian.city, arabic.city, other.city = "کرمان‌شهر ی", "كرمان‌شهر ي", "قم"
        mine = ("id", "in", self.partners[:3].ids)
        both = persian | arabic
        for operator, value, expected in (
            ("ilike", "کرمان‌شهر ی", both),
            ("ilike", "كرمان‌شهر ي", both),
            ("=", "کرمان‌شهر ی", both),
            ("in", ["کرمان‌شهر ی", "قم"], both | other),
            ("not ilike", "کرمان", other),
            ("!=", "كرمان‌شهر ي", other),
        ):
            with self.subTest(operator=operator, value=value):
                segment = self.segment([mine, ("city", operator, value)])
                self.assertEqual(segment.partner_ids, expected)
                answer = segment.why(arabic.id)
                self.assertEqual(answer["conditions"][-1]["holds"], arabic in expected)

    def test_week_starts_by_the_segments_language(self):
        """Not by the responsible's: Saturday in Persian, Sunday in American English."""
        self.env["res.lang"]._activate_lang("fa_IR")
        self.marketer.lang = "en_US"
        with freeze_time("2026-11-23 09:00:00"):  # a Monday
            bounds = {}
            for lang in ("fa_IR", "en_US"):
                segment = self.segment(
                    [("create_date", ">=", "today =week_start")],
                    lang=lang,
                    tz="Asia/Tehran",
                )
                condition = self.env["customer.segment.condition"]
                sql = condition._query(segment.sudo()).select()
                bounds[lang] = [
                    value for value in sql.params if isinstance(value, datetime)
                ]
        self.assertEqual(bounds["fa_IR"], [datetime(2026, 11, 20, 20, 30)])
        self.assertEqual(bounds["en_US"], [datetime(2026, 11, 21, 20, 30)])
