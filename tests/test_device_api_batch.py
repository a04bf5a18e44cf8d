"""Offline uploads: one result per item, and no item in another's way."""

import logging
from unittest.mock import patch

import psycopg2.errors

from odoo.tests import tagged

from ..models.club import club_checkin_intake
from ..models.club.club_checkin_intake import ClubCheckinIntake
from .common import ClubHttpCommon

CONTROLLER = "odoo.addons.customer_segmentation.controllers.device_api"
HOUR = 3600


@tagged("post_install", "-at_install")
class TestBatch(ClubHttpCommon):
    def item(self, phone=None, **members):
        return {
            "event_id": self.event_id(),
            "phone": phone or self.phone(),
            **members,
        }

    def send(self, items):
        """Post a batch that must be taken; return its results."""
        response = self.client.batch(items)
        self.assertEqual(response.status_code, 200, response.text)
        results = response.json()["results"]
        self.assertEqual(len(results), len(items))
        return results

    def statuses(self, items):
        return [result["status"] for result in self.send(items)]

    def test_results_in_order(self):
        """Fifty items, fifty results, each with its own id."""
        items = [self.item() for _turn in range(50)]
        results = self.send(items)
        self.assertEqual(
            [result["event_id"] for result in results],
            [item["event_id"] for item in items],
        )
        self.assertEqual({result["status"] for result in results}, {201})
        self.follow_up()
        for item in items:
            self.assertEqual(len(self.checkins(item["phone"]).sms_id), 1)

    def test_size(self):
        """No item is malformed, 51 are too many, and nothing is taken."""
        before = self.env["club.checkin"].search_count([])
        self.assertProblem(self.client.batch([]), "malformed", 400)
        items = [self.item() for _turn in range(51)]
        self.assertProblem(self.client.batch(items), "too-large", 413)
        self.assertEqual(self.env["club.checkin"].search_count([]), before)

    def test_envelope(self):
        """items is a list of objects in an object."""
        for body, name in (
            ({}, "missing-field"),
            ({"items": None}, "missing-field"),
            ({"items": {}}, "wrong-type"),
            ({"items": "x"}, "wrong-type"),
            ([], "malformed"),
            ([{"event_id": "aaaaaaaa", "phone": "09121234567"}], "malformed"),
        ):
            with self.subTest(body=body):
                response = self.client.request("POST", "/checkins/batch", json=body)
                self.assertProblem(response, name, 400)

    def test_duplicates_inside(self):
        """The same item twice is one visit: the second is a replay."""
        item = self.item(tag=1)
        first, second = self.send([item, dict(item)])
        self.assertEqual((first["status"], second["status"]), (201, 200))
        self.assertEqual(
            {**first, "status": 200, "replayed": True},
            second,
        )
        self.assertEqual(self.member(item["phone"]).visit_count, 1)

    def test_same_id_for_two_numbers_inside(self):
        """One id, two numbers: the first is taken, the second refused."""
        item = self.item()
        other = {**item, "phone": self.phone()}
        self.assertEqual(self.statuses([item, other]), [201, 422])
        self.assertFalse(self.member(other["phone"]))

    def test_whole_batch_again(self):
        """An upload whose answer was lost is repeated without effect."""
        items = [self.item(age_s=HOUR) for _turn in range(5)]
        self.assertEqual(self.statuses(items), [201] * 5)
        for item in items:
            item["age_s"] += 60
        self.assertEqual(self.statuses(items), [200] * 5)
        self.assertEqual(
            [self.member(item["phone"]).visit_count for item in items], [1] * 5
        )

    def test_bad_items_do_not_block_others(self):
        """Every kind of bad item gets its own refusal between accepted ones."""
        bad = [
            (None, "malformed", None),
            ([], "malformed", None),
            ("text", "malformed", None),
            (7, "malformed", None),
            ({}, "missing-field", None),
            ({"event_id": "no-phone-1"}, "missing-field", "no-phone-1"),
            ({"event_id": "x", "phone": "09121234567"}, "wrong-type", None),
            ({"event_id": "a" * 65, "phone": "09121234567"}, "wrong-type", None),
            ({"event_id": 12345678, "phone": "09121234567"}, "wrong-type", None),
            ({"event_id": "number-01", "phone": 912}, "wrong-type", "number-01"),
            (self.item(tag="2"), "wrong-type", ...),
            (self.item(tag=9), "unknown-tag", ...),
            (self.item("02188776655"), "not-mobile", ...),
            (self.item("0912"), "invalid-phone", ...),
            (self.item("+14155552671"), "foreign-not-allowed", ...),
            (self.item(age_s=31 * 24 * HOUR), "too-old", ...),
        ]
        for item, name, event_id in bad:
            with self.subTest(name=name, item=item):
                good = [self.item(), self.item()]
                first, refused, last = self.send([good[0], item, good[1]])
                self.assertEqual((first["status"], last["status"]), (201, 201))
                self.assertTrue(refused["problem"]["type"].endswith(f":{name}"))
                self.assertEqual(refused["problem"]["status"], refused["status"])
                self.assertEqual(refused["problem"]["retry"], "never")
                expected = item["event_id"] if event_id is ... else event_id
                self.assertEqual(refused["event_id"], expected)

    def test_strict_json_rules_are_for_the_whole_body(self):
        """A NUL or a doubled key in one item spoils the JSON, not the item."""
        for raw in (
            b'{"items":[{"event_id":"nul-00001","phone":"0912\\u0000"}]}',
            b'{"items":[{"phone":"09121234567","phone":"09121234568"}]}',
            b'{"items":[{"event_id":"nan-00001","phone":"09121234567","age_s":NaN}]}',
        ):
            response = self.client.raw("/checkins/batch", raw)
            self.assertProblem(response, "malformed", 400)

    def test_poison_item_is_busy_and_the_others_are_taken(self):
        """A number that breaks a customisation holds up nobody else's check-in."""
        poison, receive = self.phone(), ClubCheckinIntake._receive

        def explode(self, device, item, joined_by="device"):
            if item["phone"] == poison:
                raise ValueError(poison)
            return receive(self, device, item, joined_by)

        items = [self.item(), self.item(poison), self.item()]
        with (
            patch.object(ClubCheckinIntake, "_receive", explode),
            self.assertLogs(CONTROLLER, logging.ERROR) as log,
        ):
            results = self.send(items)
        self.assertEqual([result["status"] for result in results], [201, 503, 201])
        self.assertEqual(results[1]["problem"]["retry"], "later")
        self.assertNotIn(poison[1:], "".join(log.output))
        self.assertFalse(self.member(poison))

    def test_clash_of_one_item_is_retried_alone(self):
        """A serialization failure repeats its item, not those before it."""
        receive, clashes = ClubCheckinIntake._receive, iter([0, 1, 0])
        seen = []

        def clash(self, device, item, joined_by="device"):
            seen.append(item["event_id"])
            if next(clashes, 0):
                raise psycopg2.errors.SerializationFailure
            return receive(self, device, item, joined_by)

        items = [self.item(), self.item(), self.item()]
        with patch.object(ClubCheckinIntake, "_receive", clash):
            self.assertEqual(self.statuses(items), [201] * 3)
        ids = [item["event_id"] for item in items]
        self.assertEqual(seen, [ids[0], ids[1], ids[1], ids[2]])

    def test_locked_item_comes_later(self):
        """A row somebody holds for too long: 409 with «later» for that item only."""
        receive = ClubCheckinIntake._receive
        held = self.phone()

        def wait(self, device, item, joined_by="device"):
            if item["phone"] == held:
                raise psycopg2.errors.LockNotAvailable
            return receive(self, device, item, joined_by)

        with patch.object(ClubCheckinIntake, "_receive", wait):
            results = self.send([self.item(held), self.item()])
        self.assertEqual([result["status"] for result in results], [409, 201])
        self.assertEqual(results[0]["problem"]["retry"], "later")

    def test_visit_numbers_follow_arrival(self):
        """Uploaded newest first: numbers as they came, the gap by the key press."""
        phone = self.phone()
        results = self.send(
            [
                self.item(phone, age_s=0),
                self.item(phone, age_s=2 * HOUR),
                self.item(phone, age_s=2 * HOUR + 60),
                self.item(phone, age_s=HOUR),
            ]
        )
        self.assertEqual(
            [(result["result"], result["visit_no"]) for result in results],
            [("new", 1), ("repeat", 2), ("too_soon", 2), ("repeat", 3)],
        )
        member = self.member(phone)
        self.assertEqual(member.visit_count, 3)
        span = (member.last_visit - member.first_visit).total_seconds()
        self.assertAlmostEqual(span, 2 * HOUR, delta=5)

    def test_late_items_count_and_send_nothing(self):
        """An upload of last night brings the count, no night-time texts."""
        items = [self.item(age_s=8 * HOUR) for _turn in range(3)]
        self.assertEqual({result["sms"] for result in self.send(items)}, {"none"})
        self.follow_up()
        for item in items:
            self.assertFalse(self.checkins(item["phone"]).sms_id)
            self.assertEqual(self.member(item["phone"]).visit_count, 1)

    def test_public_privacy(self):
        """On a customer's screen the results of a batch tell nothing either."""
        self.device.privacy = "public"
        phone = self.phone()
        results = self.send([self.item(phone), self.item(phone)])
        for result in results:
            self.assertFalse({"result", "visit_no", "sms"} & set(result))

    def test_items_over_the_limit_come_later(self):
        """An item counts as one request: 20 at once, the rest «later», none lost."""
        self.patch(club_checkin_intake, "RATE_BURST", 20)
        self.device.rate_limit_per_minute = 60
        items = [self.item() for _turn in range(30)]
        results = self.send(items)
        statuses = [result["status"] for result in results]
        taken = statuses.count(201)
        self.assertEqual(statuses, [201] * taken + [429] * (30 - taken))
        self.assertTrue(20 <= taken <= 24, taken)
        for result in results[taken:]:
            self.assertEqual(result["problem"]["retry"], "later")
            self.assertGreaterEqual(result["problem"]["retry_after"], 1)
        self.device.activity_row_ids.rate_tat = 0
        again = self.statuses(items[taken:])
        self.assertEqual(again, [201] * (30 - taken))
        self.assertEqual(
            sum(self.member(item["phone"]).visit_count for item in items), 30
        )
