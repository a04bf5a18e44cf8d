"""Segments over real Odoo processes: what the tests of races and crashes share."""

from bootstrap import database

from .served import ServedCase, WebClient

CONTACTS = 400
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


class SegmentServedCase(ServedCase):
    """Segments of contacts in made-up cities, beside two servers with their workers."""

    servers_wanted = 2
    cron_threads = 2
    # Whoever deletes or edits what another one deletes is told so.
    expected = (
        r"odoo\.sql_db: bad query",
        r"odoo\.http: .*(does not exist|been deleted|could not serialize)",
        # An open merge names whom somebody else deletes.
        r"odoo\.http: .*Another model is using the record",
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
        self.wait_for(lambda: not self.work_left(), 90, self.work_left)

    def work_left(self):
        """Touches and stale segments, each with its ids.

        :rtype: list[tuple]
        """
        return self.rows(
            """
            SELECT 'touch', id, segment_id, partner_id FROM customer_segment_touch
             UNION ALL
            SELECT 'stale', id, NULL, NULL FROM customer_segment
             WHERE active AND state = 'stale'
            """
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

    def run_only_when_woken(self):
        """Move the regular runs of this test's database a day away."""
        self.rows(
            "UPDATE ir_cron SET nextcall = nextcall + interval '1 day' RETURNING id"
        )

    def trigger(self, name):
        """Run a scheduled job now."""
        (job,) = self.web.call(
            "ir.model.data", "search_read", [("name", "=", name)], ["res_id"]
        )
        self.web.call("ir.cron", "method_direct_trigger", [job["res_id"]])
