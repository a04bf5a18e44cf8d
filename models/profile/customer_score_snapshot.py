from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .customer_score_lead import GRADES
from .customer_score_scan import SUBJECTS


class CustomerScoreSnapshot(models.Model):
    """A score as it was on a day; written on days on which it differs, by SQL only."""

    _name = "customer.score.snapshot"
    _description = "Score on a Day"
    _order = "date desc, id desc"
    _rec_name = "date"
    _log_access = False

    date = fields.Date(required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade", index=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", readonly=True, ondelete="cascade"
    )
    lead_id = fields.Many2one("crm.lead", readonly=True, ondelete="cascade")
    score = fields.Integer(readonly=True, aggregator="avg")
    grade = fields.Selection(GRADES, readonly=True)

    _partner_day_unique = models.Constraint(
        "unique(partner_id, company_id, date)", "One score of a contact a day."
    )
    _lead_day_unique = models.Constraint(
        "unique(lead_id, company_id, date)", "One score of a lead a day."
    )

    @api.model
    def _take(self, company, model):
        """Note today's scores and grades; forget what is past its time.

        :param company: ``res.company``
        :param str model: ``res.partner`` or ``crm.lead``
        """
        subject, today = SUBJECTS[model], company._club_today()
        names = {
            "table": subject.table,
            "column": subject.column,
            "company": company.id,
            "model": model,
            "today": today,
            "forget": today - timedelta(days=company.score_history_days),
        }
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_score_snapshot
                            (date, company_id, %(column)s, score, grade)
                     SELECT %(today)s, %(company)s, s.%(column)s,
                            coalesce(s.score, 0), s.grade
                       FROM %(table)s s
                  LEFT JOIN LATERAL (
                            SELECT last.score, last.grade
                              FROM customer_score_snapshot last
                             WHERE last.%(column)s = s.%(column)s
                               AND last.company_id = %(company)s
                               AND last.date < %(today)s
                             ORDER BY last.date DESC LIMIT 1) last ON TRUE
                      WHERE s.company_id = %(company)s
                        AND (coalesce(s.score, 0) IS DISTINCT FROM
                             coalesce(last.score, 0)
                             OR s.grade IS DISTINCT FROM last.grade)
                ON CONFLICT (%(column)s, company_id, date) DO UPDATE
                        SET score = EXCLUDED.score, grade = EXCLUDED.grade
                      WHERE (customer_score_snapshot.score,
                             customer_score_snapshot.grade)
                            IS DISTINCT FROM (EXCLUDED.score, EXCLUDED.grade)
                """,
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                "DELETE FROM customer_score_day WHERE company_id = %(company)s "
                "AND model = %(model)s AND date = %(today)s",
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_score_day
                            (date, company_id, model, grade, people, score)
                     SELECT %(today)s, %(company)s, %(model)s, grade, count(*),
                            avg(score)
                       FROM %(table)s
                      WHERE company_id = %(company)s AND grade IS NOT NULL
                      GROUP BY grade
                """,
                **names,
            )
        )
        self._forget(names)
        self.env.invalidate_all(flush=False)

    def _forget(self, names):
        """Delete what is older than the settings say; a last score always stays."""
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM customer_score_snapshot old
                      WHERE old.company_id = %(company)s AND old.date < %(forget)s
                        AND EXISTS (SELECT FROM customer_score_snapshot newer
                                     WHERE newer.%(column)s = old.%(column)s
                                       AND newer.company_id = %(company)s
                                       AND newer.date > old.date)
                """,
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                "DELETE FROM customer_score_day WHERE company_id = %(company)s "
                "AND model = %(model)s AND date < %(forget)s",
                **names,
            )
        )


class CustomerScoreDay(models.Model):
    """How many had which grade on a day; written by SQL only."""

    _name = "customer.score.day"
    _description = "Grades on a Day"
    _order = "date desc, grade"
    _rec_name = "date"
    _log_access = False

    date = fields.Date(required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")],
        string="Of",
        required=True,
        readonly=True,
    )
    grade = fields.Selection(GRADES, required=True, readonly=True)
    people = fields.Integer(readonly=True)
    score = fields.Float(
        string="Average score", readonly=True, digits=(5, 1), aggregator="avg"
    )

    _day_unique = models.Constraint(
        "unique(company_id, model, date, grade)", "One row a day and grade."
    )
