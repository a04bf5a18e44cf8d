from odoo import fields, models

from ...tools.refusal import REASONS

HELD_REASONS = [
    ("no_mobile", "No mobile number"),
    ("no_email", "No e-mail address"),
    ("no_contact", "Lead without a contact"),
    ("unfit", "Colleague, address, archived or another company's"),
    ("duplicate", "Same number or address as somebody else"),
    ("excluded", "Number or address of somebody excluded"),
    ("empty", "The text was empty"),
    ("halted", "The campaign was stopped"),
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
    ("holdout", "Held back to compare"),
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
