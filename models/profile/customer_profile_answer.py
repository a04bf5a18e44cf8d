from odoo import models
from odoo.tools import SQL

ENGAGEMENT_DAYS = 90
# Where a mailing reaches a person; its other documents name none.
MAILED = {"crm.lead": "crm_lead", "sale.order": "sale_order"}


class CustomerProfileAnswer(models.AbstractModel):
    """How a person answers mailings: one row per person.

    Sent counts unless it bounced. An answer is a click or a reply, on either channel;
    opening is engagement only, because nobody can see whether an SMS was read.
    """

    _name = "customer.profile.answer"
    _description = "Figures of Answers"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "answer_count",
        "mail_response_rate",
        "sms_response_rate",
        "best_channel",
        "first_mailed",
        "last_mailed",
        "last_answered",
    )

    def _group(self, scope):
        return SQL(
            """
            WITH answer AS (
                SELECT partner_id, trace_type AS channel, count(*) AS sent,
                       count(*) FILTER (WHERE links_click_datetime IS NOT NULL
                                           OR reply_datetime IS NOT NULL) AS answered,
                       count(*) FILTER (WHERE %(opened)s > %(since)s)
                       + count(*) FILTER (WHERE %(clicked)s > %(since)s)
                       + count(*) FILTER (WHERE %(replied)s > %(since)s)
                           AS answer_count,
                       min(%(sent)s) AS first_mailed, max(%(sent)s) AS last_mailed,
                       greatest(max(%(clicked)s), max(%(replied)s)) AS last_answered
                  FROM (%(traces)s) t
                 GROUP BY partner_id, trace_type),
            person AS (
                SELECT partner_id, sum(answer_count)::int AS answer_count,
                       min(first_mailed) AS first_mailed,
                       max(last_mailed) AS last_mailed,
                       max(last_answered) AS last_answered,
                       sum(answered) AS answered,
                       round(sum(answered) FILTER (WHERE channel = 'mail')
                             / sum(sent) FILTER (WHERE channel = 'mail'), 4)
                           AS mail_response_rate,
                       round(sum(answered) FILTER (WHERE channel = 'sms')
                             / sum(sent) FILTER (WHERE channel = 'sms'), 4)
                           AS sms_response_rate
                  FROM answer GROUP BY partner_id)
            SELECT partner_id, answer_count, first_mailed, last_mailed, last_answered,
                   mail_response_rate, sms_response_rate,
                   CASE WHEN answered = 0 THEN NULL
                        WHEN coalesce(sms_response_rate, 0)
                             > coalesce(mail_response_rate, 0) THEN 'sms'
                        ELSE 'mail'
                    END AS best_channel
              FROM person
            """,
            opened=scope.day("t", "open_datetime"),
            clicked=scope.day("t", "links_click_datetime"),
            replied=scope.day("t", "reply_datetime"),
            sent=scope.day("t", "sent_datetime"),
            since=SQL("(%s::date - %s)", scope.today, ENGAGEMENT_DAYS),
            traces=self._traces(scope),
        )

    def _traces(self, scope):
        """Traces of mailings that reached a person, with the person."""
        parts = [
            SQL(
                """
                SELECT t.res_id AS partner_id, t.*
                  FROM mailing_trace t
                 WHERE t.model = 'res.partner' AND %s AND %s
                """,
                self._reached(scope),
                scope.only("t", "res_id"),
            )
        ]
        for model, table in MAILED.items():
            parts.append(
                SQL(
                    """
                    SELECT d.partner_id, t.*
                      FROM mailing_trace t JOIN %(table)s d ON d.id = t.res_id
                     WHERE t.model = %(model)s AND d.partner_id IS NOT NULL
                       AND %(reached)s AND %(only)s
                    """,
                    table=SQL.identifier(table),
                    model=model,
                    reached=self._reached(scope),
                    only=scope.only("d", "partner_id"),
                )
            )
        return SQL(" UNION ALL ").join(parts)

    def _reached(self, scope):
        reached = SQL(
            "t.sent_datetime IS NOT NULL "
            "AND t.trace_status NOT IN ('error', 'bounce', 'cancel')"
        )
        if "company_id" not in self.env["mailing.mailing"]._fields:
            return reached
        return SQL(
            """
            %s AND NOT EXISTS (SELECT FROM mailing_mailing mailing
                                WHERE mailing.id = t.mass_mailing_id
                                  AND coalesce(mailing.company_id, %s) <> %s)
            """,
            reached,
            scope.company_id,
            scope.company_id,
        )
