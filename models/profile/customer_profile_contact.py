from odoo import models
from odoo.tools import SQL

# Documents whose messages belong to their contact.
DOCUMENTS = {
    "crm.lead": "crm_lead",
    "sale.order": "sale_order",
    "account.move": "account_move",
}
WRITTEN = ("comment", "email", "email_outgoing", "sms", "whatsapp")


class CustomerProfileContact(models.AbstractModel):
    """Calls, meetings and messages between colleagues and a person."""

    _name = "customer.profile.contact"
    _description = "Figures of Contacts"
    _inherit = ["customer.profile.group"]
    _figure_names = (
        "first_contacted",
        "last_contacted",
        "calls",
        "meetings",
        "messages",
        "tickets",
    )

    def _group(self, scope):
        return SQL(
            """
            SELECT partner_id, min(day) AS first_contacted, max(day) AS last_contacted,
                   (count(*) FILTER (WHERE kind = 'call'))::int AS calls,
                   (count(*) FILTER (WHERE kind = 'meeting'))::int AS meetings,
                   (count(*) FILTER (WHERE kind = 'message'))::int AS messages,
                   (count(*) FILTER (WHERE kind = 'ticket'))::int AS tickets
              FROM (%s) contact
             WHERE partner_id IS NOT NULL
             GROUP BY partner_id
            """,
            SQL(" UNION ALL ").join(self._contacts(scope)),
        )

    def _contacts(self, scope):
        """Queries of (person, day, kind); kinds that are not counted cost nothing."""
        parts = [self._meetings(scope), self._messages(scope, "res.partner")]
        parts += [self._messages(scope, model) for model in DOCUMENTS]
        parts.append(
            SQL(
                "SELECT partner_id, day, kind FROM (%s) event",
                self.env["customer.profile.event"]._events(scope),
            )
        )
        if "helpdesk.ticket" in self.env:
            parts.append(self._tickets(scope))
        return parts

    def _meetings(self, scope):
        """Meetings that took place, of organisers of the company."""
        return SQL(
            """
            SELECT guest.res_partner_id AS partner_id, %(day)s AS day, 'meeting' AS kind
              FROM calendar_event e
              JOIN calendar_event_res_partner_rel guest
                   ON guest.calendar_event_id = e.id
              LEFT JOIN res_users u ON u.id = e.user_id
             WHERE e.active AND %(day)s <= %(today)s
               AND coalesce(u.company_id, %(company)s) = %(company)s AND %(only)s
            """,
            day=scope.day("e", "start"),
            today=scope.today,
            company=scope.company_id,
            only=scope.only("guest", "res_partner_id"),
        )

    def _messages(self, scope, model):
        """Calls that were logged and messages that people wrote, by document."""
        person, join = SQL("message.res_id"), SQL()
        only = scope.only("message", "res_id")
        if model != "res.partner":
            person, only = SQL("d.partner_id"), scope.only("d", "partner_id")
            join = SQL(
                "JOIN %s d ON d.id = message.res_id", SQL.identifier(DOCUMENTS[model])
            )
        return SQL(
            """
            SELECT %(person)s, %(day)s,
                   CASE WHEN activity.category = 'phonecall' THEN 'call'
                        WHEN u.id IS NOT NULL THEN 'message' ELSE 'received' END
              FROM mail_message message
                   %(join)s
              LEFT JOIN mail_activity_type activity
                     ON activity.id = message.mail_activity_type_id
              LEFT JOIN mail_message_subtype subtype ON subtype.id = message.subtype_id
              LEFT JOIN res_users u
                     ON u.partner_id = message.author_id AND NOT u.share
             WHERE message.model = %(model)s AND %(only)s
               AND (activity.category = 'phonecall'
                    OR message.message_type = ANY(%(written)s)
                       AND message.is_internal IS NOT TRUE
                       AND subtype.internal IS NOT TRUE
                       AND u.id IS DISTINCT FROM %(robot)s)
               AND coalesce(message.record_company_id, u.company_id, %(company)s)
                   = %(company)s
            """,
            person=person,
            day=scope.day("message", "date"),
            join=join,
            model=model,
            only=only,
            written=list(WRITTEN),
            robot=self.env.ref("base.user_root").id,
            company=scope.company_id,
        )

    def _tickets(self, scope):
        return SQL(
            """
            SELECT ticket.partner_id, %(day)s, 'ticket'
              FROM helpdesk_ticket ticket
             WHERE coalesce(ticket.company_id, %(company)s) = %(company)s AND %(only)s
            """,
            day=scope.day("ticket", "create_date"),
            company=scope.company_id,
            only=scope.only("ticket", "partner_id"),
        )
