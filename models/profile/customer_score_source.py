from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL
from odoo.tools.sql import table_exists

EVENTS = ("download", "web_visit", "form", "call", "social", "other")
TRACES = {
    "mail_open": "open_datetime",
    "mail_click": "links_click_datetime",
    "mail_reply": "reply_datetime",
}


class CustomerScoreSource(models.AbstractModel):
    """What a rule can count: who did something, and when.

    A source is a query of ids of contacts (or leads) and moments in UTC. Others are
    added by extending ``_selection`` and ``_query``.
    """

    _name = "customer.score.source"
    _description = "Source of Scored Events"

    @api.model
    def _selection(self):
        """Events that exist in this database, with their labels."""
        labels = {
            "event_download": self.env._("Download"),
            "event_web_visit": self.env._("Web visit"),
            "event_form": self.env._("Form filled in"),
            "event_call": self.env._("Call noted"),
            "event_social": self.env._("Social network"),
            "event_other": self.env._("Other event"),
            "mail_open": self.env._("E-mail of a campaign read"),
            "mail_click": self.env._("Link of a campaign clicked"),
            "mail_reply": self.env._("Campaign answered"),
            "visit": self.env._("Visit to the shop"),
            "purchase": self.env._("Confirmed order"),
        }
        return list(labels.items())

    @api.model
    def _label(self, source):
        return dict(self._selection()).get(source, source)

    @api.model
    def _check(self, rule):
        """Refuse a source that this database does not have.

        :raise ValidationError: with what is missing
        """
        if self._query(rule) is None:
            raise ValidationError(
                self.env._("Nothing here records “%s”.", self._label(rule.event_source))
            )

    @api.model
    def _is_recorded(self, rule):
        """Whether any such event of the company is known.

        :rtype: bool
        """
        query = self._query(rule)
        if query is None:
            return False
        self.env.flush_all()
        return bool(self.env.execute_query(SQL("%s LIMIT 1", query)))

    @api.model
    def _query(self, rule):
        """Events of a rule: ``SELECT id, date``; None where nothing records them.

        Leads have events and e-mails of their own; visits and orders are those of
        their contact.

        :param rule: one ``customer.score.rule``
        :rtype: SQL
        """
        source, company, is_lead = (
            rule.event_source,
            rule.company_id.id,
            rule.model == "crm.lead",
        )
        if source.startswith("event_"):
            return self._events(source[len("event_") :], company, is_lead)
        if source in TRACES:
            return SQL(
                """
                SELECT t.res_id AS id, t.%(moment)s AS date FROM mailing_trace t
                 WHERE t.model = %(model)s AND t.%(moment)s IS NOT NULL
                """,
                moment=SQL.identifier(TRACES[source]),
                model=rule.model,
            )
        query = self._of_contacts(source, company)
        if query is None or not is_lead:
            return query
        return SQL(
            """
            SELECT l.id, q.date FROM (%s) q JOIN crm_lead l ON l.partner_id = q.id
            """,
            query,
        )

    def _events(self, kind, company, is_lead):
        if not table_exists(self.env.cr, "customer_event"):
            return None
        return SQL(
            """
            SELECT e.%(subject)s AS id, e.date FROM customer_event e
             WHERE e.company_id = %(company)s AND e.kind = %(kind)s
               AND e.%(subject)s IS NOT NULL
            """,
            subject=SQL.identifier("lead_id" if is_lead else "partner_id"),
            company=company,
            kind=kind,
        )

    def _of_contacts(self, source, company):
        if source == "visit":
            return SQL(
                """
                SELECT m.partner_id AS id, c.occurred_at AS date
                  FROM club_checkin c JOIN club_member m ON m.id = c.member_id
                 WHERE c.company_id = %s AND c.counted AND m.partner_id IS NOT NULL
                """,
                company,
            )
        if source == "purchase":
            # An order is the whole company's: each of its contacts has it.
            return SQL(
                """
                SELECT p.id, o.date_order AS date
                  FROM sale_order o
                  JOIN res_partner buyer ON buyer.id = o.partner_id
                  JOIN res_partner p
                    ON p.commercial_partner_id = buyer.commercial_partner_id
                 WHERE o.company_id = %s AND o.state = 'sale'
                """,
                company,
            )
        return None
