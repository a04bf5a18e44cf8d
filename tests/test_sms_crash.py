"""Two Odoo processes send over one line, and are killed while they do."""

import collections
import contextlib
import os
import random
import threading
import time

import pytest
from bootstrap import database
from sms_provider import KEY, SENDER, SmsProvider

from ..models.messaging.sms_queue_caps import CAPS_LOCK
from .served import TIMEOUT, ServedCase, WebClient

MANY = int(os.environ.get("SMS_MANY", "600"))
LATER = """
UPDATE sms_sms
   SET claimed_at = CASE WHEN outcome = 'claimed' AND %(dead)s
                         THEN claimed_at - interval '11 minutes' ELSE claimed_at END,
       reconcile_at = CASE WHEN outcome = 'unknown'
                           THEN reconcile_at - interval '6 hours' END,
       due_at = due_at - interval '1 hour'
 WHERE line_id = %(line)s AND state IN ('process', 'outgoing')
"""


class SmsServedCase(ServedCase):
    """A line over a provider that runs in the test's own process."""

    servers_wanted = 2
    cron_threads = 2
    gateway = "kavenegar"
    # Jobs that were killed are reported, and updates of one row may meet.
    expected = ("could not serialize access", "bad query", "already executing")

    def setUp(self):
        super().setUp()
        self.provider = SmsProvider().start()
        self.addCleanup(self.provider.stop)
        self.line = self.web.make(
            "sms.line",
            name="Under fire",
            message_class="service",
            gateway=self.gateway,
            sender=SENDER,
            api_key=KEY,
            allow_private=True,
            base_url=self.provider.url(self.gateway),
            company_id=self.company,
        )
        self.addCleanup(self.web.call, "sms.line", "action_pause", [self.line])
        self.webs = [self.web, WebClient(self.servers[1].url, self.db)]
        self.jobs = self.web.call(
            "ir.cron", "search", [("model_id.model", "in", ["sms.sms", "sms.queue"])]
        )
        self.assertEqual(len(self.jobs), 2)

    def queue(self, count):
        """Queue messages as any app does, paused until all are there."""
        self.web.call("sms.line", "action_pause", [self.line])
        numbers = [f"+9891277{turn:05d}" for turn in range(count)]
        for start in range(0, count, 1000):
            self.web.call(
                "sms.sms",
                "create",
                [
                    {
                        "number": number,
                        "body": f"Hello {number[-5:]}",
                        "line_id": self.line,
                        "company_id": self.company,
                        "message_class": "service",
                    }
                    for number in numbers[start : start + 1000]
                ],
            )
        return numbers

    def go(self):
        self.web.call("sms.line", "action_resume", [self.line])

    def work(self):
        """Run the queue's two jobs at once, one in each process, beside their own
        workers.
        """
        for thread in self.start_work():
            thread.join()

    def start_work(self):
        threads = [
            threading.Thread(target=self.run_job, args=(web, job))
            for web, job in zip(self.webs, self.jobs, strict=True)
        ]
        for thread in threads:
            thread.start()
        return threads

    @staticmethod
    def run_job(web, job):
        # A worker may be at it already.
        with contextlib.suppress(AssertionError):
            web.call("ir.cron", "method_direct_trigger", [job])

    def states(self):
        """How many messages are in which state."""
        rows = self.rows(
            "SELECT state, outcome, count(*) FROM sms_sms WHERE line_id = %s "
            "GROUP BY state, outcome",
            self.line,
        )
        return {(state, outcome): count for state, outcome, count in rows}

    def later(self, dead=False):
        """Let the clock run: what waits for its time is due, what died long ago is
        known to be dead.
        """
        with database.cursor(self.environment, self.db) as cr:
            cr.execute(LATER, {"dead": dead, "line": self.line})
        self.go()

    def finish(self, seconds=300, dead=False):
        """Wait until every message is done with."""
        end = time.monotonic() + seconds
        while set(self.states()) - {("pending", "accepted"), ("process", "absent")}:
            self.assertLess(time.monotonic(), end, self.states())
            self.later(dead)
            dead = False
            self.work()

    def assertOnce(self, numbers):
        """The provider took each number exactly once."""
        seen = collections.Counter(f"+98{one[1:]}" for one in self.provider.numbers())
        twice = {number: count for number, count in seen.items() if count > 1}
        self.assertFalse(twice)
        self.assertEqual(set(seen), set(numbers))


class TestSmsCrash(SmsServedCase):
    """SIGKILL after the provider accepted and before our commit."""

    def kill_at(self, call):
        """Kill both servers as soon as the provider has taken its ``call``-th batch,
        before it answers.
        """
        killed = threading.Event()
        calls = []

        def kill(_taken):
            calls.append(1)
            if len(calls) == call:
                for server in self.servers:
                    server.kill()
                killed.set()

        self.provider.on_taken = kill
        return killed

    def crash(self, count, call=2):
        """Queue, go, kill and start again."""
        numbers = self.queue(count)
        killed = self.kill_at(call)
        self.go()
        self.assertTrue(killed.wait(TIMEOUT), "nothing was sent")
        self.provider.on_taken = None
        states = self.states()
        self.assertIn(("process", "claimed"), states, "nobody was in the middle")
        for server in self.servers:
            server.start()
        return numbers

    def test_killed_after_the_provider_took_it(self):
        """Nobody gets two, nobody is forgotten, and ten minutes are waited for."""
        numbers = self.crash(MANY)
        taken = len(self.provider.accepted)
        while ("outgoing", None) in self.states():
            self.go()
            self.work()
        self.assertIn(("process", "claimed"), self.states())
        self.assertGreaterEqual(len(self.provider.accepted), taken)
        self.finish(dead=True)
        self.assertOnce(numbers)
        self.assertEqual(self.states(), {("pending", "accepted"): MANY})

    def test_killed_while_the_provider_took_half(self):
        """The other half is sent then, by references that nobody knows yet."""
        self.provider.fail("half")
        numbers = self.crash(250, call=1)
        self.finish(dead=True)
        self.assertOnce(numbers)


class TestSmsCrashSentList(TestSmsCrash):
    """A provider without references of ours: its own list decides."""

    gateway = "sms_ir"

    def test_killed_while_the_provider_took_half(self):
        """What the list does not have waits for a person, and is never sent twice."""
        self.provider.fail("half")
        numbers = self.crash(250, call=1)
        self.finish(dead=True)
        states = self.states()
        absent = states[("process", "absent")]
        self.assertEqual(absent, 50)
        undecided = self.web.call(
            "sms.sms",
            "search",
            [("line_id", "=", self.line), ("outcome", "=", "absent")],
        )
        self.web.call("sms.sms", "action_send_again", undecided)
        self.finish()
        self.assertOnce(numbers)


class TestSmsTwoProcesses(SmsServedCase):
    """Two processes, one line, a provider that errs now and then."""

    def send_all(self, count, faults):
        numbers = self.queue(count)
        met = self.hold_until_both_send(faults)
        self.go()
        self.finish()
        self.assertOnce(numbers)
        self.assertEqual(self.states(), {("pending", "accepted"): count})
        self.assertTrue(met.is_set(), "they took turns")
        self.assertNoNumbersOrKeysInLogs(numbers)

    def hold_until_both_send(self, faults):
        """Answer nobody until the other process sends, too; so many faults follow."""
        met = threading.Event()
        rng = random.Random(11)
        faulty = ("half", "error_after", "error_before", "throttled", "reset_after")

        def hold(_taken):
            if self.provider.under_way > 1 and not met.is_set():
                for _turn in range(faults):
                    self.provider.fail(rng.choice(faulty))
                met.set()
            met.wait(20)

        self.provider.on_taken = hold
        return met

    def assertNoNumbersOrKeysInLogs(self, numbers):
        for server in self.servers:
            text = server.log.read_text(errors="replace")
            self.assertNotIn(KEY, text)
            self.assertNotIn(numbers[0][3:], text)

    def test_each_message_exactly_once(self):
        self.send_all(MANY, faults=4)

    def test_caps_hold_when_two_queue_at_once(self):
        """One advertising message a day, queued over two lines by two processes that
        cannot see each other's; and both lines claim at the same moment.
        """
        numbers = [f"+9891278{turn:05d}" for turn in range(40)]
        lines = [self.build_advertising_line(name) for name in ("A", "B")]
        self.web.call(
            "customer.consent",
            "record",
            [{"number": number, "kind": "consent"} for number in numbers],
        )
        with self.held_up(
            "INSERT INTO sms_advertising", "LOCK TABLE sms_advertising IN SHARE MODE"
        ):
            threads = self.queue_from_both(lines, numbers)
        for thread in threads:
            thread.join()
        self.assertEqual(self.states_of(lines), {("outgoing", None): 80})
        locking = "SELECT pg_advisory_xact_lock(%s, %s)"
        with self.held_up("pg_advisory_xact", locking, CAPS_LOCK, self.company):
            self.web.call("sms.line", "action_resume", lines)
            threads = self.start_work()
        for thread in threads:
            thread.join()
        end = time.monotonic() + TIMEOUT
        while ("outgoing", None) in self.states_of(lines):
            self.assertLess(time.monotonic(), end, self.states_of(lines))
            self.work()
        self.line = lines[0]
        self.assertOnce(numbers)
        self.assertEqual(
            self.states_of(lines),
            {("pending", None): 40, ("canceled", "sms_cap_day"): 40},
        )

    def build_advertising_line(self, name):
        return self.web.make(
            "sms.line",
            name=name,
            message_class="advertising",
            gateway=self.gateway,
            sender=SENDER,
            api_key=KEY,
            allow_private=True,
            base_url=self.provider.url(self.gateway),
            company_id=self.company,
            window_start=0,
            window_end=24,
            paused=True,
        )

    def queue_from_both(self, lines, numbers):
        """Let each process queue for everybody over its own line."""
        threads = [
            threading.Thread(
                target=web.call,
                args=(
                    "sms.sms",
                    "create",
                    [
                        {
                            "number": number,
                            "body": "New menu",
                            "line_id": line,
                            "company_id": self.company,
                            "message_class": "advertising",
                        }
                        for number in numbers
                    ],
                ),
            )
            for web, line in zip(self.webs, lines, strict=True)
        ]
        for thread in threads:
            thread.start()
        return threads

    @contextlib.contextmanager
    def held_up(self, waiting, statement, *values):
        """Hold a lock until two other processes wait for it at the same time.

        :param str waiting: part of the statement that waits
        :param str statement: takes the lock
        """
        with database.cursor(self.environment, self.db) as cr:
            cr.execute("BEGIN")
            cr.execute(statement, values)
            yield
            end = time.monotonic() + TIMEOUT
            count = 0
            while count < 2:
                self.assertLess(time.monotonic(), end, f"{count} wait")
                time.sleep(0.05)
                count = self.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s "
                    "AND wait_event_type = 'Lock' AND strpos(query, %s) > 0",
                    self.db,
                    waiting,
                )
            cr.execute("COMMIT")

    def states_of(self, lines):
        rows = self.rows(
            "SELECT state, failure_type, count(*) FROM sms_sms "
            "WHERE line_id = ANY(%s) GROUP BY state, failure_type",
            lines,
        )
        return {(state, failure): count for state, failure, count in rows}

    @pytest.mark.soak
    def test_five_thousand_exactly_once(self):
        self.send_all(5000, faults=15)
