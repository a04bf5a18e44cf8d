"""Melipayamak, and every reseller of the same panel (Farapayamak and others).

Source: melipayamak.com/api and its Python SDK. One receiver per call: what the panel
answers for several is not documented, and one id per person is what delivery needs.
"""

import datetime
import decimal
import json
import zoneinfo

from lxml import etree

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

ID_DIGITS = 15  # a shorter value is a code
PANEL_ZONE = zoneinfo.ZoneInfo("Asia/Tehran")
SENT = 2  # location of GetMessages
PATTERNS = "https://api.payamak-panel.com/post/SharedService.asmx/GetSharedServiceBody"


class Melipayamak(Gateway):
    """Settings: ``username``, ``password`` (or the ApiKey the panel demands in its
    place), ``sender``; ``pattern_url`` where a reseller lists its patterns, and
    ``pattern_approved``, the BodyStatus of those that may be used.
    """

    caps = Caps(
        max_batch=100,
        own_texts=False,
        sent_list=True,
        poll=True,
        poll_batch=10,
        pattern=True,
        balance=True,
    )
    base_url = "https://rest.payamak-panel.com/api/SendSMS"
    required = ("username", "password", "sender")
    errors = {
        "0": "key",
        "2": "credit",
        "3": "throttled",
        "4": "throttled",
        "5": "line",
        "6": "throttled",
        "7": "text",
        "9": "line",
        "10": "key",
        "12": "key",
        "14": "text",
        "15": "text",
        "16": "number",
        "17": "text",
        "18": "number",
        "35": "blocked",
        "108": "key",
        "109": "key",
        "110": "key",
        "111": "key",
        "-1": "template",
        "-2": "template",
        "-3": "line",
        "-4": "template",
        "-5": "template",
        "-6": "server",
        "-7": "line",
        "-10": "text",
    }
    states = {
        "0": "sent",
        "1": "delivered",
        "2": "undelivered",
        "3": "undelivered",
        "5": "undelivered",
        "8": "sent",
        "16": "undelivered",
        "35": "blocked",
        "100": "lost",
        "200": "sent",
        "300": "refused",
        "400": "queued",
        "500": "refused",
    }

    def __init__(self, settings):
        super().__init__(settings)
        own = PATTERNS if not settings.get("base_url") else ""
        self.patterns = (settings.get("pattern_url") or own).strip()
        if self.patterns and not self.http.may_call(self.patterns):
            raise BadSettings("https", "pattern_url")

    def _send(self, items):
        [item] = items
        value = self._ask(
            "SendSMS",
            to=local_number(item.number),
            **{"from": self.settings["sender"].strip()},
            text=item.text,
            isFlash="false",
        )
        return [self._result(value)]

    def _send_pattern(self, item):
        values = [
            " ".join(str(value).split()).replace(";", "،")
            for _name, value in item.params
        ]
        value = self._ask(
            "BaseServiceNumber",
            to=local_number(item.number),
            bodyId=item.pattern,
            text=";".join(values),
        )
        return self._result(value)

    def _result(self, value):
        if value.isdigit() and len(value) >= ID_DIGITS:
            return Result("accepted", value)
        if value in self.errors:
            raise self.fault(value)
        raise Unclear("neither an id nor a known code")

    # === AFTERWARDS === #

    def reconcile(self, items, known_ids=()):
        try:
            answer = self._answer(
                "GetMessages", location=SENT, index=0, count=100, **{"from": ""}
            )
        except (NotTaken, Unclear, Refused):
            return [Result("retry", kind="server")] * len(items)
        rows = answer.get("Data")
        rows = rows if isinstance(rows, list) else []
        sent = [
            (
                str(row.get("MsgID")),
                row.get("Receiver"),
                row.get("Body"),
                self._utc(row.get("SendDate")),
            )
            for row in rows
            if isinstance(row, dict)
        ]
        oldest = min((at for *_rest, at in sent if at), default=None)
        results = []
        for item, found in zip(items, match_sent(items, sent, known_ids), strict=True):
            complete = len(rows) < 100 or (oldest and oldest < item.claimed_at)
            if found:
                results.append(Result("accepted", found))
            elif complete and not item.pattern:
                results.append(Result("absent", kind="server"))
            else:
                results.append(Result("unknown", kind="server"))
        return results

    @staticmethod
    def _utc(text):
        try:
            at = datetime.datetime.fromisoformat(str(text).replace("/", "-")[:19])
        except ValueError:
            return None
        at = at.replace(tzinfo=PANEL_ZONE).astimezone(datetime.timezone.utc)
        return at.replace(tzinfo=None)

    def status(self, provider_ids):
        statuses = []
        for provider_id in provider_ids:
            code = self._ask("GetDeliveries2", recId=provider_id)
            if state := self.states.get(code):
                statuses.append(Status(provider_id, state, code))
        return statuses

    def balance(self):
        value = self._ask("GetCredit")
        try:
            return decimal.Decimal(value)
        except decimal.InvalidOperation:
            return None

    def pattern_state(self, code):
        """Look a pattern up in the panel's list.

        Source: GetSharedServiceBody of SharedService.asmx, which the panel's own SDKs
        call. What BodyStatus means is not documented: integrations agree on 1 for
        approved, any other value leaves it to a person.
        """
        if not self.patterns:
            return None
        # What somebody typed may not lead into the own network.
        self.http.any_address = self.patterns == PATTERNS
        reply = self.http.call("POST", self.patterns, data=self._account())
        if reply.status != 200:
            self.by_http(reply)
        for row in self._rows(reply.body):
            if row.get("BodyID") == code.strip():
                approved = self.settings.get("pattern_approved") or "1"
                if row.get("BodyStatus") == approved.strip():
                    return "approved", ""
                return "waiting", row.get("Description", "")[:200]
        return None

    @staticmethod
    def _rows(body):
        """The rows of an XML list, each a dict of its texts."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            root = etree.fromstring(body, parser=parser)
        except etree.XMLSyntaxError as error:
            raise Unclear("no list of patterns") from error
        for row in root.iter("{*}ShareServiceBody"):
            yield {
                etree.QName(cell).localname: (cell.text or "").strip()
                for cell in row.iterchildren(tag=etree.Element)
            }

    def _account(self):
        return {name: self.settings[name].strip() for name in ("username", "password")}

    def _ask(self, method, **values):
        """Call a method.

        :return: its ``Value``
        :rtype: str
        """
        return str(self._answer(method, **values).get("Value", "")).strip()

    def _answer(self, method, **values):
        reply = self.http.call(
            "POST",
            f"{self.base}/{method}",
            data={**self._account(), **values},
        )
        answer = reply.object()
        if reply.status == 200 and answer:
            base = answer.get("MyBase")
            verdict = base if isinstance(base, dict) else answer
            self._judge(method, verdict)
            return answer
        self.by_http(reply)
        raise Unclear("an answer without a value")

    def _judge(self, method, verdict):
        """A short value of a sending method is a code; elsewhere it is an answer."""
        status, value = str(verdict.get("RetStatus")), str(verdict.get("Value", ""))
        if status != "1" and method == "GetDeliveries2" and value in self.states:
            return
        if status != "1":
            code = value if value in self.errors else status
            if code not in self.errors:
                raise Unclear(f"code {json.dumps(code)}")
            raise self.fault(
                code, self.http.mask(verdict.get("StrRetStatus") or "")[:100]
            )
