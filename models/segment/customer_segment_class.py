from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .customer_segment_guidance import URGENCIES
from .customer_segment_set_template import CLASS_TERMS, copy_terms


class CustomerSegmentConditionTemplate(models.Model):
    """A class of a ready set is a ready segment that knows its set."""

    _inherit = "customer.segment.condition.template"

    usage = fields.Selection(
        selection_add=[("class", "Class of a ready set")],
        ondelete={"class": "cascade"},
    )
    set_template_id = fields.Many2one(
        "customer.segment.set.template",
        string="Ready set",
        ondelete="cascade",
        index="btree_not_null",
    )
    suggested_message = fields.Text(translate=True)
    guidance_urgency = fields.Selection(URGENCIES, required=True, default="2")
    color = fields.Integer()
    waits_for_data = fields.Boolean(
        help="Stays switched off until somebody meets the condition."
    )

    def _copy_class(self, set_):
        """A class of a company; off as long as it waits for data.

        :param set_: ``customer.segment.set`` of the company
        :return: ``customer.segment``
        """
        self.ensure_one()
        segment = self.env["customer.segment"].create(
            {
                "name": self.name,
                "kind": "dynamic",
                "model": self.model,
                "domain": self.fill({}),
                "sequence": self.sequence,
                "color": self.color,
                "guidance_urgency": self.guidance_urgency,
                "set_id": set_.id,
                "company_id": set_.company_id.id,
                "user_id": self.env.uid,
                "template_id": self.id,
                "active": not self.waits_for_data,
            }
        )
        copy_terms(self, segment, CLASS_TERMS)
        return segment


class CustomerSegmentSet(models.Model):
    _inherit = "customer.segment.set"

    template_id = fields.Many2one(
        "customer.segment.set.template",
        string="Made from",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    entities_only = fields.Boolean(
        string="Companies and single persons only",
        help="Purchases belong to a whole company: its persons are in no class.",
    )

    _template_unique = models.UniqueIndex(
        "(company_id, template_id) WHERE template_id IS NOT NULL",
        "This ready set is in use in the company already.",
    )

    def write(self, vals):
        result = super().write(vals)
        if "entities_only" in vals:
            self.segment_ids._make_stale()
        return result


class CustomerSegment(models.Model):
    _inherit = "customer.segment"

    template_id = fields.Many2one(
        "customer.segment.condition.template",
        string="Made from",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    suggested_message = fields.Text(
        translate=True,
        help="What to write to these people; «Send group message» begins with it.",
    )

    @api.depends("name", "set_id.name")
    @api.depends_context("with_set", "lang")
    def _compute_display_name(self):
        """With ``with_set`` in the context «set: class», as one class name may stand in
        several sets."""
        result = super()._compute_display_name()
        if self.env.context.get("with_set"):
            for segment in self.filtered("set_id"):
                segment.display_name = f"{segment.sudo().set_id.name}: {segment.name}"
        return result

    def _has_matches(self):
        """Whether anybody meets the condition now.

        :rtype: bool
        """
        self.ensure_one()
        query = self.env["customer.segment.condition"]._query(self)
        return bool(self.env.execute_query(SQL("%s LIMIT 1", query.select())))

    def _write_to_members(self):
        """Begin an SMS with the suggested message."""
        action = super()._write_to_members()
        # A group message begins with it by itself.
        if self.suggested_message and "context" in action:
            action["context"]["default_body"] = self.suggested_message
        return action


class CustomerSegmentCondition(models.AbstractModel):
    _inherit = "customer.segment.condition"

    @api.model
    def _class_domain(self, segment):
        """Who may be in a class: nobody who wants no profiling; in sets about
        purchases whole companies, not each of their persons.
        """
        domain = super()._class_domain(segment)
        set_ = segment._name == "customer.segment" and segment.set_id.sudo()
        if not set_:
            return domain
        if segment.model != "res.partner":
            return domain & ~Domain("partner_id.no_profiling", "=", True)
        domain &= Domain("no_profiling", "=", False)
        if set_.entities_only:
            domain &= Domain("is_company", "=", True) | Domain("parent_id", "=", False)
        return domain
