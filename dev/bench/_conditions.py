"""Conditions of the segment measurements, on the contacts of ``_segments.sql``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """What the conditions name.

    :param int country: a country that half of the contacts live in
    :param list states: ids and codes of its states
    :param list tags: ids of tags above others
    """

    country: int
    states: list
    tags: list

    @classmethod
    def of(cls, env):
        """Look up what the conditions name."""
        country = env.ref("base.mx")
        states = env["res.country.state"].search(
            [("country_id", "=", country.id)], order="code"
        )
        tags = env["res.partner.category"].search(
            [("name", "like", "Bench root"), ("parent_id", "=", False)], order="id"
        )
        return cls(country.id, states.mapped(lambda s: (s.id, s.code)), tags.ids)

    def named(self, turn=0) -> dict:
        """Return the three conditions by name: a fifth, a fiftieth, a seventh of all.

        :param int turn: other values for another number
        """
        state, _code = self.states[turn % len(self.states)]
        _id, code = self.states[(turn + 1) % len(self.states)]
        return {
            "simple": [
                ("country_id", "=", self.country),
                ("create_date", ">=", f"2024-01-01 00:{turn % 60:02}:{turn // 60:02}"),
            ],
            "and/or": [
                *("|", "&"),
                ("state_id", "=", state),
                (
                    "invoice_ids",
                    "any",
                    [("state", "=", "posted"), ("payment_state", "=", "not_paid")],
                ),
                "&",
                ("city", "=", f"City {code} 0"),
                ("sale_order_ids", "any", [("state", "=", "sent")]),
            ],
            "deep": [
                ("category_id", "child_of", self.tags[turn % len(self.tags)]),
                (
                    "sale_order_ids",
                    "any",
                    [
                        ("state", "=", "sale"),
                        ("date_order", ">=", "2022-01-01 00:00:00"),
                        ("amount_total", ">", 200 + turn),
                    ],
                ),
                (
                    "invoice_ids",
                    "not any",
                    [("state", "=", "posted"), ("payment_state", "=", "not_paid")],
                ),
                ("purchase_count", ">=", 2 + turn % 4),
            ],
        }

    def many(self, number) -> list:
        """Return conditions of the three kinds in turns, no two of them alike.

        :param int number: how many
        """
        return [list(self.named(turn).values())[turn % 3] for turn in range(number)]
