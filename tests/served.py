"""Real Odoo processes over a throw-away database, and what tests ask of them.

Requests of an HttpCase share one transaction, so races, crashes and logs of a real
server cannot be seen there.
"""

import contextlib
import re
import time
import unittest
import uuid

import requests
from bootstrap import database
from bootstrap import environment as environments
from bootstrap.paths import lock
from bootstrap.server import OdooServer

from .device_client import DeviceClient

KEPT = "served"  # installed once per state of the sources, then copied
TIMEOUT = 120  # seconds, of a machine that has much else to do


class WebClient:
    """A person in the web client: enough of it to prepare a club.

    :param str url: of the server
    :param str db: the database
    """

    def __init__(self, url, db, login="admin", password="admin"):
        self.url = url
        self.session = requests.Session()
        credentials = {"db": db, "login": login, "password": password}
        self.uid = self.post("/web/session/authenticate", credentials)["uid"]

    def post(self, path, params):
        """Call a JSON route; an error of the server is an AssertionError."""
        response = self.session.post(
            self.url + path, json={"params": params}, timeout=TIMEOUT
        ).json()
        assert "error" not in response, response["error"]["data"]["message"]
        return response.get("result")

    def call(self, model, method, *args, **kwargs):
        """Call a public method of a model."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self.post(f"/web/dataset/call_kw/{model}/{method}", params)

    def make(self, model, **values):
        """Create one record.

        :return: its id
        :rtype: int
        """
        return self.call(model, "create", [values])[0]


class ServedCase(unittest.TestCase):
    """A club in a database of its own, served by real processes."""

    servers_wanted = 1
    cron_threads = 1
    expected = ()  # patterns of warnings that the tests provoke

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with environments.ready() as cls.environment, lock("served"):
            database.current(cls.environment, KEPT, log_name="served-install")
            cls.db = f"{KEPT}_{uuid.uuid4().hex[:8]}"
            database.copy(cls.environment, KEPT, cls.db)
        cls.addClassCleanup(database.drop, cls.environment, cls.db)
        cls.servers = [
            OdooServer(
                cls.db,
                name=f"{cls.__name__.lower()}-{number}",
                cron_threads=cls.cron_threads,
                expected=cls.expected,
                environment=cls.environment,
            )
            for number in range(cls.servers_wanted)
        ]
        for server in cls.servers:
            cls.addClassCleanup(server.stop)
            server.start(wait=False)
        for server in cls.servers:
            server.wait()
        cls.url = cls.servers[0].url
        cls.web = WebClient(cls.url, cls.db)
        cls.build_club()

    @classmethod
    def build_club(cls):
        """The company: in Iran, with two texts and a line that sends nothing."""
        web = cls.web
        cls.iran = web.call("res.country", "search", [("code", "=", "IR")])[0]
        cls.company = web.call("res.company", "search", [], limit=1)[0]
        model = web.call("ir.model", "search", [("model", "=", "res.partner")])[0]
        texts = {
            f"club_{kind}_template_id": web.make(
                "sms.template",
                name=kind,
                body=f"{kind} text",
                model_id=model,
                message_class="service",
            )
            for kind in ("welcome", "repeat")
        }
        values = {"country_id": cls.iran, **texts}
        web.call("res.company", "write", [cls.company], values)
        lines = web.call("sms.line", "search", [])
        web.call("sms.line", "write", lines, {"gateway": "test"})

    @classmethod
    def build_device(cls, name="Counter", **values):
        """A device with a group and two tags.

        :return: its id
        :rtype: int
        """
        group = cls.web.make("customer.segment", name=f"Group of {name}")
        values = {"rate_limit_per_minute": 6000, "lang": "en_US", **values}
        tags = [
            (0, 0, {"digit": 1, "label": "Coffee"}),
            (0, 0, {"digit": 2, "label": "Services", "first_text": "What we do"}),
        ]
        return cls.web.make(
            "club.device",
            name=name,
            group_id=group,
            country_id=cls.iran,
            tag_ids=tags,
            **values,
        )

    @classmethod
    def connect(cls, device_id, url=None):
        """Pair a device.

        :return: what speaks for it
        :rtype: DeviceClient
        """
        client = DeviceClient(url or cls.url, db=cls.db)
        code = cls.web.call("club.device", "generate_pairing_code", [device_id])
        response = client.pair(code)
        assert response.status_code == 201, response.text
        return client

    # === Looking inside === #

    @classmethod
    def rows(cls, query, *parameters):
        """The rows of a query, in a connection of its own."""
        with database.cursor(cls.environment, cls.db) as cr:
            cr.execute(query, parameters)
            return cr.fetchall()

    @classmethod
    def value(cls, query, *parameters):
        """The one value of a query."""
        return cls.rows(query, *parameters)[0][0]

    def wait_for(self, question, seconds=TIMEOUT, explain=None):
        """Wait until a question is answered with something true, and return it.

        :param explain: called when the time is over, to say what is still missing
        """
        end = time.monotonic() + seconds
        while not (answer := question()):
            if time.monotonic() > end:
                self.fail(f"it never came: {explain() if explain else answer}")
            time.sleep(0.1)
        return answer

    @contextlib.contextmanager
    def held(self, query, *parameters, commit=False):
        """Hold what a query locks, in a connection of its own.

        Yields what waits until somebody waits for it.

        :param bool commit: keep what the query did
        """
        waiting = "SELECT count(*) FROM pg_locks WHERE %s = ANY(pg_blocking_pids(pid))"
        with database.cursor(self.environment, self.db) as cr:
            cr.connection.autocommit = False
            cr.execute(query, parameters)
            pid = cr.connection.info.backend_pid
            try:
                yield lambda: self.wait_for(lambda: self.value(waiting, pid))
                if commit:
                    cr.connection.commit()
            finally:
                cr.connection.rollback()

    def wait_for_followup(self, seconds=TIMEOUT):
        """Wait until the workers have prepared every check-in."""
        waiting = "SELECT count(*) FROM club_checkin WHERE state <> 'done'"
        self.wait_for(lambda: not self.value(waiting), seconds)

    def assertNoNumberInLogs(self):
        """No phone number that a device has sent stands in any server's log."""
        numbers = {
            row[0][3:] for row in self.rows("SELECT phone_e164 FROM club_member")
        }
        for server in self.servers:
            text = server.log.read_text(errors="replace")
            self.assertIn("/club/device/v1/", text)
            found = set(re.findall(r"9\d{9}", text)) & numbers
            self.assertFalse(found, "phone numbers in the log")
