from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from .customer_profile_contact import WRITTEN

# As for contacts: what people wrote to each other, calls and meetings.
CONTACTED = SQL(
    """
    SELECT message.res_id AS id
      FROM mail_message message
      LEFT JOIN mail_activity_type activity
             ON activity.id = message.mail_activity_type_id
      LEFT JOIN mail_message_subtype subtype ON subtype.id = message.subtype_id
     WHERE message.model = 'crm.lead'
       AND (activity.category = 'phonecall'
            OR message.message_type = ANY(%s) AND message.is_internal IS NOT TRUE
               AND subtype.internal IS NOT TRUE)
     UNION
    SELECT opportunity_id FROM calendar_event WHERE opportunity_id IS NOT NULL
     UNION
    SELECT lead_id FROM customer_event WHERE lead_id IS NOT NULL
    """,
    list(WRITTEN),
)


class LeadContactMixin(models.AbstractModel):
    """Whether anybody has been in touch with a lead."""

    _name = "lead.contact.mixin"
    _description = "Contact with a Lead"

    is_contacted = fields.Boolean(
        string="Contacted",
        compute="_compute_is_contacted",
        search="_search_is_contacted",
        groups="base.group_user",
        help="A message, a call or a meeting, or an event such as a form.",
    )

    def _compute_is_contacted(self):
        contacted = {
            id_
            for (id_,) in self.env.execute_query(
                SQL("SELECT id FROM (%s) c WHERE id = ANY(%s)", CONTACTED, self.ids)
            )
        }
        for lead in self:
            lead.is_contacted = lead._origin.id in contacted

    def _search_is_contacted(self, operator, value):
        """Leads with a message, a call, a meeting or an event.

        :raise AccessError: for whoever may not read the field
        """
        if operator != "in":
            return NotImplemented
        if not self._has_field_access(self._fields["is_contacted"], "read"):
            raise AccessError(self.env._("Only employees may search by contact."))
        self.env["mail.message"].flush_model()
        return Domain("id", "in", SQL("(%s)", CONTACTED))
