import random
import unicodedata

import phonenumbers

from odoo.tests import BaseCase, tagged

from odoo.addons.customer_segmentation.tools import phone

IRAN_MOBILE = "+989121234567"


@tagged("-at_install", "post_install", "customer_segmentation")
class TestToolsPhone(BaseCase):
    def _assert_refused(self, raw, code, region="IR", **options):
        with self.subTest(raw=raw, region=region):
            with self.assertRaises(phone.PhoneError) as refusal:
                phone.parse_phone(raw, region, **options)
            self.assertEqual(refusal.exception.code, code)

    def test_iranian_mobile_however_typed_is_one_number(self):
        persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
        arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
        wide = str.maketrans("0123456789+", "０１２３４５６７８９＋")
        typed = [
            "09121234567",
            "9121234567",
            "+989121234567",
            "00989121234567",
            "989121234567",
            "+98 0912 123 4567",
            "98 0912 123 4567",
            "0098 0912 123 4567",
            "++989121234567",
            "+98 (0)912 123 4567",
            "0912 123 4567",
            "0912-123-4567",
            "0912.123.4567",
            "0912/123/4567",
            "(0912) 1234567",
            "0912\u00a0123\u00a04567",
            "09121234567;",
            "0912_1234567",
            "09121234567#",
            "*09121234567#",
            "0989121234567",
            "000989121234567",
            "09121234567\r\n",
            "\u200f09121234567",
            "\u202a09121234567\u202c",
            "\u2066+989121234567\u2069",
            "09121234567\u200c",
            "0912\u200c123\u200c4567",
            "\ufeff09121234567",
            "09121234567".translate(persian),
            "09121234567".translate(arabic),
            "+989121234567".translate(wide),
        ]
        for raw in typed:
            with self.subTest(raw=raw):
                self.assertEqual(phone.parse_phone(raw, "IR").e164, IRAN_MOBILE)

    def test_number_has_every_form(self):
        number = phone.parse_phone("9121234567", "ir")
        self.assertEqual(number.e164, IRAN_MOBILE)
        self.assertEqual(number.national, "09121234567")
        self.assertEqual(number.international, "+98 912 123 4567")
        self.assertEqual(number.region, "IR")
        self.assertIs(number.verified, True)

    def test_wrong_length_or_short_code_is_invalid(self):
        for raw in (
            "",
            " ",
            "+",
            "#",
            "0912123456",
            "091212345678",
            "115",
            "110",
            "1000",
            "30001234",
            "*800#",
            "+9121234567",
        ):
            self._assert_refused(raw, "invalid-phone")

    def test_letters_extensions_and_second_numbers_are_invalid(self):
        for raw in (
            "0912VODAFON",
            "0912 123 4567 ext 5",
            "09121234567x5",
            "tel:09121234567",
            "۰۹۱۲۱۲۳۴۵۶۷ داخلی ۵",
            "09121234567,09351234567",
            "09121234567،115",
            "09121234567\n09351234567",
            "09121234567 09351234567",
            "09121234567/09351234567",
            "09121234567,,5",
            "09121234567#5",
            "09121234567##",
            "**09121234567",
            "0912*1234567",
            "0912+1234567",
            "0912123456①",
            "0912\x001234567",
            "0912\ud8001234567",
        ):
            self._assert_refused(raw, "invalid-phone")

    def test_input_longer_than_the_cap_is_invalid(self):
        self.assertEqual(phone.MAX_INPUT_LENGTH, 32)
        self.assertTrue(phone.parse_phone("09121234567" + " " * 21, "IR"))
        self._assert_refused("09121234567" + " " * 22, "invalid-phone")
        self._assert_refused("9" * 10**6, "invalid-phone")

    def test_landline_is_not_mobile(self):
        # 4155552671 is a US number without +1, and a valid Iranian landline.
        for raw in ("02188776655", "2188776655", "+982188776655", "4155552671"):
            self._assert_refused(raw, "not-mobile")

    def test_foreign_number_follows_the_setting(self):
        for raw, region, e164 in (
            ("+14155552671", "US", "+14155552671"),
            ("0014155552671", "US", "+14155552671"),
            ("+971501234567", "AE", "+971501234567"),
            ("+93701234567", "AF", "+93701234567"),
        ):
            self._assert_refused(raw, "foreign-not-allowed")
            number = phone.parse_phone(raw, "IR", foreign_allowed=True)
            self.assertEqual((number.e164, number.region), (e164, region))
        self._assert_refused("+442079460018", "not-mobile", foreign_allowed=True)

    def test_unknown_iranian_block_is_taken_as_unverified(self):
        for raw in ("09061234567", "9061234567", "+989061234567", "00989061234567"):
            with self.subTest(raw=raw):
                number = phone.parse_phone(raw, "IR")
                self.assertEqual((number.e164, number.region), ("+989061234567", "IR"))
                self.assertFalse(number.verified)
                self._assert_refused(raw, "invalid-phone", accept_unverified=False)

    def test_prefix_0904_is_verified(self):
        self.assertFalse(phone.library_is_outdated())
        self.assertTrue(phone.parse_phone("09041234567", "IR").verified)

    def test_wrong_leading_zero_is_repaired_in_iran_only(self):
        self._assert_refused("0971501234567", "invalid-phone", region="AE")
        self._assert_refused("0989121234567", "invalid-phone", region="TR")

    def test_other_regions_parse_their_own_numbers(self):
        for raw, region, e164 in (
            ("(415) 555-2671", "US", "+14155552671"),
            ("050 123 4567", "AE", "+971501234567"),
            ("07400 123456", "GB", "+447400123456"),
            ("312 345 6789", "IT", "+393123456789"),
            ("01512 3456789", "DE", "+4915123456789"),
        ):
            with self.subTest(region=region):
                self.assertEqual(phone.parse_phone(raw, region).e164, e164)

    def test_country_code_without_plus_never_gives_another_mobile(self):
        for region in phonenumbers.SUPPORTED_REGIONS:
            example = phonenumbers.example_number_for_type(
                region,
                phonenumbers.PhoneNumberType.MOBILE,
            )
            if not example:
                continue
            e164 = phonenumbers.format_number(example, 0)
            with self.subTest(region=region):
                self.assertEqual(phone.parse_phone(e164, region).e164, e164)
                try:
                    number = phone.parse_phone(e164[1:], region)
                except phone.PhoneError:
                    continue
                self.assertEqual(number.e164, e164)

    def test_unknown_region_needs_a_full_number(self):
        for region in ("", "ZZ", "XX"):
            self._assert_refused("09121234567", "invalid-phone", region=region)
            number = phone.parse_phone(IRAN_MOBILE, region, foreign_allowed=True)
            self.assertEqual(number.e164, IRAN_MOBILE)

    def test_is_mobile(self):
        for raw in (IRAN_MOBILE, "0912 123 4567", "+14155552671"):
            self.assertTrue(phone.is_mobile(raw, "IR"), raw)
        for raw in ("02188776655", "115", "", "no phone"):
            self.assertFalse(phone.is_mobile(raw, "IR"), raw)

    def test_mask_shows_three_digits_at_most(self):
        self.assertEqual(phone.mask(IRAN_MOBILE), "…567")
        self.assertEqual(phone.mask("115"), "…")
        self.assertEqual(phone.mask(""), "…")

    def test_any_text_gives_a_number_or_a_refusal(self):
        rng = random.Random(20260101)
        alphabet = (
            "0123456789" * 4 + "۰۱۲۳۴۵۶۷۸۹٠١٩９++ -_.()/*#,;x\u200c\u200f\u00a0\t\n"
            "\x00\ud800aا😀①²"
        )
        codes = {"invalid-phone", "not-mobile", "foreign-not-allowed"}
        for attempt in range(4000):
            raw = "".join(rng.choices(alphabet, k=rng.randint(0, 34)))
            if attempt % 4 == 0:
                raw = "".join(chr(rng.randrange(0x110000)) for _i in range(12))
            region = rng.choice(["IR", "US", "DE", "IT", "AE", "ZZ", ""])
            allowed = rng.random() < 0.5
            try:
                number = phone.parse_phone(raw, region, foreign_allowed=allowed)
            except phone.PhoneError as refusal:
                self.assertIn(refusal.code, codes)
            else:
                self.assertRegex(number.e164, r"\A\+[1-9][0-9]{6,14}\Z")

    def test_separators_between_digits_never_change_the_number(self):
        rng = random.Random(7)
        noise = [" ", "-", ".", "_", "\u200c", "\u200e", "\u00a0", "/", ")"]
        for _attempt in range(500):
            digits = f"09{rng.choice('1239')}{rng.randrange(10**8):08d}"
            typed = digits
            for _i in range(rng.randint(0, 10)):
                at = rng.randint(0, len(typed))
                typed = typed[:at] + rng.choice(noise) + typed[at:]
            typed = "".join(
                unicodedata.lookup(f"EXTENDED ARABIC-INDIC DIGIT {name}")
                if char.isdigit() and rng.random() < 0.3
                else char
                for char in typed
                for name in [_digit_name(char)]
            )
            with self.subTest(typed=typed):
                self.assertEqual(
                    phone.parse_phone(typed, "IR").e164, f"+98{digits[1:]}"
                )


def _digit_name(char):
    return unicodedata.name(char).rpartition(" ")[2] if char.isdigit() else ""
