from odoo import api, models
from odoo.exceptions import UserError

from ...tools.filter_text import MovingValueError, literal_domain

# Core's own wizards take ids, all at once.
WIZARD_LIMIT = 500
CONFIRMED = "customer_segment_confirmed"
MARKETER = "customer_segmentation.customer_segmentation_group_marketer"


class CustomerSegment(models.Model):
    """What people do with a segment: open, write to, follow up, export its members.

    The members of a stopped segment are those of its last good refresh: whoever uses
    them is asked first.
    """

    _inherit = "customer.segment"

    # === ASKING FIRST === #

    def _ask_first(self, method):
        """The question before a use of a stopped segment, or nothing.

        :param str method: what is to happen, a method of this model
        :return: a window action, or None when there is nothing to ask
        """
        self.ensure_one()
        if self.state != "quarantined" or self.env.context.get(CONFIRMED):
            return None
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.segment.confirm",
            "name": self.env._("This segment has stopped"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_segment_id": self.id, "default_method": method},
        }

    # === USES === #

    def action_open_members(self):
        """Open the members of this segment."""
        return self._ask_first("action_open_members") or super().action_open_members()

    def action_open_trend(self):
        """Open the chart of members over time."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_segment_event_report_action"
        )
        action["domain"] = [("segment_id", "=", self.id)]
        return action

    def action_send_sms(self):
        """Write an SMS to the members."""
        return self._ask_first("action_send_sms") or self._write_to_members()

    def action_send_mail(self):
        """Write an e-mail to the members."""
        asked = self._ask_first("action_send_mail")
        return asked or self.action_group_message(mailing_type="mail")

    def _write_to_members(self):
        """A group message for marketers, else core's composer."""
        if self.env.user.has_group(MARKETER):
            return self.action_group_message()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sms.composer",
            "name": self.name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_composition_mode": "mass",
                "default_res_model": self.model,
                "default_res_ids": repr(self._few_members()),
            },
        }

    def action_add_activity(self):
        """Plan an activity for each member."""
        asked = self._ask_first("action_add_activity")
        return asked or {
            "type": "ir.actions.act_window",
            "res_model": "mail.activity.schedule",
            "name": self.env._("Add activity"),
            "view_mode": "form",
            "target": "new",
            "context": {
                "active_model": self.model,
                "active_ids": self._few_members(),
            },
        }

    def action_export(self):
        """Download the members as a table."""
        asked = self._ask_first("action_export")
        self._check_may_export()
        return asked or {
            "type": "ir.actions.act_url",
            "url": f"/customer_segmentation/segment/{self.id}/members.xlsx",
            "target": "download",
        }

    def _check_may_export(self):
        if not self.env.user.has_group("base.group_allow_export"):
            raise UserError(self.env._("You may not export data."))

    def _members(self, limit=None):
        """Members that the user may see."""
        return self.env[self.model].search(
            [("segment_ids", "in", self.ids)], limit=limit
        )

    def _few_members(self):
        """Ids of the members, for what takes all of them at once.

        :raise UserError: when they are none or too many for that
        """
        members = self._members(limit=WIZARD_LIMIT + 1)
        if not members:
            raise UserError(self.env._("Nobody is in this segment yet."))
        if len(members) > WIZARD_LIMIT:
            raise UserError(
                self.env._(
                    "At once this works for up to %(limit)s people, and %(count)s are "
                    "in. Make a narrower segment, use an action on entry, or ask for "
                    "the right to make mailings.",
                    limit=WIZARD_LIMIT,
                    count=self.member_count,
                )
            )
        return members.ids

    # === FROM A LIST === #

    @api.model
    def action_new_from_filter(self, model, domain, name=None):
        """Begin a segment with the filter of a list of contacts or leads.

        :param str model: ``res.partner`` or ``crm.lead``
        :param str domain: the filter as the web client writes it: a literal domain in
            which ``uid`` and moving dates such as ``context_today()`` may occur
        :param str name: a first name for the segment
        :return: a window action with the form of the new segment, not saved yet
        :rtype: dict
        :raise UserError: when the filter holds what a segment cannot keep up to date
        """
        self.check_access("create")
        if model not in dict(self._fields["model"].selection):
            raise UserError(self.env._("Segments hold contacts or leads."))
        names = {
            "uid": self.env.uid,
            "allowed_company_ids": self.env.companies.ids,
            "current_company_id": self.env.company.id,
            "true": True,
            "false": False,
        }
        try:
            literal = literal_domain(domain, names)
        except MovingValueError as error:
            raise UserError(
                self.env._(
                    "A segment cannot keep this part of the filter up to date: %s. "
                    "Take that filter away and put it into the segment's condition "
                    "instead.",
                    error,
                )
            ) from error
        return {
            "type": "ir.actions.act_window",
            "res_model": "customer.segment",
            "name": self.env._("New segment"),
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {
                "default_kind": "dynamic",
                "default_model": model,
                "default_domain": repr(literal),
                "default_name": name or "",
            },
        }
