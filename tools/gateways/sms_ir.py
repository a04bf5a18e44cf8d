"""SMS.ir, version 1 of its REST API.

Source: sms.ir/rest-api. There is no reference of ours, so what was left unknown is
looked for in the panel's own list of today's messages.
"""

import datetime
import decimal

from .base import (
    Caps,
    Gateway,
    Refused,
    Result,
    Status,
    local_number,
    match_sent,
)
from .http import BadSettings, NotTaken, Unclear

VALUE_LENGTH = 25
PAGES = 20  # of the list of sent messages, 100 each


class SmsIr(Gateway):
    """Settings: ``api_key``, ``sender`` (the line's number, digits)."""

    caps = Caps(
        max_batch=100,
        sent_list=True,
        poll=True,
        poll_batch=10,
        pattern=True,
        balance=True,
    )
    base_url = "https://api.sms.ir/v1"
    required = ("api_key", "sender")
    errors = {
        "10": "key",
        "11": "key",
        "12": "key",
        "13": "key",
        "14": "key",
        "20": "throttled",
        "101": "line",
        "102": "credit",
        "103": "text",
        "104": "number",
        "105": "unknown",  # too many: halved like a bad number
        "106": "unknown",
        "110": "unknown",
        "113": "template",
        "114": "template",
        "115": "blocked",
        "117": "text",
        "123": "line",
    }
    states = {
        "1": "delivered",
        "2": "undelivered",
        "3": "queued",
        "4": "undelivered",
        "5": "sent",
        "6": "undelivered",
        "7": "blocked",
    }

    def __init__(self, settings):
        super().__init__(settings)
        if not settings["sender"].strip().isdecimal():
            raise BadSettings("number", "sender")

    def _send(self, items):
        data = self._ask(
            "POST",
            "send/likeToLike",
            json={
                "lineNumber": int(self.settings["sender"].strip()),
                "messageTexts": [item.text for item in items],
                "mobiles": [local_number(item.number) for item in items],
                "sendDateTime": None,
            },
        )
        ids = data.get("messageIds")
        if not isinstance(ids, list) or len(ids) != len(items):
            raise Unclear("the ids do not fit the messages")
        return [self._result(provider_id) for provider_id in ids]

    def _result(self, provider_id):
        """By position: 0 is blacklisted, null a bad number or text."""
        if provider_id is None:
            return Result("rejected", kind="number")
        if provider_id in (0, "0"):
            return Result("rejected", kind="blocked", code="0")
        return Result("accepted", str(provider_id))

    def _send_pattern(self, item):
        data = self._ask(
            "POST",
            "send/verify",
            json={
                "mobile": local_number(item.number),
                "templateId": int(item.pattern) if item.pattern.isdigit() else 0,
                "parameters": [
                    {"name": name, "value": " ".join(str(value).split())[:VALUE_LENGTH]}
                    for name, value in item.params
                ],
            },
        )
        if "messageId" not in data:
            raise Unclear("an answer without an id")
        return self._result(data["messageId"])

    # === AFTERWARDS === #

    def reconcile(self, items, known_ids=()):
        try:
            sent, complete = self._sent_since(min(item.claimed_at for item in items))
        except (NotTaken, Unclear, Refused):
            return [Result("retry", kind="server")] * len(items)
        absent = Result("absent" if complete else "unknown", kind="server")
        unsure = Result("unknown", kind="server")
        return [
            Result("accepted", provider_id)
            if provider_id
            # The panel writes the text of a pattern: not finding ours says nothing.
            else (unsure if item.pattern else absent)
            for item, provider_id in zip(
                items, match_sent(items, sent, known_ids), strict=True
            )
        ]

    def _sent_since(self, since):
        """The panel's messages of today, and whether the list reaches back to then."""
        sent = []
        for page in range(1, PAGES + 1):
            rows = self._ask(
                "GET", "send/live", params={"pageNumber": page, "pageSize": 100}
            )
            rows = rows if isinstance(rows, list) else []
            for row in rows:
                stamp = row.get("sendDateTime")
                at = (
                    datetime.datetime.fromtimestamp(
                        stamp, datetime.timezone.utc
                    ).replace(tzinfo=None)
                    if isinstance(stamp, int) and 0 < stamp < 2**33
                    else None
                )
                sent.append(
                    (
                        str(row.get("messageId")),
                        row.get("mobile"),
                        row.get("messageText"),
                        at,
                    )
                )
            if len(rows) < 100 or (sent[-1][3] and sent[-1][3] < since):
                # The list is of one day: it says nothing about yesterday.
                now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
                return sent, now - since < datetime.timedelta(hours=12)
        return sent, False

    def status(self, provider_ids):
        statuses = []
        for provider_id in provider_ids:
            try:
                data = self._ask("GET", f"send/{int(provider_id)}")
            except Refused as refusal:
                if refusal.code != "111":
                    raise
                statuses.append(Status(provider_id, "lost", "111"))
                continue
            code = str(data.get("deliveryState"))
            if state := self.states.get(code):
                statuses.append(Status(provider_id, state, code))
        return statuses

    def balance(self):
        data = self._ask("GET", "credit")
        return decimal.Decimal(str(data)) if isinstance(data, int | float) else None

    def _ask(self, method, path, **kwargs):
        """Call a method.

        :return: ``data`` of the answer
        :raise Refused, NotTaken, Unclear:
        """
        reply = self.http.call(
            method,
            f"{self.base}/{path}",
            headers={
                "X-API-KEY": self.settings["api_key"].strip(),
                "Accept": "application/json",
            },
            **kwargs,
        )
        answer = reply.object()
        code = str(answer.get("status", ""))
        if code == "1" and reply.status == 200:
            data = answer.get("data")
            return {} if data is None else data
        if code in self.errors or code == "111":
            raise self.fault(code, self.http.mask(answer.get("message", "")))
        self.by_http(reply)
        raise Unclear("an answer without a status")
