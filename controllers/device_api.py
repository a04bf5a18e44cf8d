import functools
import json
import logging
from urllib.parse import parse_qsl

import psycopg2
import psycopg2.errors
from werkzeug.exceptions import ClientDisconnected

from odoo import SUPERUSER_ID
from odoo.http import Controller, HttpDispatcher, request, route

from ..models.club.club_checkin_intake import EVENT_ID_PATTERN
from ..models.club.club_device_config import BATCH_MAX
from ..models.ir_http import ROUTING_TYPE
from ..tools.problem import Problem
from ..tools.sms_text import (
    clip,
    to_latin_digits,
    to_persian_digits,
)
from ..tools.transaction import (
    autocommit,
    begin_read_committed,
    end_commands,
    rollback,
)

_logger = logging.getLogger(__name__)

PREFIX = "/club/device/v1"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
SINGLE_BYTES = 2 * 1024
BATCH_BYTES = 32 * 1024
DISPLAY_WIDTH = 16
TRIES = 4
RETRIABLE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
)
# No fault of ours: the database is away, the device hung up.
QUIET = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    ClientDisconnected,
)
INTEGER_FIELDS = ("tag", "age_s", "occurred_at", "config_rev", "uptime_s", "queue")
LANGUAGES = {"fa": "fa_IR", "en": "en_US"}


class DeviceDispatcher(HttpDispatcher):
    """Leaves the body to the route, which reads it by its own limits.

    Core reads a form before any controller runs: it answers a large one in HTML, logs
    the names of fields that no controller takes (a JSON body sent as a form is such a
    name, number included) and breaks on a field called ``self``.
    """

    routing_type = ROUTING_TYPE

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)


def device_route(
    path, method, max_bytes=SINGLE_BYTES, media_types=(JSON,), auth=True, hot=False
):
    """A route of the device API: one call, one JSON answer, refusals as RFC 9457.

    Odoo answers a wrong method, a missing length and a large body in HTML before any
    controller runs; so the route takes every method and checks by itself. A refusal is
    *returned*, which commits: counters survive it. See docs/device-api.md.

    ``hot``: the handler notices by itself when remembered settings are out of date.
    """

    def decorate(handler):
        @route(
            PREFIX + path,
            type=DeviceDispatcher.routing_type,
            auth="none",
            csrf=False,
            save_session=False,
            readonly=False,
        )
        @functools.wraps(handler)
        def wrapper(self):
            self._speak(self._language())
            for attempt in range(TRIES):
                try:
                    self._check_request(method, max_bytes, media_types)
                    if not auth:
                        begin_read_committed(request.env.cr)
                        return handler(self)
                    # Tried again only as everything else: by what is there now.
                    return handler(self, self._authenticate(hot and not attempt))
                except RETRIABLE:
                    rollback(request.env.cr)
                except Exception as error:  # noqa: BLE001 - the device gets an answer
                    return self._answer_problem(_as_problem(error))
                finally:
                    end_commands(request.env.cr)
            return self._answer_problem(Problem("busy", retry_after=2))

        return wrapper

    return decorate


def _as_problem(error):
    """What a device is told of an error; the transaction is undone unless it refused.

    :rtype: Problem
    """
    if isinstance(error, Problem):
        return error
    rollback(request.env.cr)
    if isinstance(error, psycopg2.errors.LockNotAvailable):
        return Problem("in-progress", retry_after=1)
    # Who hung up in the middle, behind a proxy perhaps, has to keep the check-in.
    if not isinstance(error, QUIET):
        # The class only: a message may hold what the device sent.
        _logger.error("Device request failed: %s", type(error).__name__)
    return Problem("busy", retry_after=2)


class ClubDeviceApi(Controller):
    """The HTTP API of club devices, version 1."""

    # === ROUTES === #

    @device_route("/pair", "POST", auth=False)
    def pair(self):
        body = self._read_body((JSON,))
        code = self._read_text(body, "code", 9, required=True)
        serial = self._read_text(body, "serial", 64, required=True)
        model = self._read_text(body, "model", 64)
        firmware = self._read_text(body, "fw", 32)
        address = request.httprequest.remote_addr or ""
        devices = request.env["club.device"].with_user(SUPERUSER_ID)
        answer = devices._pair(to_latin_digits(code), serial, model, firmware, address)
        return self._answer(answer, 201)

    @device_route("/config", "GET")
    def config(self, device):
        self._require_active(device)
        record = request.env["club.device"].sudo().browse(device["id"])
        body = record._config_body()
        etag = f'"r{device["config_rev"]}-{body["locale"]}"'
        headers = [("ETag", etag), ("Cache-Control", "private, no-cache")]
        asked = request.httprequest.headers.get("If-None-Match", "")
        if etag in [part.strip().removeprefix("W/") for part in asked.split(",")]:
            return request.make_response("", headers=headers, status=304)
        return self._answer({"rev": device["config_rev"], **body}, headers=headers)

    @device_route("/checkins", "POST", media_types=(JSON, FORM), hot=True)
    def checkin(self, device):
        self._require_active(device)
        item = self._read_body((JSON, FORM))
        self._check_idempotency_key(item)
        row = self._take(device, item)
        if not row["woken"]:
            self._wake()
        return self._answer(
            self._checkin_answer(device, row), 200 if row["replayed"] else 201
        )

    @device_route("/checkins/batch", "POST", max_bytes=BATCH_BYTES)
    def checkin_batch(self, device):
        self._require_active(device)
        items = self._read_body((JSON,)).get("items")
        if items is None:
            raise Problem("missing-field", "The field items is missing.")
        if not isinstance(items, list):
            raise Problem("wrong-type", "items is a list.")
        if not items:
            raise Problem("malformed", "items is empty.")
        if len(items) > BATCH_MAX:
            raise Problem("too-large", f"At most {BATCH_MAX} items.")
        # Each item is a transaction of its own: one bad item never blocks another.
        request.env.cr.commit()  # pylint: disable=invalid-commit
        results = [self._take_batch_item(device, item) for item in items]
        self._wake()
        return self._answer({"results": results})

    @device_route("/heartbeat", "POST")
    def heartbeat(self, device):
        body = self._read_body((JSON,))
        firmware = self._read_text(body, "fw", 32)
        queue = body.get("queue")
        if queue is not None and (
            isinstance(queue, bool) or not isinstance(queue, int)
        ):
            raise Problem("wrong-type", "queue is an integer.")
        request.env["club.checkin.intake"]._note_heartbeat(device, firmware, queue)
        server_time = request.env["club.checkin.intake"]._unix_time()
        return self._answer(
            {
                "server_time": server_time,
                "config_rev": device["config_rev"],
                "token_rotate": False,
            }
        )

    @device_route("/token/rotate", "POST", media_types=(JSON, ""))
    def rotate_token(self, device):
        self._require_active(device)
        record = request.env["club.device"].sudo().browse(device["id"])
        token = record._rotate_token()
        return self._answer({"token": token})

    # === CHECKING IN === #

    def _authenticate(self, may_be_known):
        """The device that sent this request; from now on we speak its language."""
        device = request.env["ir.http"]._authenticate_club_device(may_be_known)
        self._speak(self._language(device["lang"]))
        return device

    def _speak(self, lang):
        """Answer in this language. A new environment for nothing would cost time."""
        if request.env.context.get("lang") != lang:
            request.update_context(lang=lang)

    def _take(self, device, item):
        intake = request.env["club.checkin.intake"]
        try:
            return intake._receive(device, item)
        except Problem as problem:
            intake._note_refusal(device, problem)
            raise

    def _take_batch_item(self, device, item):
        """One item of a batch in its own transaction, as its result or problem."""
        for _attempt in range(TRIES):
            begin_read_committed(request.env.cr)
            try:
                row = self._take(device, self._require_object(item))
                request.env.cr.commit()  # pylint: disable=invalid-commit
                return {
                    **self._checkin_answer(device, row),
                    "status": 200 if row["replayed"] else 201,
                }
            except RETRIABLE:
                rollback(request.env.cr)
                problem = Problem("busy", retry_after=2)
            except Exception as error:  # noqa: BLE001 - the others go on
                problem = _as_problem(error)
                # A refusal keeps what the rate counter counted.
                request.env.cr.commit()  # pylint: disable=invalid-commit
                break
        return {
            "event_id": self._batch_event_id(item),
            "status": problem.type.status,
            "problem": problem.body(request.env),
        }

    def _batch_event_id(self, item):
        """The item's own id, None when it has none that could be one."""
        event_id = item.get("event_id") if isinstance(item, dict) else None
        if isinstance(event_id, str) and EVENT_ID_PATTERN.fullmatch(event_id):
            return event_id
        return None

    def _require_object(self, item):
        if not isinstance(item, dict):
            raise Problem("malformed", "An item is an object.")
        return item

    def _wake(self):
        """Commit the journal, then wake the worker: never the other way round."""
        request.env.cr.commit()  # pylint: disable=invalid-commit
        # Nothing follows that could have to be undone, so no transaction is needed.
        autocommit(request.env.cr)
        request.env["club.checkin.followup"]._wake()

    def _require_active(self, device):
        if device["state"] != "active":
            raise Problem("device-inactive", retry_after=300)

    def _check_idempotency_key(self, item):
        key = request.httprequest.headers.get("Idempotency-Key")
        if key is not None and key.strip().strip('"') != item.get("event_id"):
            raise Problem("malformed", "Idempotency-Key and event_id differ.")

    # === ANSWERS === #

    def _checkin_answer(self, device, row):
        """What the device is told; in public mode the same to everyone."""
        answer = {"event_id": row["event_id"], "tag": row["digit"]}
        answer.update(self._display(device, row))
        answer["replayed"] = row["replayed"]
        if device["privacy"] == "staff":
            answer.update(
                result=row["result"], visit_no=row["visit_no"], sms=row["answer_sms"]
            )
        return answer

    def _display(self, device, row):
        """Two lines of at most 16 characters, and the same for ASCII displays."""
        lang_env = request.env
        english = lang_env
        if lang_env.lang != "en_US":
            english = lang_env(context={**lang_env.context, "lang": "en_US"})
        lines = {}
        for prefix, env in (("line", lang_env), ("ascii", english)):
            first, second = self._display_lines(env, device, row)
            if prefix == "line" and (env.lang or "").startswith("fa"):
                second = to_persian_digits(second)
            lines[f"{prefix}1"] = clip(first, DISPLAY_WIDTH)
            lines[f"{prefix}2"] = clip(second, DISPLAY_WIDTH)
        return lines

    def _display_lines(self, env, device, row):
        if device["privacy"] == "public":
            return env._("Thank you"), env._("You are welcome")
        if row["result"] == "too_soon":
            return env._("Already counted"), env._("Visit %s", row["visit_no"])
        if row["result"] == "new":
            return env._("Welcome"), env._("First visit")
        return env._("Welcome back"), env._("Visit %s", row["visit_no"])

    def _answer(self, body, status=200, headers=None):
        return request.make_json_response(body, headers=headers, status=status)

    def _answer_problem(self, problem):
        body = json.dumps(problem.body(request.env), ensure_ascii=False)
        headers = [
            ("Content-Type", "application/problem+json"),
            *problem.headers.items(),
        ]
        return request.make_response(body, headers=headers, status=problem.type.status)

    def _language(self, device_lang="en_US"):
        """``fa_IR`` or ``en_US``, whichever ``Accept-Language`` prefers, else the
        device's own language.
        """
        asked = (
            LANGUAGES.get(tag.lower().partition("-")[0])
            for tag, quality in request.httprequest.accept_languages
            if quality > 0
        )
        lang = next(filter(None, asked), device_lang)
        # A language that is not installed cannot be an environment's language.
        return lang if request.env["res.lang"]._get_data(code=lang) else "en_US"

    # === READING REQUESTS === #

    def _check_request(self, method, max_bytes, media_types):
        http = request.httprequest
        if http.method != method:
            raise Problem("method-not-allowed", headers={"Allow": method})
        if method == "GET":
            return
        # Werkzeug takes a length that is no number for 0.
        length = http.headers.get("Content-Length", "")
        if http.content_length is None or not length.isdecimal():
            raise Problem("length-required")
        if http.content_length > max_bytes:
            raise Problem("too-large")
        if http.mimetype not in media_types:
            raise Problem("unsupported-media-type")

    def _read_body(self, media_types):
        """The body as a dict of JSON types.

        :raise Problem: ``malformed``; nothing that is not strict UTF-8 JSON passes
        """
        raw = request.httprequest.get_data()
        try:
            text = raw.decode("utf-8", errors="strict")
            if request.httprequest.mimetype == FORM and FORM in media_types:
                return _integers(_form_body(text))
            body = _DECODER.decode(text)
            if "\\" in text or "\0" in text:
                _check_texts(body)
        except (ValueError, RecursionError) as error:
            raise Problem("malformed") from error
        if not isinstance(body, dict):
            raise Problem("malformed", "Send an object.")
        return body

    def _read_text(self, body, name, most, required=False):
        value = body.get(name)
        if value is None or value == "":
            if required:
                raise Problem("missing-field", f"The field {name} is missing.")
            return ""
        if not isinstance(value, str):
            raise Problem("wrong-type", f"{name} is a text.")
        if len(value) > most:
            raise Problem("wrong-type", f"{name} has at most {most} characters.")
        return value


def _refuse(_constant):
    raise ValueError("NaN and Infinity are not JSON")


def _parse_float(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("The number is out of range")
    return number


def _unique_pairs(pairs):
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("A name stands twice")
    return body


_DECODER = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_parse_float, object_pairs_hook=_unique_pairs
)


def _form_body(text):
    """A form as a dict of texts, judged as strictly as JSON."""
    pairs = parse_qsl(
        text, keep_blank_values=True, strict_parsing=True, errors="strict"
    )
    body = _unique_pairs(pairs)
    _check_texts(body)
    return body


def _integers(body):
    """The form's number fields as integers, from digits of any script."""
    for name in INTEGER_FIELDS:
        if not body.get(name):
            body.pop(name, None)
            continue
        digits = to_latin_digits(body[name].strip())
        if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            raise Problem("wrong-type", f"{name} is an integer.")
        body[name] = int(digits)
    return body


def _check_texts(value):
    """Refuse what PostgreSQL cannot store: NUL and lone surrogates."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise Problem("malformed")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_texts(name)
            _check_texts(member)
    elif isinstance(value, list):
        for member in value:
            _check_texts(member)
