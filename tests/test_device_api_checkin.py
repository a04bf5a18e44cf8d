"""One check-in over HTTP: what is accepted, what is refused, what is written."""

import json
import logging
import socket
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.customer_segmentation.models.club.club_checkin_intake import (
    ClubCheckinIntake,
)

from .common import REPEAT, WELCOME, ClubHttpCommon

FORM = "application/x-www-form-urlencoded"
ROOT = Path(__file__).resolve().parent.parent
CONTROLLER = "odoo.addons.customer_segmentation.controllers.device_api"
DAY = 86400
HOUR = 3600


class CheckinCase(ClubHttpCommon):
    """Counts rows, to prove that a refusal leaves none behind."""

    def rows(self):
        return (
            self.env["club.checkin"].search_count([]),
            self.env["club.member"].with_context(active_test=False).search_count([]),
            self.env["res.partner"].search_count([]),
        )

    def assertRefused(self, response, name, status):
        self.assertProblem(response, name, status)
        self.assertEqual(self.rows(), self.rows_before, "something was written")

    def setUp(self):
        super().setUp()
        self.rows_before = self.rows()

    def post(self, **members):
        """Post a check-in as it is, without the members that are left out."""
        body = {"event_id": self.event_id(), "phone": "09121234567", **members}
        body = {key: value for key, value in body.items() if value is not ...}
        return self.client.request("POST", "/checkins", json=body)


@tagged("post_install", "-at_install")
class TestCheckin(CheckinCase):
    def test_first_visit_makes_member_contact_group_tag_and_welcome(self):
        """The main job: a number becomes a member, a contact and a queued text."""
        phone = self.phone()
        answer = self.check_in(phone, tag=1)
        self.assertEqual(
            {key: answer[key] for key in ("result", "visit_no", "tag", "sms")},
            {"result": "new", "visit_no": 1, "tag": 1, "sms": "queued"},
        )
        member = self.member(phone)
        self.assertFalse(member.partner_id, "the contact is made by the batch step")
        self.follow_up()
        partner = member.partner_id
        self.assertEqual(partner.company_id, self.company)
        self.assertEqual(partner.country_id.code, "IR")
        self.assertEqual(partner.phone_sanitized, f"+98{phone[1:]}")
        self.assertEqual(partner.category_id, self.category_coffee)
        self.assertIn(partner, self.device.group_id.included_partner_ids)
        checkin = member.checkin_ids
        self.assertEqual(checkin.sms_id.body, f"{WELCOME}\nلغو11")
        self.assertEqual(checkin.sms_id.number, member.phone_e164)
        self.assertEqual(checkin.sms_id.state, "outgoing")
        self.assertEqual(checkin.state, "done")

    def test_later_visit_counts_and_sends_the_repeat_text(self):
        """The second visit is number 2 and gets the club's repeat text."""
        phone = self.phone()
        self.check_in(phone, age_s=HOUR)
        answer = self.check_in(phone)
        self.assertEqual(
            (answer["result"], answer["visit_no"], answer["sms"]),
            ("repeat", 2, "queued"),
        )
        self.follow_up()
        bodies = self.checkins(phone).sms_id.sorted("id").mapped("body")
        self.assertEqual(bodies, [f"{WELCOME}\nلغو11", f"{REPEAT}\nلغو11"])
        self.assertEqual(self.member(phone).visit_count, 2)

    def test_repeat_text_empty_sends_nothing(self):
        """Without a repeat text a later visit counts and sends no SMS."""
        self.company.club_repeat_template_id = False
        phone = self.phone()
        self.check_in(phone, age_s=HOUR)
        answer = self.check_in(phone)
        self.assertEqual((answer["result"], answer["sms"]), ("repeat", "none"))
        self.follow_up()
        self.assertEqual(len(self.checkins(phone).sms_id), 1)

    def test_too_soon_is_logged_not_counted_and_silent(self):
        """The same digit within the gap: a journal row, no visit, no SMS."""
        phone = self.phone()
        self.check_in(phone, tag=1)
        answer = self.check_in(phone, tag=1)
        self.assertEqual(
            (answer["result"], answer["visit_no"], answer["sms"]),
            ("too_soon", 1, "none"),
        )
        self.follow_up()
        rows = self.checkins(phone)
        self.assertEqual(rows.mapped("counted"), [True, False])
        self.assertEqual(rows[1].not_counted_reason, "too_soon")
        self.assertEqual(len(rows.sms_id), 1)
        self.assertEqual(self.member(phone).visit_count, 1)

    def test_too_soon_is_judged_by_the_gap_of_the_device(self):
        """Inside the gap is too soon, beyond it it is a visit."""
        for age_s, expected in ((590, "too_soon"), (601, "repeat")):
            with self.subTest(age_s=age_s):
                phone = self.phone()
                self.check_in(phone, age_s=age_s)
                self.assertEqual(self.check_in(phone, age_s=0)["result"], expected)

    def test_gap_zero_counts_every_check_in(self):
        """With a gap of 0 the same person counts twice in one second."""
        self.device.gap_minutes = 0
        phone = self.phone()
        self.check_in(phone)
        self.assertEqual(self.check_in(phone)["visit_no"], 2)

    def test_late_upload_within_the_gap_of_a_neighbour_is_too_soon(self):
        """A stored check-in is judged by the time of the key press."""
        phone = self.phone()
        self.check_in(phone)
        answer = self.check_in(phone, age_s=300)
        self.assertEqual(answer["result"], "too_soon")
        self.assertEqual(self.check_in(phone, age_s=2 * HOUR)["result"], "repeat")

    def test_another_digit_within_the_gap_brings_tag_and_text_once(self):
        """Coffee, then cake: one visit, both tags, the cake's text once."""
        phone = self.phone()
        self.check_in(phone, tag=1)
        answer = self.check_in(phone, tag=2)
        self.assertEqual((answer["result"], answer["sms"]), ("too_soon", "queued"))
        self.assertEqual(self.check_in(phone, tag=2)["sms"], "none")
        self.follow_up()
        member = self.member(phone)
        self.assertEqual(member.visit_count, 1)
        self.assertEqual(
            member.partner_id.category_id, self.category_coffee | self.category_cake
        )
        self.assertEqual(len(member.checkin_ids.sms_id), 2)

    def test_information_digit_sends_its_first_text_at_any_visit(self):
        """A digit without a contact tag answers the first question, whenever asked."""
        phone = self.phone()
        self.check_in(phone, age_s=3 * HOUR)
        answer = self.check_in(phone, tag=3)
        self.assertEqual((answer["visit_no"], answer["sms"]), (2, "queued"))
        self.follow_up()
        last = self.checkins(phone)[-1]
        self.assertEqual(last.sms_id.body, "What we do\nلغو11")
        self.assertFalse(last.member_id.partner_id.category_id)

    def test_known_contact_is_found_by_its_number(self):
        """A person of the company or shared is reused, a person before a company."""
        phone = self.phone()
        values = {"phone": f"+98{phone[1:]}", "country_id": self.env.ref("base.ir").id}
        self.env["res.partner"].create(
            {**values, "name": "Firm", "is_company": True, "company_id": False}
        )
        person = self.env["res.partner"].create({**values, "name": "Sara"})
        self.check_in(phone, tag=1)
        self.follow_up()
        self.assertEqual(self.member(phone).partner_id, person)
        self.assertEqual(person.name, "Sara")
        self.assertEqual(person.category_id, self.category_coffee)

    def test_contact_of_another_company_is_not_touched(self):
        """Another company's contact with the number is not found: ours is made."""
        phone = self.phone()
        other = self.build_company("Other club")
        foreign = self.env["res.partner"].create(
            {"name": "Theirs", "phone": f"+98{phone[1:]}", "company_id": other.id}
        )
        self.check_in(phone, tag=1)
        self.follow_up()
        partner = self.member(phone).partner_id
        self.assertNotEqual(partner, foreign)
        self.assertEqual(partner.company_id, self.company)
        self.assertFalse(foreign.category_id)

    def test_club_closed_keeps_the_device_waiting(self):
        """A closed club answers 403 and «later», and takes the event once open."""
        self.company.club_open = False
        event_id = self.event_id()
        response = self.client.checkin(event_id, self.phone())
        self.assertRefused(response, "club-closed", 403)
        self.assertEqual(response.json()["retry"], "later")
        self.company.club_open = True
        self.assertFalse(self.check_in(self.phone(), event_id=event_id)["replayed"])

    def test_no_cookie_is_ever_set(self):
        """Devices are stateless: neither an answer nor a refusal sets a cookie."""
        answers = [
            self.client.checkin(self.event_id(), self.phone()),
            self.client.checkin("short", self.phone()),
            self.client_of("cd1_a_b").config(),
            self.client_of(None).config(),
            self.client.config(),
        ]
        self.assertEqual([a.status_code for a in answers], [201, 400, 401, 401, 200])
        for answer in answers:
            self.assertNotIn("Set-Cookie", answer.headers)


@tagged("post_install", "-at_install")
class TestBodies(CheckinCase):
    def test_malformed_json(self):
        """Whatever is not one strict JSON object in UTF-8 is refused unread."""
        good = b'"event_id":"aaaaaaaa1","phone":"09121234567"'
        bodies = {
            "broken": b"{" + good,
            "empty": b"",
            "list": b"[]",
            "null": b"null",
            "text": b'"x"',
            "number": b"7",
            "byte-order mark": b"\xef\xbb\xbf{" + good + b"}",
            "not UTF-8": b'{"event_id":"aaaaaaaa1","phone":"0912\xff"}',
            "UTF-16": ("{" + good.decode() + "}").encode("utf-16"),
            "NaN": b"{" + good + b',"age_s":NaN}',
            "Infinity": b"{" + good + b',"age_s":Infinity}',
            "-Infinity": b"{" + good + b',"x":-Infinity}',
            "1e999": b"{" + good + b',"age_s":1e999}',
            "-1e999": b"{" + good + b',"age_s":-1e999}',
            "huge integer": b"{" + good + b',"age_s":' + b"9" * 1500 + b"}",
            "same key twice": b'{"phone":"09121234568",' + good + b"}",
            "same key twice, deep": b"{" + good + b',"x":{"a":1,"a":2}}',
            "NUL": b'{"event_id":"aaaaaaaa1","phone":"0912\\u0000"}',
            "NUL in a key": b"{" + good + b',"a\\u0000":1}',
            "NUL, deep": b"{" + good + b',"x":[{"y":"\\u0000"}]}',
            "lone high surrogate": b'{"event_id":"aaaaaaaa1","phone":"\\ud800"}',
            "lone low surrogate": b"{" + good + b',"x":"\\udfff"}',
            "raw control character": b'{"event_id":"aaaaaaaa1","phone":"09\x01"}',
            "nested": b"[" * 1000 + b"]" * 1000,
            "nested, open": b"[" * 2000,
            "trailing comma": b"{" + good + b",}",
            "two documents": b"{" + good + b"}{}",
        }
        for name, body in bodies.items():
            with self.subTest(name):
                response = self.client.raw("/checkins", body)
                if name == "huge integer":
                    self.assertRefused(response, "wrong-type", 400)
                else:
                    self.assertRefused(response, "malformed", 400)

    def test_nested_lists_as_deep_as_a_batch_allows(self):
        """Thousands of brackets are a refusal, not a RecursionError."""
        for body in (b"[" * 16_000 + b"]" * 16_000, b'{"a":' * 5_000):
            self.assertRefused(
                self.client.raw("/checkins/batch", body), "malformed", 400
            )

    def test_pairs_of_surrogates_are_a_character(self):
        """An emoji written as an escaped pair is no lone surrogate."""
        body = (
            b'{"event_id":"emoji-00001","phone":"09121234567","note":"\\ud83d\\ude00"}'
        )
        self.assertEqual(self.client.raw("/checkins", body).status_code, 201)

    def test_large_bodies(self):
        """Over 2 KiB is 413, whatever is in it; 2 KiB exactly is read."""
        start = b'{"event_id":"size-000001","phone":"09121234567","x":"'
        fits = start + b"a" * (2048 - len(start) - 2) + b'"}'
        self.assertEqual(len(fits), 2048)
        for body in (fits + b" ", b"a" * 10 * 1024 * 1024):
            with self.subTest(size=len(body)):
                response = self.client.raw("/checkins", body)
                self.assertRefused(response, "too-large", 413)
        self.assertEqual(self.client.raw("/checkins", fits).status_code, 201)

    def test_large_form(self):
        """A form of 10 MB is 413 in our own words, before anything parses it."""
        for content_type in (FORM, f"{FORM}; charset=utf-8"):
            body = b"phone=" + b"1" * 11 * 1024 * 1024
            response = self.client.raw("/checkins", body, content_type)
            self.assertRefused(response, "too-large", 413)

    def test_large_batch(self):
        """A batch has 32 KiB."""
        body = b'{"items":[' + b" " * 32 * 1024 + b"]}"
        self.assertRefused(self.client.raw("/checkins/batch", body), "too-large", 413)

    def test_missing_length(self):
        """A chunked body, which has no Content-Length, is 411."""
        response = self.client.request(
            "POST",
            "/checkins",
            {"Content-Type": "application/json"},
            data=iter([b'{"event_id":"chunked-1",', b'"phone":"09121234567"}']),
        )
        self.assertRefused(response, "length-required", 411)

    def test_short_length(self):
        """A Content-Length below the body's cuts it: malformed, not half a number."""
        body = b'{"event_id":"lying-0001","phone":"09121234567"}'
        answer = self.send(body, length=40)
        self.assertIn(b" 400 ", answer.split(b"\r\n")[0])
        self.assertIn(b'"E10"', answer)
        self.assertEqual(self.rows(), self.rows_before)

    def test_length_that_is_no_number(self):
        """A Content-Length in words, or below zero, is none."""
        for length in ("many", "-5", ""):
            with self.subTest(length=length):
                answer = self.send(b"{}", length=length)
                self.assertIn(b" 411 ", answer.split(b"\r\n")[0])
                self.assertIn(b'"E41"', answer)

    def send(self, body, length):
        """Post bytes under a Content-Length of one's own; return the raw answer."""
        host, port = self.base_url().removeprefix("http://").split(":")
        self.env.flush_all()
        self.env.cr.clear()
        with (
            self.allow_requests(all_requests=True),
            socket.create_connection((host, int(port)), timeout=5) as wire,
        ):
            wire.sendall(
                b"POST /club/device/v1/checkins HTTP/1.1\r\nHost: x\r\n"
                b"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                b"Content-Length: %s\r\n\r\n%s"
                % (self.token.encode(), str(length).encode(), body)
            )
            wire.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := wire.recv(4096):
                answer += piece
        return answer

    def test_media_types(self):
        """JSON and plain forms only; a charset parameter does no harm."""
        body = json.dumps({"event_id": "media-00001", "phone": "09121234567"}).encode()
        for content_type in (
            "text/plain",
            "text/json",
            "application/xml",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "application/jsonp",
            "",
        ):
            with self.subTest(content_type):
                response = self.client.raw("/checkins", body, content_type)
                self.assertRefused(response, "unsupported-media-type", 415)
        accepted = self.client.raw("/checkins", body, "Application/JSON; charset=utf-8")
        self.assertEqual(accepted.status_code, 201)

    def test_media_type_of_a_batch_is_json_only(self):
        """A form cannot carry a batch."""
        response = self.client.raw("/checkins/batch", b"items=1", FORM)
        self.assertRefused(response, "unsupported-media-type", 415)

    def test_wrong_methods(self):
        """405 names the one method, in our own words and on every route."""
        routes = {
            "/checkins": "POST",
            "/checkins/batch": "POST",
            "/heartbeat": "POST",
            "/token/rotate": "POST",
            "/pair": "POST",
            "/config": "GET",
        }
        for path, right in routes.items():
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                if method == right:
                    continue
                with self.subTest(path=path, method=method):
                    response = self.client.request(method, path, json={})
                    self.assertRefused(response, "method-not-allowed", 405)
                    self.assertEqual(response.headers["Allow"], right)
        self.assertEqual(self.client.request("HEAD", "/config").status_code, 405)

    def test_client_that_hangs_up_leaves_no_error(self):
        """A body that never comes whole is to be kept by whoever still listens."""
        with self.assertNoLogs("odoo", logging.WARNING):
            answer = self.send(b"{", length=500)
        self.assertIn(b" 503 ", answer.split(b"\r\n")[0])
        self.assertIn(b'"later"', answer)
        self.assertEqual(self.rows(), self.rows_before)


@tagged("post_install", "-at_install")
class TestFields(CheckinCase):
    def test_missing_fields(self):
        """event_id and phone have to be there; null is not there."""
        for members in (
            {"event_id": ...},
            {"phone": ...},
            {"event_id": None},
            {"phone": None},
        ):
            with self.subTest(members):
                self.assertRefused(self.post(**members), "missing-field", 400)

    def test_event_ids(self):
        """8 to 64 of A-Z a-z 0-9 _ -, nothing else."""
        for event_id in (
            "short77",
            "a" * 65,
            "",
            "with space",
            "with.dots",
            "شناسه-شناسه",
            "abcdefgh\n",
            12345678,
            True,
            ["abcdefgh"],
            {"a": "bcdefgh"},
        ):
            with self.subTest(event_id=event_id):
                self.assertRefused(self.post(event_id=event_id), "wrong-type", 400)
        for event_id in ("exactly8", "a" * 64, "A-z_0-9-"):
            self.assertEqual(self.post(event_id=event_id).status_code, 201)

    def test_phone_must_be_text(self):
        """A number loses its zero: wrong type, not a wrong number."""
        for phone in (9121234567, 9.12e9, True, ["09121234567"], {"n": 1}):
            with self.subTest(phone=phone):
                self.assertRefused(self.post(phone=phone), "wrong-type", 400)

    def test_wrong_types(self):
        """An integer is a JSON integer: no text, no boolean, no 2.0, no list."""
        for name in ("tag", "age_s", "occurred_at", "config_rev"):
            for value in ("2", True, False, 2.0, 2.5, [2], {"n": 2}, ""):
                with self.subTest(name=name, value=value):
                    response = self.post(**{name: value})
                    self.assertRefused(response, "wrong-type", 400)
        for members in ({"age_s": -1}, {"age_s": 2**63}, {"config_rev": 2**70}):
            with self.subTest(members):
                self.assertRefused(self.post(**members), "wrong-type", 400)

    def test_tags_out_of_range(self):
        """0, 9 and -1 are integers but no digit."""
        for tag in (0, 9, -1, 2**40):
            with self.subTest(tag=tag):
                self.assertRefused(self.post(tag=tag), "unknown-tag", 422)

    def test_digit_that_is_not_configured_counts_untagged_and_flagged(self):
        """No visit is lost over a digit: counted, the club's text, no tag, a flag."""
        phone = self.phone()
        answer = self.check_in(phone, tag=8)
        self.assertEqual((answer["tag"], answer["sms"]), (8, "queued"))
        self.follow_up()
        checkin = self.checkins(phone)
        self.assertTrue(checkin.unknown_digit and checkin.counted)
        self.assertFalse(checkin.tag_id)
        self.assertFalse(checkin.member_id.partner_id.category_id)
        self.assertTrue(checkin.sms_id)

    def test_digit_means_what_it_meant_under_the_revision(self):
        """Typed offline under an older revision: that revision's tag is applied."""
        before = self.device.config_rev
        self.tag_coffee.category_id = self.category_cake
        self.assertGreater(self.device.config_rev, before)
        old, new = self.phone(), self.phone()
        self.check_in(old, tag=1, config_rev=before)
        self.check_in(new, tag=1, config_rev=self.device.config_rev)
        self.follow_up()
        self.assertEqual(self.member(old).partner_id.category_id, self.category_coffee)
        self.assertEqual(self.member(new).partner_id.category_id, self.category_cake)

    def test_digit_that_was_removed_still_means_its_tag(self):
        """A tag removed since: the contact tag of the old revision is applied."""
        before = self.device.config_rev
        self.tag_coffee.unlink()
        old, new = self.phone(), self.phone()
        self.check_in(old, tag=1, config_rev=before)
        self.check_in(new, tag=1)
        self.follow_up()
        self.assertEqual(self.member(old).partner_id.category_id, self.category_coffee)
        self.assertFalse(self.checkins(old).unknown_digit)
        self.assertTrue(self.checkins(new).unknown_digit)

    def test_revision_that_nobody_knows_reads_as_the_present_one(self):
        """A restored database may not know the device's revision."""
        phone = self.phone()
        self.check_in(phone, tag=1, config_rev=9999)
        self.assertEqual(self.checkins(phone).tag_id, self.tag_coffee)

    def test_tag_required(self):
        """A device that asks for a digit refuses a check-in without one."""
        self.device.tag_required = True
        self.assertRefused(self.post(tag=None), "tag-required", 422)
        self.assertRefused(self.post(tag=...), "tag-required", 422)
        self.assertEqual(self.post(tag=1).status_code, 201)

    def test_smuggled_fields_are_ignored(self):
        """Only the allow-listed members reach the database."""
        other = self.build_company("Victim")
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        self.rows_before = self.rows()
        phone = self.phone()
        answer = self.check_in(
            phone,
            company_id=other.id,
            partner_id=stranger.id,
            member_id=1,
            state="failed",
            counted=False,
            visit_no=99,
            domain=[["id", ">", 0]],
            context={"lang": "fa_IR", "active_test": False},
            uid=1,
            device_id=0,
            no_sms=True,
            result="repeat",
            arrived_at="2001-01-01 00:00:00",
        )
        self.assertEqual((answer["result"], answer["visit_no"]), ("new", 1))
        checkin = self.checkins(phone)
        self.assertEqual(checkin.company_id, self.company)
        self.assertEqual(checkin.device_id, self.device)
        self.assertEqual(checkin.state, "pending")
        self.assertEqual(checkin.arrived_at.year, fields.Datetime.now().year)
        self.follow_up()
        self.assertNotEqual(checkin.member_id.partner_id, stranger)

    def test_fields_in_the_address_are_ignored(self):
        """What stands in the URL never counts, and does not break the route."""
        body = {"event_id": self.event_id(), "phone": self.phone()}
        for query in ("?phone=09129999999&tag=1", "?device=1&company_id=2&item=3"):
            response = self.client.request("POST", f"/checkins{query}", json=body)
            self.assertIn(response.status_code, (200, 201))
            self.assertEqual(response.json()["tag"], None)
        self.assertFalse(self.member("09129999999"))

    def test_idempotency_key_must_be_the_event_id(self):
        """The header is accepted, quoted or not, when it says the same."""
        phone, event_id = self.phone(), self.event_id()
        for key, status in (
            (event_id, 201),
            (f'"{event_id}"', 200),
            ("another-key-1", 400),
            ("", 400),
        ):
            with self.subTest(key=key):
                response = self.client.checkin(
                    event_id, phone, headers={"Idempotency-Key": key}
                )
                self.assertEqual(response.status_code, status)


@tagged("post_install", "-at_install")
class TestPhones(CheckinCase):
    def test_accepted_phones(self):
        """All the ways people type one number are one member."""
        self.device.gap_minutes = 0
        typed = [
            "09121234567",
            "9121234567",
            "+989121234567",
            "00989121234567",
            "989121234567",
            "+98 0912 123 4567",
            "0098 0912 1234567",
            "++989121234567",
            "+98 (0)912 123 4567",
            "0912-123-4567",
            "0912.123.4567",
            "0912/123/4567",
            "(0912)1234567",
            "0912\u00a0123\u00a04567",
            "۰۹۱۲۱۲۳۴۵۶۷",
            "٠٩١٢١٢٣٤٥٦٧",
            "０９１２１２３４５６７",
            "\u200f09121234567",
            "\u202a09121234567\u202c",
            "09121234567\u200c",
            "09121234567;",
            "0912\u200c1234567",
            "0912_1234567",
            "09121234567#",
            "*09121234567#",
            "0989121234567",
            "000989121234567",
        ]
        for number, phone in enumerate(typed, start=1):
            with self.subTest(phone=phone):
                response = self.post(phone=phone)
                self.assertEqual(response.status_code, 201, response.text)
                self.assertEqual(response.json()["visit_no"], number)
        self.assertEqual(self.member("09121234567").visit_count, len(typed))

    def test_refused_phones(self):
        """Everything else is refused, with the reason and without a trace."""
        refused = {
            "0912123456": "invalid-phone",
            "091212345678": "invalid-phone",
            "0912VODAFON": "invalid-phone",
            "0912 123 4567 ext 5": "invalid-phone",
            "09121234567,09131234567": "invalid-phone",
            "0912*1234567": "invalid-phone",
            "115": "invalid-phone",
            "1000": "invalid-phone",
            "30001234": "invalid-phone",
            "*800#": "invalid-phone",
            "": "invalid-phone",
            " ": "invalid-phone",
            "+": "invalid-phone",
            "0" * 33: "invalid-phone",
            "😀": "invalid-phone",
            "' OR 1=1 --": "invalid-phone",
            "02188776655": "not-mobile",
            "2188776655": "not-mobile",
            "4155552671": "not-mobile",
            "+14155552671": "foreign-not-allowed",
            "+971501234567": "foreign-not-allowed",
            "+93701234567": "foreign-not-allowed",
        }
        for phone, name in refused.items():
            with self.subTest(phone=phone):
                response = self.post(phone=phone)
                self.assertRefused(response, name, 422)
                self.assertEqual(response.json()["retry"], "never")
                if len(phone) > 2:
                    self.assertNotIn(phone, response.text)

    def test_foreign_numbers_as_the_device_says(self):
        """A device for tourists takes numbers from abroad."""
        self.device.foreign_allowed = True
        self.assertEqual(self.post(phone="+971501234567").status_code, 201)
        member = self.env["club.member"].search([("phone_e164", "=", "+971501234567")])
        self.assertEqual(member.company_id, self.company)

    def test_unknown_prefix_as_the_device_says(self):
        """An Iranian prefix the library does not know is taken, and marked."""
        self.assertEqual(self.post(phone="09801234567").status_code, 201)
        self.assertTrue(self.member("09801234567").unverified)
        self.device.unverified_allowed = False
        self.assertProblem(self.post(phone="09811234567"), "invalid-phone", 422)

    def test_region_of_the_device(self):
        """A number without a country code belongs to the device's country."""
        self.device.country_id = self.env.ref("base.ae")
        self.assertEqual(self.post(phone="0501234567").status_code, 201)
        self.assertTrue(
            self.env["club.member"].search([("phone_e164", "=", "+971501234567")])
        )


@tagged("post_install", "-at_install")
class TestIdempotency(CheckinCase):
    def test_same_event_again_is_one_visit(self):
        """A replay gets 200, the same answer, and counts nothing."""
        phone, event_id = self.phone(), self.event_id()
        first = self.check_in(phone, tag=1, event_id=event_id, age_s=2)
        for age_s in (3, 60, 5 * HOUR):
            response = self.client.checkin(event_id, phone, 1, age_s=age_s)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.json(), {**first, "replayed": True})
        self.follow_up()
        self.assertEqual(self.client.checkin(event_id, phone, 1).status_code, 200)
        self.follow_up()
        self.assertEqual(self.member(phone).visit_count, 1)
        self.assertEqual(len(self.checkins(phone)), 1)
        self.assertEqual(len(self.checkins(phone).sms_id), 1)

    def test_same_event_written_differently_is_a_replay(self):
        """The number is compared as a number, not as it was typed."""
        event_id = self.event_id()
        self.check_in("09121234567", event_id=event_id)
        for phone in ("+989121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷"):
            response = self.client.checkin(event_id, phone)
            self.assertEqual(
                (response.status_code, response.json()["replayed"]), (200, True)
            )

    def test_same_event_after_eight_days(self):
        """A replay after 8 days, and after a year, is still the first visit."""
        phone, event_id = self.phone(), self.event_id()
        first = self.check_in(phone, event_id=event_id)
        for days in (8, 365):
            with self.subTest(days=days):
                later = fields.Datetime.now() + timedelta(days=days)
                with freeze_time(later, tick=True):
                    response = self.client.checkin(event_id, phone, age_s=days * DAY)
                self.assertEqual(response.status_code, 200, response.text)
                self.assertEqual(response.json(), {**first, "replayed": True})
        self.assertEqual(self.member(phone).visit_count, 1)

    def test_same_event_with_its_old_time_after_the_offline_limit(self):
        """The same occurred_at, too old by now, is a replay and not a refusal."""
        phone, event_id = self.phone(), self.event_id()
        pressed = int(fields.Datetime.now().timestamp()) - 60
        self.check_in(phone, event_id=event_id, occurred_at=pressed)
        with freeze_time(fields.Datetime.now() + timedelta(days=40), tick=True):
            response = self.client.checkin(event_id, phone, occurred_at=pressed)
        self.assertEqual(response.status_code, 200, response.text)

    def test_same_event_for_another_check_in(self):
        """Another number, tag or time under a used id is refused unwritten."""
        phone, event_id = self.phone(), self.event_id()
        self.check_in(phone, tag=1, event_id=event_id)
        self.rows_before = self.rows()
        now = int(fields.Datetime.now().timestamp())
        for other in (
            {"phone": self.phone(), "tag": 1},
            {"phone": phone, "tag": 2},
            {"phone": phone, "tag": None},
            {"phone": phone, "tag": 1, "occurred_at": now},
        ):
            with self.subTest(other):
                response = self.client.checkin(event_id, **other)
                self.assertRefused(response, "event-id-reused", 422)

    def test_refused_event_leaves_its_id_free(self):
        """After a refusal the same id may come with a better number."""
        event_id = self.event_id()
        self.assertProblem(
            self.client.checkin(event_id, "02188776655"), "not-mobile", 422
        )
        self.assertFalse(self.check_in(self.phone(), event_id=event_id)["replayed"])

    def test_event_ids_belong_to_a_device(self):
        """Two devices may use one id: two visits."""
        token = self.connect(self.build_device(self.company, name="Door"))
        phone, event_id = self.phone(), self.event_id()
        self.check_in(phone, event_id=event_id, age_s=HOUR)
        response = self.client_of(token).checkin(event_id, phone)
        self.assertEqual(response.status_code, 201)
        self.assertEqual(self.member(phone).visit_count, 2)

    def test_event_ids_survive_pairing_again(self):
        """The device record keeps its events: a new token replays, not counts."""
        phone, event_id = self.phone(), self.event_id()
        self.check_in(phone, event_id=event_id)
        self.device.action_revoke()
        self.client = self.client_of(self.connect(self.device))
        self.assertTrue(self.check_in(phone, event_id=event_id)["replayed"])


@tagged("post_install", "-at_install")
class TestTime(CheckinCase):
    def occurred(self, **members):
        """Check in with these times, and return the row and its age in seconds."""
        phone = self.phone()
        self.check_in(phone, **members)
        row = self.checkins(phone)
        return row, (row.arrived_at - row.occurred_at).total_seconds()

    def test_age_and_clock(self):
        """age_s and occurred_at both name the key press; age_s wins."""
        now = int(time.time())
        for members, age in (
            ({"age_s": 0}, 0),
            ({"age_s": 90}, 90),
            ({"occurred_at": now - 300}, 300),
            ({"occurred_at": now - 300, "age_s": 7}, 7),
            ({"occurred_at": now + 60}, 0),
            ({}, 0),
        ):
            with self.subTest(members):
                row, measured = self.occurred(**members)
                self.assertAlmostEqual(measured, age, delta=5)
                self.assertFalse(row.clock_clamped)

    def test_clock_ahead_is_clamped_and_flagged(self):
        """A clock a year, or 121 s and more, ahead: the time of arrival, and a flag."""
        now = int(time.time())
        for ahead in (130, DAY, 365 * DAY, 2**50):
            with self.subTest(ahead=ahead):
                row, age = self.occurred(occurred_at=now + ahead)
                self.assertEqual(age, 0)
                self.assertTrue(row.clock_clamped and row.counted)

    def test_too_old_is_the_offline_limit_of_the_device(self):
        """1970, or older than the device's limit, is refused for good."""
        now = int(time.time())
        self.device.offline_limit_days = 3
        for members in (
            {"occurred_at": 0},
            {"occurred_at": -(2**40)},
            {"occurred_at": now - 3 * DAY - 60},
            {"age_s": 3 * DAY + 60},
            {"age_s": 2**50},
        ):
            with self.subTest(members):
                response = self.post(**members)
                self.assertRefused(response, "too-old", 422)
                self.assertEqual(response.json()["retry"], "never")
        self.assertEqual(self.post(age_s=3 * DAY - 60).status_code, 201)

    def test_default_offline_limit_is_thirty_days(self):
        """29 days are accepted, 31 are not."""
        self.assertEqual(self.post(age_s=29 * DAY).status_code, 201)
        self.assertProblem(self.post(age_s=31 * DAY), "too-old", 422)

    def test_late_arrival_counts_but_sends_nothing(self):
        """Later than the club's limit of 6 h: counted, tagged, no SMS."""
        for age_s, sms in ((6 * HOUR - 60, "queued"), (6 * HOUR + 60, "none")):
            with self.subTest(age_s=age_s):
                phone = self.phone()
                answer = self.check_in(phone, tag=1, age_s=age_s)
                self.assertEqual((answer["visit_no"], answer["sms"]), (1, sms))
                self.follow_up()
                self.assertEqual(bool(self.checkins(phone).sms_id), sms == "queued")
                self.assertEqual(
                    self.member(phone).partner_id.category_id, self.category_coffee
                )


@tagged("post_install", "-at_install")
class TestForms(CheckinCase):
    def test_form_with_persian_digits(self):
        """A form is all text: Latin and Persian digits mean the same."""
        for tag in ("2", "۲", "٢"):
            with self.subTest(tag=tag):
                response = self.client.checkin_form(
                    event_id=self.event_id(),
                    phone=f"۰۹۱۲{next(self.numbers):07d}",
                    tag=tag,
                    age_s="۴",
                    config_rev=str(self.device.config_rev),
                )
                self.assertEqual(response.status_code, 201, response.text)
                self.assertEqual(response.json()["tag"], 2)

    def test_form_without_a_tag(self):
        """An empty tag is none."""
        response = self.client.checkin_form(
            event_id=self.event_id(), phone=self.phone(), tag="", age_s=""
        )
        self.assertEqual((response.status_code, response.json()["tag"]), (201, None))

    def test_form_and_json_are_one_event(self):
        """The same event by form and by JSON is a replay."""
        phone, event_id = self.phone(), self.event_id()
        self.check_in(phone, tag=2, event_id=event_id)
        response = self.client.checkin_form(event_id=event_id, phone=phone, tag="۲")
        self.assertEqual(response.status_code, 200)

    def test_form_refusals(self):
        """A form is judged like JSON."""
        event = "event_id=form-00001"
        for body, name, status in (
            (f"{event}&phone=09121234567&tag=9", "unknown-tag", 422),
            (f"{event}&phone=09121234567&tag=0", "unknown-tag", 422),
            (f"{event}&phone=09121234567&tag=two", "wrong-type", 400),
            (f"{event}&phone=09121234567&tag=-1", "wrong-type", 400),
            (f"{event}&phone=09121234567&tag=2.0", "wrong-type", 400),
            (f"{event}&phone=09121234567&tag=true", "wrong-type", 400),
            (f"{event}&phone=09121234567&tag=½", "wrong-type", 400),
            (f"{event}&phone=09121234567&tag=1&tag=2", "malformed", 400),
            (f"{event}&phone=09121234567&phone=0912", "malformed", 400),
            (f"{event}&phone=0912%00", "malformed", 400),
            (f"{event}&phone=0912%FF", "malformed", 400),
            (f"{event}&phone=0912\udcff", "malformed", 400),
            (f"{event}&phone", "malformed", 400),
            (f"{event}&x%00=1&phone=09121234567", "malformed", 400),
            (event, "missing-field", 400),
            ("phone=09121234567", "missing-field", 400),
            ("", "missing-field", 400),
            ('{"event_id":"json-00001","phone":"09121234567"}', "malformed", 400),
            (f"{event}&phone=02188776655", "not-mobile", 422),
        ):
            raw = body.encode(errors="surrogateescape")
            with self.subTest(raw):
                response = self.client.raw("/checkins", raw, FORM)
                self.assertRefused(response, name, status)

    def test_form_with_names_of_our_own_code(self):
        """Fields named as Python arguments are fields like any other: no error."""
        with self.assertNoLogs("odoo.http", logging.WARNING):
            for name in ("self", "device", "args", "item", "csrf_token", "db"):
                with self.subTest(name=name):
                    fields_of_form = {
                        "event_id": self.event_id(),
                        "phone": self.phone(),
                        name: "1",
                    }
                    response = self.client.request(
                        "POST", "/checkins", data=fields_of_form
                    )
                    self.assertEqual(response.status_code, 201, response.text)


@tagged("post_install", "-at_install")
class TestWhoMay(CheckinCase):
    def test_suspended_device_keeps_its_queue(self):
        """A suspended device gets 403 and «later», but may say that it is alive."""
        self.device.action_suspend()
        for response in (
            self.client.checkin(self.event_id(), self.phone()),
            self.client.batch([{"event_id": self.event_id(), "phone": self.phone()}]),
            self.client.config(),
            self.client.rotate(),
        ):
            self.assertRefused(response, "device-inactive", 403)
            self.assertEqual(response.json()["retry"], "later")
            self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
        self.device.action_activate()
        self.assertEqual(self.post().status_code, 201)

    def test_archived_device_must_pair_again(self):
        """An archived device is gone: the answer of a bad token."""
        self.device.active = False
        self.assertRefused(self.post(), "bad-token", 401)

    def test_other_companys_device_sees_another_club(self):
        """One number, two companies: two members, two contacts, two first visits."""
        other = self.build_company("Other club")
        token = self.connect(self.build_device(other))
        phone = self.phone()
        self.check_in(phone, age_s=HOUR)
        response = self.client_of(token).checkin(self.event_id(), phone)
        self.assertEqual(response.json()["result"], "new")
        self.follow_up()
        ours, theirs = self.member(phone), self.member(phone, other)
        self.assertEqual((ours.visit_count, theirs.visit_count), (1, 1))
        self.assertNotEqual(ours.partner_id, theirs.partner_id)
        self.assertEqual(theirs.partner_id.company_id, other)
        self.assertEqual(theirs.checkin_ids.sms_id.company_id, other)
        self.assertEqual(ours.checkin_ids.sms_id.company_id, self.company)


@tagged("post_install", "-at_install")
class TestMembers(CheckinCase):
    def test_member_merged(self):
        """After a merge the visit counts for the contact that is left."""
        phone = self.phone()
        self.check_in(phone, age_s=HOUR)
        self.follow_up()
        member = self.member(phone)
        gone = member.partner_id
        survivor = self.env["res.partner"].create(
            {"name": "Sara", "company_id": self.company.id}
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        with mute_logger("odoo.addons.base.partner.merge"):
            wizard._merge((survivor | gone).ids, survivor)
        self.assertFalse(gone.exists())
        self.check_in(phone, tag=1)
        self.follow_up()
        self.assertEqual(member.partner_id, survivor)
        self.assertEqual(member.visit_count, 2)
        self.assertEqual(survivor.category_id, self.category_coffee)
        self.assertEqual(
            self.env["club.member"].search_count(
                [("phone_e164", "=", member.phone_e164)]
            ),
            1,
        )

    def test_member_archived(self):
        """An archived contact keeps counting; no second contact appears."""
        phone = self.phone()
        self.check_in(phone, age_s=HOUR)
        self.follow_up()
        partner = self.member(phone).partner_id
        partner.active = False
        self.assertEqual(self.check_in(phone)["visit_no"], 2)
        self.follow_up()
        self.assertEqual(self.member(phone).partner_id, partner)

    def test_member_deleted(self):
        """A deleted contact is not brought back: the number is a new member's."""
        phone = self.phone()
        self.check_in(phone, tag=1, age_s=HOUR)
        self.follow_up()
        member = self.member(phone)
        journal = member.checkin_ids
        member.partner_id.unlink()
        self.assertFalse(member.exists())
        self.assertFalse(journal.member_id)
        self.assertFalse(journal.phone_raw)
        answer = self.check_in(phone)
        self.assertEqual((answer["result"], answer["visit_no"]), ("new", 1))
        self.follow_up()
        self.assertFalse(self.member(phone).partner_id.category_id)
        self.assertFalse(journal.member_id)

    def test_member_opted_out(self):
        """«No SMS at all» on the member or the contact stops every text."""
        on_member, on_contact, on_stranger = self.phone(), self.phone(), self.phone()
        for phone in (on_member, on_contact):
            self.check_in(phone, age_s=HOUR)
        self.follow_up()
        self.member(on_member).no_sms = True
        self.member(on_contact).partner_id.no_sms = True
        self.env["res.partner"].create(
            {"name": "Shared", "phone": f"+98{on_stranger[1:]}", "no_sms": True}
        )
        for phone in (on_member, on_contact, on_stranger):
            answer = self.check_in(phone)
            self.assertEqual(answer["sms"], "not_allowed")
            self.follow_up()
            last = self.checkins(phone)[-1]
            self.assertTrue(last.counted)
            self.assertFalse(last.sms_id)
            self.assertEqual(last.message_reason, "no_sms")

    def test_opt_out_between_check_in_and_message(self):
        """Opting out before the worker came stops the text all the same."""
        phone = self.phone()
        self.assertEqual(self.check_in(phone)["sms"], "queued")
        self.member(phone).no_sms = True
        self.follow_up()
        self.assertFalse(self.checkins(phone).sms_id)
        self.assertEqual(self.checkins(phone).message_reason, "no_sms")

    def test_advertising_blacklist_stops_no_service_message(self):
        """phone.blacklist is an advertising refusal only."""
        phone = self.phone()
        self.env["phone.blacklist"].create({"number": f"+98{phone[1:]}"})
        self.assertEqual(self.check_in(phone)["sms"], "queued")
        self.follow_up()
        self.assertTrue(self.checkins(phone).sms_id)

    def test_daily_cap_over_all_devices(self):
        """The fourth text of a day is kept back, whatever device it came from."""
        self.device.gap_minutes = 0
        second = self.build_device(self.company, gap_minutes=0)
        clients = [self.client, self.client_of(self.connect(second))]
        phone = self.phone()
        told = [
            clients[turn % 2].checkin(self.event_id(), phone).json()["sms"]
            for turn in range(5)
        ]
        self.assertEqual(told, ["queued"] * 3 + ["none"] * 2)
        self.follow_up()
        self.assertEqual(len(self.checkins(phone).sms_id), 3)
        self.assertEqual(self.checkins(phone)[-1].message_reason, "daily_cap")
        self.assertEqual(self.member(phone).visit_count, 5)


@tagged("post_install", "-at_install")
class TestDisplay(CheckinCase):
    def lines(self, phone, language=None, **members):
        answer = self.check_in(phone, headers={"Accept-Language": language}, **members)
        return [answer[key] for key in ("line1", "line2", "ascii1", "ascii2")]

    def test_lines_are_short_and_the_last_two_ascii(self):
        """Four lines of at most 16 characters in every case and language."""
        self.device.gap_minutes = 1
        for language in ("fa", "en", "fa-IR,fa;q=0.9", None):
            phone = self.phone()
            for age_s in (2 * HOUR, HOUR, HOUR, 0):
                lines = self.lines(phone, language, age_s=age_s)
                for line in lines:
                    self.assertTrue(0 < len(line) <= 16, lines)
                self.assertTrue("".join(lines[2:]).isascii(), lines)

    def test_no_line_is_cut(self):
        """The words of both languages fit without being clipped."""
        self.device.gap_minutes = 1
        whole = patch(f"{CONTROLLER}.clip", lambda text, _width: text)
        for privacy in ("staff", "public"):
            self.device.privacy = privacy
            for language in ("fa", "en"):
                phone = self.phone()
                for age_s in (2 * HOUR, HOUR, HOUR):
                    with whole:
                        lines = self.lines(phone, language, age_s=age_s)
                    self.assertLessEqual(max(map(len, lines)), 16, lines)

    def test_lines_speak_persian(self):
        """Accept-Language fa: Persian words and digits, and English in ASCII."""
        phone = self.phone()
        self.check_in(phone, age_s=HOUR)
        line1, line2, ascii1, ascii2 = self.lines(phone, "fa")
        self.assertRegex(line1 + line2, "[\u0600-\u06ff]")
        self.assertNotRegex(line2, "[0-9]")
        self.assertIn("۲", line2)
        self.assertEqual((ascii1, ascii2), ("Welcome back", "Visit 2"))

    def test_language_is_negotiated(self):
        """The first of fa and en that is accepted; other languages do not matter."""
        for language, persian in (
            ("fa", True),
            ("fa-IR", True),
            ("en", False),
            ("en, fa;q=0.5", False),
            ("fa;q=0.9, en;q=0.5", True),
            ("de, fa;q=0.5", True),
            ("de", False),
            ("*", False),
        ):
            with self.subTest(language):
                phone = self.phone()
                self.check_in(phone, age_s=HOUR)
                lines = self.lines(phone, language)
                self.assertEqual("۲" in lines[1], persian, lines)

    def test_language_of_the_device_without_a_header(self):
        """Without Accept-Language the device's own language speaks."""
        phone = self.phone()
        self.device.gap_minutes = 0
        self.assertTrue("".join(self.lines(phone)).isascii())
        self.device.lang = "fa_IR"
        self.assertIn("۲", self.lines(phone)[1])
        self.assertIn("3", self.lines(phone, "en")[1])

    def test_titles_of_refusals_are_translated(self):
        """A refusal speaks the language of the request."""
        if not (ROOT / "i18n" / "fa.po").exists():
            self.skipTest("not translated yet")
        english = self.client.checkin(self.event_id(), "1")
        persian = self.client.checkin(
            self.event_id(), "1", headers={"Accept-Language": "fa"}
        )
        self.assertTrue(english.json()["title"].isascii())
        self.assertRegex(persian.json()["title"], "[\u0600-\u06ff]")

    def test_public_privacy_answers_everyone_alike(self):
        """On a customer's screen one answer for new, known and refusing people."""
        self.device.privacy = "public"
        known, refusing = self.phone(), self.phone()
        self.check_in(known, age_s=HOUR)
        self.check_in(refusing, age_s=HOUR)
        self.member(refusing).no_sms = True
        answers = []
        for phone in (self.phone(), known, known, refusing):
            answer = self.check_in(phone, event_id=self.event_id())
            answer.pop("event_id")
            answers.append(answer)
        self.assertEqual(answers, [answers[0]] * 4)
        self.assertEqual(
            set(answers[0]), {"tag", "line1", "line2", "ascii1", "ascii2", "replayed"}
        )

    def test_answers_hold_no_person(self):
        """No name, no number and no history leaves the server."""
        phone = self.phone()
        self.env["res.partner"].create(
            {"name": "Sara Ahmadi", "phone": f"+98{phone[1:]}"}
        )
        self.check_in(phone, age_s=HOUR)
        self.follow_up()
        response = self.client.checkin(self.event_id(), phone)
        for secret in ("Sara", phone[1:], phone[-7:]):
            self.assertNotIn(secret, response.text)


@tagged("post_install", "-at_install")
class TestFailures(CheckinCase):
    def test_unexpected_error_is_busy_and_names_no_number(self):
        """A fault of ours: 503 with Retry-After, and a log line without the phone."""
        phone = self.phone()

        def explode(self, device, item, joined_by="device"):
            raise ValueError(f"broken customisation: {item['phone']}")

        with (
            patch.object(ClubCheckinIntake, "_receive", explode),
            self.assertLogs(CONTROLLER, logging.ERROR) as log,
        ):
            response = self.client.checkin(self.event_id(), phone)
        self.assertRefused(response, "busy", 503)
        self.assertEqual(response.json()["retry"], "later")
        self.assertIn("ValueError", "".join(log.output))
        self.assertNotIn(phone[1:], "".join(log.output))

    def test_serialization_failures_are_retried(self):
        """Two clashes in a row are our business; the device sees one 201."""
        import psycopg2.errors

        receive, clashes = ClubCheckinIntake._receive, iter([1, 2])

        def clash(self, *args, **kwargs):
            if next(clashes, None):
                raise psycopg2.errors.SerializationFailure
            return receive(self, *args, **kwargs)

        with patch.object(ClubCheckinIntake, "_receive", clash):
            response = self.client.checkin(self.event_id(), self.phone())
        self.assertEqual(response.status_code, 201)

    def test_endless_serialization_failures_are_busy(self):
        """When it never ends: 503 and Retry-After, and nothing half done."""
        import psycopg2.errors

        def clash(self, *args, **kwargs):
            raise psycopg2.errors.DeadlockDetected

        with patch.object(ClubCheckinIntake, "_receive", clash):
            response = self.client.checkin(self.event_id(), self.phone())
        self.assertRefused(response, "busy", 503)
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)

    def test_no_number_in_the_logs(self):
        """A visit, a refusal and a replay at debug level: never a number."""
        phone, event_id = self.phone(), self.event_id()
        root = logging.getLogger()
        with self.assertLogs(root, logging.INFO) as log:
            for number in (phone, phone, "02188776655", "0912VODAFON"):
                self.client.checkin(event_id, number)
                self.client.batch([{"event_id": self.event_id(), "phone": number}])
            self.follow_up()
        text = "\n".join(log.output)
        self.assertIn("/club/device/v1/checkins", text, "the capture works")
        for secret in (phone, phone[1:], "2188776655", "VODAFON", self.token):
            self.assertNotIn(secret, text)
