"""Check-ins that meet: two servers, many devices, one truth."""

import random
import threading
import time
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from bootstrap import database

from .device_client import DeviceClient
from .served import ServedCase

THREADS = 16
CHECKINS = 300
PHONES = 40
DAILY_CAP = 3


def numbers(first, count):
    """Mobile numbers from a block of a test's own."""
    return [f"0912{first + turn:07d}" for turn in range(count)]


def in_parallel(function, arguments, threads=THREADS):
    """Call a function for each argument, all threads starting at once.

    :rtype: list
    """
    barrier = threading.Barrier(threads)

    def run(chunk):
        barrier.wait(30)
        return [function(argument) for argument in chunk]

    chunks = [arguments[start::threads] for start in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        return [result for part in pool.map(run, chunks) for result in part]


class TestClubConcurrency(ServedCase):
    servers_wanted = 2

    def devices(self, gap, count=4):
        """Devices with one gap, spread over the servers."""
        return [
            self.connect(
                self.build_device(f"Desk {uuid.uuid4()}", gap_minutes=gap),
                self.servers[turn % len(self.servers)].url,
            )
            for turn in range(count)
        ]

    def send(self, plan):
        """Send one planned check-in as firmware does: «later» means again.

        :return: the plan, the final status and body
        """
        client, event_id, phone = plan
        # A session is no thing to share between threads.
        own = DeviceClient(client.base_url.removesuffix("/club/device/v1"))
        own.token, own.db = client.token, client.db
        for _turn in range(20):
            try:
                response = own.checkin(event_id, phone, 1)
            except requests.RequestException:
                return plan, None, {}
            body = response.json()
            if body.get("retry") != "later":
                return plan, response.status_code, body
        raise AssertionError(f"never taken: {body}")

    def plan(self, clients, phones, count):
        """Check-ins of few phones, one in four of them sent twice."""
        rng = random.Random(7)
        plans = [
            (rng.choice(clients), str(uuid.uuid4()), rng.choice(phones))
            for _turn in range(count * 4 // 5)
        ]
        plans += rng.sample(plans, count - len(plans))
        rng.shuffle(plans)
        return plans

    def assertExact(self, plans, gap):
        """The database holds what was sent: no more, no less, and nothing twice."""
        self.wait_for_followup()
        events = defaultdict(set)
        for client, event_id, phone in plans:
            events[f"+98{phone[1:]}"].add((client.token, event_id))
        rows = self.rows(
            """
            SELECT m.phone_e164, count(DISTINCT m.id), max(m.visit_count),
                   count(c.id), count(*) FILTER (WHERE c.counted),
                   array_agg(c.visit_no ORDER BY c.visit_no) FILTER (WHERE c.counted),
                   count(*) FILTER (WHERE c.message_kind = 'welcome'),
                   count(c.message_kind), count(t.id)
              FROM club_member m
              JOIN club_checkin c ON c.member_id = m.id
         LEFT JOIN sms_tracker t ON t.checkin_id = c.id
             WHERE m.phone_e164 = ANY(%s)
             GROUP BY m.phone_e164
            """,
            list(events),
        )
        self.assertEqual({row[0] for row in rows}, set(events))
        for phone, members, visits, journal, counted, visit_nos, *messages in rows:
            sent = len(events[phone])
            expected = sent if gap == 0 else 1
            self.assertEqual(members, 1)
            self.assertEqual(journal, sent)
            self.assertEqual((visits, counted), (expected, expected))
            self.assertEqual(visit_nos, list(range(1, expected + 1)))
            texts = min(expected, DAILY_CAP)
            self.assertEqual(messages, [1, texts, texts], "welcome, decided, queued")
        contacts = self.rows(
            "SELECT phone_sanitized, count(*) FROM res_partner "
            "WHERE phone_sanitized = ANY(%s) GROUP BY 1",
            list(events),
        )
        self.assertEqual({row[1] for row in contacts}, {1})
        self.assertEqual(len(contacts), len(events))

    def burst(self, gap, first, count=CHECKINS, phones=PHONES):
        clients = self.devices(gap)
        plans = self.plan(clients, numbers(first, phones), count)
        results = in_parallel(self.send, plans)
        by_event = defaultdict(Counter)
        for (client, event_id, _phone), status, _body in results:
            by_event[client.token, event_id][status] += 1
        for statuses in by_event.values():
            self.assertEqual(statuses[201], 1, statuses)
            self.assertLessEqual(set(statuses), {200, 201})
        self.assertExact(plans, gap)

    def test_burst_where_every_visit_counts(self):
        """Gap 0: as many visits as events, numbered without a hole."""
        self.burst(0, first=1_000_000)

    def test_burst_within_the_gap(self):
        """Gap 10: one visit per phone, however many devices and servers."""
        self.burst(10, first=2_000_000)
        self.assertNoNumberInLogs()

    def test_same_event_a_hundred_times_at_once(self):
        """One visit, one 201, ninety-nine replays with the same answer."""
        (client,) = self.devices(0, count=1)
        (phone,) = numbers(3_000_000, 1)
        event_id = str(uuid.uuid4())
        results = in_parallel(self.send, [(client, event_id, phone)] * 100, 20)
        self.assertEqual(
            Counter(status for _plan, status, _body in results), {201: 1, 200: 99}
        )
        answers = {
            tuple(sorted((key, body[key]) for key in body if key != "replayed"))
            for _plan, _status, body in results
        }
        self.assertEqual(len(answers), 1)
        self.assertExact([(client, event_id, phone)], 0)

    def test_two_devices_same_new_phone_same_instant(self):
        """One member, one contact, one welcome; the other one is too soon."""
        clients = self.devices(10, count=2)
        phones = numbers(4_000_000, 20)
        told = defaultdict(list)
        plans = []
        for phone in phones:
            pair = [(client, str(uuid.uuid4()), phone) for client in clients]
            plans += pair
            for _plan, status, body in in_parallel(self.send, pair, 2):
                self.assertEqual(status, 201)
                told[phone].append((body["result"], body["sms"]))
        for answers in told.values():
            self.assertEqual(sorted(answers), [("new", "queued"), ("too_soon", "none")])
        self.assertExact(plans, 10)

    def test_two_devices_with_one_code(self):
        """A code is good once, also for eight devices at the same moment."""
        device = self.build_device("Contested")
        code = self.web.call("club.device", "generate_pairing_code", [device])

        def pair(url):
            return DeviceClient(url, db=self.db).pair(code).status_code

        # Fewer losers than would lock this address for the other tests.
        urls = [self.servers[turn % 2].url for turn in range(4)]
        statuses = Counter(in_parallel(pair, urls, 4))
        self.assertEqual(statuses[201], 1, statuses)
        self.assertEqual(sum(statuses.values()), 4)
        self.rows("DELETE FROM club_pairing_failure RETURNING 1")

    def test_held_row_is_told_as_in_progress(self):
        """A member row held for too long: 409, Retry-After, and a quiet log."""
        (client,) = self.devices(0, count=1)
        (phone,) = numbers(5_000_000, 1)
        first = client.checkin("holding-0001", phone)
        self.assertEqual(first.status_code, 201)
        with database.cursor(self.environment, self.db) as cr:
            cr.connection.autocommit = False
            cr.execute(
                "SELECT id FROM club_member WHERE phone_e164 = %s FOR UPDATE",
                [f"+98{phone[1:]}"],
            )
            response = client.checkin("holding-0002", phone)
            self.assertEqual(response.status_code, 409, response.text)
            self.assertEqual(response.json()["code"], "E50")
            self.assertEqual(response.headers["Retry-After"], "1")
            cr.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
                " AND state LIKE 'idle in%%' AND query LIKE '%%club_begin%%'",
                [self.db],
            )
            self.assertEqual(cr.fetchone()[0], 0, "a transaction was left open")
            cr.connection.rollback()
        again = client.checkin("holding-0002", phone)
        self.assertEqual((again.status_code, again.json()["visit_no"]), (201, 2))
        self.assertNoNumberInLogs()

    def test_server_killed_in_the_middle(self):
        """SIGKILL under load, then everything again elsewhere: exact."""
        victim, survivor = self.servers
        device = self.build_device(f"Victim {uuid.uuid4()}", gap_minutes=0)
        client = self.connect(device, victim.url)
        plans = self.plan([client], numbers(6_000_000, PHONES), CHECKINS)
        killed = threading.Event()
        sent = Counter()

        def send(plan):
            result = self.send(plan)
            sent["done"] += 1
            if sent["done"] == CHECKINS // 3:
                victim.kill()
                killed.set()
            return result

        results = in_parallel(send, plans)
        self.assertTrue(killed.is_set())
        lost = [plan for plan, status, _body in results if status is None]
        self.assertTrue(lost, "nothing was under way when the server died")
        elsewhere = DeviceClient(survivor.url, token=client.token, db=self.db)
        replays = in_parallel(
            self.send, [(elsewhere, event_id, phone) for _c, event_id, phone in plans]
        )
        self.assertLessEqual({status for _p, status, _b in replays}, {200, 201})
        self.go_on(elsewhere)
        self.assertExact(plans, 0)
        victim.start()
        self.assertEqual(self.send(plans[0])[1], 200)

    def go_on(self, client):
        """Check in now and then until everything is prepared: the killed server's
        worker took its wake-up call along, and other servers look by themselves only
        every minute.
        """
        waiting = "SELECT count(*) FROM club_checkin WHERE state <> 'done'"
        for phone in numbers(9_000_000, 30):
            if not self.value(waiting):
                return
            client.checkin(str(uuid.uuid4()), phone)
            time.sleep(1)

    @pytest.mark.soak
    def test_long_burst(self):
        """Ten times as much, with and without a gap."""
        self.burst(0, first=7_000_000, count=CHECKINS * 10, phones=PHONES * 5)
        self.burst(10, first=8_000_000, count=CHECKINS * 10, phones=PHONES * 5)
