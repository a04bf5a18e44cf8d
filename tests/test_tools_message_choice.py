from odoo.tests import BaseCase, tagged

from odoo.addons.customer_segmentation.tools.message_choice import (
    Choice,
    ClubTexts,
    TagTexts,
    Visit,
    choose_message,
)

WELCOME, REPEAT, MILESTONE, TAG_FIRST, TAG_REPEAT = 1, 2, 3, 4, 5
CLUB = ClubTexts(welcome_template_id=WELCOME, repeat_template_id=REPEAT)
EMPTY_CLUB = ClubTexts()
TENTH = ClubTexts(
    welcome_template_id=WELCOME,
    repeat_template_id=REPEAT,
    milestone_every=10,
    milestone_template_id=MILESTONE,
)
OWN = TagTexts("own", TAG_FIRST, "own", TAG_REPEAT)
AS_CLUB = TagTexts()
NONE = TagTexts("none", None, "none", None)
INFORMATION = TagTexts("own", TAG_FIRST, "club", None, first_scope="tag")

FIRST = Visit()
LATER = Visit(visit_no=7, is_first=False, tag_pressed_before=True)
TENTH_VISIT = Visit(visit_no=10, is_first=False, tag_pressed_before=True)
OTHER_DIGIT = Visit(counted=False)
OTHER_DIGIT_LATER = Visit(counted=False, visit_no=7, is_first=False)
SAME_DIGIT = Visit(counted=False, same_digit_in_gap=True)

# (case, visit, club, tag, expected) — the rows of the table in docs/messaging.md.
TABLE = [
    ("first, own", FIRST, CLUB, OWN, Choice("tag_first", TAG_FIRST)),
    ("first, as the club", FIRST, CLUB, AS_CLUB, Choice("welcome", WELCOME)),
    ("first, no digit", FIRST, CLUB, None, Choice("welcome", WELCOME)),
    ("first, club has none", FIRST, EMPTY_CLUB, AS_CLUB, Choice(reason="no_text")),
    ("first, own is empty", FIRST, CLUB, TagTexts("own"), Choice(reason="no_text")),
    ("later, own", LATER, CLUB, OWN, Choice("tag_repeat", TAG_REPEAT)),
    ("later, as the club", LATER, CLUB, AS_CLUB, Choice("repeat", REPEAT)),
    ("later, no digit", LATER, CLUB, None, Choice("repeat", REPEAT)),
    ("later, club has none", LATER, EMPTY_CLUB, None, Choice(reason="no_text")),
    ("first, none", FIRST, CLUB, NONE, Choice(reason="tag_none")),
    ("later, none", LATER, CLUB, NONE, Choice(reason="tag_none")),
    ("milestone", TENTH_VISIT, TENTH, AS_CLUB, Choice("milestone", MILESTONE)),
    ("milestone, own", TENTH_VISIT, TENTH, OWN, Choice("milestone", MILESTONE)),
    ("not due", LATER, TENTH, AS_CLUB, Choice("repeat", REPEAT)),
    ("milestone, none", TENTH_VISIT, TENTH, NONE, Choice(reason="tag_none")),
    (
        "information, first press at the 7th visit",
        Visit(visit_no=7, is_first=False),
        CLUB,
        INFORMATION,
        Choice("tag_first", TAG_FIRST),
    ),
    ("information, pressed before", LATER, CLUB, INFORMATION, Choice("repeat", REPEAT)),
    (
        "another digit in the gap",
        OTHER_DIGIT,
        CLUB,
        OWN,
        Choice("tag_first", TAG_FIRST),
    ),
    (
        "another digit in the gap of a later visit",
        OTHER_DIGIT_LATER,
        CLUB,
        OWN,
        Choice("tag_repeat", TAG_REPEAT),
    ),
    (
        "another digit in the gap, as the club",
        OTHER_DIGIT,
        CLUB,
        AS_CLUB,
        Choice(reason="too_soon"),
    ),
    ("same digit in the gap", SAME_DIGIT, CLUB, OWN, Choice(reason="too_soon")),
    (
        "no digit in the gap",
        Visit(counted=False),
        CLUB,
        None,
        Choice(reason="too_soon"),
    ),
    ("late", Visit(is_late=True), CLUB, OWN, Choice(reason="late")),
    ("no SMS", Visit(no_sms=True), CLUB, OWN, Choice(reason="no_sms")),
    ("silent", Visit(silent=True), CLUB, OWN, Choice(reason="silent")),
    ("daily cap", Visit(sent_today=3), CLUB, OWN, Choice(reason="daily_cap")),
    (
        "cap, another digit in the gap",
        Visit(counted=False, sent_today=3),
        CLUB,
        OWN,
        Choice(reason="daily_cap"),
    ),
    (
        "no cap",
        Visit(sent_today=99),
        ClubTexts(welcome_template_id=WELCOME, daily_cap=0),
        None,
        Choice("welcome", WELCOME),
    ),
]


@tagged("post_install", "-at_install")
class TestToolsMessageChoice(BaseCase):
    def test_each_row_of_the_table(self):
        """Every case of docs/messaging.md sends the text it says."""
        for case, visit, club, tag, expected in TABLE:
            with self.subTest(case):
                self.assertEqual(choose_message(visit, club, tag), expected)
