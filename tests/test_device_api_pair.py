"""Pairing codes and tokens over HTTP: who gets one, keeps one, loses one."""

import hmac
import logging
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..models.club import club_device_pairing
from ..models.club.club_pairing_failure import MAX_FAILURES_PER_MINUTE
from ..tools.problem import Problem
from .common import ClubHttpCommon

PAIRING = "odoo.addons.customer_segmentation.models.club.club_device_pairing"
OWN_ADDRESS = "127.0.0.1"


class PairCase(ClubHttpCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.door = cls.build_device(cls.company, name="Door")

    def setUp(self):
        super().setUp()
        self.stranger = self.client_of(None)

    def wrong_code(self):
        """A code that is nobody's, whatever the real ones are."""
        taken = self.env["club.device"].sudo().search([]).mapped("pairing_hash")
        return next(
            code
            for code in map("{:09d}".format, range(50))
            if self.door._hash_code(code) not in taken
        )

    def failures(self, address=OWN_ADDRESS):
        return self.env["club.pairing.failure"].search([("address", "=", address)])


@tagged("post_install", "-at_install")
class TestPairing(PairCase):
    def test_code_becomes_a_token(self):
        """A manager's code, once: the device is connected and its token works."""
        manager = self.build_user("club_manager")
        code = self.door.with_user(manager).generate_pairing_code()
        self.assertRegex(code, r"^[0-9]{9}$")
        response = self.stranger.pair(code, "DESK-0001", model="T2", fw="1.4.0")
        self.assertEqual(response.status_code, 201)
        self.assertRegex(response.json()["token"], r"^cd1_[0-9a-f]{16}_[\w-]{43}$")
        self.assertEqual(response.json()["config_rev"], self.door.config_rev)
        self.assertEqual(self.stranger.config().status_code, 200)
        self.assertEqual(self.door.state, "active")
        self.assertEqual(
            (self.door.serial, self.door.hardware_model, self.door.firmware),
            ("DESK-0001", "T2", "1.4.0"),
        )

    def test_token_and_code_are_stored_hashed(self):
        """Neither the token nor the code stands in the database."""
        code = self.door.generate_pairing_code()
        self.env.flush_all()
        stored = self.door.sudo().read()[0]
        self.assertNotIn(code, str(stored))
        self.stranger.pair(code)
        self.env.invalidate_all()
        self.assertNotIn(self.stranger.token[-20:], str(self.door.sudo().read()[0]))

    def test_code_is_good_once(self):
        """The second device with the same code is refused."""
        code = self.door.generate_pairing_code()
        self.assertEqual(self.stranger.pair(code).status_code, 201)
        token = self.stranger.token
        self.assertProblem(self.stranger.pair(code), "bad-code", 422)
        self.assertEqual(self.client_of(token).config().status_code, 200)

    def test_code_is_good_for_ten_minutes(self):
        """A code of 9:50 works, one of 10:10 does not."""
        for seconds, status in ((590, 201), (610, 422)):
            with self.subTest(seconds=seconds):
                code = self.door.generate_pairing_code()
                later = fields.Datetime.now() + timedelta(seconds=seconds)
                with freeze_time(later, tick=True):
                    self.assertEqual(self.stranger.pair(code).status_code, status)

    def test_new_code_ends_the_earlier_one(self):
        """Only the last code shown is good."""
        first = self.door.generate_pairing_code()
        second = self.door.generate_pairing_code()
        self.assertProblem(self.stranger.pair(first), "bad-code", 422)
        self.assertEqual(self.stranger.pair(second).status_code, 201)

    def test_code_in_persian_digits(self):
        """A Persian keypad types the same code."""
        code = self.door.generate_pairing_code()
        persian = code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        self.assertEqual(self.stranger.pair(persian).status_code, 201)

    def test_refused_bodies(self):
        """Fields are judged before the code: no try is counted."""
        code = self.door.generate_pairing_code()
        good = {"code": code, "serial": "S"}
        for body, name in (
            ({}, "missing-field"),
            ({"code": code}, "missing-field"),
            ({"serial": "S"}, "missing-field"),
            ({**good, "code": None}, "missing-field"),
            ({**good, "code": int(code)}, "wrong-type"),
            ({**good, "code": code + "0"}, "wrong-type"),
            ({**good, "serial": 7}, "wrong-type"),
            ({**good, "serial": "S" * 65}, "wrong-type"),
            ({**good, "model": "M" * 65}, "wrong-type"),
            ({**good, "fw": "1" * 33}, "wrong-type"),
            ({**good, "model": ["M"]}, "wrong-type"),
            ([], "malformed"),
            ({**good, "model": "\0"}, "malformed"),
        ):
            with self.subTest(body=body):
                response = self.stranger.request("POST", "/pair", json=body)
                self.assertProblem(response, name, 400)
        self.assertFalse(self.failures())
        self.assertEqual(self.stranger.pair(code).status_code, 201)

    def test_wrong_expired_and_used_codes_get_one_answer(self):
        """Nobody can tell a code that never was from one that is over."""
        used = self.door.generate_pairing_code()
        self.stranger.pair(used)
        expired = self.door.generate_pairing_code()
        self.door.sudo().pairing_expires = fields.Datetime.now() - timedelta(hours=1)
        answers = set()
        for code in (used, expired, self.wrong_code(), "12345678", "x' OR 1=1"):
            response = self.stranger.pair(code)
            self.assertProblem(response, "bad-code", 422)
            answers.add(response.text)
            self.failures().unlink()
        self.assertEqual(len(answers), 1, answers)

    def test_suspended_device_is_not_connected(self):
        """A code from before the suspension does not lift it."""
        device = self.device
        code = device.generate_pairing_code()
        device.action_suspend()
        self.assertProblem(self.stranger.pair(code), "device-inactive", 403)
        self.assertEqual(device.state, "suspended")
        device.action_activate()
        self.assertEqual(self.stranger.pair(code).status_code, 201)

    def test_archived_device_is_not_connected(self):
        """The code of an archived device is nobody's."""
        code = self.door.generate_pairing_code()
        self.door.active = False
        self.assertProblem(self.stranger.pair(code), "bad-code", 422)

    def test_pairing_again_ends_the_old_token(self):
        """One device record has one token."""
        code = self.device.generate_pairing_code()
        self.assertEqual(self.client.config().status_code, 200)
        self.assertEqual(self.stranger.pair(code).status_code, 201)
        self.assertProblem(self.client.config(), "bad-token", 401)
        self.assertEqual(self.stranger.config().status_code, 200)

    def test_who_may_make_a_code(self):
        """Club managers of the device's company, nobody else."""
        other = self.build_company("Other club")
        for user in (
            self.build_user("cashier"),
            self.build_user("club_user"),
            self.build_user("club_manager", other),
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.door.with_user(user).generate_pairing_code()

    def test_setup_string(self):
        """Connect shows the code and ``https://host|database|code``."""
        action = self.door.with_user(self.build_user("club_manager")).action_connect()
        url, database, code = action["params"]["setup"].split("|")
        self.assertEqual(url, self.base_url())
        self.assertEqual(database, self.env.cr.dbname)
        self.assertEqual(code, action["params"]["code"])
        self.assertTrue(action["params"]["qr"].startswith("data:image/svg+xml"))
        self.assertEqual(self.stranger.pair(code).status_code, 201)


@tagged("post_install", "-at_install")
class TestGuessing(PairCase):
    def guess(self, times, headers=None):
        body = {"code": self.wrong_code(), "serial": "S"}
        return [
            self.stranger.request("POST", "/pair", headers, json=body)
            for _turn in range(times)
        ]

    def test_five_wrong_codes_lock_the_address(self):
        """Five tries, then 15 minutes of silence, also for the right code."""
        code = self.door.generate_pairing_code()
        for response in self.guess(MAX_FAILURES_PER_MINUTE):
            self.assertProblem(response, "bad-code", 422)
        response = self.stranger.pair(code)
        self.assertProblem(response, "pairing-locked", 429)
        self.assertAlmostEqual(int(response.headers["Retry-After"]), 900, delta=30)
        self.assertEqual(response.json()["retry"], "later")
        self.assertEqual(self.door.state, "new")

    def test_lock_ends_after_fifteen_minutes(self):
        """Then the right code works, and the count begins anew."""
        code = self.door.generate_pairing_code()
        self.guess(MAX_FAILURES_PER_MINUTE)
        row = self.failures()
        past = timedelta(minutes=15, seconds=5)
        row.window_start -= past
        row.locked_until -= past
        self.assertProblem(self.guess(1)[0], "bad-code", 422)
        self.assertEqual(self.stranger.pair(code).status_code, 201)

    def test_slow_tries_do_not_lock(self):
        """Four wrong codes a minute, every minute, lock nobody."""
        for _minute in range(3):
            for response in self.guess(MAX_FAILURES_PER_MINUTE - 1):
                self.assertProblem(response, "bad-code", 422)
            self.failures().window_start -= timedelta(seconds=61)

    def test_forwarded_address_does_not_dodge_the_lock(self):
        """Without a trusted proxy X-Forwarded-For is only text."""
        answers = [
            self.guess(
                1,
                {
                    "X-Forwarded-For": f"203.0.113.{turn}",
                    "X-Forwarded-Host": "example.com",
                    "X-Real-IP": f"203.0.113.{turn}",
                    "Forwarded": f"for=203.0.113.{turn}",
                },
            )[0].status_code
            for turn in range(MAX_FAILURES_PER_MINUTE + 1)
        ]
        self.assertEqual(answers, [422] * MAX_FAILURES_PER_MINUTE + [429])

    def test_lock_is_for_one_address(self):
        """Somebody else's wrong codes lock out nobody else."""
        code = self.door.generate_pairing_code()
        self.guess(MAX_FAILURES_PER_MINUTE + 1)
        answer = self.env["club.device"]._pair(code, "S", "", "", "203.0.113.9")
        self.assertTrue(answer["token"])

    def test_many_wrong_codes_slow_down_and_alert_but_refuse_nobody(self):
        """Fifty from all over the world: managers are told once, the code works."""
        manager = self.build_user("club_manager")
        code = self.door.with_user(manager).generate_pairing_code()
        wrong = self.wrong_code()
        with (
            patch.object(club_device_pairing.time, "sleep") as sleep,
            self.assertLogs(PAIRING, logging.WARNING) as log,
        ):
            for turn in range(55):
                # Not assertRaises: Odoo's rolls back what the refusal has counted.
                try:
                    self.env["club.device"]._pair(
                        wrong, "S", "", "", f"198.51.100.{turn}"
                    )
                    self.fail("a wrong code was taken")
                except Problem as refused:
                    self.assertEqual(refused.name, "bad-code")
        self.assertEqual(len(log.output), 1)
        self.assertEqual(sleep.call_count, 6)
        self.assertEqual(self.door.activity_ids.user_id, manager)
        self.assertEqual(self.stranger.pair(code).status_code, 201)

    def test_old_failures_are_cleaned_up(self):
        """Addresses are not kept for longer than a day."""
        self.guess(1)
        row = self.failures()
        row.window_start -= timedelta(hours=25)
        self.env.flush_all()
        self.env["club.pairing.failure"]._gc_failures()
        self.assertFalse(row.exists())


@tagged("post_install", "-at_install")
class TestTokens(PairCase):
    def bad_tokens(self):
        """Tokens that must not work, by what is wrong with them."""
        public_id = self.device.sudo().public_id
        secret = self.token.rpartition("_")[2]
        revoked = self.connect(self.door)
        self.door.action_revoke()
        return {
            "unknown device": f"cd1_0123456789abcdef_{'A' * 43}",
            "wrong secret": f"cd1_{public_id}_{'A' * 43}",
            "last letter": self.token[:-1] + ("A" if self.token[-1] != "A" else "B"),
            "cut": self.token[:-1],
            "longer": self.token + "A",
            "other prefix": self.token.replace("cd1_", "cd2_"),
            "another's secret": f"cd1_0123456789abcdef_{secret}",
            "revoked": revoked,
            "no form": "password",
            "no secret": f"cd1_{public_id}_",
            "only underscores": "___",
            "very long": "cd1_" + "a" * 4000,
            "quotes": "cd1_' OR '1'='1_x",
            "not ASCII": "cd1_é_ü",
        }

    def test_bad_tokens_get_one_answer(self):
        """Unknown, malformed, revoked: the same body, the same headers."""
        seen = set()
        for name, token in self.bad_tokens().items():
            with self.subTest(name):
                response = self.client.request(
                    "GET",
                    "/config",
                    {"Authorization": f"Bearer {token}".encode("latin-1")},
                )
                self.assertProblem(response, "bad-token", 401)
                self.assertEqual(response.json()["retry"], "pair")
                self.assertEqual(response.headers["WWW-Authenticate"], "Bearer")
                names = frozenset(response.headers)
                seen.add((response.text, names))
        self.assertEqual(len(seen), 1)

    def test_bad_tokens_take_one_path(self):
        """Always one look-up and two comparisons of digests, whatever is wrong."""
        costs = {}
        self.client.config()  # fills the caches
        for name, token in self.bad_tokens().items():
            compare = hmac.compare_digest
            with patch.object(
                club_device_pairing.hmac, "compare_digest", side_effect=compare
            ) as compared:
                before = self.env.cr.sql_log_count
                self.client.request(
                    "GET",
                    "/config",
                    {"Authorization": f"Bearer {token}".encode("latin-1")},
                )
                statements = self.env.cr.sql_log_count - before
            lengths = {tuple(map(len, call.args)) for call in compared.call_args_list}
            costs[name] = (statements, compared.call_count, frozenset(lengths))
        self.assertEqual(len(set(costs.values())), 1, costs)
        self.assertEqual(costs["revoked"][1:], (2, frozenset({(64, 64)})))

    def test_no_token(self):
        """Nothing, another scheme or an empty token: connect first."""
        for value in (None, "", "Bearer", "Bearer ", f"Basic {self.token}", self.token):
            with self.subTest(value=value):
                response = self.client.request(
                    "GET", "/config", {"Authorization": value}
                )
                self.assertProblem(response, "no-token", 401)
                self.assertEqual(response.json()["retry"], "pair")

    def test_scheme_in_any_case(self):
        """The scheme is compared as HTTP says, the token is not."""
        for value, status in (
            (f"bearer {self.token}", 200),
            (f"BEARER  {self.token}", 200),
            (f"Bearer {self.token.upper()}", 401),
        ):
            with self.subTest(value=value[:8]):
                response = self.client.request(
                    "GET", "/config", {"Authorization": value}
                )
                self.assertEqual(response.status_code, status)

    def test_token_in_the_address_is_nothing(self):
        """A token in the URL opens nothing."""
        self.client.token = None
        response = self.client.request("GET", f"/config?token={self.token}")
        self.assertEqual(response.status_code, 401)

    def test_login_of_a_person_is_no_token(self):
        """A web client's session opens no device route."""
        self.authenticate("admin", "admin")
        client = self.client_of(None)
        self.assertTrue(client.session.cookies.get("session_id"))
        self.assertProblem(client.config(), "no-token", 401)

    def test_revoke_keeps_the_journal(self):
        """A revoked device is out at once; what it sent stays."""
        phone = self.phone()
        self.check_in(phone)
        self.device.with_user(self.build_user("club_manager")).action_revoke()
        response = self.client.checkin(self.event_id(), phone)
        self.assertProblem(response, "bad-token", 401)
        self.assertEqual(self.member(phone).visit_count, 1)
        self.assertEqual(self.device.state, "new")

    def test_rotation_ends_the_old_token_at_first_use_of_the_new(self):
        """Old and new overlap until the device shows that it has the new one."""
        old = self.client.token
        new = self.client.rotate().json()["token"]
        self.assertNotEqual(old, new)
        self.assertEqual(self.client_of(old).config().status_code, 200)
        self.assertEqual(self.client_of(new).config().status_code, 200)
        self.assertProblem(self.client_of(old).config(), "bad-token", 401)
        self.assertEqual(self.client_of(new).config().status_code, 200)

    def test_rotation_gives_the_old_token_a_day(self):
        """After 24 hours the old token is over, the new one still waits."""
        new = self.client.rotate().json()["token"]
        for hours, status in ((23, 200), (25, 401)):
            with freeze_time(fields.Datetime.now() + timedelta(hours=hours), tick=True):
                self.assertEqual(self.client.config().status_code, status)
        with freeze_time(fields.Datetime.now() + timedelta(hours=26), tick=True):
            self.assertEqual(self.client_of(new).config().status_code, 200)

    def test_rotation_whose_answer_was_lost(self):
        """Asked again with the old token, the last answer counts."""
        lost = self.client.rotate().json()["token"]
        new = self.client.rotate().json()["token"]
        self.assertProblem(self.client_of(lost).config(), "bad-token", 401)
        self.assertEqual(self.client_of(new).config().status_code, 200)

    def test_rotation_takes_an_empty_body(self):
        """Content-Length 0 will do."""
        response = self.client.request(
            "POST", "/token/rotate", {"Content-Length": "0"}, data=b""
        )
        self.assertEqual(response.status_code, 200)
        self.assertEqual(set(response.json()), {"token"})

    def test_events_survive_rotation(self):
        """A new token replays the old token's events."""
        phone, event_id = self.phone(), self.event_id()
        self.check_in(phone, event_id=event_id)
        self.client.rotate(adopt=True)
        self.assertTrue(self.check_in(phone, event_id=event_id)["replayed"])
