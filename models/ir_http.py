from odoo import models
from odoo.http import request

from ..tools.log_mask import mask_keys
from ..tools.problem import Problem
from ..tools.transaction import begin_read_committed
from .club.club_device_pairing import TOKEN_PREFIX

# Of the routes that devices call, see controllers/device_api.py.
ROUTING_TYPE = "club_device"


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def _register_hook(self):
        super()._register_hook()
        mask_keys()

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """A device is no browser: what others prepare for pages (language of the
        address, debug mode, editor, sign-up) would cost a tenth of a check-in.
        """
        if request.dispatcher.routing_type == ROUTING_TYPE:
            return request.dispatcher.pre_dispatch(rule, args)
        return super()._pre_dispatch(rule, args)

    @classmethod
    def _post_dispatch(cls, response):
        """Nor does it take the cookies of marketing links."""
        if request.dispatcher.routing_type == ROUTING_TYPE:
            return request.dispatcher.post_dispatch(response)
        return super()._post_dispatch(response)

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
