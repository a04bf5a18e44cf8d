from freezegun import freeze_time

from odoo.tests import Form, tagged

from .test_segment_refresh import SegmentCommon

BOUGHT = [("state", "=", "sale"), ("date_order", ">=", "today -30d")]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-22 09:00:00")
class TestSegmentConditionSentence(SegmentCommon):
    """A condition in one sentence: brackets, names, dates resolved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")

    def sentence(self, domain, lang="en_US", **values):
        """What the marketer reads for a condition."""
        segment = self.segment(domain, tz="Asia/Tehran", **values)
        return segment.with_context(lang=lang).sentence()

    def test_brackets_and_names(self):
        """AND and OR as they bind, ids by their names, selections by labels."""
        iran = self.env.ref("base.ir")
        domain = [
            "&",
            ("city", "=", "Tehran"),
            "|",
            ("country_id", "in", iran.ids),
            ("category_id", "in", (self.category_coffee | self.category_cake).ids),
        ]
        self.assertEqual(
            self.sentence(domain),
            "City is “Tehran” and (Country is “Iran” or Tags include “Coffee” or "
            "“Cake”).",
        )
        self.assertEqual(
            self.sentence([("lang", "=", "en_US"), ("email", "!=", False)]),
            "Language is “English (US)” and Email is filled in.",
        )
        self.assertEqual(self.sentence([]), "Everybody, without a condition.")

    def test_relative_dates_are_resolved_in_the_segments_time_zone(self):
        self.assertEqual(
            self.sentence([("create_date", ">=", "today -30d")]),
            "Created on since 23 Oct 2026 00:00 Tehran (30 days ago).",
        )
        self.assertIn(
            "1 Nov 2026 00:00 Tehran (beginning of this month)",
            self.sentence([("create_date", ">=", "today =1d")]),
        )

    def test_one_record_or_different_ones(self):
        """«any» asks one record for all of it; two paths may meet different ones."""
        one = self.sentence([("sale_order_ids", "any", BOUGHT)])
        self.assertIn("there is one of “Sales Order” that is at the same time", one)
        apart = self.sentence(
            [
                ("sale_order_ids.state", "=", "sale"),
                ("sale_order_ids.date_order", ">=", "today -30d"),
            ]
        )
        self.assertIn("each of these may be another one of “Sales Order”", apart)
        self.assertNotIn("at the same time", apart)
        none = self.sentence([("sale_order_ids", "not any", BOUGHT)])
        self.assertIn("there is none of “Sales Order” that is at the same time", none)
        whole = [("whole_company_ids", "any", [("sale_order_ids", "any", BOUGHT)])]
        self.assertTrue(
            self.sentence(whole).startswith(
                "in the company with all its contacts, there is one of “Sales Order”"
            )
        )
        whole = [
            ("whole_company_ids.sale_order_ids", "any", [("state", "=", "sale")]),
            ("whole_company_ids.sale_order_ids", "any", [("state", "=", "draft")]),
        ]
        self.assertIn("each of these may be", self.sentence(whole))

    def test_every_operator_has_words(self):
        """No technical operator is left in the sentence, in either language."""
        partner = self.partners[0]
        conditions = [
            ("city", operator, "Qom")
            for operator in (
                *("=", "!=", "like", "ilike", "not like", "not ilike"),
                *("=like", "=ilike", "not =like", "not =ilike"),
            )
        ]
        conditions += [("color", operator, 3) for operator in ("<", "<=", ">", ">=")]
        conditions += [
            ("city", "in", ["Qom", False]),
            ("city", "not in", []),
            ("zip", "=ilike", "113%"),
            ("parent_id", "child_of", partner.id),
            ("parent_id", "parent_of", partner.id),
            ("parent_id", "any", [("city", "=", "Qom"), ("zip", "=", "1")]),
            ("parent_id", "not any", [("city", "=", "Qom")]),
            ("parent_id.city", "=", "Qom"),
            ("is_company", "=", True),
            ("create_date", "<", "2026-01-31 20:30:00"),
            ("create_date.month_number", "=", 3),
        ]
        words = self.env["customer.segment.words"]
        model = self.env["res.partner"]
        parse = self.env["customer.segment.condition"]._parse
        clock = words._clock_of("Asia/Tehran", "fa_IR")
        for condition in conditions:
            for lang in ("en_US", "fa_IR"):
                with self.subTest(condition, lang=lang):
                    told = words.with_context(lang=lang)._sentence(
                        model, parse(str([condition])), clock
                    )
                    self.assertNotRegex(told, r"[=<>_%]|\bany\b|child_of|ilike")
                    if lang == "fa_IR" and condition[2] != "Qom":
                        self.assertRegex(told, "[آ-ی]")
        not_so = words._sentence(
            model,
            parse("['!', '|', ('parent_id.city','=','a'), ('zip','>','b')]"),
            clock,
        )
        self.assertIn("it does not hold that (", not_so)

    def test_persian_says_gregorian_and_uses_its_own_digits(self):
        told = self.sentence(
            [("create_date", ">=", "today =1d"), ("color", ">", 1)], lang="fa_IR"
        )
        self.assertIn("آغاز این ماه میلادی", told)
        self.assertIn("۱ نوامبر ۲۰۲۶ ساعت ۰۰:۰۰ به وقت تهران", told)
        self.assertIn("بیشتر از ۱ است", told)
        self.assertIn(" و ", told)
        self.assertNotRegex(told, "[A-Za-z0-9]{2}")

    def test_sentence_is_told_while_editing(self):
        """Before anything is saved, and about a text that cannot be read too."""
        with Form(
            self.env["customer.segment"]
            .with_user(self.marketer)
            .with_context(default_kind="dynamic")
        ) as form:
            form.name = "Being made"
            form.domain = "[('city', '=', 'Tehran')]"
            self.assertEqual(form.condition_sentence, "City is “Tehran”.")
            form.domain = "[('x_gone', '=', 1)]"
            self.assertIn("does not exist any more", form.condition_sentence)
            form.domain = "nonsense"
            self.assertIn("not a plain list", form.condition_sentence)
            form.domain = "[('city', '=', 'Qom')]"

    def test_confidential_names_are_for_their_readers(self):
        """Nobody reads them through a colleague's eyes, also while typing."""
        theirs = self.segment(
            [("id", "in", self.partners.ids)], name="Director's", confidential=True
        )
        using = self.segment([("segment_ids", "in", theirs.ids)], name="Using it")
        colleague = self.build_user("marketer")
        self.assertIn("Director's", using.with_user(self.marketer).sentence())
        told = using.with_user(colleague).sentence()
        self.assertEqual(told, "Segments include a confidential segment.")
        draft = (
            self.env["customer.segment"]
            .with_user(colleague)
            .new(
                {
                    "kind": "dynamic",
                    "user_id": self.marketer.id,
                    "domain": str([("segment_ids", "in", theirs.ids)]),
                }
            )
        )
        self.assertNotIn("Director's", draft.condition_sentence)
        self.assertIn("not visible to you", draft.condition_sentence)

    def test_why_uses_the_same_words(self):
        segment = self.segment([("city", "=", "Tehran"), ("email", "=", False)])
        texts = [row["text"] for row in segment.why(self.partners[0].id)["conditions"]]
        self.assertEqual(texts, ["All of:", "City is “Tehran”", "Email is empty"])
