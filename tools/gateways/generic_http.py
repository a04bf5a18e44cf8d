"""Any provider that takes one message per HTTP request.

What it asks for and answers stands in the line's settings, so nothing here is specific
to a provider. Values are put into the leaves of the body, never into its source: a
quote or an ampersand in a name cannot change the request.
"""

import json

from .base import Caps, Gateway, Refused, Result, local_number
from .http import BadSettings, Unclear

KINDS = frozenset(
    {"credit", "key", "line", "number", "blocked", "text", "throttled", "server"}
)


class GenericHttp(Gateway):
    """Settings, all text, those marked * needed:

    - ``base_url``*: https
    - ``method``: POST (default), PUT or GET
    - ``headers``: one ``Name: value`` a line; ``{api_key}`` stands for the key
    - ``body``: a JSON object, or for ``form`` one ``name=value`` a line
    - ``body_type``: ``json`` (default) or ``form``
    - ``success_status``: ``200,201`` by default
    - ``success_key``, ``success_value``: dotted path in the answer, ``result.ok``
    - ``id_key``: dotted path of the provider's id
    - ``error_key``: dotted path of its code
    - ``error_map``: one ``code=kind`` a line, of ``KINDS``
    - ``state_map``: one ``code=state`` a line for pushed delivery reports

    Placeholders: ``{number}`` (E.164), ``{local_number}``, ``{text}``, ``{sender}``,
    ``{ref}``, ``{api_key}``, ``{username}``, ``{password}``.
    """

    caps = Caps(max_batch=1, own_texts=False)
    required = ("base_url",)

    def __init__(self, settings):
        super().__init__(settings)
        self.errors = self._pairs("error_map")
        self.states = self._pairs("state_map")
        for code, kind in self.errors.items():
            if kind not in KINDS:
                raise BadSettings("kind", code)
        self.template = self._body_template()
        try:
            self.success_status = {
                int(code)
                for code in str(settings.get("success_status") or "200,201").split(",")
            }
        except ValueError as error:
            raise BadSettings("number", "success_status") from error

    def _pairs(self, name, separator="="):
        lines = str(self.settings.get(name) or "").splitlines()
        pairs = (line.partition(separator) for line in lines if line.strip())
        return {key.strip(): value.strip() for key, _sign, value in pairs}

    def _body_template(self):
        if self.settings.get("body_type") == "form":
            return self._pairs("body")
        source = self.settings.get("body") or '{"to": "{number}", "text": "{text}"}'
        try:
            return json.loads(source)
        except ValueError as error:
            raise BadSettings("json", "body") from error

    def _send(self, items):
        [item] = items
        values = {
            "{number}": item.number,
            "{local_number}": local_number(item.number),
            "{text}": item.text,
            "{ref}": str(item.ref),
            "{sender}": self.settings.get("sender") or "",
            "{api_key}": self.settings.get("api_key") or "",
            "{username}": self.settings.get("username") or "",
            "{password}": self.settings.get("password") or "",
        }
        body = fill(self.template, values)
        method = (self.settings.get("method") or "POST").upper()
        where = "json" if self.settings.get("body_type") != "form" else "data"
        where = "params" if method == "GET" else where
        headers = fill(self._pairs("headers", ":"), values)
        reply = self.http.call(method, self.base, headers=headers, **{where: body})
        return [self._result(reply)]

    def _result(self, reply):
        answer = reply.json()
        code = dig(answer, self.settings.get("error_key"))
        if code in self.errors:
            raise self.fault(code)
        wanted = self.settings.get("success_value") or ""
        found = dig(answer, self.settings.get("success_key"))
        if reply.status in self.success_status and (
            not self.settings.get("success_key") or found == wanted
        ):
            return Result("accepted", dig(answer, self.settings.get("id_key")))
        if reply.status in self.success_status:
            # It answers in a form nobody described: neither yes nor a known no.
            raise Unclear("neither the success nor a known code")
        self.by_http(reply)
        raise Refused("unknown", reply.status)


def fill(template, values):
    """Put values into the strings of a JSON-like structure, once: what a value holds
    is never looked at again.
    """
    if isinstance(template, dict):
        return {key: fill(part, values) for key, part in template.items()}
    if isinstance(template, list):
        return [fill(part, values) for part in template]
    if not isinstance(template, str):
        return template
    text, rest = "", template
    while rest:
        name = next((name for name in values if rest.startswith(name)), None)
        if name:
            text, rest = text + values[name], rest[len(name) :]
        else:
            text, rest = text + rest[0], rest[1:]
    return text


def dig(answer, path) -> str:
    """The value at a dotted path, ``data.0.id``; "" when it is not there."""
    if not path:
        return ""
    for step in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return ""
    if isinstance(answer, bool):
        return str(answer).lower()
    return "" if answer is None or isinstance(answer, dict | list) else str(answer)
