from odoo import api, models


class MailingMailing(models.Model):
    """Ways into a group message: from a segment, a tag, a list."""

    _inherit = "mailing.mailing"

    @api.model
    def _start(self, **values):
        """Make a draft and open it.

        :param values: of the draft, the audience above all
        :return: the action that opens it
        :rtype: dict
        """
        company = self.env.company
        draft = self.create(
            {
                "mailing_type": "sms",
                "subject": self.env._("Group message"),
                "company_id": company.id,
                "line_id": company._get_sms_line("advertising").id,
                "body_plaintext": "",
                **values,
            }
        )
        return draft._action_open()


class CustomerSegment(models.Model):
    _inherit = "customer.segment"

    def action_group_message(self, mailing_type="sms"):
        """Write to the members of these segments.

        :param str mailing_type: ``sms`` or ``mail``
        """
        # Colleagues see the campaign: it is not called after a confidential segment.
        named = self.filtered(lambda segment: not segment.confidential)
        subject = ", ".join(named.mapped("name"))[:100]
        if mailing_type == "mail":
            # Whoever gets it reads the title.
            subject = self[:1].company_id.name
        return self.env["mailing.mailing"]._start(
            subject=subject or self.env._("Group message"),
            mailing_type=mailing_type,
            audience_mode="segments",
            audience_segment_ids=self.ids,
            company_id=self[:1].company_id.id,
            line_id=self[:1].company_id._get_sms_line("advertising").id,
            body_plaintext=self[:1].suggested_message or "",
        )


class ResPartnerCategory(models.Model):
    _inherit = "res.partner.category"

    def action_group_message(self):
        """Write to the contacts with these tags."""
        return self.env["mailing.mailing"]._start(
            subject=", ".join(self.mapped("name"))[:100],
            audience_mode="segments",
            audience_tag_ids=self.ids,
        )


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_group_message(self):
        """Write to these contacts."""
        return self.env["mailing.mailing"]._start(
            audience_mode="chosen", audience_partner_ids=self.ids
        )


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def action_group_message(self):
        """Write to these leads."""
        return self.env["mailing.mailing"]._start(
            audience_mode="chosen", audience_lead_ids=self.ids
        )
