from odoo import api, fields, models
from odoo.exceptions import ValidationError

MODELS = [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")]
# What runs strictly with the responsible's rights; anything else is code in some way.
PLAIN_STATES = (
    "object_write",
    "next_activity",
    "mail_post",
    "sms",
    "followers",
    "remove_followers",
)
KINDS = {
    "object_write": "update",
    "next_activity": "activity",
    "mail_post": "mail",
    "sms": "sms",
    "followers": "followers",
    "remove_followers": "followers",
    "multi": "several",
}


class CustomerSegmentOffer(models.Model):
    """A server action that administrators offer to those who make segments.

    Marketers may not read server actions at all; this is the list they choose from.
    """

    _name = "customer.segment.offer"
    _description = "Action Offered to Segments"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        ondelete="cascade",
        index="btree_not_null",
        help="Only segments of this company may use it; empty means all companies.",
    )
    server_action_id = fields.Many2one(
        "ir.actions.server",
        required=True,
        ondelete="restrict",
        index=True,
        groups="base.group_system",
        domain="[('model_name', 'in', ('res.partner', 'crm.lead')),"
        " ('usage', '=', 'ir_actions_server')]",
    )
    model = fields.Selection(
        MODELS, string="For", compute="_compute_model", store=True, compute_sudo=True
    )
    kind = fields.Selection(
        [
            ("activity", "Activity"),
            ("sms", "SMS"),
            ("mail", "E-mail"),
            ("update", "Change of the record"),
            ("followers", "Followers"),
            ("several", "Several"),
            ("code", "Code or another system"),
        ],
        compute="_compute_kind",
        store=True,
        compute_sudo=True,
    )
    admin_only = fields.Boolean(
        string="Administrators only",
        compute="_compute_kind",
        store=True,
        compute_sudo=True,
        help="Code, webhooks and computed values: only a system administrator may put "
        "it on a segment.",
    )

    # === COMPUTE METHODS === #

    @api.depends("server_action_id.model_id")
    def _compute_model(self):
        known = dict(MODELS)
        for offer in self:
            model = offer.server_action_id.model_id.model
            offer.model = model if model in known else False

    @api.depends(
        "server_action_id.state",
        "server_action_id.evaluation_type",
        "server_action_id.child_ids.state",
        "server_action_id.child_ids.evaluation_type",
    )
    def _compute_kind(self):
        for offer in self:
            action = offer.server_action_id
            leaves = action.child_ids if action.state == "multi" else action
            offer.admin_only = any(not leaf._is_plain() for leaf in leaves)
            offer.kind = "code" if offer.admin_only else KINDS.get(action.state, "code")

    # === CONSTRAINTS === #

    @api.constrains("server_action_id")
    def _check_model(self):
        if any(not offer.model for offer in self):
            raise ValidationError(
                self.env._("Only actions on contacts or on leads can be offered.")
            )
