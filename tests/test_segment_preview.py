"""The audience of a segment before it is saved: exact, and in the asker's rights."""

import json
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestSegmentPreview(ClubCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketer = new_test_user(
            cls.env,
            login="marketer-preview",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.segments = cls.env["customer.segment"].with_user(cls.marketer)
        names = ("Ana", "Bita", "Cyrus", "Dara")
        cls.people = cls.env["res.partner"].create(
            [
                {
                    "name": name,
                    "ref": "preview",
                    "company_id": cls.company.id,
                    "country_id": cls.env.ref("base.ir").id,
                }
                for name in names
            ]
        )
        ana, bita, cyrus, dara = cls.people
        ana.write({"phone": "09120007001", "email": "ana@example.com"})
        bita.write({"phone": "09120007002", "no_sms": True})
        cyrus.phone = "02188880000"
        dara.phone = "09120007001"

    def preview(self, segment=None, **values):
        self.env.flush_all()
        values = {"kind": "dynamic", **values}
        return (segment or self.segments).preview(values, patience=30)

    def test_counts_and_sample(self):
        answer = self.preview(domain="[('ref', '=', 'preview')]")
        sample = answer.pop("sample")
        self.assertEqual(
            answer,
            {
                "total": 4,
                "mobile": 3,
                "email": 1,
                "refused": 1,
                "duplicates": 1,
                "entering": 4,
                "leaving": 0,
                "confirm": False,
            },
        )
        self.assertEqual(
            {person["name"] for person in sample}, set(self.people.mapped("name"))
        )

    def test_members_number_counts_before_the_contacts(self):
        """A landline contact whose member's phone is a mobile is reached by it."""
        cyrus = self.people[2]
        self.take("09120007009")
        self.follow_up()
        member = self.member("09120007009")
        member.partner_id = cyrus
        answer = self.preview(domain="[('name', '=', 'Cyrus')]")
        self.assertEqual((answer["total"], answer["mobile"]), (1, 1))

    def test_foreign_numbers_are_judged_by_their_country(self):
        emirates = self.env.ref("base.ae").id
        for number, mobiles in (("+971501234567", 1), ("+97142345678", 0)):
            person = self.env["res.partner"].create(
                {"name": number, "phone": number, "country_id": emirates}
            )
            answer = self.preview(domain=f"[('name', '=', '{number}')]")
            with self.subTest(number=number):
                self.assertTrue(person.phone_sanitized)
                self.assertEqual((answer["total"], answer["mobile"]), (1, mobiles))

    def test_blacklisted_number_is_refused(self):
        self.env["phone.blacklist"].create({"number": "+989120007001"})
        answer = self.preview(domain="[('name', '=', 'Ana')]")
        self.assertEqual(answer["refused"], 1)

    def test_pins_and_other_segments(self):
        ana, _bita, cyrus, dara = self.people
        other = self.segments.create(
            {"name": "Others", "kind": "static", "included_partner_ids": [dara.id]}
        )
        answer = self.preview(
            domain="[('name', 'in', ['Ana', 'Dara'])]",
            included_ids=[cyrus.id],
            excluded_ids=[ana.id],
            exclude_segment_ids=other.ids,
        )
        self.assertEqual([person["name"] for person in answer["sample"]], ["Cyrus"])

    def test_saved_segment_tells_what_saving_changes(self):
        segment = self.segments.create(
            {
                "name": "Two",
                "kind": "dynamic",
                "domain": "[('name', 'in', ['Ana', 'Bita']), ('ref', '=', 'preview')]",
            }
        )
        segment.refresh()
        same = self.preview(segment)
        self.assertEqual((same["entering"], same["leaving"]), (0, 0))
        answer = self.preview(
            segment,
            domain="[('name', 'in', ['Bita', 'Dara', 'Cyrus']), "
            "('ref', '=', 'preview')]",
        )
        self.assertEqual((answer["entering"], answer["leaving"]), (2, 1))
        self.assertFalse(answer["confirm"], "50 people have to move")
        self.company.segment_confirm_people = 2
        answer = self.preview(segment, domain="[('name', '=', 'nobody')]")
        self.assertEqual((answer["leaving"], answer["confirm"]), (2, False))
        self.company.segment_confirm_people = 1
        answer = self.preview(segment, domain="[('name', '=', 'nobody')]")
        self.assertTrue(answer["confirm"])
        self.assertEqual(segment.partner_ids, self.people[:2], "nothing was written")

    def test_class_below_gets_whom_the_one_above_has_not(self):
        classes = self.env["customer.segment.set"].create(
            {"name": "Classes", "exclusive": True}
        )
        domain = "[('ref', '=', 'preview')]"
        first = self.segments.create(
            {
                "name": "First",
                "kind": "dynamic",
                "set_id": classes.id,
                "sequence": 1,
                "domain": "[('name', 'in', ['Ana', 'Bita']), ('ref', '=', 'preview')]",
            }
        )
        first.refresh()
        answer = self.preview(domain=domain, set_id=classes.id, sequence=2)
        self.assertEqual(answer["total"], 2)
        answer = self.preview(domain=domain, set_id=classes.id, sequence=0)
        self.assertEqual(answer["total"], 4)

    def test_leads(self):
        self.env["crm.lead"].create(
            [
                {"name": "One", "phone": "+989120007003", "referred": "preview"},
                {"name": "Two", "email_from": "b@example.com", "referred": "preview"},
            ]
        )
        user = self.marketer
        user.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        answer = self.preview(model="crm.lead", domain="[('referred', '=', 'preview')]")
        self.assertEqual(
            (answer["total"], answer["mobile"], answer["email"]), (2, 1, 1)
        )

    def test_broken_condition_is_told_not_raised(self):
        for domain in ("[('no_such_field', '=', 1)]", "[('name', '=', 'x'", "[(1, 2)]"):
            with self.subTest(domain=domain):
                self.assertIn("error", self.preview(domain=domain))

    def test_slow_condition_is_counted_later(self):
        """It says so instead of blocking, and leaves no timeout behind."""
        self.patch(
            type(self.env["customer.segment"]),
            "_preview_blocks",
            lambda self, draft: self.env.cr.execute("SELECT pg_sleep(5)"),
        )
        self.env.flush_all()
        answer = self.segments.preview({"kind": "dynamic"}, patience=0.1)
        self.assertEqual(answer, {"counting": True})
        self.env.cr.execute("SHOW statement_timeout")
        self.assertEqual(self.env.cr.fetchone(), ("0",))

    def test_a_changed_condition_is_read_with_the_askers_eyes(self):
        """Otherwise a marketer could count what only the director may see."""
        secret = self.env["res.partner"].create(
            {"name": "Secret", "ref": "preview", "company_id": self.company.id}
        )
        self.env["ir.rule"].create(
            {
                "name": "Hidden from marketers",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {secret.id})]",
                "groups": [
                    Command.link(
                        self.env.ref(
                            "customer_segmentation.customer_segmentation_group_marketer"
                        ).id
                    )
                ],
            }
        )
        director = new_test_user(
            self.env,
            login="director-preview",
            groups="base.group_system,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        segment = self.env["customer.segment"].create(
            {
                "name": "Everybody",
                "kind": "dynamic",
                "company_id": self.company.id,
                "user_id": director.id,
                "domain": "[('ref', '=', 'preview')]",
            }
        )
        mine = segment.with_user(self.marketer)
        changed = self.preview(mine, domain="[('ref', '=', 'preview'), ('id', '>', 0)]")
        self.assertEqual(changed["total"], 4)
        same = self.preview(mine)
        self.assertEqual(same["total"], 5, "as the responsible will see it")
        self.assertNotIn("Secret", [person["name"] for person in same["sample"]])

    def test_who_may_not_make_segments_may_not_ask(self):
        cashier = self.build_user("cashier")
        with self.assertRaises(AccessError):
            self.env["customer.segment"].with_user(cashier).preview({})

    def test_another_companys_people_are_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Other"})
        answer = self.preview(company_id=other.id)
        self.assertIn("company", answer["error"])


@tagged("post_install", "-at_install")
class TestSegmentTrend(ClubCommon):
    def test_counted_back_from_today(self):
        people = self.env["res.partner"].create(
            [{"name": f"Trend {number}"} for number in range(3)]
        )
        group = self.env["customer.segment"].create({"name": "Trend"})
        group.included_partner_ids = people
        now = fields.Datetime.now()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_segment_event SET date = %s"
            " WHERE segment_id = %s AND partner_id = %s",
            [now - timedelta(days=30), group.id, people[0].id],
        )
        self.env.invalidate_all()
        self.assertEqual((group.entered_week, group.left_week), (2, 0))
        counts = [point["y"] for point in json.loads(group.trend)[0]["values"]]
        self.assertEqual(counts, [0] * 8 + [1] * 4 + [3])
