from odoo import api, fields, models

from ..segment.customer_condition_mixin import MANAGER

PACKS = [("b2b", "B2B"), ("shop", "Shop"), ("more", "Further rules")]


class CustomerScoreTemplate(models.Model):
    """A scoring rule as shipped; a pack is copied into the company that wants it."""

    _name = "customer.score.template"
    _description = "Scoring Rule Template"
    _order = "pack, model, sequence, id"

    name = fields.Char(required=True, translate=True)
    pack = fields.Selection(PACKS, required=True)
    sequence = fields.Integer(default=10)
    model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads and opportunities")],
        string="Applies to",
        default="res.partner",
        required=True,
    )
    kind = fields.Selection(
        [("explicit", "Explicit"), ("implicit", "Implicit")],
        string="Criterion",
        default="explicit",
        required=True,
    )
    domain = fields.Char(string="Condition", default="[]", required=True)
    points = fields.Integer(required=True)
    repeat = fields.Selection(
        [("once", "Once"), ("event", "Per event, up to a cap")],
        string="Counts",
        default="once",
        required=True,
    )
    event_source = fields.Char(string="Event")
    cap = fields.Integer(string="At most")
    half_life_days = fields.Integer(string="Half-life (days)")
    choice = fields.Text(
        string="To be chosen",
        translate=True,
        help="What only the company knows; the rule waits until its condition says it.",
    )

    _points_range = models.Constraint(
        "CHECK(points BETWEEN -100 AND 100)", "Points go from -100 to 100."
    )

    # === BUSINESS METHODS === #

    @api.model
    def use_pack(self, pack):
        """Copy the rules of a pack into the current company and switch on those whose
        data exists. The caller becomes their responsible; those that are there already
        are left alone, or switched on once their data has come.

        :param str pack: ``b2b``, ``shop`` or ``more``
        :return: the pack's rules of the company, inactive ones included
        :rtype: recordset
        :raise AccessError: for whoever may not write scoring rules
        """
        rules = self.env["customer.score.rule"].with_context(active_test=False)
        rules.check_access("create")
        templates = self.search([("pack", "=", pack)])
        company = self.env.company
        mine = rules.search(
            [("template_id", "in", templates.ids), ("company_id", "=", company.id)]
        )
        twins = self._find_twins(rules, company, templates)
        for template in templates - mine.template_id:
            mine |= twins.get(template._question()) or template._copy_into(company)
        for rule in mine.filtered(lambda rule: not rule.active):
            is_mine = rule.user_id == self.env.user
            if (is_mine or self.env.user.has_group(MANAGER)) and not rule._missing():
                rule.active = True
        return mine

    def _find_twins(self, rules, company, templates):
        """Rules of other packs that ask the same: nobody gets points twice for it.

        :rtype: dict[tuple, recordset]
        """
        others = rules.search(
            [
                ("template_id", "!=", False),
                ("template_id", "not in", templates.ids),
                ("company_id", "=", company.id),
            ]
        )
        return {rule.template_id._question(): rule for rule in others}

    def _question(self):
        return self.model, self.domain, self.event_source, self.choice

    def _copy_into(self, company):
        """One inactive rule of a company, named in every installed language."""
        self.ensure_one()
        copied = (
            *("sequence", "model", "kind", "domain", "points", "repeat"),
            *("event_source", "cap", "half_life_days"),
        )
        rule = self.env["customer.score.rule"].create(
            {
                "name": self.name,
                "template_id": self.id,
                "company_id": company.id,
                "user_id": self.env.uid,
                "active": False,
                **{name: self[name] for name in copied},
            }
        )
        for code, _label in self.env["res.lang"].get_installed():
            rule.with_context(lang=code).name = self.with_context(lang=code).name
        return rule.with_context(active_test=False)

    # === ACTIONS === #

    @api.model
    def action_use_pack(self):
        """Switch on the pack that the button names, and say what happened."""
        rules = self.use_pack(self.env.context.get("score_pack"))
        on = rules.filtered("active")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_score_rule_action"
        )
        action["target"] = "main"
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if on else "warning",
                "message": self.env._(
                    "%(on)s rules work, %(off)s wait for data: open them to see which.",
                    on=len(on),
                    off=len(rules - on),
                ),
                "next": action,
            },
        }


class CustomerScoreRule(models.Model):
    _inherit = "customer.score.rule"

    @api.model
    def action_use_pack(self):
        """Switch on the pack that the button names."""
        return self.env["customer.score.template"].action_use_pack()

    def action_switch_on(self):
        """Switch on, unless data is missing."""
        self.action_unarchive()
        return True
