"""Campaigns under fire: two who send at once, a server that is killed."""

import contextlib
import functools
from concurrent.futures import ThreadPoolExecutor

import requests
from bootstrap import database

from .served import TIMEOUT, ServedCase, WebClient

PEOPLE = 3000
SLICE = 20_000  # of the snapshot
CROWD = 20_500
BATCH = 1000  # of the queue
MAIL_BATCH = 500  # of the queue, of e-mails
MAILED = 700
HOLD = 19_740_211  # a lock that nobody else knows
PROGRESS = (
    "SELECT {} FROM mailing_progress p"
    "  JOIN mailing_mailing m ON m.progress_id = p.id WHERE m.id = %s"
)


class TestCampaignConcurrency(ServedCase):
    servers_wanted = 2
    # Two who launch at once: one is told that the other was faster. A server dies.
    expected = (
        r"has launched this campaign already",
        r"could not serialize",
        r"odoo\.http",
        r"ir_cron",
        r"odoo\.sql_db: bad query",
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        web = cls.web
        cls.line = web.make(
            "sms.line",
            name="1000",
            message_class="advertising",
            gateway="test",
            window_start=0,
            window_end=24,
        )
        cls.group = cls.people("All of them", "+98912", PEOPLE)

    @classmethod
    def people(cls, name, prefix, count):
        """A group of so many members of the club.

        :return: its id
        """
        group = cls.web.make("customer.segment", name=name, kind="static")
        cls.rows(
            """
            WITH made AS (
                INSERT INTO res_partner
                       (name, complete_name, active, type, phone, phone_sanitized,
                        partner_share, is_company, commercial_partner_id, lang,
                        autopost_bills)
                SELECT 'Guest ' || n, 'Guest ' || n, TRUE, 'contact', number, number,
                       TRUE, FALSE, NULL, 'en_US', 'ask'
                  FROM (SELECT n, %s || lpad(n::text, 7, '0') AS number
                          FROM generate_series(1, %s) n) counted
             RETURNING id, phone_sanitized),
            members AS (
                INSERT INTO club_member
                       (company_id, phone_e164, visit_count, joined_by, partner_id)
                SELECT %s, phone_sanitized, 1, 'hand', id FROM made)
            INSERT INTO customer_segment_included_partner_rel (segment_id, partner_id)
            SELECT %s, id FROM made RETURNING partner_id
            """,
            prefix,
            count,
            cls.company,
            group,
        )
        cls.rows(
            "UPDATE res_partner SET commercial_partner_id = id"
            " WHERE commercial_partner_id IS NULL RETURNING 1"
        )
        cls.web.call("customer.segment", "refresh", [group])
        return group

    def draft(self, group=None, **values):
        return self.web.make(
            "mailing.mailing",
            subject="New menu",
            audience_mode="segments",
            audience_segment_ids=[(6, 0, [group or self.group])],
            line_id=self.line,
            body_plaintext="Hello {{ object.name ||| you }}",
            company_id=self.company,
            # So that nobody begins before all have tried to launch it.
            **{
                "mailing_type": "sms",
                "schedule_date": "2100-01-01 00:00:00",
                **values,
            },
        )

    def work(self):
        """Let the queue work as its scheduled job does."""
        web = WebClient(self.url, self.db)
        cron = web.call(
            "ir.cron", "search", [("cron_name", "=", "Mail Marketing: Process queue")]
        )
        web.call("ir.cron", "method_direct_trigger", cron)

    def launch(self, url, mailing):
        """:return: whether it was this one who launched it"""
        try:
            WebClient(url, self.db).call(
                "mailing.mailing", "action_put_in_queue", [mailing]
            )
        except AssertionError:
            return False
        return True

    def waiting(self, mailing):
        return self.value(
            "SELECT count(*) FILTER (WHERE state = 'waiting') + (count(*) = 0)::int"
            "  FROM mailing_recipient WHERE mailing_id = %s",
            mailing,
        )

    @contextlib.contextmanager
    def stopped_at(self, number, state="queued"):
        """Let the queue come to one recipient and no further.

        :param str state: which the recipient is about to have

        Yields what waits until it has come there.
        """
        with database.cursor(self.environment, self.db) as cr:
            cr.execute(
                """
                CREATE OR REPLACE FUNCTION stop_here() RETURNS trigger
                LANGUAGE plpgsql AS $$
                BEGIN
                    PERFORM pg_advisory_xact_lock(%(hold)s);
                    RETURN NEW;
                END $$;
                CREATE OR REPLACE TRIGGER stop_here
                BEFORE INSERT OR UPDATE ON mailing_recipient
                FOR EACH ROW WHEN (NEW.number = %(number)s AND NEW.state = %(state)s)
                EXECUTE FUNCTION stop_here()
                """,
                {"hold": HOLD, "number": number, "state": state},
            )
        with self.held("SELECT pg_advisory_xact_lock(%s)", HOLD) as wait_for_waiting:
            yield wait_for_waiting

    def assertOnceEach(self, mailing):
        """Each number has one message, whatever happened."""
        [(recipients, queued, numbers, sources)] = self.rows(
            """
            SELECT count(*), count(*) FILTER (WHERE r.state = 'queued'),
                   count(DISTINCT r.number),
                   (SELECT count(*) FROM sms_tracker k
                     JOIN mailing_recipient own
                       ON k.source = 'mailing.recipient,' || own.id
                    WHERE own.mailing_id = %s)
              FROM mailing_recipient r WHERE r.mailing_id = %s
            """,
            mailing,
            mailing,
        )
        self.assertEqual(
            (recipients, queued, numbers, sources), (PEOPLE, PEOPLE, PEOPLE, PEOPLE)
        )
        traces = self.value(
            "SELECT count(*) FROM mailing_trace WHERE mass_mailing_id = %s", mailing
        )
        self.assertEqual(traces, PEOPLE)

    def test_two_launch_and_one_server_dies(self):
        """One launch counts; SIGKILL in the middle repeats nothing, loses nothing."""
        self.web.call(
            "res.company",
            "write",
            [self.company],
            {"sms_cap_day": 0, "sms_cap_week": 0},
        )
        mailing = self.draft()
        with ThreadPoolExecutor(8) as pool:
            won = list(
                pool.map(
                    lambda turn: self.launch(self.servers[turn % 2].url, mailing),
                    range(8),
                )
            )
        self.assertEqual(won.count(True), 1, won)
        self.rows(
            "UPDATE mailing_mailing SET schedule_date = NULL WHERE id = %s "
            "RETURNING id",
            mailing,
        )
        with ThreadPoolExecutor(1) as pool:
            with self.stopped_at(f"+98912{BATCH * 3 // 2:07}") as wait_for_waiting:
                answer = pool.submit(self.work)
                # One batch is done, the next one half.
                wait_for_waiting()
                for server in self.servers:
                    server.kill()
            # On a busy machine the first slice ends before it comes so far, and the
            # server's own job went on.
            with contextlib.suppress(requests.RequestException):
                answer.result(TIMEOUT)
        self.assertEqual(self.waiting(mailing), PEOPLE - BATCH)
        for server in self.servers:
            server.start()
        # Their cron threads look by themselves every minute; somebody presses again.
        self.work()
        self.wait_for(lambda: not self.waiting(mailing), 300)
        self.assertOnceEach(mailing)

    def test_server_dies_while_recipients_are_taken(self):
        """The slice that was under way is taken again, those before it stay."""
        crowd = self.people("Crowd", "+98913", CROWD)
        mailing = self.draft(crowd, rate_per_hour=1, schedule_date=False)
        taken = "SELECT count(*) FROM mailing_recipient WHERE mailing_id = %s"
        with self.stopped_at(f"+98913{CROWD:07}", "waiting") as wait_for_waiting:
            # Its job begins by itself.
            self.assertTrue(self.launch(self.url, mailing))
            wait_for_waiting()
            for server in self.servers:
                server.kill()
        self.assertEqual(self.value(taken, mailing), SLICE)
        for server in self.servers:
            server.start()
        self.work()
        self.wait_for(
            lambda: self.value(PROGRESS.format("p.queued_count = 1"), mailing),
            300,
        )
        [(recipients, numbers, waiting)] = self.rows(
            "SELECT count(*), count(DISTINCT number),"
            "       count(*) FILTER (WHERE state = 'waiting')"
            "  FROM mailing_recipient WHERE mailing_id = %s",
            mailing,
        )
        self.assertEqual((recipients, numbers, waiting), (CROWD, CROWD, CROWD - 1))
        self.assertEqual(
            self.value(PROGRESS.format("p.waiting_count"), mailing),
            waiting,
        )
        self.web.call("mailing.mailing", "action_stop", [mailing])

    def test_stopped_while_messages_are_written(self):
        """Whoever stops it, changes it or looks at it is not in the queue's way, nor
        it in theirs; each recipient ends once.
        """
        crowd = self.people("Stopped crowd", "+98915", CROWD)
        self.rows(
            "UPDATE sms_line SET paused = TRUE WHERE id = %s RETURNING 1", self.line
        )
        for where in ("p.queued_count > 0", "p.queued_count > 4000"):
            mailing = self.draft(crowd, schedule_date=False)
            self.assertTrue(self.launch(self.url, mailing))
            self.wait_for_value(PROGRESS.format(where), mailing)
            with self.unrepeated():
                call = functools.partial(self.web.call, "mailing.mailing")
                call("refresh_results", [mailing])
                call("write", [mailing], {"rate_per_hour": 0})
                call("action_stop", [mailing])
            self.wait_for_value(
                "SELECT state = 'done' FROM mailing_mailing WHERE id = %s", mailing
            )
            self.assertAllTakenBack(mailing)

    def wait_for_value(self, query, mailing):
        self.wait_for(lambda: self.value(query, mailing), 120)

    def assertAllTakenBack(self, mailing):
        """Nobody waits or is said to have got it; messages and traces are cancelled."""
        queued = self.value(
            "SELECT count(*) FROM sms_sms WHERE mailing_id = %s", mailing
        )
        self.assertTrue(queued)
        states = dict(
            self.rows(
                "SELECT coalesce(reason, state), count(*) FROM mailing_recipient"
                " WHERE mailing_id = %s GROUP BY 1",
                mailing,
            )
        )
        self.assertEqual(states, {"halted": CROWD})
        self.assertEqual(self.value(PROGRESS.format("p.queued_count"), mailing), 0)
        self.assertEqual(
            self.rows(
                "SELECT s.state, t.trace_status, count(*)::int FROM sms_sms s"
                "  JOIN mailing_trace t ON t.sms_id_int = s.id"
                " WHERE s.mailing_id = %s GROUP BY 1, 2",
                mailing,
            ),
            [("canceled", "cancel", queued)],
        )

    @contextlib.contextmanager
    def unrepeated(self):
        """No call of these has to be repeated since the queue was in its way."""
        before = self.conflicts()
        yield
        self.assertEqual(self.conflicts(), before)

    def conflicts(self):
        """How often the servers repeated a request."""
        return sum(
            server.log.read_text(errors="replace").count("tries left")
            for server in self.servers
        )

    def test_server_dies_between_the_e_mails_and_the_note_of_them(self):
        """Core has committed the e-mails of a batch; nobody gets a second one."""
        readers = self.people("Readers", "+98914", MAILED)
        self.rows(
            "UPDATE res_partner SET (email, email_normalized)"
            " = (SELECT address, address"
            "      FROM (SELECT replace(phone, '+', 'n') || '@example.com') a(address))"
            " WHERE phone LIKE '+98914%%' RETURNING 1"
        )
        mailing = self.draft(
            readers,
            mailing_type="mail",
            body_html="<p>Hello</p>",
            email_from="cafe@example.com",
            schedule_date=False,
        )
        mails = "SELECT count(*), count(DISTINCT res_id)"
        mails += " FROM mail_mail m JOIN mail_message g ON g.id = m.mail_message_id"
        mails += " WHERE mailing_id = %s"
        number = f"n98914{MAILED // 2:07}@example.com"
        with self.stopped_at(number) as wait_for_waiting:
            self.assertTrue(self.launch(self.url, mailing))
            wait_for_waiting()
            for server in self.servers:
                server.kill()
        self.assertEqual(self.rows(mails, mailing), [(MAIL_BATCH, MAIL_BATCH)])
        self.assertEqual(self.waiting(mailing), MAILED)
        for server in self.servers:
            server.start()
        self.work()
        self.wait_for(lambda: not self.waiting(mailing), 300)
        self.assertEqual(self.rows(mails, mailing), [(MAILED, MAILED)])
        traces = "SELECT count(*), count(DISTINCT email) FROM mailing_trace"
        traces += " WHERE mass_mailing_id = %s"
        self.assertEqual(self.rows(traces, mailing), [(MAILED, MAILED)])
