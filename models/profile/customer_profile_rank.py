from odoo import models
from odoo.tools import SQL


class CustomerProfileRank(models.AbstractModel):
    """Recency, frequency and amount of customers among each other, 1 to 5."""

    _name = "customer.profile.rank"
    _description = "RFM"

    def _ranks(self, source, scope):
        """R, F and M of each customer who bought.

        R and M cut the sorted customers into fifths; those alike are taken in the order
        of their ids, so that nobody moves without a reason. F keeps equal counts
        together: it tells how many fifths of the customers bought less often.

        :param SQL source: relation with the purchase figures and ``profiled``
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
                           %(monetary)s AS rfm_monetary
                      FROM (SELECT b.*,
                                   (rank() OVER (ORDER BY purchase_count) - 1)::float
                                   / count(*) OVER () AS percent_below
                              FROM %(source)s b
                             WHERE purchase_count > 0 AND profiled) buyer) ranks
            """,
            monetary=monetary,
            source=source,
        )
