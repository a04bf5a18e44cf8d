"""Refreshes that meet: other refreshes, edits, merges, deletions, a crash."""

import contextlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from bootstrap import database

from .served import TIMEOUT, ServedCase, WebClient

CONTACTS = 400
MANY = 20_000
CITIES = ("Tehran", "Tabriz", "Shiraz")
# The same columns that Odoo fills; names and numbers are made up.
FILL = """
    INSERT INTO res_partner (
           name, complete_name, type, active, is_company, partner_share, employee,
           autopost_bills, customer_rank, supplier_rank, message_bounce, color, lang,
           city, create_uid, write_uid, create_date, write_date)
    SELECT %(prefix)s || n, %(prefix)s || n, 'contact', TRUE, FALSE, TRUE, FALSE,
           'ask', 0, 0, 0, n %% 4, 'en_US', (%(cities)s)[1 + n %% 3],
           1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
      FROM generate_series(1, %(number)s) n
 RETURNING id
"""


class TestSegmentConcurrency(ServedCase):
    servers_wanted = 2
    cron_threads = 2
    # Whoever deletes or edits what another one deletes is told so.
    expected = (
        r"odoo\.sql_db: bad query",
        r"odoo\.http: .*(does not exist|been deleted|could not serialize)",
        r"(MissingError|UserError|ValidationError|SerializationFailure)",
    )

    @classmethod
    def contacts(cls, prefix, number=CONTACTS):
        """Contacts of three cities, without anybody's notice.

        :rtype: list[int]
        """
        ids = [
            row[0]
            for row in cls.rows_of(
                FILL, {"prefix": prefix, "number": number, "cities": list(CITIES)}
            )
        ]
        cls.rows_of(
            "UPDATE res_partner SET commercial_partner_id = id WHERE id = ANY(%(ids)s) "
            "RETURNING id",
            {"ids": ids},
        )
        return ids

    @classmethod
    def rows_of(cls, query, parameters):
        """The rows of a query with named parameters."""
        with database.cursor(cls.environment, cls.db) as cr:
            cr.execute(query, parameters)
            return cr.fetchall()

    def segment(self, prefix, city="Tehran", **values):
        """A segment of one city; the worker is left out of it unless said otherwise.

        :rtype: int
        """
        domain = [("name", "=like", f"{prefix}%"), ("city", "=", city)]
        values = {
            "name": f"{prefix} {city}",
            "kind": "dynamic",
            "domain": str(domain),
            **values,
        }
        return self.web.make("customer.segment", **values)

    def members(self, segment):
        """Who is in, as committed.

        :rtype: set[int]
        """
        query = (
            "SELECT partner_id FROM customer_segment_partner_rel WHERE segment_id = %s"
        )
        return {row[0] for row in self.rows(query, segment)}

    def expected_members(self, prefix, city="Tehran"):
        """Who should be in, by plain SQL.

        :rtype: set[int]
        """
        query = "SELECT id FROM res_partner WHERE name LIKE %s AND city = %s AND active"
        return {row[0] for row in self.rows(query, f"{prefix}%", city)}

    def client(self, turn=0):
        """Somebody at one of the servers; a session is no thing to share.

        Odoo notes the device of a session at its first call, in the same transaction.
        """
        client = WebClient(self.servers[turn % len(self.servers)].url, self.db)
        client.call("res.users", "search_count", [])
        return client

    def wait_for_workers(self):
        """Wait until everything due and everybody touched was looked at."""
        self.wait_for(
            lambda: (
                not self.value(
                    "SELECT (SELECT count(*) FROM customer_segment_touch) "
                    "+ (SELECT count(*) FROM customer_segment "
                    "    WHERE active AND state = 'stale')"
                )
            ),
            90,
        )

    def assertHistoryExplains(self, segment):
        """Each member entered last, each other one left last, and never twice."""
        rows = self.rows(
            """
            SELECT partner_id, array_agg(kind ORDER BY id)
              FROM customer_segment_event WHERE segment_id = %s GROUP BY partner_id
            """,
            segment,
        )
        inside = set()
        for partner_id, kinds in rows:
            self.assertEqual(
                list(kinds),
                [("enter", "leave")[turn % 2] for turn in range(len(kinds))],
                f"contact {partner_id}",
            )
            if kinds[-1] == "enter":
                inside.add(partner_id)
        self.assertEqual(inside, self.members(segment))
        count = "SELECT member_count FROM customer_segment WHERE id = %s"
        self.assertEqual(self.value(count, segment), len(inside))

    def assertNobodyStopped(self):
        """A conflict is tried again; it is no reason to stop a segment."""
        query = "SELECT id, error FROM customer_segment WHERE state = 'quarantined'"
        self.assertFalse(self.rows(query))

    @contextlib.contextmanager
    def held(self, query, *parameters):
        """Hold what a query locks, in a connection of its own."""
        with database.cursor(self.environment, self.db) as cr:
            cr.connection.autocommit = False
            cr.execute(query, parameters)
            try:
                yield
            finally:
                cr.connection.rollback()

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
            with self.held(hold, held):
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
                time.sleep(1)
                self.assertFalse(answer.done(), "it did not wait")
            self.assertGreater(answer.result(TIMEOUT), 0)
        self.assertFalse(self.members(held))
        self.assertNobodyStopped()

    def trigger(self, name):
        """Run a scheduled job now."""
        (job,) = self.web.call(
            "ir.model.data", "search_read", [("name", "=", name)], ["res_id"]
        )
        self.web.call("ir.cron", "method_direct_trigger", [job["res_id"]])

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
            ):
                answer = pool.submit(
                    self.client().call, "customer.segment", "refresh", [first, second]
                )
                self.wait_for(lambda: not self.members(first))
                self.assertTrue(self.members(second))
                self.assertFalse(answer.done())
            self.assertGreater(answer.result(TIMEOUT), 0)
        self.assertFalse(self.members(second))

    def test_edit_is_seen_within_seconds(self):
        """By the worker, nobody asks for it."""
        ids = self.contacts("Soon")
        segment = self.segment("Soon")
        self.wait_for_workers()
        outside = next(iter(set(ids) - self.members(segment)))
        started = time.monotonic()
        self.web.call("res.partner", "write", [outside], {"city": "Tehran"})
        self.wait_for(lambda: outside in self.members(segment))
        self.assertLess(time.monotonic() - started, 15)
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
            ):
                answer = pool.submit(
                    self.client(1).call, "customer.segment", "refresh", [segment]
                )
                time.sleep(1)
                web = self.client()
                web.call("res.partner", "write", outside[1:6], {"city": "Tehran"})
                web.call("res.partner", "write", inside[:5], {"city": "Qom"})
                time.sleep(3)
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
            with database.cursor(self.environment, self.db) as cr:
                cr.connection.autocommit = False
                cr.execute("DELETE FROM res_partner WHERE id = ANY(%s)", [ids[:5]])
                answer = pool.submit(
                    self.client().call, "customer.segment", "refresh", [segment]
                )
                time.sleep(2)
                self.assertFalse(answer.done())
                cr.connection.commit()
            self.assertEqual(answer.result(TIMEOUT), 45)
        self.assertEqual(self.members(segment), set(ids[5:50]))
        self.assertHistoryExplains(segment)
        self.assertNobodyStopped()

    def storm(self, prefix, seconds, times=3):
        """Edit, merge, delete and refresh at once, then compare.

        :param int seconds: at least
        :param int times: how often each has to succeed; core lets those who meet wait
            for seconds before they try again
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
        began = time.monotonic()
        failures, done, refusals = [], {}, {}

        def goes_on():
            passed = time.monotonic() - began
            few = any(done.get(what.__name__, 0) < times for what in work)
            return passed < seconds or (few and passed < seconds + 90)

        def keep_doing(turn, what):
            client, rng = self.client(turn), random.Random(turn)
            while goes_on():
                try:
                    what(client, rng)
                except AssertionError as error:
                    # Somebody else has deleted it.
                    refusals[what.__name__] = str(error)
                    continue
                except requests.RequestException as error:
                    failures.append(error)
                    return
                done[what.__name__] = done.get(what.__name__, 0) + 1

        def edit(client, rng):
            some = [rng.choice(ids)]
            client.call("res.partner", "write", some, {"city": rng.choice(CITIES)})

        def merge(client, rng):
            some = rng.sample(ids, 2)
            wizard = client.make(
                "base.partner.merge.automatic.wizard",
                state="selection",
                partner_ids=[(6, 0, some)],
                dst_partner_id=some[0],
            )
            client.call("base.partner.merge.automatic.wizard", "action_merge", [wizard])

        def delete(client, rng):
            client.call("res.partner", "unlink", [rng.choice(ids)])
            time.sleep(0.5)

        def refresh(client, rng):
            client.call("customer.segment", "refresh", rng.sample(segments, 2))

        def refresh_few(client, rng):
            few = rng.sample(ids, 20)
            client.call("customer.segment", "refresh", segments, partner_ids=few)

        work = (edit, edit, merge, delete, refresh, refresh_few)
        with ThreadPoolExecutor(len(work)) as pool:
            list(pool.map(keep_doing, range(len(work)), work))
        self.assertFalse(failures)
        for what in work:
            self.assertGreaterEqual(done.get(what.__name__, 0), times, refusals)
        self.wait_for_workers()
        self.assertNobodyStopped()
        for segment, city in zip(segments, [*CITIES[:2], CITIES[0]], strict=True):
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

    def test_server_killed_in_the_middle(self):
        """Members are those before or those after, never some of both."""
        self.contacts("Killed", MANY)
        before = self.expected_members("Killed", "Tabriz")
        segment = self.segment("Killed", "Tabriz")
        victim, survivor = self.servers
        client = WebClient(survivor.url, self.db)
        client.call("customer.segment", "refresh", [segment])
        self.assertEqual(self.members(segment), before)
        self.wait_for_workers()
        events = "SELECT count(*) FROM customer_segment_event WHERE segment_id = %s"
        told = self.value(events, segment)
        self.rows(
            "UPDATE res_partner SET city = CASE city WHEN 'Tabriz' THEN 'Qom' "
            "ELSE 'Tabriz' END WHERE name LIKE 'Killed%%' RETURNING id"
        )
        after = self.expected_members("Killed", "Tabriz")
        last = max(after)
        with ThreadPoolExecutor(1) as pool:
            with self.held("SELECT FROM res_partner WHERE id = %s FOR UPDATE", last):
                doomed = WebClient(victim.url, self.db)
                answer = pool.submit(
                    doomed.call, "customer.segment", "refresh", [segment]
                )
                self.wait_for(
                    lambda: self.value(
                        "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = current_database() "
                        "AND wait_event_type = 'Lock'"
                    )
                )
                victim.kill()
            with self.assertRaises(requests.RequestException):
                answer.result(TIMEOUT)
        self.assertEqual(self.members(segment), before)
        self.assertEqual(self.value(events, segment), told)
        client.call("customer.segment", "refresh", [segment])
        self.assertEqual(self.members(segment), after)
        self.assertHistoryExplains(segment)
        victim.start()
