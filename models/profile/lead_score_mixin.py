from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

SCORE = "customer_score_lead_id"
FIGURES = {"customer_score": "score", "customer_grade": "grade"}


class _Figure:
    """A figure of the side table, shown on the lead; nothing is stored there."""

    def _search_related(self, records, operator, value):
        return records._search_score(self, operator, value)


class ScoreInteger(_Figure, fields.Integer):
    pass


class ScoreSelection(_Figure, fields.Selection):
    pass


class LeadScoreMixin(models.AbstractModel):
    """The score of a lead, beside Odoo's own probability.

    It is that of the lead's company; of the current one where the lead has none.
    """

    _name = "lead.score.mixin"
    _inherit = ["customer.score.subject.mixin"]
    _description = "Lead Score"

    customer_score_lead_id = fields.Many2one(
        "customer.score.lead",
        string="Score record",
        compute="_compute_customer_score_lead_id",
        search="_search_customer_score_lead_id",
        groups="base.group_user",
    )
    customer_score = ScoreInteger(
        related=f"{SCORE}.score", string="Score", groups="base.group_user"
    )
    customer_grade = ScoreSelection(
        related=f"{SCORE}.grade", string="Grade", groups="base.group_user"
    )
    customer_score_line_ids = fields.One2many(
        "customer.score.line", "lead_id", string="Score lines", groups="base.group_user"
    )

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_customer_score_lead_id(self):
        rows = (
            self.env["customer.score.lead"]
            .sudo()
            .search([("lead_id", "in", self._origin.ids)])
        )
        found = {(row.lead_id, row.company_id): row for row in rows}
        for lead in self:
            key = lead._origin, lead._score_company()
            lead.customer_score_lead_id = found.get(key)

    def _score_company(self):
        return self.company_id or super()._score_company()

    # === SEARCH, SORT, GROUP === #

    def _search_customer_score_lead_id(self, operator, value):
        """Leads by their score record, or without one."""
        self._check_score(self._fields[SCORE])
        if operator == "any":
            # With the user's own rights: it may lead to any other record.
            return self._scored(Domain(value), self.env["customer.score.lead"])
        if operator == "in":
            found = self._scored(Domain("id", "in", [id_ for id_ in value if id_]))
            return found | ~self._scored(Domain.TRUE) if False in value else found
        return NotImplemented

    def _search_score(self, field, operator, value):
        """Leads by their score; without one it is empty, or 0."""
        self._check_score(field)
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        scores = self.env["customer.score.lead"].sudo()
        wanted = Domain(FIGURES[field.name], operator, value)
        found = self._scored(wanted)
        if scores.new({}).filtered_domain(wanted):
            found |= ~self._scored(Domain.TRUE)
        return found

    def _scored(self, domain, scores=None):
        """Leads whose score record meets a condition.

        :param scores: ``customer.score.lead`` with the rights to read with; by default
            all of them, which is for conditions on its own columns
        """
        scores = (
            scores if scores is not None else self.env["customer.score.lead"].sudo()
        )
        query = scores._search(domain)
        lead = query.make_alias(query.table, "scored")
        query.add_join("JOIN", lead, "crm_lead", self._same(query.table, lead))
        return Domain("id", "in", query.subselect(SQL.identifier(lead, "id")))

    def _same(self, score, lead):
        """Whether a row of the side table is the score of a row of leads."""
        return SQL(
            "%(score)s.lead_id = %(lead)s.id AND %(score)s.company_id = "
            "coalesce(%(lead)s.company_id, %(company)s)",
            score=SQL.identifier(score),
            lead=SQL.identifier(lead),
            company=self.env.company.id,
        )

    def _check_score(self, field):
        """Refuse what the user may not read: core checks no groups without a column."""
        if not self._has_field_access(field, "read"):
            raise AccessError(
                self.env._("You may not search or sort by this figure of leads.")
            )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Read scores through one join, so that they sort and group."""
        field = self._fields.get(field_expr)
        if not isinstance(field, _Figure):
            return super()._field_to_sql(alias, field_expr, query)
        self._check_score(field)
        score = query.make_alias(alias, "own_score")
        query.add_join(
            "LEFT JOIN", score, "customer_score_lead", self._same(score, alias)
        )
        return (
            self.env["customer.score.lead"]
            .sudo()
            ._field_to_sql(score, FIGURES[field_expr], query)
        )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Leads without a score come last, whichever way a list is sorted."""
        if isinstance(self._fields.get(field_name), _Figure):
            nulls = nulls or SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    # === MERGING === #

    def _merge_dependences(self, opportunities):
        """Hand over the score lines of the leads that are about to go."""
        result = super()._merge_dependences(opportunities)
        self.env["customer.score.merge"]._merge(opportunities, self)
        return result

    def _merge_opportunity(
        self, user_id=False, team_id=False, auto_unlink=True, max_length=5
    ):
        """Let the rules judge the lead that stays, once it is complete."""
        lead = super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
        self.env["customer.score.merge"]._judge(lead)
        return lead
