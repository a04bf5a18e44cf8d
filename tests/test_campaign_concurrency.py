"""Campaigns under fire: two who send at once, a server that is killed."""

from concurrent.futures import ThreadPoolExecutor

from .served import ServedCase, WebClient

PEOPLE = 6000


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
        cls.group = web.make("customer.segment", name="All of them", kind="static")
        cls.rows(
            """
            WITH made AS (
                INSERT INTO res_partner
                       (name, complete_name, active, type, phone, phone_sanitized,
                        partner_share, is_company, commercial_partner_id, lang,
                        autopost_bills)
                SELECT 'Guest ' || n, 'Guest ' || n, TRUE, 'contact',
                       '+98912' || lpad(n::text, 7, '0'),
                       '+98912' || lpad(n::text, 7, '0'), TRUE, FALSE, NULL, 'en_US',
                       'ask'
                  FROM generate_series(1, %s) n
             RETURNING id, phone_sanitized),
            members AS (
                INSERT INTO club_member
                       (company_id, phone_e164, visit_count, joined_by, partner_id)
                SELECT %s, phone_sanitized, 1, 'hand', id FROM made)
            INSERT INTO customer_segment_included_partner_rel (segment_id, partner_id)
            SELECT %s, id FROM made RETURNING partner_id
            """,
            PEOPLE,
            cls.company,
            cls.group,
        )
        cls.rows(
            "UPDATE res_partner SET commercial_partner_id = id"
            " WHERE commercial_partner_id IS NULL RETURNING 1"
        )
        web.call("customer.segment", "refresh", [cls.group])

    def draft(self):
        return self.web.make(
            "mailing.mailing",
            mailing_type="sms",
            subject="New menu",
            audience_mode="segments",
            audience_segment_ids=[(6, 0, [self.group])],
            line_id=self.line,
            body_plaintext="Hello {{ object.name ||| you }}",
            company_id=self.company,
        )

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
        self.wait_for(lambda: 0 < self.waiting(mailing) < PEOPLE, 60)
        # Whichever of both is at it.
        for server in self.servers:
            server.kill()
        self.assertGreater(self.waiting(mailing), 0, "it was done before it was killed")
        for server in self.servers:
            server.start()
        # Their cron threads look by themselves every minute; somebody presses again.
        self.web = WebClient(self.url, self.db)
        cron = self.web.call(
            "ir.cron", "search", [("cron_name", "=", "Mail Marketing: Process queue")]
        )
        self.web.call("ir.cron", "method_direct_trigger", cron)
        self.wait_for(lambda: not self.waiting(mailing), 180)
        self.assertOnceEach(mailing)
