"""dev/device.py against a real server: the story of one desk."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .served import ServedCase

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "dev" / "device.py"
DOCUMENT = ROOT / "docs" / "device-api.md"


def load_device():
    """The module dev/device.py, which is a program and no package."""
    spec = importlib.util.spec_from_file_location("club_device_simulator", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestDeviceSimulator(ServedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.simulator = load_device()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def setUp(self):
        super().setUp()
        self.device_id = self.build_device(self.id())
        self.path = self.folder / f"{self.id()}.json"

    def setup_string(self):
        action = self.web.call("club.device", "action_connect", [self.device_id])
        return action["params"]["setup"]

    def device(self, **options):
        """The simulated device, as after a power cut: its state comes from the file."""
        return self.simulator.Device(self.path, jitter=lambda: 0, **options)

    def connected(self, **options):
        device = self.device(**options)
        _url, database, code = self.simulator.parse_setup(self.setup_string())
        device.pair(self.url, database, code)
        return device

    def visits(self, phone):
        return self.rows(
            """
            SELECT m.visit_count, count(c.id), count(c.message_kind)
              FROM club_member m JOIN club_checkin c ON c.member_id = m.id
             WHERE m.phone_e164 = %s GROUP BY m.id
            """,
            f"+98{phone[1:]}",
        )

    def test_pair_config_and_check_in(self):
        """Setup string, tags, a first visit and its welcome, too soon, a refusal."""
        device = self.connected()
        config = device.config()
        self.assertEqual([tag["digit"] for tag in config["tags"]], [1, 2])
        self.assertEqual(device.checkin("09121000001", 1), ("Welcome", "First visit"))
        self.assertEqual(
            device.checkin("09121000001", 1), ("Already counted", "Visit 1")
        )
        self.assertEqual(device.checkin("02188776655", 1), ("MOBILE ONLY", "E23"))
        self.assertFalse(device.queue)
        self.wait_for_followup()
        self.assertEqual(self.visits("09121000001"), [(1, 2, 1)])
        device.heartbeat()
        device.rotate()
        self.assertEqual(device.checkin("09121000002"), ("Welcome", "First visit"))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_changed_tags_arrive_with_the_heartbeat(self):
        """A new label is fetched once the heartbeat shows another revision."""
        device = self.connected()
        tags = self.web.call(
            "club.device.tag", "search", [("device_id", "=", self.device_id)]
        )
        self.web.call("club.device.tag", "write", tags[:1], {"label": "Espresso"})
        self.assertEqual(device.state["config"]["tags"][0]["label"], "Coffee")
        device.heartbeat()
        self.assertEqual(device.state["config"]["tags"][0]["label"], "Espresso")

    def test_server_killed_and_back(self):
        """Key presses while the server is dead wait in the file, then arrive once."""
        (server,) = self.servers
        device = self.connected()
        phones = [f"0912200{turn:04d}" for turn in range(5)]
        server.kill()
        for waiting, phone in enumerate(phones, start=1):
            screen = device.checkin(phone, 1)
            self.assertEqual(screen, ("SAVED", f"{waiting} WAITING"))
        restarted = self.device()
        self.assertEqual(len(restarted.queue), 5)
        self.assertEqual(restarted.flush(wait=False), 0, "the server is dead")
        server.start()
        self.assertEqual(restarted.flush(), 5)
        self.assertFalse(self.device().queue)
        self.wait_for_followup()
        for phone in phones:
            self.assertEqual(self.visits(phone), [(1, 1, 1)])

    def test_lost_answer_is_repeated_not_counted(self):
        """The server took it but the answer got lost: the repeat is a replay."""
        device = self.connected()
        phone = "09123000001"
        call = device.call

        def lose(*args, **kwargs):
            call(*args, **kwargs)
            return self.simulator.read_answer(None)

        device.call = lose
        self.assertEqual(device.checkin(phone, 1)[0], "SAVED")
        device.call = call
        self.assertEqual(device.flush(wait=False), 1)
        self.assertEqual(self.visits(phone)[0][:2], (1, 1))

    def test_burst_beyond_the_limit_loses_nothing(self):
        """Thirty key presses at once over a limit of 20: the rest follows later."""
        self.web.call(
            "club.device", "write", [self.device_id], {"rate_limit_per_minute": 600}
        )
        device = self.connected()
        counted = device.burst(40)
        self.assertEqual(counted["refused"], 0)
        self.assertEqual(counted["accepted"] + counted["waiting"], 40)
        device.flush()
        taken = self.value(
            "SELECT count(*) FROM club_checkin WHERE device_id = %s", self.device_id
        )
        self.assertEqual(taken, 40)

    def test_suspended_and_revoked(self):
        """Suspended it keeps collecting; revoked it asks to be connected first."""
        device = self.connected()
        self.web.call("club.device", "action_suspend", [self.device_id])
        self.assertEqual(device.checkin("09124000001", 1), ("SAVED", "1 WAITING"))
        self.assertTrue(device.state["token"])
        self.web.call("club.device", "action_activate", [self.device_id])
        self.web.call("club.device", "action_revoke", [self.device_id])
        device.hold_until = 0
        self.assertEqual(
            device.checkin("09124000002", 1), ("CONNECT DEVICE", "2 WAITING")
        )
        device = self.connected()
        self.assertEqual(device.flush(), 2)
        self.assertEqual(self.visits("09124000001")[0][:2], (1, 1))

    def test_program(self):
        """The command line: pair, check in, queue, a wrong code."""

        def run(*arguments):
            return subprocess.run(
                [sys.executable, PROGRAM, "--state", self.path, *arguments],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        paired = run("pair", self.setup_string())
        self.assertEqual(paired.returncode, 0, paired.stderr)
        self.assertIn("2 TAGS", paired.stdout)
        self.assertIn("First visit", run("checkin", "09125000001", "1").stdout)
        self.assertIn("0 waiting", run("queue").stdout)
        wrong = run("pair", f"{self.url}|{self.db}|000000000")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("E70", wrong.stderr)

    def test_curl_lines_of_the_document(self):
        """The quick start of docs/device-api.md works as it stands."""
        if not shutil.which("curl"):
            self.skipTest("no curl here")
        text = DOCUMENT.read_text(encoding="utf-8")
        quick_start = text.partition("## Quick start")[2].partition("\n## ")[0]
        script = "\n".join(re.findall(r"```sh\n(.*?)```", quick_start, re.DOTALL))
        self.assertIn("/token/rotate", script)
        result = subprocess.run(
            ["sh", "-euc", script],
            env={
                "PATH": "/usr/bin:/bin",
                "CODE": self.setup_string().rpartition("|")[2],
                "API": f"{self.url}/club/device/v1",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        answers = re.findall(r'"(?:token|rev|event_id|server_time)":', result.stdout)
        self.assertGreaterEqual(len(answers), 8, result.stdout)
        self.assertIn("304", result.stdout)
        problems = set(re.findall(r"club-device:([a-z-]+)", result.stdout))
        self.assertEqual(problems, {"not-mobile"}, result.stdout)
        self.assertEqual(
            self.value(
                "SELECT count(*) FROM club_checkin WHERE device_id = %s",
                self.device_id,
            ),
            3,
        )
