"""What every gateway takes and gives, and the rules that keep a message from being
sent twice.

The three outcomes of a call that did not succeed are kept apart with care: what was
surely not taken may be sent again, what was refused may not, and what nobody knows is
left to :meth:`Gateway.reconcile`.
"""

import datetime
import decimal
from collections.abc import Iterator
from typing import Literal, NamedTuple

from .http import BadSettings, Http, NotTaken, Unclear

Kind = Literal[
    "credit",  # no money left
    "key",  # account or key refused
    "line",  # the sender number is not ours, or not active
    "setup",  # the address answers, but not as this provider does
    "number",  # not a number this provider can reach
    "blocked",  # the receiver closed advertising at the operator
    "text",  # refused for its words, its links or its length
    "template",  # the pattern is unknown or its values do not fit
    "throttled",  # too many at once
    "server",  # the provider's own trouble
    "unknown",
]
BATCH_WIDE = frozenset({"credit", "key", "line", "setup"})
TRY_LATER = frozenset({"throttled"})
PER_MESSAGE = frozenset({"number", "blocked", "text", "template", "server", "unknown"})

DeliveryState = Literal[
    "queued", "sent", "delivered", "undelivered", "blocked", "refused", "lost"
]
"""``lost``: the provider does not know the message any more; ask no more."""


class Caps(NamedTuple):
    """What a provider can do."""

    max_batch: int = 1
    max_length: int = 0  # characters of a text, 0 for no limit of its own
    ref_dedupes: bool = False  # a known reference is not sent again
    ref_hours: int = 0  # how long it is known
    sent_list: bool = False  # its own list of sent messages can be read
    poll: bool = False
    poll_batch: int = 1
    poll_hours: int = 48
    push: bool = True
    pattern: bool = False
    balance: bool = False
    own_texts: bool = True  # a text per person in one call


class Item(NamedTuple):
    """One message.

    ``ref`` is random and never 0, 63 bits: a second database on the same account must
    not hit a reference of the first. With ``pattern`` the provider writes the text and
    ``text`` is what we expect it to say.
    """

    ref: int
    number: str  # E.164
    text: str
    pattern: str = ""
    params: tuple = ()  # of (name, value), in the order of the pattern
    claimed_at: datetime.datetime | None = None  # naive UTC, for reconcile()


class Result(NamedTuple):
    """What became of one message.

    ``accepted``: taken, ``provider_id`` says under what name; ``rejected``: refused
    for good; ``retry``: surely not taken; ``unknown``: nobody knows; ``absent``, from
    :meth:`Gateway.reconcile` only: the provider surely does not have it.
    """

    outcome: Literal["accepted", "rejected", "retry", "unknown", "absent"]
    provider_id: str = ""
    kind: Kind | Literal[""] = ""
    code: str = ""
    cost: decimal.Decimal | None = None
    message: str = ""  # the provider's words, keys masked
    tried: bool = True  # False: an earlier one of the same batch went wrong

    @property
    def pauses(self) -> bool:
        """Whether every other message of this line would meet the same."""
        return self.outcome == "retry" and self.kind in BATCH_WIDE


class Status(NamedTuple):
    """What the provider says of a message later on."""

    provider_id: str
    state: DeliveryState
    code: str = ""


class Inbound(NamedTuple):
    """A text that somebody sent to the line."""

    number: str
    text: str
    external_id: str = ""


class Refused(Exception):
    """The provider refused a whole call; nothing of it was taken."""

    def __init__(self, kind: Kind, code="", message=""):
        super().__init__(f"{kind} {code} {message}")
        self.kind = kind
        self.code = str(code)
        self.message = message

    def result(self) -> Result:
        later = self.kind in BATCH_WIDE or self.kind in TRY_LATER
        outcome = "retry" if later else "rejected"
        return Result(outcome, kind=self.kind, code=self.code, message=self.message)


class Gateway:
    """One provider with one line's settings.

    :param dict settings: ``sender``, ``api_key``, ``username``, ``password``,
        ``base_url`` (empty for the provider's own), ``allow_private`` (addresses in
        the own network, and http there), ``timeout`` (connect, read; seconds), and
        whatever the gateway itself documents
    :raise BadSettings: when something it cannot do without is missing
    """

    caps = Caps()
    base_url = ""
    required: tuple = ()  # names of settings
    # Kind per code of the provider; with its source in the file of the gateway.
    errors: dict = {}
    # Delivery state per code of the provider.
    states: dict = {}
    # Names under which pushed values come; the first that is there counts.
    push_id = ("messageid", "message_id", "recid", "id")
    push_state = ("status", "state", "deliverystate")
    push_number = ("from", "sender", "mobile", "number")
    push_text = ("message", "text", "messagetext", "body")

    def __init__(self, settings: dict):
        self.settings = settings
        for name in self.required:
            if not str(settings.get(name) or "").strip():
                raise BadSettings("missing", name)
        secrets = [
            str(settings.get(name) or "") for name in ("api_key", "password", "headers")
        ]
        self.http = Http(
            secrets=secrets,
            allow_private=bool(settings.get("allow_private")),
            any_address=not settings.get("base_url") and bool(self.base_url),
            timeout=settings.get("timeout") or (5, 25),
        )
        self.base = (settings.get("base_url") or self.base_url).strip().rstrip("/")
        if self.base and not self.http.may_call(self.base):
            raise BadSettings("https", "base_url")

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.http.close()

    # === SENDING === #

    def send(self, items: list[Item]) -> list[Result]:
        """Send messages, each at most once.

        :return: one result per item, in their order, always
        """
        results = [Result("retry", kind="server")] * len(items)
        for part in self.send_parts(items):
            for position, result in part:
                results[position] = result
        return results

    def send_parts(self, items: list[Item]) -> Iterator[list[tuple[int, Result]]]:
        """Send messages and tell after every call what is known since.

        The caller stores each part before it asks for the next one: a crash then
        costs the knowledge of one call only. Once a part ends in ``retry`` or
        ``unknown`` nothing else is tried, the rest comes back as ``retry``.

        :return: lists of (position in ``items``, result); each position exactly once
        """
        todo = self._chunks(items)
        while todo:
            chunk = todo.pop(0)
            batch = [items[position] for position in chunk]
            self.http.book.written = False
            try:
                results = self._call(batch)
            except Refused as refusal:
                if refusal.kind in PER_MESSAGE and len(chunk) > 1:
                    # One message sank all: halve until it is alone.
                    half = len(chunk) // 2
                    todo[:0] = [chunk[:half], chunk[half:]]
                    continue
                results = [refusal.result()] * len(chunk)
            except NotTaken as error:
                failed = Result("retry", kind=error.kind, message=str(error))
                results = [failed] * len(chunk)
            except Unclear as error:
                failed = Result("unknown", kind="server", message=str(error))
                results = [failed] * len(chunk)
            except Exception as error:  # noqa: BLE001 - an answer nobody foresaw
                # The class only: keys may stand in its words.
                outcome = "unknown" if self.http.book.written else "retry"
                failed = Result(outcome, kind="server", message=type(error).__name__)
                results = [failed] * len(chunk)
            yield list(zip(chunk, results, strict=True))
            last = results[-1]
            if last.outcome in ("retry", "unknown") and todo:
                # It would go on like this; what was not tried may be tried later.
                untried = last._replace(outcome="retry", provider_id="", tried=False)
                yield [(position, untried) for chunk in todo for position in chunk]
                return

    def _chunks(self, items):
        """Positions by call: patterns alone, the others as many as a call takes."""
        chunks, plain = [], []
        size = self.caps.max_batch if self.caps.own_texts else 1
        for position, item in enumerate(items):
            if item.pattern:
                chunks.append([position])
            else:
                plain.append(position)
        return [plain[at : at + size] for at in range(0, len(plain), size)] + chunks

    def _call(self, items):
        if items[0].pattern:
            return [self._send_pattern(items[0])]
        return self._send(items)

    def _send(self, items: list[Item]) -> list[Result]:
        """One call to the provider, at most ``caps.max_batch`` items.

        :raise Refused, NotTaken, Unclear:
        """
        raise NotImplementedError()

    def _send_pattern(self, item: Item) -> Result:
        """One message whose text the provider writes."""
        raise Refused("template", message="no patterns here")

    # === AFTERWARDS === #

    def reconcile(self, items: list[Item], known_ids=()) -> list[Result]:
        """Find out what became of messages of unknown outcome, sending none twice.

        ``accepted``: it is there; ``absent``: it is surely not there, so it may be
        sent again if the line allows that; ``unknown``: the provider cannot tell;
        ``retry``: could not be asked just now.

        :param list items: with ``claimed_at``
        :param known_ids: the provider's ids of other messages to the same numbers
        """
        return [Result("unknown", kind="server")] * len(items)

    def status(self, provider_ids: list[str]) -> list[Status]:
        """Ask for the delivery of messages, at most ``caps.poll_batch``.

        :raise Refused, NotTaken, Unclear:
        """
        raise NotImplementedError()

    def parse_callback(self, values: dict) -> list[Status | Inbound]:
        """Read what the provider pushed.

        :param dict values: query string, form or JSON object in one, flat
        :return: statuses and texts; empty when it is none of these
        """
        values = {
            str(key).lower(): value
            for key, value in values.items()
            if isinstance(value, str | int | float)
        }

        def first(names):
            found = (values[name] for name in names if values.get(name) not in (None,))
            return str(next(found, "")).strip()

        provider_id, code = first(self.push_id), first(self.push_state)
        number, text = first(self.push_number), first(self.push_text)
        if number and "text" not in values and not text and not code:
            return []
        if number and text:
            return [Inbound(number, text, provider_id)]
        if provider_id and (state := self.states.get(code)):
            # Some providers push several at once.
            return [Status(one, state, code) for one in provider_id.split(",")]
        return []

    def balance(self) -> decimal.Decimal | None:
        """Money left on the account, in the provider's unit; None: cannot tell."""
        return None

    def pattern_state(self, code: str) -> tuple[str, str] | None:
        """How the panel judged a pattern: (``waiting|approved|refused``, reason).

        None where the provider has no way to ask: a person writes it down.
        """
        return None

    # === HELPERS === #

    def fault(self, code, message="") -> Refused:
        """The refusal that a code of this provider means."""
        return Refused(self.errors.get(str(code), "unknown"), code, message)

    def by_http(self, reply) -> None:
        """Judge a reply that is not this provider's own form.

        :raise Refused, Unclear:
        """
        if reply.status in (401, 403):
            raise Refused("key", reply.status)
        if reply.status == 429:
            raise Refused("throttled", reply.status)
        if reply.status in (404, 405, 410) or 300 <= reply.status < 400:
            raise Refused("setup", reply.status)
        if 400 <= reply.status < 500:
            raise Refused("unknown", reply.status)
        raise Unclear(f"HTTP {reply.status}, not readable")


def local_number(number: str) -> str:
    """An E.164 number as Iranian panels take it: ``09…``, abroad ``00…``."""
    if number.startswith("+98"):
        return "0" + number[3:]
    return "00" + number.lstrip("+")


def same_number(one: str, other: str) -> bool:
    """Whether two spellings mean one number."""
    return national(one) == national(other)


def national(number) -> str:
    """The digits that tell numbers apart, whatever stands in front."""
    digits = "".join(filter(str.isdigit, str(number or "")))
    for prefix in ("0098", "98", "0"):
        if digits.startswith(prefix) and len(digits) - len(prefix) == 10:
            return digits[len(prefix) :]
    return digits.removeprefix("00")


def match_sent(items, sent, known_ids, margin=datetime.timedelta(minutes=5)):
    """Find messages in a provider's list of sent ones by number, text and time.

    :param list items: with ``claimed_at``
    :param list sent: (id, number, text, naive UTC time or None)
    :return: the id per item, "" when it is not there; each id is given once
    """
    found, taken = [], set(map(str, known_ids))
    for item in items:
        wanted = "".join(item.text.split())
        for provider_id, number, text, at in sent:
            if (
                str(provider_id) not in taken
                and same_number(number, item.number)
                and "".join(str(text).split()) == wanted
                and (at is None or at >= item.claimed_at - margin)
            ):
                taken.add(str(provider_id))
                found.append(str(provider_id))
                break
        else:
            found.append("")
    return found
