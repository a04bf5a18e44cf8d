import logging
import time

from odoo import api, models
from odoo.tools import SQL

from ...tools.quiet_sql import quiet_sql
from ...tools.transaction import time_limit
from ..segment.customer_segment_refresh import STATEMENT_SECONDS
from .customer_profile_statement import ZERO
from .customer_score_scan import SUBJECTS

_logger = logging.getLogger(__name__)

# Lists of ids that a condition compares with are hashed in memory, not walked through.
WORK_MEM = "256MB"


class CustomerScoreRefresh(models.AbstractModel):
    """Works out the scores of a company and writes what differs, in one statement."""

    _name = "customer.score.refresh"
    _description = "Score Refresh Engine"

    # === ONE COMPANY, CONTACTS OR LEADS === #

    @api.model
    def _refresh(self, company, model, ids=None, verify=False):
        """Work out scores; a rule that cannot be evaluated keeps its last lines, is
        stopped alone, and its responsible is told.

        :param company: ``res.company``
        :param str model: ``res.partner`` or ``crm.lead``
        :param list ids: only these contacts or leads, or None for all
        :param bool verify: compare every line, not only its checksum
        :return: how many lines and scores were written
        :rtype: int
        :raise psycopg2.Error: when another transaction or the database is in the way
        """
        self.env.flush_all()
        started = time.monotonic()
        rules = self._lock(company, model)
        verify = verify or ids is not None
        # What has stopped is tried again once a day, not for each contact.
        stopped = rules.filtered(lambda rule: rule.state == "quarantined")
        broken = dict.fromkeys(stopped if ids is not None else ())
        try:
            changed = self._contained(company, model, rules, broken, ids, verify)
        except Exception as error:  # noqa: BLE001 - conditions run anybody's code
            broken.update(
                self._broken_of(rules - rules.browse().concat(*broken), error, ids)
            )
            changed = self._contained(company, model, rules, broken, ids, verify)
        for rule, error in broken.items():
            if error is not None:
                rule._quarantine(error)
        if ids is None:
            (rules - rules.browse().concat(*broken))._note_works()
            self.env["customer.score.run"]._note(
                company, model, time.monotonic() - started
            )
        if changed:
            self._invalidate(model)
        return changed

    def _lock(self, company, model):
        """The rules that count today, locked: scores are worked out one at a time."""
        rules = self.env["customer.score.rule"]._valid_rules(company, model)
        self.env.execute_query(
            SQL(
                "SELECT FROM customer_score_rule WHERE company_id = %s AND model = %s "
                "ORDER BY id FOR NO KEY UPDATE",
                company.id,
                model,
            )
        )
        return rules

    def _contained(self, company, model, rules, broken, ids, verify):
        """Compute and write, or leave everything as it was."""
        cr = self.env.cr
        with quiet_sql(), cr.savepoint(flush=False), time_limit(cr, STATEMENT_SECONDS):
            cr.execute("SET LOCAL work_mem = %s", [WORK_MEM])
            target, columns = self._prepare(company, model, rules, broken, ids)
            rows = self.env.execute_query(
                self._statement(company, model, target, columns, ids, verify)
            )
            cr.execute("SET LOCAL work_mem TO DEFAULT")
        return sum(rows[0])

    def _prepare(self, company, model, rules, broken, ids=None):
        """The scores everybody should have, and their columns; what cannot be built is
        added to ``broken``.
        """
        scan = self.env["customer.score.scan"]
        query, columns = scan._begin(company, model, ids), []
        for rule in rules:
            try:
                column = None if rule in broken else scan._column(rule, query, ids)
            except Exception as error:
                if self.env["customer.segment.refresh"]._is_passing(error):
                    raise
                broken[rule] = error
                column = None
            columns.append(column or scan._frozen(rule, query))
        return scan._target(company, query, columns), columns

    # === THE STATEMENT === #

    def _stored(self, company, model, ids=None):
        """Scores as they are: ``id, score, grade, key``."""
        subject = SUBJECTS[model]
        return SQL(
            """
            SELECT %(column)s AS id, score, grade, score_key AS key
              FROM %(table)s
             WHERE company_id = %(company)s AND score IS NOT NULL %(only)s
            """,
            column=subject.column,
            table=subject.table,
            company=company.id,
            only=SQL()
            if ids is None
            else SQL("AND %s = ANY(%s)", subject.column, list(ids)),
        )

    @api.model
    def _difference(self, company, model, target, columns, ids=None, verify=False):
        """Who is to be written: all columns of ``_target`` and whether the score
        differs.
        """
        names = []
        for number, column in enumerate(columns, 1):
            names.append(SQL(", t.%s", SQL.identifier(f"p{number}")))
            if column.weight:
                names.append(SQL(", t.%s", SQL.identifier(f"w{number}")))
        differs = SQL(
            "(t.key IS DISTINCT FROM s.key OR t.score IS DISTINCT FROM s.score "
            "OR t.grade IS DISTINCT FROM s.grade)"
        )
        return SQL(
            """
            SELECT coalesce(t.id, s.id) AS id, t.score, t.grade, t.key,
                   %(differs)s AS differs %(names)s
              FROM (%(target)s) t FULL JOIN (%(stored)s) s ON s.id = t.id
             WHERE %(which)s
            """,
            differs=differs,
            names=SQL().join(names),
            target=target,
            stored=self._stored(company, model, ids),
            which=SQL("TRUE") if verify else differs,
        )

    def _statement(self, company, model, target, columns, ids, verify):
        subject = SUBJECTS[model]
        today = company._club_today()
        mine = SQL("l.company_id = %s AND l.%s", company.id, subject.column)
        if not verify:
            gone = SQL("%s IN (SELECT id FROM judged)", mine)
        elif ids is None:
            gone = SQL("%s IS NOT NULL", mine)
        else:
            gone = SQL("%s = ANY(%s)", mine, list(ids))
        return SQL(
            """
            WITH judged AS MATERIALIZED (%(difference)s),
            wanted AS MATERIALIZED (
                SELECT j.id, v.rule_id, v.points, v.expires
                  FROM judged j CROSS JOIN LATERAL (VALUES %(values)s)
                       AS v (rule_id, points, expires)
                 WHERE v.points <> 0),
            gone AS (
                DELETE FROM customer_score_line l
                      WHERE %(gone)s
                        AND NOT EXISTS (SELECT FROM wanted w
                                         WHERE w.id = l.%(column)s
                                           AND w.rule_id = l.rule_id)
                  RETURNING 1),
            lines AS (
                INSERT INTO customer_score_line
                            (rule_id, %(column)s, company_id, points, since, expires)
                     SELECT w.rule_id, w.id, %(company)s, w.points, %(today)s, w.expires
                       FROM wanted w
                  LEFT JOIN customer_score_line l
                         ON l.%(column)s = w.id AND l.rule_id = w.rule_id
                        AND l.company_id = %(company)s
                      WHERE l.points IS DISTINCT FROM w.points
                         OR l.expires IS DISTINCT FROM w.expires
                ON CONFLICT (%(column)s, rule_id, company_id) DO UPDATE
                        SET points = EXCLUDED.points, expires = EXCLUDED.expires
                  RETURNING 1),
            scores AS (%(scores)s RETURNING 1)
            SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM lines),
                   (SELECT count(*) FROM scores)
            """,
            difference=self._difference(company, model, target, columns, ids, verify),
            values=SQL(", ").join(self._values(columns, today)),
            gone=gone,
            column=subject.column,
            company=company.id,
            today=today,
            scores=self._write_scores(company, model),
        )

    def _values(self, columns, today):
        """Rule, points and end of each line of a row, as SQL."""
        if not columns:
            return [SQL("(NULL::int, NULL::int, NULL::date)")]
        values = []
        for number, column in enumerate(columns, 1):
            rule = column.rule
            expires = SQL("%s::date", rule.valid_to or None)
            if column.weight:
                # The day on which the rest rounds to nothing: half a point is left.
                weight = SQL.identifier("j", f"w{number}")
                expires = SQL(
                    "least(%(to)s, %(today)s::date + ceil(%(life)s * log(2, greatest("
                    "(%(points)s * %(weight)s)::numeric, 0.5) / 0.5))::int)",
                    to=expires,
                    today=today,
                    life=rule.half_life_days,
                    points=abs(rule.points),
                    weight=weight,
                )
            points = SQL.identifier("j", f"p{number}")
            values.append(SQL("(%s, %s, %s)", rule.id, points, expires))
        return values

    def _write_scores(self, company, model):
        if model == "crm.lead":
            return SQL(
                """
                INSERT INTO customer_score_lead
                            (lead_id, company_id, score, grade, score_key)
                     SELECT id, %s, score, grade, key FROM judged WHERE differs
                ON CONFLICT (lead_id, company_id) DO UPDATE
                        SET score = EXCLUDED.score, grade = EXCLUDED.grade,
                            score_key = EXCLUDED.score_key
                """,
                company.id,
            )
        # What figures of an unknown customer are, so that they find no difference.
        return SQL(
            """
            INSERT INTO customer_profile
                        (partner_id, company_id, score, grade, score_key, changed_at,
                         %(zero)s)
                 SELECT id, %(company)s, score, grade, key, now() AT TIME ZONE 'UTC',
                        %(zeros)s
                   FROM judged WHERE differs
            ON CONFLICT (partner_id, company_id) DO UPDATE
                    SET score = EXCLUDED.score, grade = EXCLUDED.grade,
                        score_key = EXCLUDED.score_key, changed_at = EXCLUDED.changed_at
            """,
            zero=SQL(", ").join(SQL.identifier(name) for name in ZERO),
            zeros=SQL(", ").join([SQL("0")] * len(ZERO)),
            company=company.id,
        )

    def _invalidate(self, model):
        self.env["customer.score.line"].invalidate_model(flush=False)
        if model == "res.partner":
            self.env["customer.profile"].invalidate_model(flush=False)
        else:
            self.env["customer.score.lead"].invalidate_model(flush=False)
        names = ["customer_score", "customer_grade"]
        names += ["customer_score_line_ids", "own_score_line_ids"]
        if model == "res.partner":
            names.append("customer_profile_id")
        else:
            names.append("customer_score_lead_id")
        self.env[model].invalidate_model(names, flush=False)

    # === WHAT FAILED === #

    def _broken_of(self, rules, error, ids=None):
        """Which of these cannot be evaluated; another error is raised.

        :return: the rules with their errors
        :rtype: dict
        """
        is_passing = self.env["customer.segment.refresh"]._is_passing
        if is_passing(error):
            raise error
        if len(rules) == 1:
            return {rules: error}
        broken = {}
        for rule in rules:
            try:
                self._try(rule, ids, STATEMENT_SECONDS / len(rules))
            except Exception as reason:
                if is_passing(reason):
                    raise
                broken[rule] = reason
        if not broken and not rules:
            raise error
        # Each is fine, together they are too much: none can be trusted to be done.
        return broken or dict.fromkeys(rules, error)

    def _try(self, rule, ids, seconds):
        cr, scan = self.env.cr, self.env["customer.score.scan"]
        with quiet_sql(), cr.savepoint(flush=False), time_limit(cr, seconds):
            query = scan._begin(rule.company_id, rule.model, ids)
            target = scan._target(
                rule.company_id, query, [scan._column(rule, query, ids)]
            )
            self.env.execute_query(SQL("SELECT count(*) FROM (%s) t", target))
