import json
import logging
from urllib.parse import parse_qsl

import psycopg2.errors

from odoo import SUPERUSER_ID
from odoo.http import Controller, Response, request, route

from ..models.messaging.sms_line_webhook import PING, WEBHOOK
from ..tools.sms_text import strip_controls
from ..tools.transaction import begin_read_committed
from .device_api import DeviceDispatcher

_logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024
TRIES = 3
RETRIABLE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
)


class SmsWebhook(Controller):
    """Delivery reports and received texts of the lines.

    Providers sign nothing, so the secret is part of the path. Whoever knows it can
    only move messages of this line forward.
    """

    @route(
        f"{WEBHOOK}/<int:line_id>/<string:secret>/<any(delivery,inbound):kind>",
        # Its dispatcher leaves the body to us: forms may hold any name.
        type=DeviceDispatcher.routing_type,
        auth="none",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def push(self, line_id, secret, kind):
        """Take a push; the answer is the same whether it changed anything."""
        for attempt in range(TRIES):
            begin_read_committed(request.env.cr)
            try:
                return self._push(line_id, secret)
            except RETRIABLE:
                request.env.cr.rollback()
                if attempt == TRIES - 1:
                    break
        return Response("busy", status=503, headers={"Retry-After": "30"})

    def _push(self, line_id, secret):
        lines = request.env["sms.line"].with_user(SUPERUSER_ID)
        line = lines._find_by_secret(line_id, secret)
        if not line:
            return Response("not found", status=404)
        line = line.with_company(line.company_id)
        for values in self._read_pushes():
            if values and PING not in values:
                line._take_push(values)
        return Response("ok", status=200, content_type="text/plain")

    def _read_pushes(self):
        """What was pushed, each a flat dict of query string, form and JSON."""
        http = request.httprequest
        query = dict(parse_qsl(http.query_string.decode(errors="replace")))
        length = http.content_length or 0
        if not 0 < length <= MAX_BYTES:
            return [_clean(query)]
        body = http.get_data().decode(errors="replace")
        if (http.mimetype or "").endswith("json"):
            try:
                found = json.loads(body)
            except (ValueError, RecursionError):
                return [_clean(query)]
            pushes = found if isinstance(found, list) else [found]
            pushes = [push for push in pushes if isinstance(push, dict)]
            return [_clean({**query, **push}) for push in pushes]
        return [_clean({**query, **dict(parse_qsl(body))})]


def _clean(values):
    """Without what the database refuses: NUL and lone surrogates."""
    return {
        key: strip_controls(value) if isinstance(value, str) else value
        for key, value in values.items()
    }
