from odoo import fields, models


class CustomerScoreLine(models.Model):
    """The ledger: what one rule gave one contact or lead; written by SQL only.

    A score is the sum of its lines, from 0 to 100.
    """

    _name = "customer.score.line"
    _description = "Score Line"
    _order = "points desc, id"
    _rec_name = "rule_id"
    _log_access = False

    rule_id = fields.Many2one(
        "customer.score.rule",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", readonly=True, ondelete="cascade"
    )
    lead_id = fields.Many2one("crm.lead", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    points = fields.Integer(required=True, readonly=True)
    since = fields.Date(
        required=True, readonly=True, help="Since when the rule gives points."
    )
    expires = fields.Date(
        readonly=True,
        help="When the line goes unless something new happens: the rule ends, or its "
        "events have faded.",
    )
    kind = fields.Selection(related="rule_id.kind")

    _partner_rule_unique = models.Constraint(
        "unique(partner_id, rule_id, company_id)",
        "This contact has a line of that rule already.",
    )
    _lead_rule_unique = models.Constraint(
        "unique(lead_id, rule_id, company_id)",
        "This lead has a line of that rule already.",
    )
    _one_subject = models.Constraint(
        "CHECK((partner_id IS NULL) <> (lead_id IS NULL))",
        "A line belongs to a contact or to a lead.",
    )
