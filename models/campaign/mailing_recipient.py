from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, LazyTranslate

from ...tools.refusal import REASONS

_lt = LazyTranslate(__name__)

OWN_TEXT = _lt("The message's own text")

HELD_REASONS = [
    ("no_mobile", "No mobile number"),
    ("no_email", "No e-mail address"),
    ("no_contact", "Lead without a contact"),
    ("unfit", "Colleague, address, archived or another company's"),
    ("duplicate", "Same number or address as somebody else"),
    ("excluded", "Number or address of somebody excluded"),
    ("empty", "The text was empty"),
    ("halted", "The campaign was stopped"),
    ("gone", "Deleted in the meantime"),
    ("foreign", "A number abroad"),
    ("link", "The line forbids links"),
    ("no_template", "The line needs an approved text"),
    ("known", "Sent already"),
    *REASONS,
]
# Whoever is named first under a number has it, whether he gets it in the end or not.
NUMBER_COUNTS = "(reason IS NULL OR reason NOT IN ('duplicate', 'excluded', 'foreign'))"
STATES = [
    ("waiting", "Waiting"),
    ("queued", "Sent out"),
    ("held", "Not sent"),
    ("holdout", "Held back"),
]


class MailingRecipient(models.Model):
    """Who gets a campaign and who does not, and why: taken when it was launched.

    What is sent comes from here only, so that nobody enters a campaign that is under
    way; a refusal that comes meanwhile is respected all the same.
    """

    _name = "mailing.recipient"
    _description = "Campaign Recipient"
    _order = "mailing_id desc, id"
    _log_access = False
    _rec_name = "number"

    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    lead_id = fields.Many2one(
        "crm.lead",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    segment_id = fields.Many2one(
        "customer.segment",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The first of the campaign's segments that holds the contact.",
    )
    # Follows from the segment: no row is written to know it.
    variant_id = fields.Many2one(
        "mailing.variant",
        string="Text",
        compute="_compute_variant_id",
        search="_search_variant_id",
        falsy_value_label=OWN_TEXT,
        help="The other text that their segment got; empty is the message's own.",
    )
    number = fields.Char(string="Number or address", readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True)
    reason = fields.Selection(HELD_REASONS, readonly=True)
    queued_at = fields.Datetime(readonly=True)
    # What came of it; written by ``mailing.result``.
    is_sent = fields.Integer(string="Sent", readonly=True)
    is_delivered = fields.Integer(string="Delivered", readonly=True)
    is_failed = fields.Integer(string="Failed", readonly=True)
    is_clicked = fields.Integer(string="Clicked", readonly=True)
    is_replied = fields.Integer(string="Replied", readonly=True)
    is_opted_out = fields.Integer(string="Opted out", readonly=True)
    is_visited = fields.Integer(string="Came", readonly=True)
    is_purchased = fields.Integer(string="Bought", readonly=True)
    failure_type = fields.Selection(
        lambda self: (
            self.env["mailing.trace"]
            ._fields["failure_type"]
            ._description_selection(self.env)
        ),
        string="Failed because",
        readonly=True,
    )
    revenue = fields.Float(readonly=True, help="In the company's currency.")
    part_count = fields.Integer(string="Parts", readonly=True)
    cost = fields.Float(
        readonly=True, help="Parts at the line's price when it was handed over."
    )

    # No index knows the state or anything else that follows from sending: together
    # with the room below, that lets PostgreSQL rewrite a row without touching indexes.
    _by_mailing = models.Index("(mailing_id, id)")
    # The last word on «nobody twice», whoever prepares.
    _number_unique = models.UniqueIndex(
        f"(mailing_id, number) WHERE {NUMBER_COUNTS}",
        "A number gets a campaign once.",
    )

    def init(self):
        """Leave half of each page for the row as it is after it was handed over."""
        self.env.cr.execute("ALTER TABLE mailing_recipient SET (fillfactor = 50)")

    # === TEXT === #

    @api.depends("segment_id", "mailing_id.variant_ids.segment_id")
    def _compute_variant_id(self):
        variants = self.env["mailing.variant"].search(
            [("mailing_id", "in", self.mailing_id.ids)]
        )
        by_segment = {(one.mailing_id, one.segment_id): one for one in variants}
        for recipient in self:
            key = (recipient.mailing_id, recipient.segment_id)
            recipient.variant_id = by_segment.get(key)

    def _search_variant_id(self, operator, value):
        if operator == "any":
            value = self.env["mailing.variant"].search(value).ids
        elif operator != "in":
            return NotImplemented
        ids = [one for one in value if one]
        or_own = False in value

        def to_sql(model, alias, query):
            variant = model._field_to_sql(alias, "variant_id", query)
            return SQL(
                "(%s = ANY(%s::int[]) OR %s AND %s IS NULL)",
                variant,
                ids,
                or_own,
                variant,
            )

        def is_one(recipient):
            variant = recipient.variant_id
            return variant.id in ids if variant else or_own

        return Domain.custom(to_sql=to_sql, predicate=is_one)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Read the text through one join, so that results group and sort by it."""
        if field_expr != "variant_id":
            return super()._field_to_sql(alias, field_expr, query)
        variant = query.make_alias(alias, "own_text")
        same = SQL(" AND ").join(
            SQL("%s = %s", SQL.identifier(variant, name), SQL.identifier(alias, name))
            for name in ("mailing_id", "segment_id")
        )
        query.add_join("LEFT JOIN", variant, "mailing_variant", same)
        return SQL.identifier(variant, "id")
