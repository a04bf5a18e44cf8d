from odoo import models
from odoo.tools import SQL

# The figures by which customers are cut into tenths.
TENTHS = {
    "discount_tenth": "discount_share",
    "cost_tenth": "cost_to_serve",
    "profit_tenth": "profit",
}


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
        if scope.visits_are_purchases:
            monetary = SQL("NULL::int")
        else:
            monetary = SQL("ntile(5) OVER (ORDER BY purchase_total, partner_id)")
        return SQL(
            """
            SELECT ranks.*, concat(rfm_recency, rfm_frequency,
                                   coalesce(rfm_monetary::text, '-')) AS rfm_cell
              FROM (SELECT partner_id,
                           ntile(5) OVER (ORDER BY last_purchase_date, partner_id)
                               AS rfm_recency,
                           (1 + floor(5 * percent_below))::int AS rfm_frequency,
                           %(monetary)s AS rfm_monetary, %(tenths)s
                      FROM (SELECT b.*,
                                   (rank() OVER (ORDER BY purchase_count) - 1)::float
                                   / count(*) OVER () AS percent_below
                              FROM %(source)s b
                             WHERE purchase_count > 0 AND profiled) buyer) ranks
            """,
            monetary=monetary,
            tenths=SQL(", ").join(
                SQL(
                    "CASE WHEN %(figure)s IS NOT NULL THEN least(10, 1 + 10 * (rank() "
                    "OVER (PARTITION BY %(figure)s IS NULL ORDER BY %(figure)s) - 1) "
                    "/ count(*) OVER (PARTITION BY %(figure)s IS NULL))::int "
                    "END AS %(tenth)s",
                    figure=SQL.identifier(figure),
                    tenth=SQL.identifier(tenth),
                )
                for tenth, figure in TENTHS.items()
            ),
            source=source,
        )
