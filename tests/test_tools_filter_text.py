from odoo.tests import BaseCase, tagged

from odoo.addons.customer_segmentation.tools.filter_text import (
    MovingValueError,
    literal_domain,
)

NAMES = {"uid": 7, "allowed_company_ids": [1, 2]}


@tagged("post_install", "-at_install")
class TestFilterText(BaseCase):
    """A list's filter becomes literals and moving dates, or is refused by name."""

    def test_what_a_segment_can_keep(self):
        """Names that stand still, dates that move, any nesting."""
        cases = {
            "[]": [],
            "['|', ('user_id', '=', uid), ('a', '!=', False)]": [
                "|",
                ("user_id", "=", 7),
                ("a", "!=", False),
            ],
            "[['company_id', 'in', allowed_company_ids]]": [
                ["company_id", "in", [1, 2]]
            ],
            "[('n', '>', -3)]": [("n", ">", -3)],
            "[('d', '<', 'today -7d')]": [("d", "<", "today -7d")],
            "[('d', '=', context_today())]": [("d", "=", "today")],
            "[('d', '>=', context_today().strftime('%Y-%m-01'))]": [
                ("d", ">=", "today =1d")
            ],
            "[('d', '>=', context_today() - relativedelta(months=1, days=2))]": [
                ("d", ">=", "today -1m -2d")
            ],
            "[('d', '<', context_today() + datetime.timedelta(7))]": [
                ("d", "<", "today +7d")
            ],
            "[('d', '>=', time.strftime('%Y-01-01'))]": [("d", ">=", "today =1m =1d")],
            "[('d', '>=', datetime.datetime.combine(context_today(), "
            "datetime.time(0, 0, 0)).to_utc())]": [("d", ">=", "today")],
            "[('d', '<', (datetime.datetime.now() - datetime.timedelta(hours=2))"
            ".strftime('%Y-%m-%d %H:%M:%S'))]": [("d", "<", "now -2H")],
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(literal_domain(text, NAMES), expected)

    def test_what_it_cannot(self):
        """Code, unknown names, odd formats: never evaluated, always refused."""
        for text in (
            "not a domain",
            "uid",
            "[('a', '=', parent.id)]",
            "[('a', '=', __import__('os').getcwd())]",
            "[('d', '=', context_today().strftime('%d.%m.'))]",
            "[('d', '=', context_today() * 2)]",
            "[('d', '=', context_today() - relativedelta(weekday=1))]",
            "[('a', 'in', [x for x in range(9)])]",
            "[('d', '<', datetime.datetime.combine(context_today(), "
            "datetime.time(23, 59, 59)))]",
        ):
            with self.subTest(text), self.assertRaises(MovingValueError):
                literal_domain(text, NAMES)
