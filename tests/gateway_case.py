"""A gateway against a server that behaves like its provider, over a real socket."""

import datetime
import itertools
import time
from urllib.parse import urlsplit

from sms_provider import KEY, PASSWORD, SENDER, USERNAME, SmsProvider

from odoo.tests import BaseCase
from odoo.tests.common import _super_send

from ..tools.gateways import GATEWAYS, Item

REFS = itertools.count(2**62 + 11)


def now():
    """Naive UTC, as the queue has it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class ProviderReachable:
    """Lets requests through to the provider's server, with their own time limits.

    Odoo's tests stretch time limits to ten seconds and know no pairs of them.
    """

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        if (
            isinstance(kwargs.get("timeout"), tuple)
            and urlsplit(request.url).hostname == "127.0.0.1"
        ):
            return _super_send(session, request, **kwargs)
        return super()._request_handler(session, request, **kwargs)


class GatewayCase(ProviderReachable, BaseCase):
    """One provider, one gateway; a call may take as long as a busy machine needs."""

    name = ""
    timeout = (60, 60)
    impatient = (60, 0.3)  # for a provider that never answers

    def setUp(self):
        super().setUp()
        self.provider = SmsProvider()
        self.provider.start()
        self.addCleanup(self.provider.stop)
        self.gateway = self.connect()

    def settings(self, **values):
        """What a line would hold."""
        return {
            "api_key": KEY,
            "username": USERNAME,
            "password": PASSWORD,
            "sender": SENDER,
            "base_url": self.provider.url(self.name),
            "allow_private": True,
            "timeout": self.timeout,
            **values,
        }

    def connect(self, **values):
        """A gateway with these settings."""
        gateway = GATEWAYS[self.name](self.settings(**values))
        self.addCleanup(gateway.http.close)
        return gateway

    def items(self, count=1, start=0, text="سلام"):
        """Messages to numbers nobody has."""
        return [
            Item(next(REFS), f"+9891200{turn:05d}", f"{text} {turn}", claimed_at=now())
            for turn in range(start, start + count)
        ]

    def assertOutcomes(self, results, **counts):
        """So many of each outcome."""
        found = {}
        for result in results:
            found[result.outcome] = found.get(result.outcome, 0) + 1
        self.assertEqual(found, counts, results[:3])

    def assertOnce(self, count):
        """So many messages were taken, no number twice."""
        # Whoever gave up may be faster than the provider's thread.
        end = time.monotonic() + 60
        while len(self.provider.accepted) < count and time.monotonic() < end:
            time.sleep(0.02)
        numbers = self.provider.numbers()
        self.assertEqual((len(numbers), len(set(numbers))), (count, count))


class Faults:
    """What every provider must survive; mixed into one test case per gateway."""

    def test_one_message_is_taken(self):
        [result] = self.gateway.send(self.items())
        self.assertEqual(result.outcome, "accepted", result)
        [taken] = self.provider.accepted
        self.assertEqual(
            (taken.id, taken.number[-10:], taken.text),
            (result.provider_id, "9120000000", "سلام 0"),
        )

    def test_result_per_item_in_order(self):
        results = self.gateway.send(self.items(7))
        self.assertEqual(
            [result.provider_id for result in results],
            [taken.id for taken in self.provider.accepted],
        )

    def test_slow_answer_is_unknown(self):
        self.provider.fail("slow")
        gateway = self.connect(timeout=self.impatient)
        self.assertOutcomes(gateway.send(self.items()), unknown=1)
        self.assertOnce(1)

    def test_faults_after_taking_are_unknown(self):
        for fault in ("error_after", "reset_after", "html", "huge"):
            with self.subTest(fault=fault):
                self.provider.accepted.clear()
                self.provider.fail(fault)
                self.assertOutcomes(self.gateway.send(self.items()), unknown=1)
                self.assertOnce(1)

    def test_server_error_is_unknown_although_nothing_was_taken(self):
        """Nobody can tell it from the one that took the message."""
        self.provider.fail("error_before")
        self.assertOutcomes(self.gateway.send(self.items()), unknown=1)

    def test_account_trouble_pauses_and_is_not_the_messages_fault(self):
        for fault, kind in (("wrong_key", "key"), ("no_credit", "credit")):
            with self.subTest(fault=fault):
                self.provider.fail(fault)
                results = self.gateway.send(self.items(3))
                self.assertOutcomes(results, retry=3)
                self.assertEqual({(r.kind, r.pauses) for r in results}, {(kind, True)})
        self.assertFalse(self.provider.accepted)

    def test_throttled_may_be_tried_again(self):
        self.provider.fail("throttled")
        [result] = self.gateway.send(self.items())
        self.assertEqual(
            (result.outcome, result.kind, result.pauses), ("retry", "throttled", False)
        )

    def test_redirect_is_not_followed(self):
        self.provider.fail("redirect")
        [result] = self.gateway.send(self.items())
        self.assertEqual((result.outcome, result.kind), ("retry", "setup"))
        self.assertFalse(self.provider.accepted)

    def test_nobody_answers(self):
        self.provider.stop()
        [result] = self.gateway.send(self.items())
        self.assertEqual((result.outcome, result.pauses), ("retry", False))

    def test_one_bad_number_sinks_nobody(self):
        items = self.items(9)
        bad = self.spelled(items[4].number)
        self.provider.bad_numbers = {bad}
        results = self.gateway.send(items)
        self.assertEqual((results[4].outcome, results[4].kind), ("rejected", "number"))
        self.assertOutcomes(results, accepted=8, rejected=1)
        self.assertOnce(8)

    def test_key_is_in_no_word_of_a_result(self):
        for fault in ("wrong_key", "reset_after", "html"):
            self.provider.fail(fault)
            for result in self.gateway.send(self.items()):
                self.assertNotIn(KEY, str(result))
                self.assertNotIn(PASSWORD, str(result))

    def spelled(self, number):
        """A number as this provider takes it."""
        return "0" + number[3:]
