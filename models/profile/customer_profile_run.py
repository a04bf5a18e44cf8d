from odoo import api, fields, models
from odoo.tools import SQL


class CustomerProfileRun(models.Model):
    """When the figures of a company were worked out last, and from where to go on."""

    _name = "customer.profile.run"
    _description = "Computation of Customer Figures"
    _rec_name = "company_id"
    _order = "company_id, kind"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [
            ("all", "All contacts"),
            ("touched", "Contacts that changed"),
            ("slices", "All contacts, under way"),
        ],
        required=True,
        readonly=True,
    )
    started_at = fields.Datetime(required=True, readonly=True)
    changed_count = fields.Integer(string="Changed", readonly=True)
    last_message_id = fields.Integer(readonly=True, aggregator=False)
    after_id = fields.Integer(
        string="Done up to",
        readonly=True,
        aggregator=False,
        help="The last company or single person whose figures are worked out.",
    )

    _company_kind_unique = models.Constraint(
        "unique(company_id, kind)", "There is one line per company and kind."
    )

    @api.model
    def _note(self, company, kind, changed):
        """Note a run that began with this transaction."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_profile_run AS run
                            (company_id, kind, started_at, changed_count,
                             last_message_id)
                     VALUES (%s, %s, %s, %s,
                             (SELECT coalesce(max(id), 0) FROM mail_message))
                ON CONFLICT (company_id, kind) DO UPDATE
                        SET started_at = excluded.started_at,
                            changed_count = excluded.changed_count,
                            last_message_id = excluded.last_message_id
                """,
                company.id,
                kind,
                fields.Datetime.now(),
                changed,
            )
        )
        self.invalidate_model()
