"""Builders for the tests of the club: a company in Iran, its device, tags and texts."""

import itertools
import uuid
from datetime import timezone

from odoo.tests import HttpCase, TransactionCase, new_test_user

from ..models.club import club_checkin_intake
from .device_client import DeviceClient, openapi, validate

CLUB = "customer_segmentation.customer_segmentation_group"
WELCOME = "Welcome to the club"
REPEAT = "Nice to see you again"


class CheckedClient(DeviceClient):
    """A device that judges every answer by docs/openapi.yaml before it returns it."""

    def request(self, method, path, headers=None, **kwargs):
        response = super().request(method, path, headers, **kwargs)
        if path in openapi()["paths"] and method != "HEAD":
            validate(response, path, method)
        return response


class ClubBuilders:
    """What both kinds of test cases share; no demo data."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = itertools.count(1)
        cls.company = cls.build_company("Café Naderi")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.group = cls.build_group(cls.company)
        cls.category_coffee = cls.env["res.partner.category"].create({"name": "Coffee"})
        cls.category_cake = cls.env["res.partner.category"].create({"name": "Cake"})
        cls.device = cls.build_device(cls.company)
        cls.tag_coffee = cls.build_tag(1, "Coffee", category_id=cls.category_coffee.id)
        cls.tag_cake = cls.build_tag(
            2,
            "Cake",
            category_id=cls.category_cake.id,
            first_text="Your first cake",
            repeat_text="Cake again",
        )
        cls.tag_info = cls.build_tag(3, "Our services", first_text="What we do")
        cls.token = cls.connect(cls.device)

    @classmethod
    def build_company(cls, name):
        """A company in Iran with a service line that sends nothing, and both texts."""
        iran = cls.env.ref("base.ir")
        company = cls.env["res.company"].create({"name": name, "country_id": iran.id})
        cls.env.user.company_ids += company
        company._get_sms_line("service").gateway = "test"
        company.write(
            {
                "club_welcome_template_id": cls.build_template(company, WELCOME).id,
                "club_repeat_template_id": cls.build_template(company, REPEAT).id,
            }
        )
        return company

    @classmethod
    def build_template(cls, company, body):
        """A service text of a company."""
        return cls.env["sms.template"].create(
            {
                "name": body,
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "body": body,
                "company_id": company.id,
                "message_class": "service",
            }
        )

    @classmethod
    def build_group(cls, company, name="Regulars"):
        """A static group of a company."""
        return cls.env["customer.segment"].create(
            {"name": name, "company_id": company.id}
        )

    @classmethod
    def build_device(cls, company, **values):
        """A device that waits to be connected; no limit gets in a test's way."""
        return cls.env["club.device"].create(
            {
                "name": "Counter",
                "company_id": company.id,
                "group_id": values.pop("group_id", None)
                or cls.build_group(company, f"Group of {company.name}").id,
                "country_id": cls.env.ref("base.ir").id,
                "lang": "en_US",
                "rate_limit_per_minute": 6000,
                **values,
            }
        )

    @classmethod
    def build_tag(cls, digit, label, device=None, **values):
        """A numbered tag, of the first device unless another is given."""
        device = device or cls.device
        return cls.env["club.device.tag"].create(
            {"device_id": device.id, "digit": digit, "label": label, **values}
        )

    @classmethod
    def build_user(cls, role, company=None):
        """A user with one role of the club: cashier, club_user or club_manager."""
        company = company or cls.company
        return new_test_user(
            cls.env,
            login=f"{role}-{next(cls.numbers)}",
            context={"no_reset_password": True},
            groups=f"{CLUB}_{role}",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )

    @classmethod
    def connect(cls, device):
        """Give a device its token, as pairing does.

        :return: the token
        :rtype: str
        """
        answer = cls.env["club.device"]._pair(
            device.generate_pairing_code(), "TEST-0001", "", "1.0", "127.0.0.1"
        )
        return answer["token"]

    @classmethod
    def phone(cls):
        """A mobile number that no other call returns.

        :rtype: str
        """
        return f"0912{next(cls.numbers):07d}"

    def take(self, phone, tag=None, device=None, at=None, event_id=None, rev=None):
        """Take one check-in without HTTP.

        :return: the journal row that the device API answers from
        :rtype: dict
        """
        item = {"event_id": event_id or str(uuid.uuid4()), "phone": phone, "tag": tag}
        if rev is not None:
            item["config_rev"] = rev
        if at:
            item["occurred_at"] = int(at.replace(tzinfo=timezone.utc).timestamp())
        self.env.flush_all()
        row = self.env["club.checkin.intake"]._receive(
            (device or self.device)._get_intake_row(), item
        )
        self.env.invalidate_all()
        return row

    def follow_up(self):
        """Let the worker prepare what waits: contact, tag, group and message."""
        while self.env["club.checkin.followup"]._follow_up_batch():
            self.env.flush_all()
        self.env.invalidate_all()

    def send_messages(self):
        """Let the queue send what may leave now."""
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            queue = self.env(cr=cr)["sms.queue"]
            while queue._send_slice()[1]:
                pass
        self.env.invalidate_all()

    def member(self, phone, company=None):
        """The member with a number typed as ``0912…``."""
        return self.env["club.member"].search(
            [
                ("phone_e164", "=", f"+98{phone[1:]}"),
                ("company_id", "=", (company or self.company).id),
            ]
        )

    def checkins(self, phone):
        """The journal of a number, oldest first."""
        return self.member(phone).checkin_ids.sorted("id")


class ClubCommon(ClubBuilders, TransactionCase):
    """A club without its HTTP side."""


class ClubHttpCommon(ClubBuilders, HttpCase):
    """A club with a connected device that speaks HTTP; each answer is validated."""

    limited = False  # whether the burst of the rate limit holds

    def setUp(self):
        super().setUp()
        if not self.limited:
            self.patch(club_checkin_intake, "RATE_BURST", 10**6)
        self.client = self.client_of(self.token)

    def client_of(self, token):
        """A device at the wire."""
        return CheckedClient(self.base_url(), token=token, session=self.opener)

    def check_in(self, phone, tag=None, event_id=None, headers=None, **members):
        """Post one check-in that must be accepted.

        :return: the answer's body
        :rtype: dict
        """
        response = self.client.checkin(
            event_id or self.event_id(), phone, tag, headers=headers, **members
        )
        self.assertIn(response.status_code, (200, 201), response.text)
        return response.json()

    def event_id(self):
        """A fresh event id.

        :rtype: str
        """
        return str(uuid.uuid4())

    def assertProblem(self, response, name, status):
        """The answer is this refusal, as problem+json."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(
            response.headers["Content-Type"].partition(";")[0],
            "application/problem+json",
        )
        self.assertEqual(
            response.json()["type"], f"urn:problem-type:club-device:{name}"
        )
