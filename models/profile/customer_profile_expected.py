from odoo import models
from odoo.tools import SQL

# How soon customers leave for good, before anything is known of one: after each
# purchase one in three, Beta(1, 2).
LEAVING = SQL("1 / (x + 1)")
# The company's own average counts like so many purchases of the customer.
AVERAGE_WEIGHT = 2


class CustomerProfileExpected(models.AbstractModel):
    """How much a customer may buy in the time to come, and how sure that is.

    Purchases per day of one customer are weighed against those of all (Gamma mixture,
    its two parameters by moments), times the chance that the customer still comes.
    Source: Fader, Hardie, Lee, «Counting Your Customers» the Easy Way (BG/NBD), 2005,
    with its parameters estimated by moments instead of by a search. See
    docs/figures.md for the formula and for its error on real customers.
    """

    _name = "customer.profile.expected"
    _description = "Expected Value"

    def _prior(self, source, scope):
        """One row with what all customers of the company have in common.

        :param SQL source: relation with the purchase figures
        """
        return SQL(
            """
            SELECT mean, average, shape, shape / nullif(mean, 0) AS rate
              FROM (SELECT mean, average,
                           CASE WHEN spread > 0
                                THEN least(greatest(mean ^ 2 / spread, 0.05), 10)
                                ELSE 10 END AS shape
                      FROM (SELECT sum(x)::float / nullif(sum(age), 0) AS mean,
                                   (var_samp(x) - avg(x))::float
                                   / nullif(avg(age) ^ 2, 0) AS spread,
                                   sum(purchase_total)::float / sum(x + 1) AS average
                              FROM (SELECT purchase_count - 1 AS x, purchase_total,
                                           greatest(%s::date - first_purchase_date, 0)
                                               AS age
                                      FROM %s b
                                     WHERE purchase_count > 0) buyer) moment) guess
            """,
            scope.today,
            source,
        )

    def _estimate(self, scope):
        """Expected purchases, value and sureness of a customer ``m``, by ``prior``.

        Rounded to two digits that count, so that tomorrow's value is mostly today's.

        :return: a query of one row, or of none
        :rtype: SQL
        """
        # OFFSET 0: what stands below it is worked out once, not wherever it is named.
        return SQL(
            """
            SELECT %(purchases)s AS expected_purchases,
                   round(%(value)s, %(digits)s) AS expected_value,
                   CASE WHEN purchases < 0.005 THEN 'low'
                        WHEN 1 / purchases + 1 / known <= 0.25 THEN 'high'
                        WHEN 1 / purchases + 1 / known <= 1 THEN 'medium'
                        ELSE 'low' END AS expected_value_sureness
              FROM (SELECT known, purchases,
                           purchases * greatest(m.purchase_total::float
                                                + %(weight)s * prior.average, 0)
                           / (x + 1 + %(weight)s) AS value
                      FROM (SELECT x, prior.shape + x AS known,
                                   (prior.shape + x) / (prior.rate + age) * %(horizon)s
                                   * CASE WHEN x = 0 THEN 1 ELSE 1 / (1 + %(leaving)s
                                          * exp(least(700, (prior.shape + x)
                                                * ln((prior.rate + age)
                                                     / (prior.rate + seen)))))
                                      END AS purchases
                              FROM (SELECT (m.purchase_count - 1)::float AS x,
                                           greatest(%(today)s::date
                                                    - m.first_purchase_date, 0) AS age,
                                           greatest(least(m.last_purchase_date,
                                                          %(today)s::date)
                                                    - m.first_purchase_date, 0) AS seen
                                     WHERE m.purchase_count > 0 AND m.profiled
                                       AND prior.rate IS NOT NULL) known
                            OFFSET 0) guess
                    OFFSET 0) estimate
            """,
            purchases=_two_digits(SQL("purchases")),
            value=_two_digits(SQL("value")),
            digits=scope.digits,
            leaving=LEAVING,
            horizon=scope.horizon_days,
            weight=AVERAGE_WEIGHT,
            today=scope.today,
        )


def _two_digits(value):
    return SQL(
        "CASE WHEN %(value)s < 0.005 THEN 0 ELSE round(%(value)s::numeric, "
        "1 - floor(log(%(value)s))::int) END",
        value=value,
    )
