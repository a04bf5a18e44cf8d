"""Refreshes that meet: other refreshes, edits, deletions."""

import threading
from concurrent.futures import ThreadPoolExecutor

from .segment_served import SegmentServedCase
from .served import TIMEOUT


class TestSegmentConcurrency(SegmentServedCase):
    def test_many_refreshes_of_one_segment_at_once(self):
        """Each of eight callers is answered; everybody enters once."""
        self.contacts("Once")
        segment = self.segment("Once")
        clients = [self.client(turn) for turn in range(8)]
        barrier = threading.Barrier(len(clients))

        def refresh(client):
            barrier.wait(30)
            return client.call("customer.segment", "refresh", [segment])

        with ThreadPoolExecutor(len(clients)) as pool:
            changed = list(pool.map(refresh, clients))
        expected = self.expected_members("Once")
        self.assertEqual(self.members(segment), expected)
        self.assertIn(sum(changed), (0, len(expected)))
        self.assertHistoryExplains(segment)
        self.assertNobodyStopped()

    def test_worker_passes_over_what_somebody_holds(self):
        """The others are refreshed; a person waits and is then answered."""
        self.contacts("Held")
        held, free = self.segment("Held"), self.segment("Held", "Shiraz")
        self.wait_for_workers()
        hold = "SELECT FROM customer_segment WHERE id = %s FOR NO KEY UPDATE"
        with ThreadPoolExecutor(1) as pool:
            with self.held(hold, held) as wait_for_waiting:
                self.rows(
                    "UPDATE customer_segment SET last_refresh = NULL WHERE id = %s "
                    "RETURNING id",
                    free,
                )
                self.rows(
                    "UPDATE res_partner SET city = 'Qom' WHERE name LIKE 'Held%%' "
                    "RETURNING id"
                )
                self.trigger("customer_segment_refresh_cron")
                self.wait_for(lambda: not self.members(free))
                self.assertTrue(self.members(held))
                answer = pool.submit(
                    self.client(1).call, "customer.segment", "refresh", [held]
                )
                wait_for_waiting()
                self.assertFalse(answer.done(), "it did not wait")
            self.assertGreater(answer.result(TIMEOUT), 0)
        self.assertFalse(self.members(held))
        self.assertNobodyStopped()

    def test_worker_comes_back_soon_for_what_somebody_held(self):
        """Not only at the next regular run, once it is free."""
        self.contacts("Back")
        touched, due = self.segment("Back"), self.segment("Back", "Shiraz")
        self.wait_for_workers()
        one = min(self.members(touched))
        put_back = "SELECT count(*) FROM customer_segment_touch WHERE segment_id = %s"
        stale = "SELECT state = 'stale' FROM customer_segment WHERE id = %s"
        make_stale = (
            "UPDATE customer_segment SET state = 'stale' WHERE id = %s RETURNING id"
        )
        self.rows(make_stale, due)
        hold = "SELECT FROM customer_segment WHERE id = ANY(%s) FOR NO KEY UPDATE"
        self.run_only_when_woken()
        with self.held(hold, [touched, due]):
            self.web.call("res.partner", "write", [one], {"city": "Qom"})
            self.trigger("customer_segment_refresh_cron")
            self.wait_for(lambda: self.value(put_back, touched))
        self.wait_for(lambda: one not in self.members(touched), explain=self.work_left)
        self.wait_for(lambda: not self.value(stale, due), explain=self.work_left)
        self.assertNobodyStopped()

    def test_each_segment_is_a_transaction_of_its_own(self):
        """The first is done and seen while the second waits."""
        self.contacts("Apart")
        first, second = self.segment("Apart"), self.segment("Apart", "Tabriz")
        self.wait_for_workers()
        self.rows(
            "UPDATE res_partner SET city = 'Qom' WHERE name LIKE 'Apart%%' RETURNING id"
        )
        with ThreadPoolExecutor(1) as pool:
            with self.held(
                "SELECT FROM customer_segment WHERE id = %s FOR NO KEY UPDATE", second
            ) as wait_for_waiting:
                answer = pool.submit(
                    self.client().call, "customer.segment", "refresh", [first, second]
                )
                self.wait_for(lambda: not self.members(first))
                wait_for_waiting()
                self.assertTrue(self.members(second))
                self.assertFalse(answer.done())
            self.assertGreater(answer.result(TIMEOUT), 0)
        self.assertFalse(self.members(second))

    def test_edit_is_seen_at_once(self):
        """By the worker that it wakes; nobody asks, no regular run is near."""
        ids = self.contacts("Soon")
        segment = self.segment("Soon")
        self.wait_for_workers()
        outside = next(iter(set(ids) - self.members(segment)))
        self.run_only_when_woken()
        self.web.call("res.partner", "write", [outside], {"city": "Tehran"})
        self.wait_for(lambda: outside in self.members(segment))
        self.assertHistoryExplains(segment)

    def test_edit_during_a_refresh_is_not_lost(self):
        """What a long refresh has not seen is looked at after it."""
        ids = self.contacts("During")
        segment = self.segment("During")
        self.wait_for_workers()
        inside, outside = sorted(self.members(segment)), set(ids)
        outside = sorted(outside - set(inside))
        # A contact that is about to enter is held: the refresh hangs while it writes.
        self.rows(
            "UPDATE res_partner SET city = 'Tehran' WHERE id = %s RETURNING id",
            outside[0],
        )
        with ThreadPoolExecutor(1) as pool:
            with self.held(
                "SELECT FROM res_partner WHERE id = %s FOR UPDATE", outside[0]
            ) as wait_for_waiting:
                answer = pool.submit(
                    self.client(1).call, "customer.segment", "refresh", [segment]
                )
                wait_for_waiting()
                web = self.client()
                web.call("res.partner", "write", outside[1:6], {"city": "Tehran"})
                web.call("res.partner", "write", inside[:5], {"city": "Qom"})
                self.assertFalse(answer.done())
            self.assertEqual(answer.result(TIMEOUT), 1)
        self.wait_for_workers()
        self.wait_for(lambda: self.members(segment) == self.expected_members("During"))
        self.assertHistoryExplains(segment)
        self.assertNobodyStopped()

    def test_contact_deleted_while_it_enters(self):
        """The refresh is tried again without it."""
        ids = self.contacts("Gone")
        segment = self.segment("Gone", "Qom")
        self.wait_for_workers()
        self.rows(
            "UPDATE res_partner SET city = 'Qom' WHERE id = ANY(%s) RETURNING id",
            ids[:50],
        )
        with ThreadPoolExecutor(1) as pool:
            with self.held(
                "DELETE FROM res_partner WHERE id = ANY(%s)", ids[:5], commit=True
            ) as wait_for_waiting:
                answer = pool.submit(
                    self.client().call, "customer.segment", "refresh", [segment]
                )
                wait_for_waiting()
                self.assertFalse(answer.done())
            self.assertEqual(answer.result(TIMEOUT), 45)
        self.assertEqual(self.members(segment), set(ids[5:50]))
        self.assertHistoryExplains(segment)
        self.assertNobodyStopped()
