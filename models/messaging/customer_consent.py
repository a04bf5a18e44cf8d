from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ...tools.phone import PhoneError, parse_phone

KINDS = [
    ("consent", "Agreed to advertising"),
    ("optout", "Opted out of advertising"),
    ("stop", "Stopped this line"),
    ("no_sms", "No SMS at all"),
    ("blocked", "Blocked by the operator"),
]
CHANNELS = [
    ("sms", "SMS"),
    ("page", "Profile link"),
    ("staff", "Our staff"),
    ("device", "At the desk"),
    ("import", "Import"),
    ("api", "Another system"),
    ("operator", "Operator's report"),
]
# What a new record of a kind ends: the newest word holds.
ENDED_BY = {
    "consent": ["optout"],
    "optout": ["consent"],
    "stop": ["consent"],
    "no_sms": ["consent"],
}
OPERATOR_BLOCK_DAYS = 30


class CustomerConsent(models.Model):
    """A refusal or a consent of a phone number towards one company, with its proof.

    Rows are never changed: one that no longer holds is closed and a new one is added,
    so that who agreed to what, when and how stays provable.
    """

    _name = "customer.consent"
    _description = "Refusal or Consent"
    _order = "id desc"
    _rec_name = "number"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    number = fields.Char(string="Mobile", required=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        index="btree_not_null",
        ondelete="set null",
        help="Follows the contact when its number changes.",
    )
    kind = fields.Selection(KINDS, required=True, default="optout")
    line_id = fields.Many2one(
        "sms.line",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('company_id', '=', company_id)]",
        help="Empty: all lines of the company.",
    )
    date = fields.Datetime(
        string="Since", required=True, default=lambda self: fields.Datetime.now()
    )
    until = fields.Datetime(help="An operator's block ends by itself.")
    channel = fields.Selection(CHANNELS, required=True, readonly=True, default="staff")
    source = fields.Char(help="Where it comes from: a form, a campaign, a system.")
    wording = fields.Text(help="What the person agreed to, or wrote.")
    user_id = fields.Many2one(
        "res.users",
        string="Recorded by",
        readonly=True,
        default=lambda self: self.env.user,
        ondelete="set null",
    )
    active = fields.Boolean(string="Holds", default=True, readonly=True)
    ended_at = fields.Datetime(string="Taken back on", readonly=True)
    ended_channel = fields.Selection(
        CHANNELS, string="Taken back by way of", readonly=True
    )
    ended_user_id = fields.Many2one(
        "res.users", string="Taken back by", readonly=True, ondelete="set null"
    )

    _holding_unique = models.UniqueIndex(
        "(company_id, number, kind, coalesce(line_id, 0)) WHERE active",
        "This is recorded already.",
    )
    _stop_has_line = models.Constraint(
        "CHECK(kind <> 'stop' OR line_id IS NOT NULL)", "Say which line was stopped."
    )
    _until_of_block = models.Constraint(
        "CHECK((kind = 'blocked') = (until IS NOT NULL))",
        "A block of the operator needs its end, nothing else has one.",
    )

    # === CONSTRAINTS === #

    @api.constrains("line_id", "company_id")
    def _check_line_id(self):
        for consent in self:
            if consent.line_id and consent.line_id.company_id != consent.company_id:
                raise ValidationError(
                    self.env._("Choose a line of %s.", consent.company_id.name)
                )

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        """Add what people or the product recorded; whatever it replaces is closed."""
        for vals in vals_list:
            company = self.env["res.company"].browse(
                vals.get("company_id") or self.env.company.id
            )
            vals["number"] = self._clean_number(vals.get("number"), company)
            vals.setdefault("company_id", company.id)
            if vals.get("kind") == "blocked" and not vals.get("until"):
                start = fields.Datetime.to_datetime(
                    vals.get("date") or fields.Datetime.now()
                )
                vals["until"] = fields.Datetime.add(start, days=OPERATOR_BLOCK_DAYS)
            if not self.env.su:
                vals.update(user_id=self.env.uid, channel="staff")
        self._close_replaced(vals_list)
        return super().create(vals_list)

    def _clean_number(self, number, company):
        try:
            return parse_phone(
                number or "",
                company.sudo().country_id.code or "IR",
                foreign_allowed=True,
            ).e164
        except PhoneError as error:
            raise ValidationError(
                self.env._("“%s” is no mobile number. Correct it.", number or "")
            ) from error

    def _close_replaced(self, vals_list):
        """Close what the new rows contradict or repeat, in the list itself too."""
        numbers = {vals["number"] for vals in vals_list}
        companies = {vals["company_id"] for vals in vals_list}
        held = self.sudo().search(
            [("company_id", "in", list(companies)), ("number", "in", list(numbers))]
        )
        closing, newest = self.browse(), {}
        for vals in vals_list:
            kind, line_id = vals.get("kind") or "optout", vals.get("line_id") or False
            same = held.filtered(
                lambda row, vals=vals, kind=kind, line_id=line_id: (
                    row.company_id.id == vals["company_id"]
                    and row.number == vals["number"]
                    and (
                        row.kind in ENDED_BY.get(kind, ())
                        or (row.kind == kind and row.line_id.id == line_id)
                    )
                )
            )
            closing |= same
            earlier = newest.get((vals["company_id"], vals["number"], kind, line_id))
            if earlier:
                earlier.update(active=False, ended_at=fields.Datetime.now())
            newest[vals["company_id"], vals["number"], kind, line_id] = vals
        if closing:
            closing._end(vals_list[0].get("channel") or "staff")

    @api.model
    def _holding(self, company_id, numbers, kinds):
        """Rows of these kinds that hold for these numbers in one company."""
        return self.sudo().search(
            [
                ("company_id", "=", company_id),
                ("number", "in", numbers),
                ("kind", "in", kinds),
            ]
        )

    def _end(self, channel):
        """Close rows; they stay as proof."""
        self.sudo().write(
            {
                "active": False,
                "ended_at": fields.Datetime.now(),
                "ended_channel": channel,
                "ended_user_id": self.env.uid,
            }
        )
        self.flush_recordset(["active"])

    # === ACTIONS === #

    def action_take_back(self):
        """The person changed their mind, and told somebody of ours."""
        self.check_access("read")
        if not self.env["customer.consent"].has_access("create"):
            raise AccessError(
                self.env._("Ask a user of the club to record refusals and consents.")
            )
        self.filtered("active")._end("staff")

    # === OTHER SYSTEMS === #

    @api.model
    def record(self, items):
        """Record refusals and consents of other systems; safe to repeat.

        Each item is a dict: ``number`` (as typed or E.164), ``kind`` (``consent``,
        ``optout``, ``stop``, ``no_sms``, ``blocked``), and optionally ``line_id``
        (required for ``stop``), ``date`` and ``until`` (UTC, ``YYYY-MM-DD HH:MM:SS``;
        a block lasts 30 days unless it says so), ``source``, ``wording``,
        ``partner_id``, and ``withdrawn`` (true: it no longer holds).
        Everything happens in the current company.

        An item that cannot be taken is refused alone: the others are recorded.

        :param list[dict] items: at most 1,000
        :return: for each item, in order, ``{"status", "id", "message"}``; status
            ``recorded``, ``known`` (held already), ``withdrawn`` or ``refused``
            (``message`` says why)
        :rtype: list[dict]
        :raise UserError: for something else than a list of at most 1,000 dicts
        :raise AccessError: for whoever may not record refusals
        """
        self.check_access("create")
        if not isinstance(items, list) or len(items) > 1000:
            raise UserError(self.env._("Send a list of at most 1,000 at a time."))
        answers = []
        for item in items:
            try:
                with self.env.cr.savepoint():
                    answers.append(self._record_item(item))
            except (ValidationError, UserError, ValueError, TypeError) as error:
                answers.append(
                    {"status": "refused", "id": False, "message": str(error)}
                )
        return answers

    def _record_item(self, item):
        allowed = {
            "number",
            "kind",
            "line_id",
            "date",
            "until",
            "source",
            "wording",
            "partner_id",
        }
        values = dict(item)
        withdrawn = values.pop("withdrawn", False)
        unknown = set(values) - allowed
        if unknown:
            raise ValidationError(
                self.env._("Unknown keys: %s", ", ".join(sorted(map(str, unknown))))
            )
        if values.get("kind") not in dict(KINDS):
            raise ValidationError(
                self.env._("kind is one of: %s", ", ".join(dict(KINDS)))
            )
        if values["kind"] == "stop" and not values.get("line_id"):
            raise ValidationError(self.env._("Say which line was stopped."))
        for name in ("date", "until"):
            if values.get(name):
                values[name] = fields.Datetime.to_datetime(values[name])
        company = self.env.company
        self._check_references(values, company)
        number = self._clean_number(values["number"], company)
        held = self._holding(company.id, [number], [values["kind"]]).filtered(
            lambda consent: consent.line_id.id == (values.get("line_id") or False)
        )
        if withdrawn:
            held._end("api")
            return {"status": "withdrawn", "id": held.id, "message": ""}
        if held and values["kind"] != "blocked":
            return {"status": "known", "id": held.id, "message": ""}
        consent = self.sudo().create(
            {
                **values,
                "number": number,
                "company_id": company.id,
                "channel": "api",
                "user_id": self.env.uid,
            }
        )
        return {"status": "recorded", "id": consent.id, "message": ""}

    def _check_references(self, values, company):
        """Only what the caller may see, and lines of the current company."""
        line = self.env["sms.line"].search([("id", "=", values.get("line_id") or 0)])
        if values.get("line_id") and line.company_id != company:
            raise ValidationError(self.env._("Choose a line of %s.", company.name))
        partner = self.env["res.partner"].search(
            [("id", "=", values.get("partner_id") or 0)]
        )
        if values.get("partner_id") and not partner:
            raise ValidationError(self.env._("There is no such contact."))
