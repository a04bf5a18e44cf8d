from odoo import Command, api, fields, models
from odoo.tools import SQL

from ..models.profile.customer_score_lead import GRADES

# Who has no line has no grade.
GRADES_OR_NONE = [*GRADES, ("none", "No grade")]


class CustomerScoreWhatIf(models.TransientModel):
    """How many would change grade if some rules were switched on, or off."""

    _name = "customer.score.what.if"
    _description = "What if a Scoring Rule"

    rule_ids = fields.Many2many(
        "customer.score.rule", string="Rules", context={"active_test": False}
    )
    sentence = fields.Text(readonly=True)
    line_ids = fields.One2many(
        "customer.score.what.if.line", "what_if_id", readonly=True
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        rules = (
            self.env["customer.score.rule"]
            .with_context(active_test=False)
            .browse(self.env.context.get("active_ids", []))
            .exists()
        )
        rules.check_access("read")
        values["rule_ids"] = [Command.set(rules.ids)]
        rows = self._moves(rules)
        values["line_ids"] = [Command.create(row) for row in rows if row["is_change"]]
        values["sentence"] = self._sentence(rows)
        return values

    def _sentence(self, rows):
        total = sum(row["people"] for row in rows)
        moved = sum(row["people"] for row in rows if row["is_change"])
        if not total:
            return self.env._("Nobody has a score then.")
        return self.env._(
            "%(moved)s of %(total)s would change grade.", moved=moved, total=total
        )

    @api.model
    def _moves(self, rules):
        """Grades before and after switching the active ones off, the others on.

        :param rules: ``customer.score.rule``, switched together
        :return: ``[{"model", "before", "after", "people", "is_change"}]``
        :rtype: list[dict]
        :raise UserError: when one of them cannot be evaluated
        """
        engine = self.env["customer.score.refresh"].sudo()
        rows = []
        for company, model in sorted(
            {(rule.company_id, rule.model) for rule in rules},
            key=lambda unit: (unit[0].id, unit[1]),
        ):
            mine = rules.filtered(
                lambda rule, unit=(company, model): (
                    (rule.company_id, rule.model) == unit
                )
            )
            for before, after, people in engine._compare(company, model, mine.sudo()):
                rows.append(
                    {
                        "model": model,
                        "before": before or "none",
                        "after": after or "none",
                        "people": people,
                        "is_change": before != after,
                    }
                )
        return rows


class CustomerScoreWhatIfLine(models.TransientModel):
    _name = "customer.score.what.if.line"
    _description = "Change of Grade"
    _order = "model, before, after"

    what_if_id = fields.Many2one("customer.score.what.if", ondelete="cascade")
    model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")],
        string="Of",
    )
    before = fields.Selection(GRADES_OR_NONE, string="Grade now")
    after = fields.Selection(GRADES_OR_NONE, string="Grade then")
    people = fields.Integer()
    is_change = fields.Boolean()


class CustomerScoreRefresh(models.AbstractModel):
    _inherit = "customer.score.refresh"

    @api.model
    def _compare(self, company, model, switched):
        """Grades by the rules that count today, and with some switched.

        :param switched: rules of this company and model: active ones go, others come
        :return: rows of grade before, grade after, number
        :rtype: list[tuple]
        """
        condition = self.env["customer.segment.condition"]
        for rule in switched:
            condition._check(rule)
        self.env.flush_all()
        now = self.env["customer.score.rule"]._valid_rules(company, model)
        then = (now - switched) + switched.filtered(lambda rule: not rule.active)
        with self.env.cr.savepoint(flush=False):
            before, _columns = self._prepare(company, model, now, {})
            after, _columns = self._prepare(company, model, then, {})
            return self.env.execute_query(
                SQL(
                    """
                    SELECT before.grade, after.grade, count(*)
                      FROM (%s) before FULL JOIN (%s) after ON after.id = before.id
                     GROUP BY 1, 2 ORDER BY 1, 2
                    """,
                    before,
                    after,
                )
            )
