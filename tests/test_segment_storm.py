"""Contacts are edited, merged, deleted and refreshed at once."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .segment_served import CITIES, SegmentServedCase

MERGE = "base.partner.merge.automatic.wizard"


class Storm:
    """People who all work on the same contacts.

    Each works on until the time is over and everybody has succeeded a few times: core
    lets those who meet wait for seconds before they try again.

    :param list ids: of the contacts
    :param list segments: ids of the segments that are refreshed
    :param int seconds: how long, at least
    :param int times: how often each has to succeed
    """

    PATIENCE = 300  # seconds more

    def __init__(self, ids, segments, seconds, times=3):
        self.ids, self.segments = ids, segments
        self.seconds, self.times = seconds, times
        self.work = (
            *(self.edit, self.edit, self.merge, self.delete),
            *(self.refresh, self.refresh_few),
        )
        self.done = {what.__name__: 0 for what in self.work}
        self.refusals = {name: set() for name in self.done}

    def rage(self, clients):
        """Let everybody work.

        :param list clients: one for each in ``work``
        :raise requests.RequestException: when a server gives no answer
        """
        self.began = time.monotonic()
        with ThreadPoolExecutor(len(self.work)) as pool:
            list(pool.map(self._keep_doing, range(len(clients)), clients, self.work))

    def _goes_on(self):
        passed = time.monotonic() - self.began
        is_missing = min(self.done.values()) < self.times
        return passed < self.seconds + (self.PATIENCE if is_missing else 0)

    def _keep_doing(self, seed, client, what):
        rng = random.Random(seed)
        while self._goes_on():
            try:
                what(client, rng)
            except AssertionError as error:
                # Somebody else has deleted it, or was faster.
                self.refusals[what.__name__].add(str(error))
            else:
                self.done[what.__name__] += 1

    def edit(self, client, rng):
        some = [rng.choice(self.ids)]
        client.call("res.partner", "write", some, {"city": rng.choice(CITIES)})

    def merge(self, client, rng):
        some = rng.sample(self.ids, 2)
        wizard = client.make(
            MERGE,
            state="selection",
            partner_ids=[(6, 0, some)],
            dst_partner_id=some[0],
        )
        client.call(MERGE, "action_merge", [wizard])

    def delete(self, client, rng):
        client.call("res.partner", "unlink", [rng.choice(self.ids)])
        time.sleep(0.5)

    def refresh(self, client, rng):
        client.call("customer.segment", "refresh", rng.sample(self.segments, 2))

    def refresh_few(self, client, rng):
        few = rng.sample(self.ids, 20)
        client.call("customer.segment", "refresh", self.segments, partner_ids=few)


class TestSegmentStorm(SegmentServedCase):
    def storm(self, prefix, seconds):
        """Let a storm pass over two segments and one that uses the first, and compare
        with plain SQL.
        """
        ids = self.contacts(prefix)
        segments = [
            self.segment(prefix, city, refresh_minutes=5) for city in CITIES[:2]
        ]
        segments.append(
            self.segment(
                prefix,
                name=f"{prefix} in Tehran's",
                domain=str([("segment_ids", "in", segments[:1])]),
            )
        )
        self.wait_for_workers()
        storm = Storm(ids, segments, seconds)
        storm.rage([self.client(turn) for turn in range(len(storm.work))])
        self.assertGreaterEqual(min(storm.done.values()), storm.times, storm.refusals)
        for what in "refresh", "refresh_few":
            # Whoever asks for a refresh gets one.
            self.assertFalse(storm.refusals[what])
        self.wait_for_workers()
        self.assertNobodyStopped()
        for segment, city in zip(segments, [*CITIES[:2], CITIES[0]], strict=True):
            # The worker brings it about by itself, and a refresh agrees.
            self.wait_for(
                lambda segment=segment, city=city: (
                    self.members(segment) == self.expected_members(prefix, city)
                )
            )
            self.web.call("customer.segment", "refresh", [segment])
            self.assertEqual(self.members(segment), self.expected_members(prefix, city))
            count = "SELECT member_count FROM customer_segment WHERE id = %s"
            self.assertEqual(self.value(count, segment), len(self.members(segment)))

    def test_storm(self):
        """Edits, merges, deletions and refreshes at once end in the truth."""
        self.storm("Storm", 8)

    @pytest.mark.soak
    def test_long_storm(self):
        """The same for two minutes."""
        self.storm("Long", 120)
