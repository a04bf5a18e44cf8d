from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CLUB
from .test_segment_refresh import SegmentCommon


@tagged("post_install", "-at_install")
class TestSegmentConditionRefused(SegmentCommon):
    """Conditions that would quietly be wrong are refused, with the reason."""

    def assertRefused(self, domain, reason, segment=None):
        with (
            self.subTest(domain),
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(ValidationError, reason),
        ):
            (segment or self.segment()).domain = str(domain)

    def test_text_that_is_not_a_literal(self):
        for text in (
            "nonsense",
            "context_today()",
            "[('city', '=', user.city)]",
            "__import__('os').system('true')",
            "{'city': 'Qom'}",
            "'city'",
            "(" * 500,
        ):
            self.assertRefused(text, "not a plain list")
        for text in ("[1, 2]", "['&', ('city', '=', 'Qom')]", "['city']"):
            self.assertRefused(text, "cannot be read")

    def test_unknown_operators(self):
        for operator in ("~~", "any!", "==="):
            self.assertRefused([("city", operator, "x")], "cannot be read")
        self.assertRefused([("city", "=?", False)], "without a value")

    def test_unknown_and_unsearchable_fields(self):
        self.assertRefused([("x_gone", "=", 1)], "does not exist on Contact")
        self.assertRefused(
            [("sale_order_ids", "any", [("x_gone", "=", 1)])], "does not exist"
        )
        self.assertRefused([("parent_id.x_gone", "=", 1)], "does not exist")
        self.assertRefused([("sms_greeting", "=", "x")], "only computed")
        self.assertRefused(
            [("sale_order_ids", "any", [("partner_id.sms_greeting", "=", "x")])],
            "only computed",
        )

    def test_fields_that_the_responsible_may_not_read(self):
        self.assertRefused(
            [("user_ids.totp_secret", "!=", False)], "(may not read|not use|access)"
        )
        plain = new_test_user(
            self.env,
            login="plain-marketer",
            groups=f"{CLUB}_marketer",
            context={"no_reset_password": True},
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        segment = (
            self.env["customer.segment"]
            .with_user(plain)
            .create({"name": "Mine", "kind": "dynamic", "domain": "[]"})
        )
        self.assertRefused([("credit", ">", 100)], "may not read", segment)
        self.assertRefused(
            [("sale_order_ids", "any", [("state", "=", "sale")])],
            "may not use this condition",
            segment,
        )

    def test_fields_whose_search_lies(self):
        """Core answers them with everybody, or misses who has no entries."""
        self.marketer.group_ids += self.env.ref("account.group_account_invoice")
        segment = self.segment()
        for name in ("credit", "debit"):
            for operator, value in (
                ("=", 0),
                ("!=", 0),
                ("in", [1, 2]),
                (">", -5),
                (">=", 0),
                ("<", 5),
                ("<=", 0),
                (">", "many"),
                (">", True),
            ):
                self.assertRefused([(name, operator, value)], "more than", segment)
            self.assertRefused(["!", (name, ">", 5)], "more than", segment)
            segment.domain = str([(name, ">", 5)])
        self.assertRefused(
            [("parent_id.credit", "=", 0)], "more than an amount", segment
        )

    def test_custom_properties(self):
        """They are NULL where nothing was entered, and compare dates as text."""
        definition = self.env["properties.base.definition"]
        field = self.env["res.partner"]._fields["properties"]
        row = definition._get_definition_for_property_field("res.partner", field.name)
        row.properties_definition = [
            {"name": "favourite", "type": "char", "string": "Favourite"},
            {"name": "since", "type": "date", "string": "Since"},
        ]
        for domain in (
            [("properties.favourite", "!=", "tea")],
            [("properties.favourite", "not in", ["tea"])],
            [("properties.favourite", "not ilike", "tea")],
            ["!", ("properties.favourite", "=", "tea")],
            [("parent_id.properties.favourite", "!=", "tea")],
        ):
            self.assertRefused(domain, "is not")
        for value in ("today -7d", "-7d", "now", "=1d", "today"):
            self.assertRefused([("properties.since", ">", value)], "relative dates")
        segment = self.segment([("properties.favourite", "=", "tea")])
        self.assertEqual(segment.sentence(), "Favourite is “tea”.")
        segment.domain = str([("properties.since", ">", "2026-10-23")])

    def test_bad_dates(self):
        for value in ("2026-13-45", "soon", "today -3q", "today 3d", 7, "1405/08/01"):
            for name in ("create_date", "parent_id.create_date"):
                self.assertRefused([(name, ">=", value)], "is not a date")
        self.assertRefused(
            [("sale_order_ids", "any", [("date_order", ">", "yesterday")])],
            "is not a date",
        )
        for value in ("2026-10-23", "2026-10-23 10:00:00", "today -30d", "-1m"):
            self.segment([("create_date", ">=", value)])

    def test_values_of_the_wrong_kind(self):
        """What only PostgreSQL notices is refused as well, and nothing is broken."""
        self.assertRefused([("color", ">", "many")], "cannot be evaluated")
        self.assertTrue(self.segment([("color", ">", 2)]).partner_ids)

    def test_other_segments_by_id_only(self):
        self.assertRefused([("segment_ids", "ilike", "x")], "from the list")
        self.assertRefused([("segment_ids.name", "=", "x")], "from the list")
