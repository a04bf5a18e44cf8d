"""The scripts that the documents for integrators quote run as they stand."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from .device_client import DeviceClient
from .served import ServedCase, WebClient

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "dev" / "examples"
DOCUMENTS = [ROOT / "docs" / name for name in ("integrators.md", "segments.md")]
CLUB_MANAGER = "customer_segmentation_group_club_manager"
LOGIN, PASSWORD = "integrator", "integrator-7319"
TIMEOUT = 60  # seconds, start of Python included


class TestIntegratorExamples(ServedCase):
    # XML-RPC says at every call that it will go.
    expected = (r"odoo\.addons\.rpc.*deprecated",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = [
            cls.web.call("ir.model.data", "check_object_reference", module, name)[1]
            for module, name in (
                ("base", "group_user"),
                ("customer_segmentation", CLUB_MANAGER),
            )
        ]
        cls.web.make(
            "res.users",
            name="Integrator",
            login=LOGIN,
            password=PASSWORD,
            group_ids=[(6, 0, groups)],
        )
        # A key as a person makes it, in the preferences.
        person = WebClient(cls.url, cls.db, LOGIN, PASSWORD)
        wizard = person.make("res.users.apikeys.description", name="Cash register")
        action = person.call("res.users.apikeys.description", "make_key", [wizard])
        if action["res_model"] == "res.users.identitycheck":
            action = person.call(
                "res.users.identitycheck",
                "run_check",
                [action["res_id"]],
                context={"password": PASSWORD},
            )
        cls.key = action["context"]["default_key"]

    def run_script(self, name, secret):
        """Run an example with its four arguments; return the dict it prints."""
        result = subprocess.run(
            [sys.executable, EXAMPLES / name, self.url, self.db, LOGIN, secret],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env={**os.environ, "PYTHONPATH": ""},
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        return ast.literal_eval(result.stdout)

    def judge(self, name, secret, first):
        """A first run prepares the device, a second one reads what it took."""
        report = self.run_script(name, secret)
        self.assertRegex(report["code"], r"^[0-9]{9}$")
        tags = self.rows(
            "SELECT digit, label, color, category_id IS NOT NULL, "
            "first_template_id IS NOT NULL "
            "FROM club_device_tag WHERE device_id = %s ORDER BY digit",
            report["device_id"],
        )
        self.assertEqual(
            tags,
            [
                (1, "Coffee", "#7B3F00", True, False),
                (2, "Our services", "#0066CC", False, True),
            ],
        )
        client = DeviceClient(self.url, db=self.db)
        self.assertEqual(client.pair(report["code"]).status_code, 201)
        phones = [f"0912{first + turn:07d}" for turn in range(3)]
        for turn, phone in enumerate(phones):
            self.assertEqual(
                client.checkin(f"day-{turn:07d}", phone, 1).status_code, 201
            )
        client.checkin("day-too-soon", phones[0], 1)
        self.wait_for_followup()
        again = self.run_script(name, secret)
        self.assertEqual(again["device_id"], report["device_id"], "made twice")
        self.assertNotEqual(again["code"], report["code"])
        members = {row["phone_e164"]: row for row in again["members"]}
        for phone in phones:
            member = members[f"+98{phone[1:]}"]
            self.assertEqual(member["visit_count"], 1)
            self.assertTrue(member["partner_id"])
        self.assertEqual(again["visits"], report["visits"] + 3)
        self.assertEqual(len(again["checkins"]), len(report["checkins"]) + 4)

    def test_json2(self):
        """The JSON-2 script with the key of a club manager."""
        self.judge("json2_club.py", self.key, 1_000_000)

    def test_xmlrpc(self):
        """The XML-RPC script with a password; a key of the same person works too."""
        self.judge("xmlrpc_club.py", PASSWORD, 2_000_000)
        self.assertTrue(self.run_script("xmlrpc_club.py", self.key)["device_id"])

    def judge_segments(self, name, secret):
        """The first run fills segment and group, a second one changes nothing."""
        here = [
            self.web.make("res.partner", name=f"{name} {number}", city="Tehran")
            for number in range(3)
        ]
        first = self.run_script(name, secret)
        self.assertEqual(first["segment"]["state"], "fresh")
        self.assertEqual(first["segment"]["member_count"], len(first["members"]))
        self.assertLessEqual(set(here), set(first["members"]))
        # The server's own worker may have come first: then nothing is left to change.
        self.assertIn(first["changed"], (0, len(first["members"])))
        self.assertEqual(set(first["group"]["partner_ids"]), set(first["members"][:2]))
        self.assertTrue(first["why"]["is_member"])
        self.assertEqual(
            {event["cause"] for event in first["events"]}, {"rule", "hand"}
        )
        again = self.run_script(name, secret)
        self.assertEqual(again["changed"], 0)
        self.assertEqual(again["events"], first["events"])

    def test_segments_json2(self):
        """Segment, group, events and reasons with the key of a person."""
        self.judge_segments("json2_segments.py", self.key)

    def test_segments_xmlrpc(self):
        """The same with a password."""
        self.judge_segments("xmlrpc_segments.py", PASSWORD)

    def test_wrong_secret_is_refused(self):
        """A script with a wrong secret ends with an error, not with data."""
        for name in ("json2_club.py", "xmlrpc_club.py"):
            with self.subTest(name), self.assertRaises(AssertionError):
                self.run_script(name, "wrong")

    def test_document_quotes_the_scripts(self):
        """Each script stands in a document letter by letter."""
        blocks = re.findall(
            r"`dev/examples/(\w+\.py)`:\n\n```python\n(.*?)```\n",
            "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS),
            re.DOTALL,
        )
        quoted = dict(blocks)
        files = {path.name: path.read_text("utf-8") for path in EXAMPLES.glob("*.py")}
        self.assertEqual(set(quoted), set(files))
        for name, text in files.items():
            with self.subTest(name):
                self.assertEqual(quoted[name], text)
