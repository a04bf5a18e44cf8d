from odoo import api, models
from odoo.tools import SQL

from .customer_score_scan import SUBJECTS


class CustomerScoreMerge(models.AbstractModel):
    """What becomes of scores when contacts or leads are merged.

    Rules: the lines of all of them go to the one that stays; of two lines of one rule
    and company the one with more points stays, with the earlier of both days; charts
    are those of the one that stays. Then the rules judge it anew.
    """

    _name = "customer.score.merge"
    _description = "Scores of Merged Records"

    @api.model
    def _merge(self, sources, target):
        """Hand over lines before core touches the foreign keys.

        :param sources: contacts or leads that are about to disappear
        :param target: the one that stays
        """
        sources -= target
        self.env.flush_all()
        subject = SUBJECTS[target._name]
        names = {
            "column": subject.column,
            "sources": list(sources.ids),
            "target": target.id,
        }
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM customer_score_line
                          WHERE %(column)s = ANY(%(sources)s)
                      RETURNING rule_id, company_id, points, since, expires)
                INSERT INTO customer_score_line
                            (rule_id, company_id, %(column)s, points, since, expires)
                     SELECT DISTINCT ON (rule_id, company_id) rule_id, company_id,
                            %(target)s, points,
                            min(since) OVER (PARTITION BY rule_id, company_id), expires
                       FROM gone
                      ORDER BY rule_id, company_id, points DESC
                ON CONFLICT (%(column)s, rule_id, company_id) DO UPDATE
                        SET since = least(customer_score_line.since, EXCLUDED.since),
                            points = greatest(customer_score_line.points,
                                              EXCLUDED.points)
                """,
                **names,
            )
        )
        self.env.cr.execute(
            SQL(
                "DELETE FROM customer_score_snapshot "
                "WHERE %(column)s = ANY(%(sources)s)",
                **names,
            )
        )
        if target._name == "crm.lead":
            self.env.cr.execute(
                SQL(
                    "DELETE FROM customer_score_lead WHERE lead_id = ANY(%(sources)s)",
                    **names,
                )
            )
        self.env.invalidate_all(flush=False)

    @api.model
    def _judge(self, target):
        """Let the rules judge the merged record, with its final values.

        :param target: the contact or lead that stayed
        """
        engine = self.env["customer.score.refresh"].sudo()
        engine._refresh_touched(target._name, target.ids)
