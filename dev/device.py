#!/usr/bin/env python3
"""A check-in device for the desk, simulated: it speaks docs/device-api.md.

    device.py pair 'http://localhost:8069|club|493027718'
    device.py checkin 09121234567 2
    device.py burst 100         # invented numbers: never with a live SMS line
    device.py flush             # send what waits, with back-off

Without arguments it is a prompt that takes the same commands, and a bare phone number
as a check-in, and forwards its queue by itself.
"""

import argparse
import json
import os
import random
import shlex
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".local" / "venv"

try:
    import requests
except ImportError:  # a bare machine: `make run` brings the library
    if __name__ != "__main__" or not VENV.exists() or Path(sys.prefix) == VENV:
        raise
    os.execv(VENV / "bin" / "python", ["python", *sys.argv])

PREFIX = "/club/device/v1"
PROBLEM = "application/problem+json"
PROBLEM_TYPE = "urn:problem-type:club-device:"
DEFAULT_STATE = ROOT / ".local" / "device.json"
FIRMWARE = "sim-1.0"
TIMEOUT = (3, 10)  # seconds to connect, to answer
MAX_BACKOFF = 300  # seconds
BATCH_MAX = 50
HEARTBEAT = 300  # seconds, until the configuration says otherwise
REFUSED_KEPT = 100

MESSAGES = {  # what the display says to a refusal, 16 characters at most
    "E22": "CHECK NUMBER",
    "E23": "MOBILE ONLY",
    "E24": "FOREIGN NUMBER",
    "E25": "TAG 1-8 ONLY",
    "E27": "TOO OLD",
    "E28": "PRESS TAG 1-8",
    "E70": "WRONG CODE",
    "E71": "WAIT, THEN CODE",
}


class DeviceError(Exception):
    """Something the person at the device has to know or do."""


class Screen(NamedTuple):
    """What the two-line display shows."""

    line1: str
    line2: str = ""

    def box(self):
        """Draw the display.

        :rtype: str
        """
        edge = "+" + "-" * 18 + "+"
        return "\n".join([edge, *(f"| {line:<16.16} |" for line in self), edge])


class Answer(NamedTuple):
    """Any answer, or none, reduced to what the firmware does next."""

    verdict: str  # done, never, later or pair
    body: dict = {}
    wait: int = 0  # seconds the server asks for
    etag: str = ""
    unchanged: bool = False  # 304

    @property
    def code(self):
        """The code of a refusal, empty without one."""
        return str(self.body.get("code", "")) if self.verdict != "done" else ""


def parse_setup(setup):
    """Take a setup string apart.

    :param str setup: ``https://host|database|code``
    :return: url, database, code
    :rtype: tuple[str, str, str]
    :raise DeviceError: when it has another form
    """
    parts = [part.strip() for part in setup.split("|")]
    if len(parts) != 3 or not parts[0].startswith(("http://", "https://")):
        raise DeviceError("A setup string looks like https://host|database|code")
    return tuple(parts)


def read_answer(response):
    """Judge an answer: only our own words end a check-in.

    :param response: a requests.Response, or None when the server was not reached
    :rtype: Answer
    """
    if response is None:
        return Answer("later")
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    retry_after = response.headers.get("Retry-After", "")
    wait = int(retry_after) if retry_after.isdecimal() else 0
    etag = response.headers.get("ETag", "")
    if response.status_code == 304:
        return Answer("done", unchanged=True)
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Answer("later", wait=wait)
    if response.status_code in (200, 201) and media_type == "application/json":
        return Answer("done", body, wait, etag)
    if media_type == PROBLEM:
        return read_problem(body, wait)
    return Answer("later", wait=wait)


def read_problem(problem, wait=0):
    """Judge a problem document, a whole answer or that of one batch item.

    :rtype: Answer
    """
    if not str(problem.get("type")).startswith(PROBLEM_TYPE):
        return Answer("later", wait=wait)
    retry, asked = problem.get("retry"), problem.get("retry_after")
    wait = max(wait, asked) if isinstance(asked, int) else wait
    return Answer(retry if retry in ("never", "pair") else "later", problem, wait)


class Device:
    """One device: its state lives in a file and survives the power switch.

    :param path: the state file; it holds the token, so only its owner may read it
    :param str lang: ``fa`` or ``en``, for the display
    :param session: anything with requests' ``request()``
    :param clock: returns the Unix time
    :param sleep: waits for so many seconds
    :param jitter: returns a number in [0, 1)
    """

    def __init__(
        self,
        path=DEFAULT_STATE,
        *,
        lang="en",
        session=None,
        clock=time.time,
        sleep=time.sleep,
        jitter=random.random,
    ):
        self.path = Path(path)
        self.lang = lang
        self.session = session or requests.Session()
        self.clock = clock
        self.sleep = sleep
        self.jitter = jitter
        self.lock = threading.RLock()
        self.started = clock()
        self.judged = Counter()
        self.next_heartbeat = 0
        self.tries = 0
        self.next_try = 0  # when the queue is sent again
        self.hold_until = 0  # the server asked for silence until then
        self.state = {
            "serial": f"SIM-{uuid.uuid4().hex[:8].upper()}",
            "url": "",
            "database": "",
            "device_id": "",
            "token": "",
            "config": {},
            "etag": "",
            "queue": [],
            "refused": [],
        }
        if self.path.exists():
            self.state.update(json.loads(self.path.read_text(encoding="utf-8")))

    @property
    def queue(self):
        """The check-ins that the server has not judged yet, oldest first."""
        return self.state["queue"]

    def save(self):
        """Write the state so that a power cut leaves the old or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.state, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    # === The server === #

    def call(self, method, path, body=None, headers=None):
        """Send one request.

        :rtype: Answer
        """
        headers = {"Accept-Language": self.lang, **(headers or {})}
        if self.state["database"]:
            headers["X-Odoo-Database"] = self.state["database"]
        if self.state["token"]:
            headers["Authorization"] = f"Bearer {self.state['token']}"
        try:
            response = self.session.request(
                method,
                self.state["url"] + PREFIX + path,
                json=body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException:
            response = None
        return read_answer(response)

    def pair(self, url, database, code):
        """Exchange a pairing code for a token, then fetch the configuration.

        :raise DeviceError: when the code is refused or the server not reached
        """
        place = {"url": url.rstrip("/"), "database": database}
        if self.queue and any(self.state[key] != place[key] for key in place):
            raise DeviceError("Check-ins of another club are waiting: flush them first")
        with self.lock:
            previous = dict(self.state)
            self.state.update(place, token="")
            digits = "".join(str(int(char)) for char in code if char.isdecimal())
            body = {
                "code": digits,
                "serial": self.state["serial"],
                "model": "simulator",
                "fw": FIRMWARE,
            }
            try:
                granted = self._demand(self.call("POST", "/pair", body), "token")
            except DeviceError:
                self.state = previous
                raise
            self.state.update(
                token=granted["token"], device_id=granted.get("device_id"), etag=""
            )
            self.tries = self.next_try = self.hold_until = 0
            self.save()
        return self.config()

    def config(self):
        """Fetch the configuration if it has changed.

        :return: the configuration in force
        :rtype: dict
        """
        with self.lock:
            etag = self.state["etag"]
            headers = {"If-None-Match": etag} if etag else {}
            answer = self.call("GET", "/config", headers=headers)
            if not answer.unchanged:
                config = self._demand(answer, "rev")
                self.state.update(config=config, etag=answer.etag)
                self.save()
            return self.state["config"]

    def heartbeat(self):
        """Report the state; fetch the configuration, change the token when told so.

        :return: the server's answer
        :rtype: dict
        """
        with self.lock:
            period = self.state["config"].get("heartbeat_s", HEARTBEAT)
            self.next_heartbeat = self.clock() + period
            body = {
                "fw": FIRMWARE,
                "uptime_s": int(self.clock() - self.started),
                "queue": len(self.queue),
                "clock": int(self.clock()),
            }
            answer = self._demand(self.call("POST", "/heartbeat", body), "config_rev")
            if answer["config_rev"] != self.state["config"].get("rev"):
                self.config()
            if answer.get("token_rotate"):
                self.rotate()
            return answer

    def rotate(self):
        """Change the token; it is saved before its first use ends the old one."""
        with self.lock:
            granted = self._demand(self.call("POST", "/token/rotate", {}), "token")
            self.state["token"] = granted["token"]
            self.save()

    def _demand(self, answer, *members):
        """Return the body of a good answer, tell the person about any other."""
        if answer.verdict == "done" and all(key in answer.body for key in members):
            return answer.body
        if answer.verdict == "pair":
            self._unpair()
        if not answer.code:
            raise DeviceError("No usable answer from the server, try again later")
        wait = f", wait {answer.wait} s" if answer.wait else ""
        raise DeviceError(f"{answer.code} {answer.body.get('title', '')}{wait}")

    # === Check-ins === #

    def checkin(self, phone, digit=None):
        """A key press: saved first, then tried at once, else kept.

        :param str phone: as typed
        :param digit: 1 to 8, or None
        :rtype: Screen
        """
        config = self.state["config"]
        if digit is None and config.get("tag_required"):
            return Screen(MESSAGES["E28"], "E28")
        item = {
            "event_id": str(uuid.uuid4()),
            "phone": phone,
            "tag": digit,
            "config_rev": config.get("rev"),
            "pressed_at": self.clock(),
        }
        with self.lock:
            self.queue.append(item)
            self.save()
            if not self.state["token"] or self.clock() < self.hold_until:
                return self._screen_waiting()
            answer = self.call("POST", "/checkins", self._payload(item))
            if self._settle(item, answer):
                return self._screen(answer)
            self._postpone(answer)
            return self._screen_waiting()

    def burst(self, count):
        """So many key presses in a row, with invented numbers.

        :return: how many were accepted, refused, left waiting
        :rtype: dict
        """
        digits = [tag["digit"] for tag in self.state["config"].get("tags", ())] or [
            None
        ]
        first = random.randrange(10_000)
        before = self.judged.copy()
        for index in range(count):
            phone = f"0900000{(first + index) % 10_000:04d}"
            self.checkin(phone, digits[index % len(digits)])
        now = {key: self.judged[key] - before[key] for key in ("accepted", "refused")}
        return {**now, "waiting": len(self.queue)}

    def flush(self, wait=True):
        """Send what waits.

        :param bool wait: go on, with back-off, until nothing waits; else one batch
        :return: the number of check-ins the server has judged
        :rtype: int
        """
        done = 0
        while self.queue and self.state["token"]:
            if self.clock() >= self.hold_until:
                done += self.send_batch()
            if not wait:
                break
            self.sleep(
                max(0, self.next_try - self.clock(), self.hold_until - self.clock())
            )
        return done

    def send_batch(self):
        """Send the oldest waiting check-ins once.

        :return: how many of them the server has judged
        :rtype: int
        """
        with self.lock:
            size = min(self.state["config"].get("batch_max", BATCH_MAX), BATCH_MAX)
            items = self.queue[:size]
            before = len(self.queue)
            body = {"items": [self._payload(item) for item in items]}
            answer = self.call("POST", "/checkins/batch", body)
            if answer.verdict == "never":  # the batch is at fault, not its items
                self._send_singly(items)
            elif answer.verdict == "done":
                self._settle_batch(items, answer)
            else:
                self._postpone(answer)
            return before - len(self.queue)

    def tick(self):
        """What a running device does by itself; call it every second.

        :return: how many waiting check-ins were judged
        :rtype: int
        """
        if not self.state["token"] or self.clock() < self.hold_until:
            return 0
        if self.clock() >= self.next_heartbeat:
            self.heartbeat()
        if self.queue and self.clock() >= self.next_try:
            return self.send_batch()
        return 0

    def _payload(self, item):
        """A saved check-in as it is sent: its age grows with every try."""
        age = max(0, int(self.clock() - item["pressed_at"]))
        keys = ("event_id", "phone", "tag", "config_rev")
        members = {key: item[key] for key in keys if item[key] is not None}
        return {**members, "age_s": age}

    def _send_singly(self, items):
        for item in items:
            answer = self.call("POST", "/checkins", self._payload(item))
            if not self._settle(item, answer):
                self._postpone(answer)
                break

    def _settle_batch(self, items, answer):
        results = answer.body.get("results") or []
        kept, wait = len(items), answer.wait
        for item, result in zip(items, results, strict=False):
            problem = result.get("problem")
            judged = read_problem(problem) if problem else Answer("done", result)
            kept -= self._settle(item, judged)
            wait = max(wait, judged.wait)
        if kept:
            self._postpone(Answer("later", wait=wait))

    def _settle(self, item, answer):
        """Drop a check-in that the server has judged.

        :return: whether it has
        :rtype: bool
        """
        ours = answer.body.get("event_id") == item["event_id"]
        if answer.verdict == "never":
            refusal = {"event_id": item["event_id"], "code": answer.code}
            self.state["refused"] = [*self.state["refused"], refusal][-REFUSED_KEPT:]
            self.judged["refused"] += 1
        elif answer.verdict == "done" and ours:
            self.judged["accepted"] += 1
        else:
            return False
        self.queue.remove(item)
        self.tries = self.next_try = 0
        self.save()
        return True

    def _postpone(self, answer):
        """Back off: 1, 2, 4 … 300 s and a quarter of jitter, or what is asked for."""
        if answer.verdict == "pair":
            self._unpair()
        delay = min(MAX_BACKOFF, 2 ** min(self.tries, 9)) * (1 + self.jitter() / 4)
        self.tries += 1
        self.hold_until = self.clock() + answer.wait
        self.next_try = self.clock() + max(delay, answer.wait)

    def _unpair(self):
        """The token is no longer good: ask for a code, keep the queue."""
        self.state["token"] = ""
        self.save()

    def _screen(self, answer):
        if answer.verdict == "never":
            return Screen(MESSAGES.get(answer.code, "NOT ACCEPTED"), answer.code)
        keys = ("line1", "line2") if self.lang == "fa" else ("ascii1", "ascii2")
        return Screen(*(answer.body.get(key, "") for key in keys))

    def _screen_waiting(self):
        line1 = "SAVED" if self.state["token"] else "CONNECT DEVICE"
        return Screen(line1, f"{len(self.queue)} WAITING")


# === The command line === #


def build_parser():
    """Return the parser of the commands, for the shell and for the prompt."""
    parser = argparse.ArgumentParser(
        prog="device",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--state", default=DEFAULT_STATE, help="the device's memory")
    parser.add_argument("--lang", default="en", choices=["fa", "en"], help="display")
    commands = parser.add_subparsers(dest="command", metavar="command")
    pair = commands.add_parser("pair", help="connect with a pairing code")
    pair.add_argument("setup", nargs="?", help="https://host|database|code")
    pair.add_argument("--url")
    pair.add_argument("--db", default="")
    pair.add_argument("--code")
    checkin = commands.add_parser("checkin", help="a phone number and a key")
    checkin.add_argument("phone")
    checkin.add_argument("digit", nargs="?", type=int)
    burst = commands.add_parser("burst", help="many check-ins, invented numbers")
    burst.add_argument("count", type=int)
    flush = commands.add_parser("flush", help="send what waits")
    flush.add_argument("--once", action="store_true", help="one try, no waiting")
    for name, text in (
        ("config", "fetch the configuration"),
        ("queue", "show what waits and what was refused"),
        ("heartbeat", "report the state"),
        ("rotate", "change the token"),
    ):
        commands.add_parser(name, help=text)
    return parser


def execute(device, args):
    """Run one command.

    :return: what to print
    :rtype: str
    :raise DeviceError: with what to tell the person
    """
    return COMMANDS[args.command](device, args)


def _run_pair(device, args):
    if not args.setup and not (args.url and args.code):
        raise DeviceError("Give a setup string, or --url and --code (and --db)")
    place = parse_setup(args.setup) if args.setup else (args.url, args.db, args.code)
    config = device.pair(*place)
    return Screen("CONNECTED", f"{len(config.get('tags', ()))} TAGS").box()


def _run_queue(device, args):
    lines = [f"{len(device.queue)} waiting"]
    lines += [f"  {item['event_id']} tag {item['tag']}" for item in device.queue]
    refused = device.state["refused"]
    lines.append(f"{len(refused)} refused")
    lines += [f"  {refusal['event_id']} {refusal['code']}" for refusal in refused]
    return "\n".join(lines)


def _run_flush(device, args):
    done = device.flush(wait=not args.once)
    hint = "" if device.state["token"] else "; connect the device"
    return f"{done} sent, {len(device.queue)} waiting{hint}"


def _run_rotate(device, args):
    device.rotate()
    return Screen("TOKEN CHANGED").box()


def _json(value):
    return json.dumps(value, ensure_ascii=False, indent=1)


COMMANDS = {
    "pair": _run_pair,
    "config": lambda device, args: _json(device.config()),
    "checkin": lambda device, args: device.checkin(args.phone, args.digit).box(),
    "burst": lambda device, args: _json(device.burst(args.count)),
    "queue": _run_queue,
    "heartbeat": lambda device, args: _json(device.heartbeat()),
    "rotate": _run_rotate,
    "flush": _run_flush,
}


def run_prompt(device, parser):
    """Take commands until the end of input, forwarding in the background."""
    stopped = threading.Event()
    forwarder = threading.Thread(target=_forward, args=(device, stopped), daemon=True)
    forwarder.start()
    print("A phone number and a digit, or a command; help lists them, Ctrl-D ends.")
    while True:
        try:
            words = shlex.split(input("device> "))
        except ValueError as error:  # an open quote
            print(error)
            continue
        except (EOFError, KeyboardInterrupt):
            print()
            stopped.set()
            return
        if words:
            _run_line(device, parser, words)


def _run_line(device, parser, words):
    if words == ["help"]:
        words = ["--help"]
    elif words[0] not in COMMANDS and any(char.isdecimal() for char in words[0]):
        words = ["checkin", *words]
    try:
        args = parser.parse_args(words)
        if args.command:
            print(execute(device, args))
    except DeviceError as error:
        print(error)
    except SystemExit:  # argparse has said what is wrong
        pass


def _forward(device, stopped):
    while not stopped.wait(1):
        try:
            done = device.tick()
        except DeviceError as error:
            print(f"\n{error}")
            continue
        if done:
            print(f"\n{done} forwarded, {len(device.queue)} waiting")


def main(argv=None):
    """Run one command, or the prompt.

    :return: the exit status
    :rtype: int
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if not args.command and not sys.stdin.isatty():
        parser.print_help()
        return 0
    device = Device(args.state, lang=args.lang)
    if not args.command:
        run_prompt(device, parser)
        return 0
    try:
        print(execute(device, args))
    except DeviceError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{len(device.queue)} waiting")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
