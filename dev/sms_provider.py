"""A small HTTP server that behaves like the providers of SMS, faults included.

    with SmsProvider() as provider:
        provider.fail("half")
        line.base_url = provider.url("kavenegar")
        ...
        provider.accepted  # what it took, in order

On the command line it serves until it is stopped: ``python3 dev/sms_provider.py
--port 8090``; the address of each provider is printed, and every text it takes. Nothing
is sent to anybody.
"""

import argparse
import itertools
import json
import select
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

KEY = "test-key-0123456789"
USERNAME = "09120000000"
PASSWORD = "test-password"
SENDER = "30001234"

LONGEST_WAIT = 300  # seconds

FAULTS = (
    "slow",  # takes it, answers nothing until the caller gives up
    "error_after",  # takes it, answers 500
    "error_before",  # answers 500 without taking it
    "reset_after",  # takes it, hangs up
    "half",  # takes the first half, answers 500
    "html",  # takes it, answers HTML with 200
    "html_before",  # answers HTML with 200 without taking it
    "huge",  # takes it, answers without end
    "redirect",
    "wrong_key",
    "no_credit",
    "throttled",
)


class Taken(NamedTuple):
    """A message that was accepted."""

    provider: str
    id: str
    number: str
    text: str
    sender: str = ""
    ref: str = ""
    pattern: str = ""
    params: tuple = ()
    at: float = 0.0


class Refusal(Exception):
    """The answer to a call that takes nothing: (HTTP status, body)."""


class SmsProvider:
    """The server; runs in a thread of its own.

    ``bad_numbers`` sink a whole call on Kavenegar and are refused one by one elsewhere;
    ``blocked_numbers`` closed advertising. ``states`` holds the delivery code that is
    reported, by id; ``delay`` is how long each call takes.
    """

    def __init__(self, port=0, key=KEY):
        self.key = key
        self.accepted: list[Taken] = []
        self.calls = 0
        self.under_way = 0
        self.refs: dict[str, Taken] = {}
        self.faults: list[str] = []
        self.bad_numbers: set[str] = set()
        self.blocked_numbers: set[str] = set()
        self.states: dict[str, object] = {}
        self.patterns: dict[str, tuple[str, str]] = {}
        self.credit = 1_000_000
        self.delay = 0.0
        self.on_taken = None  # called with each batch once it is taken
        self.runs = False
        self.lock = threading.Lock()
        self.ids = itertools.count(8_000_000_000_000_001)
        provider = self

        class Handler(_Handler):
            owner = provider

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def start(self):
        threading.Thread(
            target=self.server.serve_forever, args=(0.02,), daemon=True
        ).start()
        self.runs = True
        return self

    def stop(self):
        if self.runs:
            self.runs = False
            self.server.shutdown()
            self.server.server_close()

    def url(self, name: str) -> str:
        """The base address of a provider: ``kavenegar``, ``generic`` and so on."""
        version = "/v1" if name in ("kavenegar", "sms_ir") else ""
        return f"http://127.0.0.1:{self.port}/{name}{version}"

    def fail(self, fault: str, times: int = 1) -> None:
        """Let the next sending calls go wrong."""
        if fault not in FAULTS:
            raise ValueError(fault)
        self.faults += [fault] * times

    def numbers(self) -> list[str]:
        """The numbers of what was accepted, in order."""
        return [message.number for message in self.accepted]

    # === TAKING === #

    def take(self, messages: list[Taken]) -> list[Taken]:
        """Keep messages; one whose reference is known is answered with the old one."""
        taken = []
        with self.lock:
            for message in messages:
                old = self.refs.get(message.ref) if message.ref else None
                if old is None:
                    old = message._replace(id=str(next(self.ids)), at=time.time())
                    self.accepted.append(old)
                    if message.ref:
                        self.refs[message.ref] = old
                taken.append(old)
        if self.on_taken:
            self.on_taken(taken)
        return taken

    def next_fault(self) -> str:
        with self.lock:
            return self.faults.pop(0) if self.faults else ""


class _Handler(BaseHTTPRequestHandler):
    owner: SmsProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_arguments):
        """Stay quiet: keys are in the addresses."""

    def do_GET(self):
        self.handle_call()

    def do_POST(self):
        self.handle_call()

    def handle_call(self):
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        self.values = {
            key: values[0]
            for key, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        if "json" in (self.headers.get("Content-Type") or ""):
            self.values |= json.loads(raw)
        elif raw:
            form = parse_qs(raw.decode(), keep_blank_values=True)
            self.values |= {key: values[0] for key, values in form.items()}
        _root, name, *rest = parts.path.split("/")
        owner = self.owner
        with owner.lock:
            owner.calls += 1
            owner.under_way += 1
        try:
            time.sleep(owner.delay)
            status, body = getattr(self, name)(rest)
        except Refusal as refusal:
            status, body = refusal.args
        except ConnectionAbortedError:
            self.close_connection = True
            self.connection.close()
            return
        finally:
            with owner.lock:
                owner.under_way -= 1
        self.answer(status, body)

    def answer(self, status, body):
        kind = "text/html" if isinstance(body, str) else "application/json"
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "https://example.com/")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def take(self, messages, known_faults):
        """Take messages as the next fault says.

        :param dict known_faults: (status, body) of those this provider words itself
        """
        fault = self.owner.next_fault()
        before = {
            "error_before": (500, "<h1>Internal error</h1>"),
            "html_before": (200, "<h1>Maintenance</h1>"),
            "redirect": (302, ""),
            **known_faults,
        }
        if fault in before:
            raise Refusal(*before[fault])
        if fault == "half":
            messages = messages[: len(messages) // 2]
        taken = self.owner.take(messages)
        if fault == "slow":
            # A caller says no more after its request: what can be read is its end.
            select.select([self.connection], [], [], LONGEST_WAIT)
            raise ConnectionAbortedError
        if fault == "reset_after":
            raise ConnectionAbortedError
        if fault == "html":
            raise Refusal(200, "<h1>Welcome</h1>")
        if fault == "huge":
            raise Refusal(200, "x" * 200_000)
        if fault in ("error_after", "half"):
            raise Refusal(500, "<h1>Internal error</h1>")
        return taken

    # === KAVENEGAR === #

    def kavenegar(self, path):
        def verdict(code, entries=None, message="…"):
            http = code if code < 600 else 400
            return http, {
                "return": {"status": code, "message": message},
                "entries": entries,
            }

        key, method = path[1], "/".join(path[2:]).removesuffix(".json")
        if key != self.owner.key:
            return verdict(403, message=f"key {key} is wrong")
        faults = {
            "wrong_key": verdict(403, message=f"key {key} is wrong"),
            "no_credit": verdict(418),
            "throttled": verdict(451),
        }
        if method == "sms/sendarray":
            return self.kavenegar_sendarray(verdict, faults)
        if method == "verify/lookup":
            tokens = {k: v for k, v in self.values.items() if k.startswith("token")}
            if any(" " in tokens.get(k, "") for k in ("token", "token2", "token3")):
                return verdict(431)
            taken = self.take(
                [
                    Taken(
                        "kavenegar",
                        "",
                        self.values["receptor"],
                        "",
                        pattern=self.values["template"],
                        params=tuple(sorted(tokens.items())),
                    )
                ],
                faults,
            )
            return verdict(200, [self.kavenegar_entry(one) for one in taken])
        if method == "sms/status":
            return verdict(
                200,
                [
                    {
                        "messageid": int(one),
                        "status": self.owner.states.get(one, 4),
                    }
                    for one in self.values["messageid"].split(",")
                ],
            )
        if method == "account/info":
            return verdict(200, {"remaincredit": self.owner.credit})
        return verdict(404)

    def kavenegar_sendarray(self, verdict, faults):
        columns = [
            json.loads(self.values[name])
            for name in ("receptor", "message", "sender", "localmessageids")
        ]
        if len(columns[0]) > 200:
            return verdict(414)
        if any(not text or len(text) > 900 for text in columns[1]):
            return verdict(413)
        if set(columns[2]) != {SENDER}:
            return verdict(412)
        if set(columns[0]) & self.owner.bad_numbers:
            return verdict(411)
        taken = self.take(
            [
                Taken("kavenegar", "", number, text, sender, str(ref))
                for number, text, sender, ref in zip(*columns, strict=True)
            ],
            faults,
        )
        return verdict(200, [self.kavenegar_entry(one) for one in taken])

    def kavenegar_entry(self, one):
        blocked = one.number in self.owner.blocked_numbers
        return {
            "messageid": int(one.id),
            "status": 14 if blocked else 1,
            "receptor": one.number,
            "sender": one.sender,
            "cost": 600,
        }

    # === SMS.IR === #

    def sms_ir(self, path):
        def verdict(code, data=None, http=200):
            return http, {"status": code, "message": "…", "data": data}

        method = "/".join(path[1:])
        if self.headers.get("X-API-KEY") != self.owner.key:
            return verdict(10, http=401)
        faults = {
            "wrong_key": verdict(10, http=401),
            "no_credit": verdict(102, http=400),
            "throttled": verdict(20, http=429),
        }
        if method == "send/likeToLike":
            mobiles, texts = self.values["mobiles"], self.values["messageTexts"]
            if len(mobiles) > 100:
                return verdict(105, http=400)
            good = [
                number not in self.owner.bad_numbers | self.owner.blocked_numbers
                for number in mobiles
            ]
            sender = str(self.values["lineNumber"])
            taken = iter(
                self.take(
                    [
                        Taken("sms_ir", "", number, text, sender)
                        for number, text, fine in zip(mobiles, texts, good, strict=True)
                        if fine
                    ],
                    faults,
                )
            )
            ids = [
                int(next(taken).id)
                if fine
                else (0 if number in self.owner.blocked_numbers else None)
                for number, fine in zip(mobiles, good, strict=True)
            ]
            return verdict(1, {"packId": "pack", "messageIds": ids, "cost": 1.0})
        if method == "send/verify":
            params = tuple((p["name"], p["value"]) for p in self.values["parameters"])
            if any(len(value) > 25 for _name, value in params):
                return verdict(114, http=400)
            [one] = self.take(
                [
                    Taken(
                        "sms_ir",
                        "",
                        self.values["mobile"],
                        "",
                        pattern=str(self.values["templateId"]),
                        params=params,
                    )
                ],
                faults,
            )
            return verdict(1, {"messageId": int(one.id), "cost": 1.0})
        if method == "send/live":
            page, size = (int(self.values[k]) for k in ("pageNumber", "pageSize"))
            newest = self.owner.accepted[::-1][(page - 1) * size : page * size]
            return verdict(
                1,
                [
                    {
                        "messageId": int(one.id),
                        # Without the leading 0, as a number.
                        "mobile": int(one.number),
                        "messageText": one.text,
                        "sendDateTime": int(one.at),
                    }
                    for one in newest
                ],
            )
        if method.startswith("send/"):
            one = method.partition("/")[2]
            state = self.owner.states.get(one, 5)
            return verdict(1, {"messageId": int(one), "deliveryState": state})
        if method == "credit":
            return verdict(1, self.owner.credit)
        return verdict(0, http=404)

    # === MELIPAYAMAK === #

    def melipayamak(self, path):
        def verdict(value, status=1):
            return 200, {"Value": str(value), "RetStatus": status, "StrRetStatus": "…"}

        method = path[-1]
        if self.values.get("username") != USERNAME or (
            self.values.get("password") != PASSWORD
        ):
            return verdict(0)
        faults = {
            "wrong_key": verdict(0),
            "no_credit": verdict(2),
            "throttled": verdict(6),
        }
        if method == "SendSMS":
            return self.melipayamak_send(verdict, faults)
        if method == "BaseServiceNumber":
            values = self.values["text"].split(";")
            [one] = self.take(
                [
                    Taken(
                        "melipayamak",
                        "",
                        self.values["to"],
                        "",
                        pattern=self.values["bodyId"],
                        params=tuple(enumerate(values)),
                    )
                ],
                faults,
            )
            return verdict(one.id)
        if method == "GetSharedServiceBody":
            rows = "".join(
                f"<ShareServiceBody><BodyID>{code}</BodyID><Body>{{0}}</Body>"
                f"<BodyStatus>{state}</BodyStatus><Description>{said}</Description>"
                "</ShareServiceBody>"
                for code, (state, said) in self.owner.patterns.items()
            )
            root = 'ArrayOfShareServiceBody xmlns="http://tempuri.org/"'
            return 200, f"<{root}>{rows}</{root.partition(' ')[0]}>"
        if method == "GetDeliveries2":
            return verdict(self.owner.states.get(self.values["recId"], 200))
        if method == "GetCredit":
            return verdict(self.owner.credit)
        if method == "GetMessages":
            newest = self.owner.accepted[::-1][: int(self.values["count"])]
            # The panel's clock stands at Tehran, half past.
            tehran = 3.5 * 3600
            return 200, {
                "MyBase": {"Value": "", "RetStatus": 1, "StrRetStatus": "Ok"},
                "Data": [
                    {
                        "MsgID": int(one.id),
                        "Body": one.text,
                        "Receiver": one.number,
                        "SendDate": time.strftime(
                            "%Y-%m-%dT%H:%M:%S", time.gmtime(one.at + tehran)
                        ),
                    }
                    for one in newest
                ],
            }
        return 404, "<h1>Not found</h1>"

    def melipayamak_send(self, verdict, faults):
        if self.values["from"] != SENDER:
            return verdict(5)
        if self.values["to"] in self.owner.bad_numbers:
            return verdict(18)
        if self.values["to"] in self.owner.blocked_numbers:
            return verdict(35)
        [one] = self.take(
            [
                Taken(
                    "melipayamak",
                    "",
                    self.values["to"],
                    self.values["text"],
                    self.values["from"],
                )
            ],
            faults,
        )
        return verdict(one.id)

    # === ANYTHING ELSE === #

    def generic(self, _path):
        if self.headers.get("Authorization") != f"Token {self.owner.key}":
            return 401, {"error": {"code": "auth"}}
        if self.values["to"] in self.owner.bad_numbers:
            return 200, {"ok": False, "error": {"code": "bad_number"}}
        [one] = self.take(
            [
                Taken(
                    "generic",
                    "",
                    self.values["to"],
                    self.values["text"],
                    self.values.get("from", ""),
                    self.values.get("ref", ""),
                )
            ],
            {
                "wrong_key": (401, {"error": {"code": "auth"}}),
                "no_credit": (402, {"ok": False, "error": {"code": "credit"}}),
                "throttled": (429, {"ok": False}),
            },
        )
        return 200, {"ok": True, "data": {"ids": [one.id]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a call takes")
    arguments = parser.parse_args()
    with SmsProvider(arguments.port) as provider:
        provider.delay = arguments.delay
        provider.on_taken = lambda batch: [
            print(f"{one.provider} {one.number}: {one.text or one.params}")
            for one in batch
        ]
        for name in ("kavenegar", "sms_ir", "melipayamak", "generic"):
            print(provider.url(name))
        print(f"key {KEY}, user {USERNAME}, password {PASSWORD}, sender {SENDER}")
        threading.Event().wait()


if __name__ == "__main__":
    main()
