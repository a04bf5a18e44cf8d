from odoo import api, fields, models
from odoo.tools import SQL

# What a row of the log refers to.
REFERENCES = {
    "segment_id": "customer_segment",
    "partner_id": "res_partner",
    "lead_id": "crm_lead",
}


class LoggedMany2one(fields.Many2one):
    """A reference without a foreign key: PostgreSQL checks those row by row, which
    would be a third of a segment's first fill.
    """

    def update_db_foreign_key(self, model, column):
        """Have none."""


class CustomerSegmentEvent(models.Model):
    """Who entered or left a segment, when and why; written by SQL only.

    Whatever is deleted takes its rows along (see ``_forget``).
    """

    _name = "customer.segment.event"
    _description = "Segment Event"
    _order = "date desc, id desc"
    _rec_name = "segment_id"
    _log_access = False

    segment_id = LoggedMany2one(
        "customer.segment", required=True, ondelete="cascade", readonly=True
    )
    partner_id = LoggedMany2one(
        "res.partner", string="Contact", ondelete="cascade", readonly=True
    )
    lead_id = LoggedMany2one("crm.lead", ondelete="cascade", readonly=True)
    kind = fields.Selection(
        [("enter", "Entered"), ("leave", "Left")], required=True, readonly=True
    )
    cause = fields.Selection(
        [
            ("rule", "Condition"),
            ("hand", "By hand"),
            ("device", "Device"),
            ("survey", "Questionnaire"),
            ("import", "Import"),
            ("merge", "Merge"),
        ],
        required=True,
        readonly=True,
    )
    date = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one("res.users", ondelete="set null", readonly=True)

    # Written in bulk, segment by segment: a summary of pages finds them again and costs
    # next to nothing, where a second full index would cost a tenth of a first fill.
    _segment_date = models.Index(
        "USING brin (segment_id, date) WITH (pages_per_range = 16)"
    )
    _partner = models.Index("(partner_id) WHERE partner_id IS NOT NULL")
    _lead = models.Index("(lead_id) WHERE lead_id IS NOT NULL")

    def init(self):
        """Drop the foreign keys of earlier versions."""
        for column in REFERENCES:
            self.env.cr.execute(
                SQL(
                    "ALTER TABLE customer_segment_event DROP CONSTRAINT IF EXISTS %s",
                    SQL.identifier(f"customer_segment_event_{column}_fkey"),
                )
            )

    @api.model
    def _forget(self, column, ids):
        """Delete the rows of segments, contacts or leads that are gone.

        :param str column: one of ``REFERENCES``
        :param list ids: of the deleted records
        """
        if not ids:
            return
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "DELETE FROM customer_segment_event WHERE %s = ANY(%s)",
                SQL.identifier(column),
                list(ids),
            )
        )
        self.invalidate_model()

    @api.autovacuum
    def _gc_orphans(self):
        """Delete what refers to records that were deleted by SQL, or at the very
        moment they entered.
        """
        for column, table in REFERENCES.items():
            self.env.cr.execute(
                SQL(
                    """
                    DELETE FROM customer_segment_event e
                          WHERE e.%(column)s IS NOT NULL
                            AND NOT EXISTS (SELECT FROM %(table)s r
                                             WHERE r.id = e.%(column)s)
                    """,
                    column=SQL.identifier(column),
                    table=SQL.identifier(table),
                )
            )


class CustomerSegmentTouch(models.Model):
    """Contacts and leads that changed: append-only, read and emptied by the worker."""

    _name = "customer.segment.touch"
    _description = "Touched Contacts and Leads"
    _log_access = False

    partner_id = fields.Integer()
    lead_id = fields.Integer()
    segment_id = fields.Integer(help="Only this segment has not looked yet.")
