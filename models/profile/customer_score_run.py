from odoo import api, fields, models
from odoo.tools import SQL

CRON = "customer_segmentation.customer_score_refresh_cron"


class CustomerScoreRun(models.Model):
    """When the scores of a company were worked out last: of contacts, of leads."""

    _name = "customer.score.run"
    _description = "Score Refresh"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    model = fields.Char(required=True, readonly=True)
    last_refresh = fields.Datetime(string="Worked out on", readonly=True)
    last_date = fields.Date(
        string="Day worked out", readonly=True, help="Day of the company."
    )
    seconds = fields.Float(readonly=True)
    stale = fields.Boolean(readonly=True)

    _company_model_unique = models.Constraint(
        "unique(company_id, model)", "One row for each."
    )

    @api.model
    def _make_stale(self, units):
        """Scores are out of date; the worker follows.

        :param units: pairs of company id and model
        """
        if not units:
            return
        companies, subjects = zip(*sorted(units), strict=True)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_score_run (company_id, model, stale)
                     SELECT c, m, TRUE FROM unnest(%s, %s) AS u(c, m)
                ON CONFLICT (company_id, model) DO UPDATE SET stale = TRUE
                      WHERE customer_score_run.stale IS NOT TRUE
                """,
                list(companies),
                list(subjects),
            )
        )
        self.invalidate_model(["stale"], flush=False)
        self.env.ref(CRON).sudo()._trigger()

    @api.model
    def _note(self, company, model, seconds):
        """Scores are right as of now."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_score_run
                            (company_id, model, last_refresh, last_date, seconds, stale)
                     VALUES (%s, %s, %s, %s, %s, FALSE)
                ON CONFLICT (company_id, model) DO UPDATE
                        SET last_refresh = EXCLUDED.last_refresh,
                            last_date = EXCLUDED.last_date,
                            seconds = EXCLUDED.seconds, stale = FALSE
                      -- A run in which nothing changed writes no row.
                      WHERE customer_score_run.stale
                         OR customer_score_run.last_date IS DISTINCT FROM
                            EXCLUDED.last_date
                """,
                company.id,
                model,
                fields.Datetime.now(),
                company._club_today(),
                round(seconds, 3),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _due(self):
        """Pairs of company and model to be worked out: stale ones, and once a day all.

        :rtype: list[tuple]
        """
        rules = self.env["customer.score.rule"]._read_group(
            [("active", "=", True)], ["company_id", "model"]
        )
        runs = {(run.company_id, run.model): run for run in self.search([])}
        due = [unit for unit, run in runs.items() if run.stale]
        for company, model in rules:
            run = runs.get((company, model))
            if not run or (not run.stale and run.last_date != company._club_today()):
                due.append((company, model))
        return due
