"""What a check-in costs and how many of them a device may send."""

import time
from collections import Counter

from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import SQL

from .common import ClubHttpCommon

MEMBERS_FEW, MEMBERS_MANY = 10, 2000
BURST = 20


@tagged("post_install", "-at_install")
class TestRateLimit(ClubHttpCommon):
    limited = True

    def statuses(self, times, client=None, headers=None):
        client = client or self.client
        return Counter(
            client.checkin(self.event_id(), self.phone(), headers=headers).status_code
            for _turn in range(times)
        )

    def set_rate(self, per_minute, device=None):
        device = device or self.device
        device.rate_limit_per_minute = per_minute
        device.activity_row_ids.rate_tat = 0

    def test_burst_then_wait(self):
        """Twenty at once, then 429 with the seconds to wait, and nothing written."""
        self.set_rate(1)
        self.assertEqual(self.statuses(BURST), {201: BURST})
        before = self.env["club.member"].search_count([])
        response = self.client.checkin(self.event_id(), self.phone())
        self.assertProblem(response, "quota-exceeded", 429)
        self.assertEqual(response.json()["retry"], "later")
        wait = int(response.headers["Retry-After"])
        self.assertTrue(1 <= wait <= 60, wait)
        self.assertEqual(response.json()["retry_after"], wait)
        self.assertEqual(self.env["club.member"].search_count([]), before)

    def test_after_the_wait_the_next_one_is_taken(self):
        """One interval later there is room for one, not for two."""
        self.set_rate(1)
        self.statuses(BURST + 1)
        row = self.device.activity_row_ids
        row.rate_tat -= 60
        self.assertEqual(self.statuses(2), {201: 1, 429: 1})

    def test_refused_requests_do_not_push_the_wait_away(self):
        """A device that hammers waits no longer than one that waits."""
        self.set_rate(1)
        self.statuses(BURST)
        before = self.device.activity_row_ids.rate_tat
        self.assertEqual(self.statuses(5), {429: 5})
        self.assertEqual(self.device.activity_row_ids.rate_tat, before)

    def test_idle_time_is_not_saved_up(self):
        """After a night the burst is twenty, not a night's worth."""
        self.set_rate(1)
        self.device.activity_row_ids.rate_tat = time.time() - 8 * 3600
        self.assertEqual(self.statuses(BURST + 3), {201: BURST, 429: 3})

    def test_default_rate(self):
        """A new device has 60 a minute."""
        device = self.env["club.device"].create(
            {"name": "New", "group_id": self.group.id, "company_id": self.company.id}
        )
        self.assertEqual(device.rate_limit_per_minute, 60)

    def test_limit_is_the_devices_not_the_address(self):
        """Two devices behind one address have a limit each; headers change nothing."""
        self.set_rate(1)
        other = self.build_device(self.company, name="Door")
        token = self.connect(other)
        self.set_rate(1, other)
        self.statuses(BURST)
        forged = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "x"}
        self.assertEqual(self.statuses(1, headers=forged), {429: 1})
        self.assertEqual(self.statuses(1, self.client_of(token)), {201: 1})

    def test_refused_check_ins_count(self):
        """Wrong numbers use the limit up too: it protects the server."""
        self.set_rate(1)
        for _turn in range(BURST):
            response = self.client.checkin(self.event_id(), "02188776655")
            self.assertProblem(response, "not-mobile", 422)
        response = self.client.checkin(self.event_id(), self.phone())
        self.assertProblem(response, "quota-exceeded", 429)

    def test_other_routes_are_not_limited(self):
        """A device at its limit still fetches its configuration and says it lives."""
        self.set_rate(1)
        self.statuses(BURST + 1)
        self.assertEqual(self.client.config().status_code, 200)
        self.assertEqual(self.client.heartbeat().status_code, 200)


@tagged("post_install", "-at_install")
class TestCost(ClubHttpCommon):
    def fill(self, count):
        """Many more members with contacts and visits, in three statements."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH numbers AS (
                    SELECT '+4' || (%(first)s + n) AS phone
                      FROM generate_series(1, %(count)s) n
                ), partners AS (
                    INSERT INTO res_partner
                    SELECT copied.*
                      FROM numbers, res_partner source,
                           jsonb_populate_record(source, jsonb_build_object(
                               'id', nextval('res_partner_id_seq'),
                               'name', numbers.phone,
                               'phone', numbers.phone,
                               'phone_sanitized', numbers.phone,
                               'company_id', %(company)s)) copied
                     WHERE source.id = %(source)s
                    RETURNING id, phone
                ), members AS (
                    INSERT INTO club_member (company_id, phone_e164, partner_id,
                                             visit_count, joined_by)
                    SELECT %(company)s, phone, id, 1, 'import' FROM partners
                    RETURNING id, phone_e164
                )
                INSERT INTO club_checkin (company_id, device_id, member_id, event_id,
                                          occurred_at, arrived_at, counted, state)
                SELECT %(company)s, %(device)s, id, 'fill-' || phone_e164,
                       now(), now(), TRUE, 'done'
                  FROM members
                """,
                company=self.company.id,
                device=self.device.id,
                source=self.company.partner_id.id,
                first=next(self.numbers) * 10_000_000,
                count=count,
            )
        )
        self.env.invalidate_all()

    def statements(self, send):
        """How many statements one request runs."""
        before = self.env.cr.sql_log_count
        send()
        return self.env.cr.sql_log_count - before

    def costs(self):
        """Statements of a first visit, a repeat visit, a replay and a batch of ten."""
        phone, event_id = self.phone(), self.event_id()
        items = [
            {"event_id": self.event_id(), "phone": self.phone(), "tag": 1}
            for _turn in range(10)
        ]
        return {
            "new": self.statements(lambda: self.check_in(phone, 1, event_id)),
            "too soon": self.statements(lambda: self.check_in(phone, 1)),
            "repeat": self.statements(lambda: self.check_in(phone, age_s=7200)),
            "replay": self.statements(lambda: self.check_in(phone, 1, event_id)),
            "batch": self.statements(lambda: self.client.batch(items)),
        }

    def test_statements_do_not_grow_with_the_members(self):
        """As many statements with 2000 members as with 10, and few."""
        self.check_in(self.phone(), 1)  # fills the caches
        self.fill(MEMBERS_FEW)
        few = self.costs()
        self.fill(MEMBERS_MANY)
        self.assertGreaterEqual(
            self.env["club.member"].search_count([]), MEMBERS_FEW + MEMBERS_MANY
        )
        many = self.costs()
        self.assertEqual(few, many)
        self.assertLessEqual(many["new"], 12, many)
        self.assertLessEqual(many["batch"], 10 * 9 + 10, many)

    def test_statements_do_not_grow_with_the_visits(self):
        """As many statements at the hundredth visit as at the second."""
        self.device.gap_minutes = 0
        phone = self.phone()
        self.check_in(phone)
        costs = [self.statements(lambda: self.check_in(phone)) for _turn in range(100)]
        self.assertEqual(set(costs[1:]), {costs[1]})

    def test_look_ups_by_number_use_an_index(self):
        """Among thousands of members and contacts no table is read through."""
        self.fill(5000)
        for table in ("club_member", "res_partner", "club_checkin"):
            self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        phone = self.phone()
        seen = self.record_statements(lambda: (self.check_in(phone), self.follow_up()))
        self.check_in(phone, age_s=7200)
        number = f"+98{phone[1:]}"
        about_numbers = [
            (query, params)
            for query, params in seen
            if ("phone_e164" in query or "phone_sanitized" in query)
            and query.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "WITH"))
        ]
        tables = {
            table
            for table in ("club_member", "res_partner")
            for query, params in about_numbers
            if table in query and self.mentions(params, number)
        }
        self.assertEqual(tables, {"club_member", "res_partner"}, about_numbers)
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        for query, params in about_numbers:
            plan = self.plan(query, params)
            with self.subTest(query=query[:200]):
                self.assertNotRegex(
                    plan, r"Seq Scan on (club_member|res_partner|club_checkin)", plan
                )
        self.assertIn(
            "club_member_phone_unique",
            self.plan(
                "SELECT 1 FROM club_member WHERE company_id = %s AND phone_e164 = %s",
                [self.company.id, number],
            ),
        )
        self.assertIn(
            "phone_sanitized",
            self.plan("SELECT 1 FROM res_partner WHERE phone_sanitized = %s", [number]),
        )

    def mentions(self, params, number):
        values = params.values() if isinstance(params, dict) else params or ()
        return number in str(list(values)) or not values

    def record_statements(self, act):
        """The statements of ``act``, in this thread and in the server's."""
        seen, execute = [], Cursor.execute

        def record(cursor, query, params=None, log_exceptions=True):
            if isinstance(query, SQL):
                seen.append((query.code, query.params))
            else:
                seen.append((query, params))
            return execute(cursor, query, params, log_exceptions)

        self.patch(Cursor, "execute", record)
        act()
        self.patch(Cursor, "execute", execute)
        return seen

    def plan(self, query, params):
        """How PostgreSQL would run a statement."""
        self.env.cr.execute("EXPLAIN " + query, params)
        return "\n".join(row[0] for row in self.env.cr.fetchall())
