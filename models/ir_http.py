from odoo import models
from odoo.http import request

from ..tools.problem import Problem
from ..tools.transaction import begin_read_committed
from .club.club_device_pairing import TOKEN_PREFIX


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate_club_device(cls, may_be_known=False):
        """Tell which device sent this request, by its bearer token.

        Unknown, malformed, revoked and outdated tokens take one path and get one
        answer: always a look-up, always a comparison of digests.

        Begins a READ COMMITTED transaction, unless settings remembered from an earlier
        request do: then nothing has been asked of the database.

        :param bool may_be_known: the caller compares the row's ``stamp`` with the
            present one, so that remembered settings may do
        :return: the device and its company's club settings
        :rtype: dict
        :raise Problem: ``no-token`` or ``bad-token``
        """
        header = request.httprequest.headers.get("Authorization", "")
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Problem("no-token", headers={"WWW-Authenticate": "Bearer"})
        prefix, _, rest = token.partition("_")
        public_id = rest.partition("_")[0] if prefix == TOKEN_PREFIX else ""
        # NUL never reaches the database: it would be an error instead of a refusal.
        public_id = public_id.replace("\0", "")[:64]
        device = request.env["club.device.pairing"]
        if may_be_known:
            row = device._get_known_row(public_id)
            if row and device._token_state(row, token) == "current":
                return row
        begin_read_committed(request.env.cr)
        row = device._get_row(public_id)
        state = device._token_state(row, token)
        if not row or not state or not row["active"]:
            raise Problem("bad-token", headers={"WWW-Authenticate": "Bearer"})
        if state == "next":
            device._promote_token(row["id"])
        return row
