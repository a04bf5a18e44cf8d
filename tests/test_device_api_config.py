"""What a device is told, and what it tells of itself."""

import time
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import ClubHttpCommon


@tagged("post_install", "-at_install")
class TestConfig(ClubHttpCommon):
    def test_body(self):
        """Tags in order, behaviour, and the revision."""
        response = self.client.config()
        self.assertEqual(response.status_code, 200)
        body = response.json()
        self.assertEqual(
            [(tag["digit"], tag["label"]) for tag in body.pop("tags")],
            [(1, "Coffee"), (2, "Cake"), (3, "Our services")],
        )
        self.assertEqual(
            body,
            {
                "rev": self.device.config_rev,
                "club": "Café Naderi",
                "locale": "en",
                "tag_required": False,
                "region": "IR",
                "privacy": "staff",
                "gap_s": 600,
                "batch_max": 50,
                "offline_max_h": 720,
                "heartbeat_s": 300,
            },
        )

    def test_not_changed(self):
        """The ETag of the last answer, weak or in a list: 304 and no body."""
        etag = self.client.config().headers["ETag"]
        self.assertEqual(etag, f'"r{self.device.config_rev}-en"')
        for sent, status in (
            (etag, 304),
            (f"W/{etag}", 304),
            (f'"other", {etag}', 304),
            ('"r0-en"', 200),
            (etag.strip('"'), 200),
        ):
            with self.subTest(sent=sent):
                response = self.client.config(etag=sent)
                self.assertEqual(response.status_code, status)
                self.assertEqual(bool(response.content), status == 200)
                self.assertEqual(response.headers["ETag"], etag)

    def test_every_change_of_the_body_is_a_revision(self):
        """Whatever the device shows or does by: a new revision and a new ETag."""
        changes = {
            "label": lambda: self.tag_coffee.write({"label": "Espresso"}),
            "colour": lambda: self.tag_coffee.write({"color": "#00FF00"}),
            "digit": lambda: self.tag_coffee.write({"digit": 7}),
            "new tag": lambda: self.build_tag(5, "Tea"),
            "tag removed": self.tag_info.unlink,
            "contact tag": lambda: self.tag_cake.write({"category_id": False}),
            "gap": lambda: self.device.write({"gap_minutes": 30}),
            "tag required": lambda: self.device.write({"tag_required": True}),
            "privacy": lambda: self.device.write({"privacy": "public"}),
            "country": lambda: self.device.write(
                {"country_id": self.env.ref("base.ae").id}
            ),
            "language": lambda: self.device.write({"lang": "fa_IR"}),
            "offline limit": lambda: self.device.write({"offline_limit_days": 7}),
            "club": lambda: self.company.write({"name": "Café Lamiz"}),
        }
        for name, change in changes.items():
            with self.subTest(name):
                before = self.client.config()
                change()
                after = self.client.config(etag=before.headers["ETag"])
                self.assertEqual(after.status_code, 200)
                self.assertEqual(after.json()["rev"], before.json()["rev"] + 1)

    def test_other_changes_are_no_revision(self):
        """What the device neither shows nor does by leaves its revision alone."""
        before = self.device.config_rev
        self.device.write(
            {
                "name": "Another name",
                "branch": "North",
                "rate_limit_per_minute": 90,
                "group_id": self.build_group(self.company, "Others").id,
            }
        )
        self.tag_coffee.first_text = "Welcome to our coffee"
        self.check_in(self.phone(), tag=1)
        self.device.action_suspend()
        self.device.action_activate()
        self.assertEqual(self.device.config_rev, before)

    def test_one_device_sees_its_own_tags(self):
        """The configuration of one device says nothing of another."""
        other = self.build_device(self.company, name="Door")
        self.build_tag(4, "Only here", device=other)
        token = self.connect(other)
        labels = [tag["label"] for tag in self.client_of(token).config().json()["tags"]]
        self.assertEqual(labels, ["Only here"])
        self.assertNotIn("Only here", self.client.config().text)

    def test_label_is_text(self):
        """What a manager types is data: quotes and markup arrive as typed."""
        label = '<b>"{{ 1 }}"</b> \u200fقهوه'
        self.tag_coffee.label = label
        self.assertEqual(self.client.config().json()["tags"][0]["label"], label)


@tagged("post_install", "-at_install")
class TestHeartbeat(ClubHttpCommon):
    def test_state_is_kept(self):
        """Version and queue are shown to staff; the clock comes back."""
        response = self.client.heartbeat(fw="2.0", queue=17, clock=0, rssi=-70)
        self.assertEqual(response.status_code, 200)
        body = response.json()
        self.assertAlmostEqual(body["server_time"], time.time(), delta=5)
        self.assertEqual(body["config_rev"], self.device.config_rev)
        self.assertFalse(body["token_rotate"])
        self.assertEqual((self.device.firmware, self.device.queue_length), ("2.0", 17))
        self.assertAlmostEqual(
            self.device.last_seen, fields.Datetime.now(), delta=timedelta(seconds=5)
        )

    def test_wrong_types(self):
        """Judged like any body."""
        for members, name in (
            ({"fw": 2}, "wrong-type"),
            ({"fw": "x" * 33}, "wrong-type"),
            ({"queue": "1"}, "wrong-type"),
            ({"queue": True}, "wrong-type"),
            ({"queue": 1.5}, "wrong-type"),
            ({"fw": "\0"}, "malformed"),
        ):
            with self.subTest(members):
                self.assertProblem(self.client.heartbeat(**members), name, 400)

    def test_numbers_beyond_the_column(self):
        """A queue of billions, or below zero, is kept as the nearest possible."""
        for queue, kept in ((2**40, 2**31 - 1), (-1, 0), (10**30, 2**31 - 1)):
            with self.subTest(queue=queue):
                self.assertEqual(self.client.heartbeat(queue=queue).status_code, 200)
                self.assertEqual(self.device.queue_length, kept)

    def test_suspended_device_may_say_that_it_lives(self):
        """A heartbeat of a suspended device is noted."""
        self.device.action_suspend()
        self.assertEqual(self.client.heartbeat(queue=3).status_code, 200)
        self.assertEqual(self.device.queue_length, 3)

    def test_check_ins_note_last_seen_once_a_minute(self):
        """last_seen moves with check-ins, at most once a minute."""
        row = self.device.activity_row_ids
        now = fields.Datetime.now()
        for age, moved in ((30, False), (90, True)):
            with self.subTest(age=age):
                row.last_seen = now - timedelta(seconds=age)
                self.check_in(self.phone())
                recent = row.last_seen > now - timedelta(seconds=10)
                self.assertEqual(recent, moved)
