import base64
import hashlib
import hmac
import io
import logging
import secrets
import time
from datetime import timedelta
from urllib.parse import urlsplit

import qrcode
import qrcode.image.svg

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, frozendict, ormcache

from ...tools.problem import Problem
from .club_checkin_statements import DEVICE_OF_TOKEN
from .club_pairing_failure import GLOBAL_ALERT_PER_HOUR

_logger = logging.getLogger(__name__)

TOKEN_PREFIX = "cd1"
CODE_MINUTES = 10
# The old token works until the new one is used, at most this long.
ROTATION_HOURS = 24
SLOW_DOWN_SECONDS = 0.5
CLUB_MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"


def hash_token(token):
    """SHA-256 of a device token. Its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class ClubDevicePairing(models.AbstractModel):
    """How a device gets, changes and loses its token."""

    _name = "club.device.pairing"
    _description = "Club Device Pairing"

    serial = fields.Char(readonly=True, copy=False)
    hardware_model = fields.Char(string="Model", readonly=True, copy=False)
    connected_at = fields.Datetime(readonly=True, copy=False)
    public_id = fields.Char(readonly=True, copy=False, groups="base.group_system")
    token_hash = fields.Char(readonly=True, copy=False, groups="base.group_system")
    token_next_hash = fields.Char(readonly=True, copy=False, groups="base.group_system")
    token_next_at = fields.Datetime(
        readonly=True, copy=False, groups="base.group_system"
    )
    pairing_hash = fields.Char(
        readonly=True, copy=False, groups="base.group_system", index="btree_not_null"
    )
    pairing_user_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="set null"
    )
    pairing_expires = fields.Datetime(readonly=True, copy=False)

    _public_id_unique = models.Constraint(
        "unique(public_id)", "Two devices cannot share one identity."
    )

    def generate_pairing_code(self):
        """Make a pairing code for one device; an earlier code stops working.

        Open to club managers, over RPC too.

        :return: 9 digits, valid for 10 minutes and for one use
        :rtype: str
        :raise AccessError: for anyone who may not change the device
        :raise UserError: for a suspended device
        """
        self.ensure_one()
        self.check_access("write")
        if self.state == "suspended":
            raise UserError(
                self.env._(
                    "This device is suspended. Activate it before you connect it."
                )
            )
        code = f"{secrets.randbelow(10**9):09d}"
        while self.sudo().search_count([("pairing_hash", "=", self._hash_code(code))]):
            code = f"{secrets.randbelow(10**9):09d}"
        self.sudo().write(
            {
                "pairing_hash": self._hash_code(code),
                "pairing_expires": fields.Datetime.now()
                + timedelta(minutes=CODE_MINUTES),
                "pairing_user_id": self.env.uid,
            }
        )
        return code

    def action_connect(self):
        """Show a fresh pairing code, its setup string and its QR code."""
        self.ensure_one()
        code = self.generate_pairing_code()
        setup = self._setup_string(code)
        return {
            "type": "ir.actions.client",
            "tag": "club_device_pairing",
            "target": "new",
            "name": self.env._("Connect %s", self.name),
            "params": {
                "device_id": self.id,
                "code": code,
                "setup": setup,
                "qr": self._qr_data_uri(setup),
                "seconds": CODE_MINUTES * 60,
            },
        }

    def action_revoke(self):
        """Take the token away: the device must be connected again."""
        self.check_access("write")
        self.sudo().write(
            {
                "state": "new",
                "token_hash": False,
                "token_next_hash": False,
                "token_next_at": False,
                "pairing_hash": False,
                "pairing_expires": False,
            }
        )

    def _setup_string(self, code):
        """``https://host|database|code``, for devices without a keyboard."""
        base = urlsplit(self.get_base_url())
        return f"{base.scheme}://{base.netloc}|{self.env.cr.dbname}|{code}"

    def _qr_data_uri(self, text):
        image = qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage)
        buffer = io.BytesIO()
        image.save(buffer)
        return (
            "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
        )

    @api.model
    def _hash_code(self, code):
        """Keyed, so that a leaked table cannot be searched for its nine digits."""
        secret = self.env["ir.config_parameter"].sudo().get_param("database.secret")
        return hmac.new(secret.encode(), code.encode(), hashlib.sha256).hexdigest()

    @api.model
    def _pair(self, code, serial, hardware_model, firmware, address):
        """Exchange a pairing code for a token.

        :param str code: 9 digits as typed
        :param str serial: the maker's serial number
        :param str hardware_model: the maker's model name, or ""
        :param str firmware: version, or ""
        :param str address: where the request came from, for counting wrong codes
        :return: ``{"device_id", "token", "config_rev"}``; the token is not kept
        :rtype: dict
        :raise Problem: ``bad-code`` or ``pairing-locked``
        """
        Failure = self.env["club.pairing.failure"]
        if wait := Failure._seconds_locked(address):
            raise Problem("pairing-locked", retry_after=wait)
        device = self.sudo().search(
            [
                ("pairing_hash", "=", self._hash_code(code)),
                ("pairing_expires", ">", fields.Datetime.now()),
            ],
            limit=1,
        )
        # Two devices may come with one code at once: the first to lock it wins.
        device = device.try_lock_for_update(allow_referencing=True).filtered(
            "pairing_hash"
        )
        if not device:
            self._slow_down(Failure._count(address))
            raise Problem("bad-code")
        if device.state == "suspended":
            # A code from before the suspension does not lift it.
            raise Problem("device-inactive", retry_after=300)
        # The same record keeps its identity: a device that is connected again may then
        # send what it kept, and a device that became another's may not.
        public_id, token = device._new_token(device.public_id)
        device.write(
            {
                "public_id": public_id,
                "token_hash": hash_token(token),
                "token_next_hash": False,
                "token_next_at": False,
                "pairing_hash": False,
                "pairing_expires": False,
                "serial": serial,
                "hardware_model": hardware_model,
                "connected_at": fields.Datetime.now(),
                "state": "active",
            }
        )
        device.activity_row_ids.write(
            {"firmware": firmware, "last_seen": fields.Datetime.now()}
        )
        return {
            "device_id": public_id,
            "token": token,
            "config_rev": device.config_rev,
        }

    def _slow_down(self, failures_last_hour):
        if failures_last_hour < GLOBAL_ALERT_PER_HOUR:
            return
        if self._alert_pairing_attack(failures_last_hour):
            _logger.warning("%s wrong pairing codes within an hour", failures_last_hour)
        time.sleep(SLOW_DOWN_SECONDS)

    def _alert_pairing_attack(self, failures):
        """Tell the managers whose devices wait for their code, once each.

        :return: whether somebody was told
        :rtype: bool
        """
        summary = self.env._("Somebody is guessing pairing codes")
        waiting = (
            self.sudo()
            .search([("pairing_hash", "!=", False), ("pairing_user_id", "!=", False)])
            .filtered(
                lambda device: summary not in device.activity_ids.mapped("summary")
            )
        )
        for device in waiting:
            device.activity_schedule(
                "mail.mail_activity_data_warning",
                user_id=device.pairing_user_id.id,
                summary=summary,
                note=device.env._(
                    "%s wrong codes came within an hour. The code of this device is "
                    "still safe; connect the device soon or make a new code.",
                    failures,
                ),
            )
        return bool(waiting)

    def _new_token(self, public_id=None):
        """A fresh token as ``(public id, token)``: 256 random bits."""
        public_id = public_id or secrets.token_hex(8)
        return public_id, f"{TOKEN_PREFIX}_{public_id}_{secrets.token_urlsafe(32)}"

    def _rotate_token(self):
        """Make the next token; the present one works until the new one is used.

        :return: the new token, not kept
        :rtype: str
        """
        self.ensure_one()
        _public_id, token = self._new_token(self.public_id)
        self.write(
            {
                "token_next_hash": hash_token(token),
                "token_next_at": fields.Datetime.now(),
            }
        )
        return token

    @api.model
    def _get_row(self, public_id):
        """A device and its club's settings, as ``club.checkin.intake`` reads them.

        :param str public_id: the part of a token that names the device
        :rtype: dict or None
        """
        DEVICE_OF_TOKEN.execute(self.env.cr, {"public_id": public_id})
        return self.env.cr.dictfetchone()

    @api.model
    def _get_known_row(self, public_id):
        """The same, perhaps of an earlier request; None for a device at rest.

        Whoever uses it compares ``stamp``: remembering is no promise.
        """
        try:
            return self._remember_row(public_id)
        except LookupError:
            return None

    @ormcache("public_id")
    def _remember_row(self, public_id):
        """:raise LookupError: which is not remembered, for a device at rest"""
        row = self._get_row(public_id)
        if not row or not row["active"] or row["state"] != "active":
            raise LookupError(public_id)
        # How far ahead it was then says nothing now.
        return frozendict(row, ahead_seconds=None, known=True)

    @api.model
    def _forget_rows(self):
        """Some device or company has changed since its settings were remembered."""
        self.env.registry.clear_cache()

    @api.model
    def _token_state(self, row, token):
        """Which token of a device this is, in constant time.

        :param dict row: ``token_hash``, ``token_next_hash``, ``token_next_at`` or None
        :param str token: as sent
        :return: ``"current"``, ``"next"`` or None
        """
        digest = hash_token(token).encode()
        nothing = hash_token("").encode()
        row = row or {}
        current = (row.get("token_hash") or "").encode() or nothing
        following = (row.get("token_next_hash") or "").encode() or nothing
        is_current = hmac.compare_digest(digest, current)
        is_next = hmac.compare_digest(digest, following)
        if is_next:
            return "next"
        if not is_current:
            return None
        started = row.get("token_next_at")
        if started and fields.Datetime.now() > started + timedelta(
            hours=ROTATION_HOURS
        ):
            return None
        return "current"

    @api.model
    def _promote_token(self, device_id):
        """The new token was used: the old one ends here."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_device
                   SET token_hash = token_next_hash,
                       token_next_hash = NULL, token_next_at = NULL
                 WHERE id = %s AND token_next_hash IS NOT NULL
                """,
                device_id,
            )
        )
