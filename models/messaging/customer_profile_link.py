import hashlib
import json
import secrets
import string

from odoo import api, fields, models
from odoo.tools import SQL

PATH = "/cp/"
# No look-alikes: a link may be read out over the phone. 54 ** 12 is 2 ** 69.
ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lIoiL")))
TOKEN_LENGTH = 12
KEPT_DAYS = 90
# Failed look-ups of one address within ten minutes; nobody mistypes a link so often.
FAILURES_AT_MOST = 20
ANSWERS_AT_MOST = 20


class CustomerProfileLink(models.Model):
    """A one-time link with which a customer completes their own profile.

    Only a hash of its token is kept: whoever reads the table can open no page.
    """

    _name = "customer.profile.link"
    _description = "Profile Link"
    _order = "id desc"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        index=True,
        ondelete="cascade",
    )
    token_hash = fields.Char(required=True, groups="base.group_system")
    created_at = fields.Datetime(string="Made on", required=True)
    expires_at = fields.Datetime(string="Ends on", required=True, index=True)
    opened_at = fields.Datetime(string="Opened on")
    answered_at = fields.Datetime(string="Answered on")
    asked = fields.Char(help="Questions the page showed.")
    answered = fields.Char(help="Questions that got an answer.")
    tries = fields.Integer(default=0)

    _token_unique = models.Constraint(
        "unique(token_hash)", "Two links are never the same."
    )

    # === MAKING === #

    @api.model
    def _hash(self, token):
        return hashlib.sha256(token.encode()).hexdigest()

    @api.model
    def _create_links(self, partners, company):
        """Make a link for each contact.

        :param partners: ``res.partner`` recordset, any size
        :param company: ``res.company`` that asks
        :return: address by contact id
        :rtype: dict[int, str]
        """
        base = company.get_base_url()
        now = fields.Datetime.now()
        expires = fields.Datetime.add(now, days=company.profile_link_days)
        tokens = {
            partner.id: "".join(
                secrets.choice(ALPHABET) for _position in range(TOKEN_LENGTH)
            )
            for partner in partners
        }
        self.sudo().create(
            [
                {
                    "company_id": company.id,
                    "partner_id": partner_id,
                    "token_hash": self._hash(token),
                    "created_at": now,
                    "expires_at": expires,
                }
                for partner_id, token in tokens.items()
            ]
        )
        return {
            partner_id: f"{base}{PATH}{token}" for partner_id, token in tokens.items()
        }

    @api.model
    def _sample(self, company):
        """An address as long as a real one that opens nothing."""
        return f"{company.get_base_url()}{PATH}{'x' * TOKEN_LENGTH}"

    # === OPENING === #

    @api.model
    def _open(self, token, address):
        """Find the link of a token.

        :param str token: as it stands in the address
        :param str address: of the visitor; wrong tokens are counted by it
        :return: the link or an empty recordset, and ``open``, ``unknown``,
            ``expired``, ``answered`` or ``busy``
        :rtype: tuple
        """
        failures = self.env["customer.profile.link.failure"].sudo()
        if failures._is_locked(address):
            return self.browse(), "busy"
        link = self.sudo().search(
            [("token_hash", "=", self._hash((token or "")[:64]))], limit=1
        )
        if not link or not link.partner_id.active:
            failures._count(address)
            return self.browse(), "unknown"
        if link.answered_at:
            return link, "answered"
        if link.expires_at <= fields.Datetime.now():
            return link, "expired"
        if link.tries >= ANSWERS_AT_MOST:
            return link, "busy"
        return link, "open"

    def _remember_asked(self, keys):
        """Only what the page asked may be answered."""
        known = json.loads(self.asked or "[]")
        self.asked = json.dumps(known + [key for key in keys if key not in known])
        self.opened_at = self.opened_at or fields.Datetime.now()

    def _get_asked(self):
        return json.loads(self.asked or "[]")

    @api.autovacuum
    def _gc_links(self):
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM customer_profile_link
                 WHERE expires_at
                     < (now() AT TIME ZONE 'UTC') - make_interval(days => %s)
                """,
                KEPT_DAYS,
            )
        )


class CustomerProfileLinkFailure(models.Model):
    """Wrong links, counted per address and ten minutes."""

    _name = "customer.profile.link.failure"
    _description = "Wrong Profile Links"
    _log_access = False

    address = fields.Char(required=True)
    window_at = fields.Datetime(required=True)
    failures = fields.Integer(default=0)

    _window_unique = models.Constraint(
        "unique(address, window_at)", "One row per address and time."
    )

    @api.model
    def _window(self):
        now = fields.Datetime.now()
        return now.replace(minute=now.minute - now.minute % 10, second=0)

    @api.model
    def _is_locked(self, address):
        return bool(
            self.search_count(
                [
                    ("address", "=", address),
                    ("window_at", "=", self._window()),
                    ("failures", ">=", FAILURES_AT_MOST),
                ],
                limit=1,
            )
        )

    @api.model
    def _count(self, address):
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO customer_profile_link_failure AS f
                            (address, window_at, failures)
                     VALUES (%s, %s, 1)
                ON CONFLICT (address, window_at)
                  DO UPDATE SET failures = f.failures + 1
                """,
                address,
                self._window(),
            )
        )
        self.env.invalidate_all(flush=False)

    @api.autovacuum
    def _gc_failures(self):
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM customer_profile_link_failure
                 WHERE window_at < (now() AT TIME ZONE 'UTC') - interval '1 day'
                """
            )
        )
