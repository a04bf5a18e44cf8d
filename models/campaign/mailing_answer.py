"""What counts as an answer to a campaign: the words and the rows of recipients."""

from odoo.tools import SQL

ANSWERS = [
    ("answered", "who answered in any way"),
    ("came", "who came"),
    ("bought", "who bought"),
    ("visited", "who came or bought"),
    ("clicked", "who clicked"),
    ("replied", "who replied"),
]
"""Those who answered, one way or the other."""

ANSWERED_BY = {
    "silent": SQL("is_clicked + is_replied + is_visited + is_purchased = 0"),
    "answered": SQL("is_clicked + is_replied + is_visited + is_purchased > 0"),
    "came": SQL("is_visited > 0"),
    "bought": SQL("is_purchased > 0"),
    "visited": SQL("is_visited + is_purchased > 0"),
    "clicked": SQL("is_clicked > 0"),
    "replied": SQL("is_replied > 0"),
}
"""Whether a row of ``mailing_recipient`` is one of them."""
