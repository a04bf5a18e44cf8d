from odoo import models
from odoo.tools import SQL

from .customer_profile_rank import RANKED

# What documents show: all that is kept of a contact without profiling.
PLAIN = (
    "first_purchase_date",
    "last_purchase_date",
    "purchase_count",
    "recent_purchase_count",
    "purchase_total",
    "purchase_average",
    "open_quotation_count",
    "open_quotation_total",
    "open_quotation_date",
    "last_quotation_date",
    "sent_quotation_count",
    "unpaid_total",
    "overdue_total",
    "visit_count",
    "first_visit_date",
    "last_visit_date",
    "open_lead_count",
    "last_lead_date",
    "lead_source_id",
)
# What is nothing, where the others are unknown.
ZERO = (
    "purchase_count",
    "recent_purchase_count",
    "purchase_total",
    "cost_to_serve",
    "open_quotation_count",
    "open_quotation_total",
    "sent_quotation_count",
    "assured_quotation_count",
    "unpaid_total",
    "overdue_total",
    "visit_count",
    "engagement",
    "open_lead_count",
)
# Parts that are read in one place only need not be put by.
ONCE = ("line", "quotation", "unpaid", "visit", "answer", "lead", "event")
PROFIT = SQL(
    "CASE WHEN m.purchase_margin IS NOT NULL "
    "THEN m.purchase_margin - coalesce(cost.cost_to_serve, 0) END"
)


class CustomerProfileStatement(models.AbstractModel):
    """The statement that works out all groups and writes the rows that differ.

    One statement, because each profile is then written once, or not at all.
    """

    _name = "customer.profile.statement"
    _description = "Statement of Figures"

    def _groups(self):
        """The groups of figures.

        :return: models of ``customer.profile.group`` by the name of their part
        :rtype: dict
        """
        return {
            name: self.env[f"customer.profile.{name}"]
            for name in (
                "purchase",
                "line",
                "quotation",
                "unpaid",
                "visit",
                "answer",
                "lead",
                "contact",
                "event",
            )
        }

    def _figures(self, scope):
        """Each figure as SQL over the merged groups ``m`` and what follows from them.

        :return: SQL by the name of the field
        :rtype: dict
        """
        rounded = SQL(
            "round(m.purchase_total / nullif(m.purchase_count, 0), %s)", scope.digits
        )
        figures = {
            "next_purchase_due_date": SQL("m.last_purchase_date + m.purchase_gap_days"),
            "purchase_average": rounded,
            "cost_to_serve": SQL("cost.cost_to_serve"),
            "profit": PROFIT,
            "quotation_is_newer": SQL(
                "coalesce(m.open_quotation_date > m.last_purchase_date, "
                "m.open_quotation_date IS NOT NULL)"
            ),
            "last_answer_date": SQL("greatest(m.last_answered, m.last_engaged)"),
            "engagement": SQL(
                "coalesce(m.answer_count, 0) + coalesce(m.event_count, 0)"
            ),
            "first_contact_date": SQL(
                "least(m.first_contacted, m.first_mailed, m.first_visit_date, "
                "m.first_lead_date)"
            ),
            "last_contact_date": SQL(
                "greatest(m.last_contacted, m.last_mailed, m.last_visit_date)"
            ),
        }
        for group in self._groups().values():
            for name in group._figure_names:
                if name in self.env["customer.profile"]._fields:
                    figures[name] = SQL.identifier("m", name)
        for name in self._expected_names(scope):
            figures[name] = SQL.identifier("expected", name)
        if scope.ids is None:
            for name in RANKED:
                figures[name] = SQL.identifier("ranked", name)
        return {
            name: figure
            if name in PLAIN
            else SQL("CASE WHEN m.profiled THEN %s END", figure)
            for name, figure in figures.items()
        }

    def _expected_names(self, scope):
        if not scope.expects:
            return ()
        names = ("expected_purchases", "expected_value", "expected_value_sureness")
        return names[::2] if scope.visits_are_purchases else names

    def _write_figures(self, scope):
        """Write the figures of all contacts, or of some.

        :return: a statement whose row tells how many profiles changed, and whether
            somebody's place among the customers may have
        :rtype: SQL
        """
        names = list(self._figures(scope))
        return SQL(
            """
            %(difference)s,
            updated AS (
                UPDATE customer_profile p
                   SET (changed_at, %(names)s) = (%(now)s, %(written)s)
                  FROM difference d WHERE p.id = d.profile_id),
            inserted AS (
                INSERT INTO customer_profile
                            (partner_id, company_id, changed_at, %(names)s)
                     SELECT d.partner_id, %(company)s, %(now)s, %(written)s
                       FROM difference d WHERE d.profile_id IS NULL
                ON CONFLICT (partner_id, company_id) DO NOTHING)
            SELECT count(*), coalesce(bool_or(moved), FALSE) FROM difference
            """,
            difference=self._difference(scope),
            company=scope.company_id,
            now=scope.now,
            names=SQL(", ").join(SQL.identifier(name) for name in names),
            written=_columns("d", names),
        )

    def _count(self, scope):
        """How many profiles would change: the same without writing, for measurements.

        :rtype: SQL
        """
        return SQL("%s SELECT count(*) FROM difference", self._difference(scope))

    def _difference(self, scope):
        """WITH all parts, up to the rows that differ from those there are."""
        names = list(self._figures(scope))
        zero = set(ZERO)
        if scope.visits_are_purchases:
            zero.remove("purchase_total")
        target = [
            SQL("coalesce(fresh.%s, 0)", SQL.identifier(name))
            if name in zero
            else SQL.identifier("fresh", name)
            for name in names
        ]
        return SQL(
            """
            WITH %(parts)s,
            fresh AS (%(fresh)s),
            old AS (SELECT * FROM customer_profile
                     WHERE company_id = %(company)s AND %(only)s),
            difference AS MATERIALIZED (
                SELECT old.id AS profile_id, %(named)s,
                       coalesce(fresh.partner_id, old.partner_id) AS partner_id,
                       (coalesce(old.purchase_count, 0), old.last_purchase_date,
                        coalesce(old.purchase_total, 0), old.rfm_cell IS NULL)
                       IS DISTINCT FROM
                       (coalesce(fresh.purchase_count, 0), fresh.last_purchase_date,
                        coalesce(fresh.purchase_total, 0),
                        coalesce(fresh.unranked, TRUE)) AS moved
                  FROM fresh FULL JOIN old ON old.partner_id = fresh.partner_id
                 WHERE old.id IS NULL OR (%(old)s) IS DISTINCT FROM (%(new)s))
            """,
            parts=SQL(", ").join(self._parts(scope)),
            fresh=self._fresh(scope),
            company=scope.company_id,
            only=scope.only("partner_id"),
            named=SQL(", ").join(
                SQL("%s AS %s", value, SQL.identifier(name))
                for name, value in zip(names, target, strict=True)
            ),
            old=_columns("old", names),
            new=SQL(", ").join(target),
        )

    def _parts(self, scope):
        """The groups, merged by contact, and what follows from them."""
        groups = self._groups()
        expected = self.env["customer.profile.expected"]
        merged = SQL("merged")
        source = merged if scope.ids is None else self._stored(scope)
        parts = {} if scope.ids is None else {"chosen": scope.chosen()}
        parts.update({name: group._group(scope) for name, group in groups.items()})
        parts["cost"] = self._costs(scope)
        parts["merged"] = self._merged(groups, scope)
        if scope.expects:
            parts["prior"] = expected._prior(source, scope)
        if scope.ids is None:
            served = SQL(
                "(SELECT partner_id, m.profiled, m.last_purchase_date, "
                "m.purchase_count, m.purchase_total, m.discount_share, "
                "coalesce(cost.cost_to_serve, 0) AS cost_to_serve, %s AS profit "
                "FROM merged m LEFT JOIN cost USING (partner_id))",
                PROFIT,
            )
            parts["ranked"] = self.env["customer.profile.rank"]._ranks(served, scope)
        return [
            SQL(
                "%s AS %s MATERIALIZED (%s)",
                SQL.identifier(name),
                SQL("NOT") if name in ONCE else SQL(),
                part,
            )
            for name, part in parts.items()
        ]

    def _merged(self, groups, scope):
        """One row per contact with the columns of all groups; no colleagues."""
        columns = [
            SQL("%s.%s", SQL.identifier(part), SQL.identifier(name))
            for part, group in groups.items()
            for name in group._figure_names
        ]
        # From the contacts on: PostgreSQL knows how many they are, but nothing of how
        # many rows the groups have, and would sort for joins of billions.
        names = [SQL.identifier(part) for part in (*groups, "cost")]
        joins = [
            SQL("LEFT JOIN %(part)s ON %(part)s.partner_id = p.id", part=part)
            for part in names
        ]
        known = [SQL("%s.partner_id IS NOT NULL", part) for part in names]
        return SQL(
            """
            SELECT p.id AS partner_id, p.no_profiling IS NOT TRUE AS profiled,
                   %(columns)s
              FROM %(contacts)s p %(joins)s
             WHERE (%(known)s)
               AND (p.partner_share IS NOT FALSE OR purchase.purchase_count > 0)
            """,
            columns=SQL(", ").join(columns),
            joins=SQL(" ").join(joins),
            contacts=self._contacts(scope),
            known=SQL(" OR ").join(known),
        )

    def _contacts(self, scope):
        """The contacts to join the groups to: all, or first of all some."""
        if scope.ids is None:
            return SQL("res_partner")
        # OFFSET 0: else they are picked after the joins, of all contacts there are.
        return SQL(
            "(SELECT * FROM res_partner p WHERE %s OFFSET 0)", scope.only("p", "id")
        )

    def _costs(self, scope):
        """What serving costs: contacts of all persons of a company, and returns."""
        costs = scope.unit_costs
        return SQL(
            """
            SELECT partner_id, round(sum(cost)::numeric, %(digits)s) AS cost_to_serve
              FROM (SELECT p.commercial_partner_id AS partner_id,
                           calls * %(call)s + meetings * %(meeting)s
                           + messages * %(message)s + tickets * %(ticket)s AS cost
                      FROM contact JOIN res_partner p ON p.id = contact.partner_id
                     WHERE p.partner_share IS NOT FALSE
                     UNION ALL
                    SELECT partner_id, return_count * %(return)s FROM purchase) served
             WHERE cost <> 0
             GROUP BY partner_id
            """,
            digits=scope.digits,
            **costs,
        )

    def _fresh(self, scope):
        joins = []
        if scope.ids is None:
            joins.append(SQL("LEFT JOIN ranked USING (partner_id)"))
        if scope.expects:
            estimate = self.env["customer.profile.expected"]._estimate(scope)
            joins.append(SQL("LEFT JOIN prior ON TRUE"))
            joins.append(SQL("LEFT JOIN LATERAL (%s) expected ON TRUE", estimate))
        return SQL(
            """
            SELECT partner_id, %s,
                   NOT (m.profiled AND coalesce(m.purchase_count, 0) > 0) AS unranked
              FROM merged m LEFT JOIN cost USING (partner_id) %s
            """,
            SQL(", ").join(
                SQL("%s AS %s", figure, SQL.identifier(name))
                for name, figure in self._figures(scope).items()
            ),
            SQL(" ").join(joins),
        )

    # === SOME CONTACTS AMONG ALL === #

    def _stored(self, scope):
        """The purchase figures of all customers of the company, as written last."""
        return SQL(
            """
            (SELECT c.partner_id, c.first_purchase_date, c.last_purchase_date,
                    c.purchase_count, c.purchase_total, c.discount_share,
                    c.cost_to_serve, c.profit, p.no_profiling IS NOT TRUE AS profiled
               FROM customer_profile c JOIN res_partner p ON p.id = c.partner_id
              WHERE c.company_id = %s)
            """,
            scope.company_id,
        )

    def _write_among_all(self, scope):
        """Write what depends on all customers, by the figures they have: R, F, M, the
        tenths, and what is expected.

        :return: a statement whose row tells how many changed
        :rtype: SQL
        """
        names = (*RANKED, *self._expected_names(scope))
        return SQL(
            """
            %(among)s,
            updated AS (
                UPDATE customer_profile p
                   SET (changed_at, %(names)s) = (%(now)s, %(fresh)s)
                  FROM customer_profile c JOIN fresh f USING (partner_id)
                 WHERE p.id = c.id AND c.company_id = %(company)s
                   AND (%(old)s) IS DISTINCT FROM (%(fresh)s)
             RETURNING p.id)
            SELECT count(*) FROM updated
            """,
            among=self._among_all(scope),
            names=SQL(", ").join(SQL.identifier(name) for name in names),
            fresh=_columns("f", names),
            old=_columns("c", names),
            company=scope.company_id,
            now=scope.now,
        )

    def _among_all(self, scope):
        """WITH all parts, up to ``fresh``: what depends on all customers."""
        expected = self.env["customer.profile.expected"]
        names = (*RANKED, *self._expected_names(scope))
        stored = SQL("stored")
        return SQL(
            """
            WITH stored AS MATERIALIZED (SELECT * FROM %(stored)s s),
            prior AS MATERIALIZED (%(prior)s),
            ranked AS MATERIALIZED (%(ranks)s),
            fresh AS (
                SELECT partner_id, %(names)s
                  FROM stored m LEFT JOIN ranked USING (partner_id)
                  LEFT JOIN prior ON TRUE
                  LEFT JOIN LATERAL (%(estimate)s) expected ON TRUE)
            """,
            stored=self._stored(scope),
            prior=expected._prior(stored, scope),
            ranks=self.env["customer.profile.rank"]._ranks(stored, scope),
            estimate=expected._estimate(scope),
            names=SQL(", ").join(SQL.identifier(name) for name in names),
        )

    def _write_ranks(self, scope):
        """Write R, F and M of all customers by the figures they have.

        :return: a statement whose row tells how many changed
        :rtype: SQL
        """
        return SQL(
            """
            WITH ranked AS MATERIALIZED (%(ranks)s),
            updated AS (
                UPDATE customer_profile p
                   SET (changed_at, %(names)s) = (%(now)s, %(ranked)s)
                  FROM customer_profile c LEFT JOIN ranked r USING (partner_id)
                 WHERE p.id = c.id AND c.company_id = %(company)s
                   AND (%(old)s) IS DISTINCT FROM (%(ranked)s)
             RETURNING p.id)
            SELECT count(*) FROM updated
            """,
            ranks=self.env["customer.profile.rank"]._ranks(self._stored(scope), scope),
            names=SQL(", ").join(SQL.identifier(name) for name in RANKED),
            ranked=_columns("r", RANKED),
            old=_columns("c", RANKED),
            company=scope.company_id,
            now=scope.now,
        )


def _columns(alias, names):
    return SQL(", ").join(SQL.identifier(alias, name) for name in names)
