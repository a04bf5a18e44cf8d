from odoo import api, fields, models
from odoo.exceptions import UserError

MODELS = ("res.partner", "crm.lead", "sale.order")


class CustomerTraitAssign(models.TransientModel):
    """Gives traits to what is chosen in a list, or takes them away."""

    _name = "customer.trait.assign"
    _description = "Set Traits"

    mode = fields.Selection(
        [("add", "Add"), ("remove", "Take away")], required=True, default="add"
    )
    model = fields.Char(required=True)
    record_ids = fields.Json()
    record_count = fields.Integer(string="Chosen", compute="_compute_record_count")
    trait_ids = fields.Many2many(
        "customer.trait", "customer_trait_assign_rel", string="Traits"
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        context = self.env.context
        values["model"] = context.get("active_model")
        values["record_ids"] = context.get("active_ids") or []
        return values

    @api.depends("record_ids")
    def _compute_record_count(self):
        for wizard in self:
            wizard.record_count = len(wizard.record_ids or [])

    def action_apply(self):
        """Add or take away, with the user's own rights.

        Contacts that want no profiling are left out, and told apart.

        :return: a notification
        :rtype: dict
        :raise UserError: without a trait, or for another kind of record
        """
        self.ensure_one()
        if self.model not in MODELS or not self.trait_ids:
            raise UserError(self.env._("Choose at least one trait."))
        records = self.env[self.model].browse(self.record_ids).exists()
        records.check_access("write")
        partners = records if self.model == "res.partner" else records.partner_id
        spared = partners.filtered("no_profiling")
        if self.model == "sale.order":
            records = partners
        if self.mode == "add":
            if self.model == "crm.lead":
                records = records.filtered(
                    lambda lead: not lead.partner_id.no_profiling
                )
            else:
                records -= spared
        link = fields.Command.link if self.mode == "add" else fields.Command.unlink
        records.write({"trait_ids": [link(trait.id) for trait in self.trait_ids]})
        message = self.env._("Traits set for %s.", len(records))
        if spared and self.mode == "add":
            message = self.env._(
                "Traits set for %(count)s; %(spared)s want no profiling.",
                count=len(records),
                spared=len(spared),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
