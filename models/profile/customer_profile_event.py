from odoo import models
from odoo.tools import SQL

from .customer_profile_answer import ENGAGEMENT_DAYS

# Events by which somebody shows interest.
ENGAGED = ("form", "download")
# Those, too, were their doing.
ANSWERS = ("web_visit", "social")


class CustomerProfileEvent(models.AbstractModel):
    """Forms, downloads, web visits that other systems told of: a row per person."""

    _name = "customer.profile.event"
    _description = "Figures of Events"
    _inherit = ["customer.profile.group"]
    _figure_names = ("event_count", "last_engaged")

    def _group(self, scope):
        return SQL(
            """
            SELECT partner_id, max(day) AS last_engaged,
                   (count(*) FILTER (WHERE kind = ANY(%(engaged)s)
                                       AND day > %(today)s::date - %(days)s))::int
                       AS event_count
              FROM (%(events)s) event
             WHERE kind = ANY(%(answers)s)
             GROUP BY partner_id
            """,
            events=self._events(scope),
            engaged=list(ENGAGED),
            answers=[*ENGAGED, *ANSWERS],
            today=scope.today,
            days=ENGAGEMENT_DAYS,
        )

    def _events(self, scope):
        """Rows of (person, day, kind), of contacts and of the contacts of leads.

        :param ProfileScope scope: whose
        :rtype: SQL
        """
        return SQL(
            """
            SELECT e.partner_id, %(day)s AS day, e.kind
              FROM customer_event e
             WHERE e.company_id = %(company)s AND e.partner_id IS NOT NULL
               AND %(contact)s
             UNION ALL
            SELECT d.partner_id, %(day)s, e.kind
              FROM customer_event e JOIN crm_lead d ON d.id = e.lead_id
             WHERE e.company_id = %(company)s AND e.partner_id IS NULL
               AND d.partner_id IS NOT NULL AND %(lead)s
            """,
            day=scope.day("e", "date"),
            company=scope.company_id,
            contact=scope.only("e", "partner_id"),
            lead=scope.only("d", "partner_id"),
        )
