from odoo import api, fields, models


class PartnerConsentMixin(models.AbstractModel):
    """What a contact agreed to and refused, towards the current company."""

    _name = "partner.consent.mixin"
    _description = "Partner Consent"

    customer_consent_ids = fields.Many2many(
        "customer.consent",
        string="Refusals and consents",
        compute="_compute_customer_consent_ids",
        groups="customer_segmentation.customer_segmentation_group_club_user",
    )
    sms_reach_info = fields.Char(
        string="Advertising by SMS",
        compute="_compute_sms_reach_info",
        groups="customer_segmentation.customer_segmentation_group_club_user",
        help="By the rule of this company, as of now.",
    )

    @api.depends_context("company")
    def _compute_customer_consent_ids(self):
        numbers = self._get_sms_numbers()
        consents = self.env["customer.consent"].search(
            [
                ("company_id", "=", self.env.company.id),
                "|",
                ("partner_id", "in", self.ids),
                ("number", "in", list(set(numbers.values()))),
            ]
        )
        for partner in self:
            partner.customer_consent_ids = consents.filtered(
                lambda consent, partner=partner: (
                    consent.partner_id == partner
                    or consent.number == numbers.get(partner.id)
                )
            )

    @api.depends_context("company", "lang")
    def _compute_sms_reach_info(self):
        numbers = self._get_sms_numbers()
        ids = list(numbers)
        company = self.env.company
        refused = (
            self.env["customer.consent"]
            .sudo()
            ._judge(
                company,
                list(numbers.values()),
                "advertising",
                line=company._get_sms_line("advertising"),
                partner_ids=ids,
            )
            .refused
        )
        field = self.env["club.checkin"]._fields["message_reason"]
        labels = dict(field._description_selection(self.env))
        for partner in self:
            number = numbers.get(partner.id)
            if not number:
                partner.sms_reach_info = self.env._("No mobile number")
            elif number in refused:
                partner.sms_reach_info = self.env._(
                    "Gets none: %s", labels[refused[number]]
                )
            else:
                partner.sms_reach_info = self.env._("May be sent")

    def action_record_consent(self):
        """Open the form of a refusal or consent of this contact."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record a refusal or consent"),
            "res_model": "customer.consent",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_partner_id": self.id,
                "default_number": self._get_sms_numbers().get(self.id),
            },
        }
