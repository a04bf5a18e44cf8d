from odoo.tests import BaseCase, tagged

from ..tools.opt_out_text import parse


@tagged("post_install", "-at_install")
class TestOptOutText(BaseCase):
    """What customers type when they want no more, or again."""

    def test_stop(self):
        """Digits of any script, Arabic letters, spaces, case and signs."""
        for text in (
            "11",
            "۱۱",
            "١١",
            " 11 ",
            "11.",
            "لغو11",
            "لغو۱۱",
            "لغو ۱۱",
            "لغو",
            "«لغو11»",
            "11 لغو",
            "لغو‌۱۱",
            "STOP",
            "stop",
            "Stop!",
            "STOP 11",
            "unsubscribe",
        ):
            self.assertEqual(parse(text), "stop", text)

    def test_rejoin(self):
        """The way back."""
        for text in ("12", "۱۲", "١٢", "12!", "لغو12", "عضویت", "START", "unstop"):
            self.assertEqual(parse(text), "rejoin", text)

    def test_other_texts_are_neither(self):
        """A sentence that mentions 11 is prose, and nothing is nothing."""
        for text in (
            "",
            " ",
            "!!",
            "1",
            "111",
            "1112",
            "112",
            "11 12",
            "سلام",
            "call me at 11",
            "please stop by",
            "لغو سفارش من",
            "سفارش ۱۱ را لغو کنید",
            "0",
            "13",
        ):
            self.assertIsNone(parse(text), text)
