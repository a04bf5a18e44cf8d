import random

from odoo.tests import BaseCase, tagged

from odoo.addons.customer_segmentation.tools import sms_text

# The same vectors as in static/tests/sms_text_field.test.js.
COUNT_VECTORS = [
    # text, characters, units, encoding, parts, remaining
    ("", 0, 0, "gsm7", 0, 160),
    ("ا" * 70, 70, 70, "ucs2", 1, 0),
    ("ا" * 71, 71, 71, "ucs2", 2, 63),
    ("ا" * 134, 134, 134, "ucs2", 2, 0),
    ("ا" * 135, 135, 135, "ucs2", 3, 66),
    ("a" * 160, 160, 160, "gsm7", 1, 0),
    ("a" * 161, 161, 161, "gsm7", 2, 145),
    ("€" * 80, 80, 160, "gsm7", 1, 0),
    ("€" * 81, 81, 162, "gsm7", 2, 143),
    # 76 pairs fill a part of 153 but for one septet, which no pair can use.
    ("€" * 153, 153, 306, "gsm7", 3, 151),
    ("😀" * 35, 35, 70, "ucs2", 1, 0),
    ("😀" * 36, 36, 72, "ucs2", 2, 61),
    ("😀" * 67, 67, 134, "ucs2", 3, 65),
    ("\nلغو11", 6, 6, "ucs2", 1, 64),
    ("^{}\\[]~|€\f", 10, 20, "gsm7", 1, 140),
    ("line\nline", 9, 9, "gsm7", 1, 151),
    ("price ۵", 7, 7, "ucs2", 1, 63),
    ("a\tb", 3, 3, "ucs2", 1, 67),
    ("`", 1, 1, "ucs2", 1, 69),
]


@tagged("-at_install", "post_install", "customer_segmentation")
class TestToolsSmsText(BaseCase):
    # === COUNTING === #

    def test_count_vectors(self):
        for text, *expected in COUNT_VECTORS:
            with self.subTest(text=text[:8], length=len(text)):
                self.assertEqual(sms_text.count(text), tuple(expected))

    def test_count_room_beside_the_suffix(self):
        suffix = "\nلغو11"
        for parts, room in enumerate((64, 128, 195, 262), start=1):
            self.assertEqual(sms_text.count("ا" * room + suffix).parts, parts)
            self.assertEqual(sms_text.count("ا" * (room + 1) + suffix).parts, parts + 1)

    def test_count_one_foreign_character_is_enough(self):
        for char in "یا۵\u200c\u00a0’`\t😀":
            self.assertEqual(sms_text.count("plain text" + char).encoding, "ucs2")

    def test_count_never_shrinks_as_text_grows(self):
        rng = random.Random(11)
        for alphabet in ("ab€\n", "ا😀 \u200c"):
            text, last = "", 0
            for _i in range(400):
                text += rng.choice(alphabet)
                result = sms_text.count(text)
                self.assertGreaterEqual(result.parts, last)
                self.assertGreaterEqual(result.remaining, 0)
                last = result.parts

    def test_count_accepts_any_string(self):
        rng = random.Random(3)
        for _i in range(500):
            text = "".join(chr(rng.randrange(0x110000)) for _j in range(20))
            self.assertEqual(sms_text.count(text).characters, 20)

    # === COMPLETING === #

    def test_with_suffix_is_once_and_last_on_its_own_line(self):
        for text in (
            "سلام",
            "سلام\n",
            "سلام\nلغو11",
            "سلام\nلغو ۱۱",
            "سلام لغو۱۱",
            "سلام\nلغو١١ \n",
            "سلام\nلغو\u200c۱۱",
            "لغو11\nسلام",
            "سلام\nلغو 11\nلغو11",
            "سلام لغو11 لغو۱۱",
        ):
            with self.subTest(text=text):
                self.assertEqual(sms_text.with_suffix(text, "لغو11"), "سلام\nلغو11")

    def test_with_suffix_is_idempotent(self):
        rng = random.Random(5)
        pieces = ["سلام", " ", "\n", "لغو11", "لغو ۱۱", "لغو۱۱", "۵", "110", "."]
        for _i in range(1000):
            text = "".join(rng.choices(pieces, k=rng.randint(1, 8)))
            once = sms_text.with_suffix(text, "لغو11")
            with self.subTest(text=text):
                self.assertEqual(sms_text.with_suffix(once, "لغو11"), once)
                if text.strip():
                    self.assertEqual(once.split("\n")[-1], "لغو11")

    def test_with_suffix_leaves_prose_and_longer_numbers(self):
        for text in ("با ارسال لغو11 دیگر پیامی نمی‌گیرید", "کد شما لغو110"):
            self.assertEqual(sms_text.with_suffix(text, "لغو11"), f"{text}\nلغو11")

    def test_with_suffix_of_another_line(self):
        self.assertEqual(sms_text.with_suffix("Hi", "STOP 11"), "Hi\nSTOP 11")
        self.assertEqual(sms_text.with_suffix("Hi\nstop11", "STOP 11"), "Hi\nSTOP 11")
        self.assertEqual(sms_text.with_suffix("Hi (a", "(a"), "Hi\n(a")

    def test_with_suffix_of_nothing_is_nothing(self):
        self.assertEqual(sms_text.with_suffix("", "لغو11"), "")
        self.assertEqual(sms_text.with_suffix(" \n", "لغو11"), "")
        self.assertEqual(sms_text.with_suffix("سلام", ""), "سلام")

    # === NORMALISING === #

    def test_normalize(self):
        for text, expected in (
            ("كتاب علي", "کتاب علی"),
            ("موسى", "موسی"),
            ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"),
            ("12", "12"),
            ("ﻛﺘﺎﺏ", "کتاب"),
            ("ﷲ ﷼", "ﷲ ﷼"),
            ("ســـلام", "سلام"),
            ("\u200fسلام\u202c", "سلام"),
            ("می\u200cشود", "می\u200cشود"),
            ("e\u0301", "é"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("½ …", "½ …"),
        ):
            with self.subTest(text=text):
                self.assertEqual(sms_text.normalize(text), expected)
                self.assertEqual(sms_text.normalize(expected), expected)

    def test_digits(self):
        self.assertEqual(sms_text.to_persian_digits("a1٢۳"), "a۱۲۳")
        self.assertEqual(sms_text.to_latin_digits("a1٢۳４"), "a1234")

    def test_fold_joins_spellings(self):
        for left, right in (
            ("علي كريمي", "علی  کریمی"),
            ("شعبهٔ ۱", "شعبهٔ 1"),
            ("گل\u200cخانه", "گلخانه"),
            ("مُحَمَّد", "محمد"),
            ("CAFÉ", "cafe\u0301"),
            ("ＶＩＰ", "vip"),
            ("Straße", "STRASSE"),
        ):
            with self.subTest(left=left):
                self.assertEqual(sms_text.fold(left), sms_text.fold(right))
        self.assertNotEqual(sms_text.fold("آرش"), sms_text.fold("ارش"))

    def test_strip_controls(self):
        self.assertEqual(
            sms_text.strip_controls("a\u202eb\x00c\x1bd\ud800e\u200b\tf\ng"),
            "abcde f\ng",
        )
        self.assertEqual(sms_text.strip_controls("می\u200cشود"), "می\u200cشود")

    # === DISPLAYING === #

    def test_clip(self):
        for text, width, expected in (
            ("short", 16, "short"),
            ("exactly sixteen!", 16, "exactly sixteen!"),
            ("seventeen letters", 16, "seventeen letter"),
            ("two\nlines  here", 16, "two lines here"),
            ("abc 😀", 5, "abc"),
            ("abc 😀", 6, "abc 😀"),
            ("abe\u0301", 3, "ab"),
            ("👍🏽!", 3, ""),
            ("👩\u200d👧!", 5, "👩\u200d👧"),
            ("👩\u200d👧!", 4, ""),
            ("می\u200cشود", 3, "می"),
            ("", 16, ""),
            ("abc", 0, ""),
        ):
            with self.subTest(text=text, width=width):
                self.assertEqual(sms_text.clip(text, width), expected)

    def test_clip_any_text_fits(self):
        rng = random.Random(13)
        for _i in range(500):
            text = "".join(chr(rng.randrange(0x110000)) for _j in range(20))
            text += rng.choice(["سلام\u0651", "e\u0301" * 9, "🇮🇷🇮🇷"])
            line = sms_text.clip(text, 16)
            self.assertLessEqual(len(line.encode("utf-16-le")) // 2, 16)
            self.assertNotIn("\n", line)

    def test_fill_placeholders(self):
        values = {"object.name": "سارا", "object.phone": ""}
        for text, expected in (
            ("{{ object.name ||| Guest}}, hello", "سارا, hello"),
            ("{{object.name}}", "سارا"),
            ("{{ object.city ||| our town }}!", "our town!"),
            ("{{ object.phone ||| }}|", "|"),
            ("no placeholder", "no placeholder"),
            ("", ""),
        ):
            with self.subTest(text=text):
                self.assertEqual(sms_text.fill_placeholders(text, values), expected)
