"""Kavenegar.

Source: kavenegar.com/rest.html. The key is part of every address, so addresses and
exceptions never leave :mod:`.http`.
"""

import decimal
import json

from .base import Caps, Gateway, Result, Status, local_number, same_number
from .http import Unclear

TOKEN_LENGTH = 100
# Spaces that a token may hold; the others may hold none.
TOKEN_SPACES = {"token10": 5, "token20": 8}


class Kavenegar(Gateway):
    """Settings: ``api_key``, ``sender``."""

    caps = Caps(
        max_batch=200,
        max_length=900,
        ref_dedupes=True,
        ref_hours=12,
        poll=True,
        poll_batch=500,
        poll_hours=48,
        pattern=True,
        balance=True,
    )
    base_url = "https://api.kavenegar.com/v1"
    required = ("api_key", "sender")
    errors = {
        "401": "key",
        "402": "server",
        "403": "key",
        "407": "key",
        "409": "throttled",
        "411": "number",
        "412": "line",
        "413": "text",
        "414": "unknown",  # too many receivers: halved like a bad number
        "416": "key",
        "418": "credit",
        "420": "text",
        "422": "text",
        "424": "template",
        "426": "key",
        "428": "template",
        "429": "key",
        "431": "template",
        "432": "template",
        "451": "throttled",
        "501": "number",  # a test account sends to its owner only
        "607": "text",
    }
    states = {
        "1": "queued",
        "2": "queued",
        "4": "sent",
        "5": "sent",
        "6": "undelivered",
        "10": "delivered",
        "11": "undelivered",
        "13": "refused",
        "14": "blocked",
        "100": "lost",
    }

    def _send(self, items):
        entries = self._ask(
            "sms/sendarray",
            receptor=json.dumps([local_number(item.number) for item in items]),
            sender=json.dumps([self.settings["sender"]] * len(items)),
            message=json.dumps([item.text for item in items]),
            localmessageids=json.dumps([item.ref for item in items]),
        )
        return [self._entry_result(entry) for entry in self._sorted(items, entries)]

    def _sorted(self, items, entries):
        """One entry per item; None where the answer does not name it."""
        in_order = len(entries) == len(items) and all(
            same_number(entry.get("receptor"), item.number)
            for entry, item in zip(entries, items, strict=True)
        )
        if in_order:
            return entries
        left, found = list(entries), []
        for item in items:
            entry = next(
                (e for e in left if same_number(e.get("receptor"), item.number)), None
            )
            found.append(entry)
            if entry is not None:
                left.remove(entry)
        return found

    def _entry_result(self, entry):
        if not entry or not entry.get("messageid"):
            return Result("unknown", kind="server", message="not named in the answer")
        code = str(entry.get("status", ""))
        state = self.states.get(code)
        provider_id = str(entry["messageid"])
        if state in ("undelivered", "blocked", "refused"):
            kind = {"blocked": "blocked", "refused": "text"}.get(state, "server")
            return Result("rejected", provider_id, kind, code)
        cost = entry.get("cost")
        cost = decimal.Decimal(cost) if isinstance(cost, int) else None
        return Result("accepted", provider_id, code=code, cost=cost)

    def _send_pattern(self, item):
        values = {name: self._token(name, value) for name, value in item.params}
        entries = self._ask(
            "verify/lookup",
            receptor=local_number(item.number),
            template=item.pattern,
            **values,
        )
        return self._entry_result(entries[0] if entries else None)

    @staticmethod
    def _token(name, value):
        """A value that code 431 does not refuse: no line breaks or underscores, and
        no more spaces than this token may hold.
        """
        words = str(value).replace("_", " ").split()
        spaces = TOKEN_SPACES.get(name, 0)
        text = " ".join(words[: spaces + 1])
        return "-".join([text, *words[spaces + 1 :]])[:TOKEN_LENGTH].rstrip()

    # === AFTERWARDS === #

    def reconcile(self, items, known_ids=()):
        """Send again with the same references: a known one is not sent again.

        Patterns have no reference; those stay for a person.
        """
        plain = [item for item in items if not item.pattern]
        known = iter(self.send(plain))
        return [
            Result("unknown", kind="server") if item.pattern else next(known)
            for item in items
        ]

    def status(self, provider_ids):
        entries = self._ask("sms/status", messageid=",".join(provider_ids))
        return [
            Status(str(entry["messageid"]), state, str(entry.get("status")))
            for entry in entries
            if (state := self.states.get(str(entry.get("status"))))
            and entry.get("messageid")
        ]

    def balance(self):
        entries = self._ask("account/info")
        try:
            return decimal.Decimal(entries[0]["remaincredit"])
        except (IndexError, KeyError, TypeError, decimal.InvalidOperation):
            return None

    def _ask(self, method, **values):
        """Call a method.

        :return: the entries, a list of dicts
        :raise Refused, NotTaken, Unclear:
        """
        key = self.settings["api_key"].strip()
        reply = self.http.call("POST", f"{self.base}/{key}/{method}.json", data=values)
        answer = reply.object()
        verdict = answer.get("return")
        code = str(verdict.get("status", "")) if isinstance(verdict, dict) else ""
        if code == "200" and reply.status == 200:
            entries = answer.get("entries") or []
            entries = [entries] if isinstance(entries, dict) else entries
            return [entry for entry in entries if isinstance(entry, dict)]
        if code in self.errors:
            raise self.fault(code, self.http.mask(verdict.get("message", "")))
        self.by_http(reply)
        raise Unclear("an answer without a status")
