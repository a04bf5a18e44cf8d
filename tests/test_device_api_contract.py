"""docs/openapi.yaml, docs/device-api.md and the real answers say the same."""

import copy
import json
import re
from pathlib import Path
from unittest.mock import patch

import psycopg2.errors
import requests

from odoo.tests import BaseCase, tagged

from ..controllers.device_api import PREFIX, ClubDeviceApi
from ..models.club.club_checkin_intake import ClubCheckinIntake
from ..tools.problem import PROBLEM_TYPES, URN
from .common import ClubHttpCommon
from .device_client import openapi, validate

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "device-api.md"
ROW = re.compile(
    r"^\| (?P<code>E\d\d) \| `(?P<name>[a-z-]+)` \| (?P<status>\d+)"
    r" \| (?P<retry>\w+) \|",
    re.MULTILINE,
)


def answer(body, status=201, content_type="application/json", **headers):
    """An answer made up, to prove that the validator refuses it."""
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body).encode()
    response.headers.update({"Content-Type": content_type, **headers})
    return response


@tagged("post_install", "-at_install")
class TestDocuments(BaseCase):
    """The three places that name the refusals and the routes."""

    def types(self):
        return {
            (name, problem.status, problem.code, problem.retry)
            for name, problem in PROBLEM_TYPES.items()
        }

    def test_openapi_lists_every_problem(self):
        """Type, status, code and retry of each refusal, no more and no less."""
        listed = set()
        for row in openapi()["components"]["schemas"]["Problem"]["oneOf"]:
            values = {key: value["const"] for key, value in row["properties"].items()}
            name = values["type"].removeprefix(URN)
            listed.add((name, values["status"], values["code"], values["retry"]))
        self.assertEqual(listed, self.types())

    def test_device_document_lists_every_problem(self):
        """The table of refusals is the code's."""
        listed = {
            (row["name"], int(row["status"]), row["code"], row["retry"])
            for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
        }
        self.assertEqual(listed, self.types())

    def test_openapi_lists_every_route(self):
        """The paths of the contract are the controller's."""
        routes = {
            path.removeprefix(PREFIX)
            for name in dir(ClubDeviceApi)
            for path in getattr(
                getattr(ClubDeviceApi, name), "original_routing", {}
            ).get("routes", ())
        }
        self.assertEqual(routes, set(openapi()["paths"]))

    def test_codes_are_unique(self):
        """A code on a display names one refusal."""
        codes = [problem.code for problem in PROBLEM_TYPES.values()]
        self.assertEqual(len(set(codes)), len(codes))


@tagged("post_install", "-at_install")
class TestValidator(BaseCase):
    """The validator that all other tests lean on can say no."""

    GOOD = {
        "event_id": "event-0001",
        "tag": 1,
        "line1": "Welcome",
        "line2": "First visit",
        "ascii1": "Welcome",
        "ascii2": "First visit",
        "replayed": False,
        "result": "new",
        "visit_no": 1,
        "sms": "queued",
    }
    PROBLEM = {
        "type": f"{URN}not-mobile",
        "title": "x",
        "status": 422,
        "code": "E23",
        "retry": "never",
    }

    def test_good_answers_pass(self):
        """An answer as the contract shows it."""
        validate(answer(self.GOOD), "/checkins")
        public = {
            key: value
            for key, value in self.GOOD.items()
            if key not in ("result", "visit_no", "sms")
        }
        validate(answer(public), "/checkins")
        problem = answer(self.PROBLEM, 422, "application/problem+json")
        validate(problem, "/checkins")

    def test_bad_answers_fail(self):
        """Members too many, too few, too long; wrong status, type and header."""
        bad = {
            "extra": answer({**self.GOOD, "name": "Sara"}),
            "half public": answer(
                {key: self.GOOD[key] for key in self.GOOD if key != "sms"}
            ),
            "long line": answer({**self.GOOD, "line1": "x" * 17}),
            "ASCII": answer({**self.GOOD, "ascii1": "خوش"}),
            "result": answer({**self.GOOD, "result": "old"}),
            "replayed": answer({**self.GOOD, "replayed": True}),
            "status": answer(self.GOOD, 202),
            "media type": answer(self.GOOD, 201, "text/html"),
            "not JSON": answer(float("nan")),
            "problem of another status": answer(
                {**self.PROBLEM, "status": 400}, 422, "application/problem+json"
            ),
            "problem with a trace": answer(
                {**self.PROBLEM, "debug": "Traceback"}, 422, "application/problem+json"
            ),
            "no Retry-After": answer(
                {
                    **self.PROBLEM,
                    "type": f"{URN}busy",
                    "status": 503,
                    "code": "E61",
                    "retry": "later",
                },
                503,
                "application/problem+json",
            ),
        }
        for name, response in bad.items():
            with self.subTest(name), self.assertRaises(AssertionError):
                validate(response, "/checkins")


@tagged("post_install", "-at_install")
class TestContract(ClubHttpCommon):
    """Every kind of answer, made by the real server and judged by the contract."""

    limited = True

    def test_every_good_answer(self):
        """Each route and each way it may succeed."""
        client = self.client_of(None)
        paired = client.pair(self.build_device(self.company).generate_pairing_code())
        config = self.client.config()
        unchanged = self.client.config(etag=config.headers["ETag"])
        phone, event_id = self.phone(), self.event_id()
        new = self.client.checkin(event_id, phone, 1)
        replay = self.client.checkin(event_id, phone, 1)
        item = {"event_id": self.event_id(), "phone": phone}
        batch = self.client.batch([item, item, {"event_id": "x"}, None])
        heartbeat = self.client.heartbeat()
        self.device.privacy = "public"
        public = self.client.checkin(self.event_id(), phone)
        public_batch = self.client.batch([{**item, "event_id": self.event_id()}])
        rotated = self.client.rotate()
        statuses = [
            (paired, "/pair", "post", 201),
            (config, "/config", "get", 200),
            (unchanged, "/config", "get", 304),
            (new, "/checkins", "post", 201),
            (replay, "/checkins", "post", 200),
            (batch, "/checkins/batch", "post", 200),
            (heartbeat, "/heartbeat", "post", 200),
            (public, "/checkins", "post", 201),
            (public_batch, "/checkins/batch", "post", 200),
            (rotated, "/token/rotate", "post", 200),
        ]
        reached = set()
        for response, path, method, status in statuses:
            with self.subTest(path=path, status=status):
                self.assertEqual(response.status_code, status)
                validate(response, path, method)
                reached.add((path, method, str(status)))
        declared = {
            (path, method, status)
            for path, item in openapi()["paths"].items()
            for method in {"get", "post"} & set(item)
            for status in item[method]["responses"]
            if status < "400"
        }
        self.assertEqual(reached, declared)

    def test_every_problem(self):
        """Each refusal of the table is met for real, and is as the table says."""
        met = {}
        for name, act in self.refusals().items():
            with self.subTest(name):
                response = act()
                problem = PROBLEM_TYPES[name]
                self.assertProblem(response, name, problem.status)
                body = response.json()
                self.assertEqual(
                    (body["code"], body["retry"]), (problem.code, problem.retry)
                )
                if problem.status in (409, 429, 503):
                    self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
                met[name] = response
        self.assertEqual(set(met), set(PROBLEM_TYPES))

    def refusals(self):
        """For every problem type a request that meets it, harmless ones first."""

        def check_in(phone=None, tag=None, event_id=None, **members):
            return self.client.checkin(
                event_id or self.event_id(), phone or self.phone(), tag, **members
            )

        def with_device(values, act):
            before = {name: self.device[name] for name in values}
            self.device.write(values)
            response = act()
            self.device.write(before)
            return response

        def reuse():
            event_id = self.event_id()
            check_in(event_id=event_id)
            return check_in(event_id=event_id)

        def closed():
            self.company.club_open = False
            response = check_in()
            self.company.club_open = True
            return response

        def failing(error):
            def act():
                def receive(*_args, **_kwargs):
                    raise error

                with patch.object(ClubCheckinIntake, "_receive", receive):
                    return check_in()

            return act

        def wrong_code(times):
            stranger = self.client_of(None)
            return [stranger.pair("000000000") for _turn in range(times)][-1]

        def too_fast():
            return [check_in() for _turn in range(22)][-1]

        return {
            "malformed": lambda: self.client.raw("/checkins", b"{"),
            "wrong-type": lambda: check_in(tag="2"),
            "missing-field": lambda: (
                check_in(phone=None, event_id=None)
                and self.client.request("POST", "/checkins", json={})
            ),
            "no-token": lambda: self.client_of(None).config(),
            "bad-token": lambda: self.client_of("cd1_a_b").config(),
            "invalid-phone": lambda: check_in("1"),
            "not-mobile": lambda: check_in("02188776655"),
            "foreign-not-allowed": lambda: check_in("+14155552671"),
            "unknown-tag": lambda: check_in(tag=9),
            "event-id-reused": reuse,
            "too-old": lambda: check_in(age_s=86400 * 31),
            "tag-required": lambda: with_device({"tag_required": True}, check_in),
            "device-inactive": lambda: with_device({"state": "suspended"}, check_in),
            "club-closed": closed,
            "method-not-allowed": lambda: self.client.request("GET", "/checkins"),
            "length-required": lambda: self.client.raw("/checkins", iter([b"{}"])),
            "too-large": lambda: self.client.raw("/checkins", b"x" * 2049),
            "unsupported-media-type": lambda: self.client.raw(
                "/checkins", b"x", "text/plain"
            ),
            "in-progress": failing(psycopg2.errors.LockNotAvailable()),
            "busy": failing(psycopg2.errors.SerializationFailure()),
            "quota-exceeded": lambda: with_device(
                {"rate_limit_per_minute": 1}, too_fast
            ),
            "bad-code": lambda: wrong_code(1),
            "pairing-locked": lambda: wrong_code(5),
        }

    def test_examples_are_accepted(self):
        """The requests that openapi.yaml shows work as they stand."""
        paths = openapi()["paths"]
        checkin = copy.deepcopy(
            paths["/checkins"]["post"]["requestBody"]["content"]["application/json"]
        )["example"]
        response = self.client.request("POST", "/checkins", json=checkin)
        self.assertEqual(response.status_code, 201)
        heartbeat = paths["/heartbeat"]["post"]["requestBody"]["content"]
        response = self.client.request(
            "POST", "/heartbeat", json=heartbeat["application/json"]["example"]
        )
        self.assertEqual(response.status_code, 200)
