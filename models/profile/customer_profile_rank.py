from odoo import models
from odoo.tools import SQL

# The figures by which customers are cut into tenths.
TENTHS = {
    "discount_tenth": "discount_share",
    "cost_tenth": "cost_to_serve",
    "profit_tenth": "profit",
}
RANKED = ("rfm_recency", "rfm_frequency", "rfm_monetary", "rfm_cell", *TENTHS)


class CustomerProfileRank(models.AbstractModel):
    """Where customers stand among each other: R, F and M, 1 to 5, and tenths."""

    _name = "customer.profile.rank"
    _description = "RFM"

    def _ranks(self, source, scope):
        """R, F and M of each customer who bought.

        R and M cut the sorted customers into fifths; those alike are taken in the order
        of their ids, so that nobody moves without a reason. F keeps equal counts
        together: it tells how many fifths of the customers bought less often.

        The tenths of discount, cost to serve and profit are read alike: 6 and more is
        above the median, 9 and more the top fifth.

        :param SQL source: relation with the purchase figures, cost to serve, profit
            and ``profiled``
        """
        monetary = SQL("ntile(5) OVER (ORDER BY purchase_total, partner_id)")
        if scope.visits_are_purchases:
            monetary = SQL("NULL::int")
        cuts = {"rfm_frequency": ("purchase_count", 5)}
        cuts.update({tenth: (figure, 10) for tenth, figure in TENTHS.items()})
        # Cutting points are found by sorting one column each; a rank would sort rows.
        return SQL(
            """
            SELECT places.*, concat(rfm_recency, rfm_frequency,
                                    coalesce(rfm_monetary::text, '-')) AS rfm_cell
              FROM (SELECT partner_id, rfm_recency, rfm_monetary, %(places)s
                      FROM (SELECT b.*, %(monetary)s AS rfm_monetary,
                                   ntile(5) OVER (ORDER BY last_purchase_date,
                                                           partner_id) AS rfm_recency
                              FROM %(source)s b
                             WHERE purchase_count > 0 AND profiled) buyer
                     CROSS JOIN (SELECT %(cuts)s FROM %(source)s b
                                  WHERE purchase_count > 0 AND profiled) cut) places
            """,
            monetary=monetary,
            places=SQL(", ").join(
                self._place(figure, place, parts)
                for place, (figure, parts) in cuts.items()
            ),
            cuts=SQL(", ").join(
                SQL(
                    "percentile_disc(%s::float[]) WITHIN GROUP (ORDER BY %s) AS %s",
                    [part / parts for part in range(1, parts)],
                    SQL.identifier(figure),
                    SQL.identifier(f"{place}_cuts"),
                )
                for place, (figure, parts) in cuts.items()
            ),
            source=source,
        )

    def _place(self, figure, place, parts):
        """1 + how many cutting points a figure is beyond: equal figures, equal place.

        Beyond the k-th of n points is who has at least k ÷ n of the others below.
        """
        beyond = [
            SQL(
                "(%s > %s[%s])::int",
                SQL.identifier("buyer", figure),
                SQL.identifier("cut", f"{place}_cuts"),
                SQL(str(part)),
            )
            for part in range(1, parts)
        ]
        return SQL("1 + %s AS %s", SQL(" + ").join(beyond), SQL.identifier(place))
