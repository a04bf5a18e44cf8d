from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CustomerEvent(models.Model):
    """Something a contact or a lead did that no document of Odoo records.

    Posted by other systems with :meth:`record_batch`, or written by hand.
    """

    _name = "customer.event"
    _description = "Customer Event"
    _order = "date desc, id desc"
    _rec_name = "name"
    _check_company_auto = True

    kind = fields.Selection(
        [
            ("download", "Download"),
            ("web_visit", "Web visit"),
            ("form", "Form filled in"),
            ("call", "Call"),
            ("social", "Social network"),
            ("other", "Other"),
        ],
        required=True,
        default="other",
    )
    name = fields.Char(string="What", help="Title of the page, the file, the form …")
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        ondelete="cascade",
        index="btree_not_null",
        check_company=True,
    )
    lead_id = fields.Many2one(
        "crm.lead",
        ondelete="cascade",
        index="btree_not_null",
        check_company=True,
    )
    date = fields.Datetime(
        string="When", required=True, default=fields.Datetime.now, index=True
    )
    source = fields.Char(
        required=True, default="odoo", help="The system that knows of it."
    )
    value = fields.Float(help="A number that belongs to it: minutes, an amount …")
    external_id = fields.Char(
        string="Id at the source", copy=False, help="Posted twice, it counts once."
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )

    _external_id_unique = models.Constraint(
        "unique(company_id, source, external_id)",
        "This event of that source is there already.",
    )
    _has_subject = models.Constraint(
        "CHECK(partner_id IS NOT NULL OR lead_id IS NOT NULL)",
        "An event belongs to a contact or a lead.",
    )

    @api.depends("name", "kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for event in self:
            event.display_name = event.name or kinds.get(event.kind, "")

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._read_typed_date(vals)
        events = super().create(vals_list)
        for event in events:
            partner = (event.partner_id or event.lead_id.sudo().partner_id).sudo()
            if partner.no_profiling:
                raise ValidationError(
                    self.env._(
                        "%s wants no profiling: no events.", partner.display_name
                    )
                )
        events.partner_id._touch_segments()
        events.lead_id._touch_segments()
        return events

    def write(self, vals):
        vals = dict(vals)
        self._read_typed_date(vals)
        return super().write(vals)
