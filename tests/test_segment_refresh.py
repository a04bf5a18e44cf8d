import random
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CLUB, ClubCommon

REFRESH = "odoo.addons.customer_segmentation.models.segment.customer_segment_refresh"


class SegmentCommon(ClubCommon):
    """A marketer of the company and some contacts to sort."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marketer = new_test_user(
            cls.env,
            login="marketer",
            groups=f"{CLUB}_marketer,base.group_partner_manager,sales_team.group_sale_manager",
            context={"no_reset_password": True},
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.partners = cls.env["res.partner"].create(
            [
                {
                    "name": f"Contact {number}",
                    "city": ("Tehran", "Tabriz", "Shiraz")[number % 3],
                    "color": number % 4,
                    "company_id": cls.company.id,
                }
                for number in range(24)
            ]
        )

    def segment(self, domain="[]", **values):
        """A dynamic segment of the marketer, refreshed."""
        segment = (
            self.env["customer.segment"]
            .with_user(self.marketer)
            .create(
                {
                    "name": "A segment",
                    "kind": "dynamic",
                    "domain": str(domain),
                    **values,
                }
            )
        )
        segment.refresh()
        return segment

    def expected(self, domain):
        """What the ORM itself finds for a condition."""
        return self.partners.filtered_domain(Domain(domain))


@tagged("post_install", "-at_install")
class TestSegmentRefresh(SegmentCommon):
    """Members are the condition, the pins and the exclusions; always the difference."""

    def test_members_are_who_meets_the_condition(self):
        """Any nesting of AND and OR."""
        domain = [
            "&",
            ("id", "in", self.partners.ids),
            "|",
            ("city", "=", "Tehran"),
            "&",
            ("city", "=", "Tabriz"),
            ("color", ">", 1),
        ]
        segment = self.segment(domain)
        self.assertEqual(segment.partner_ids, self.expected(domain))
        self.assertEqual(segment.member_count, len(self.expected(domain)))
        self.assertEqual(segment.state, "fresh")

    def test_refresh_without_change_writes_no_row(self):
        """The usual case costs the difference query only."""
        segment = self.segment([("city", "=", "Tehran")])
        events = self.env["customer.segment.event"].search_count([])
        self.assertEqual(segment.refresh(), 0)
        self.assertEqual(self.env["customer.segment.event"].search_count([]), events)

    def test_pins_and_exclusions(self):
        """Always in joins, always out wins, other segments' members are taken out."""
        other = self.segment([("city", "=", "Tabriz")], name="Tabriz")
        in_pin, out_pin = self.partners[2], self.partners[0]
        segment = self.segment(
            [("id", "in", self.partners.ids), ("city", "in", ["Tehran", "Tabriz"])],
            included_partner_ids=[Command.link(in_pin.id)],
            excluded_partner_ids=[Command.link(out_pin.id)],
            exclude_segment_ids=[Command.link(other.id)],
        )
        expected = self.partners.filtered(lambda p: p.city == "Tehran")
        self.assertEqual(segment.partner_ids, (expected - out_pin) | in_pin)
        segment.excluded_partner_ids = [Command.link(in_pin.id)]
        segment.refresh()
        self.assertNotIn(in_pin, segment.partner_ids)

    def test_exclusive_set_puts_each_contact_in_the_first_match(self):
        """One statement for the set; a pin beats an earlier condition."""
        classes = self.env["customer.segment.set"].create(
            {"name": "Value", "exclusive": True, "company_id": self.company.id}
        )
        high, low = (
            self.segment(
                [("id", "in", self.partners.ids), ("color", ">=", least)],
                name=name,
                set_id=classes.id,
                sequence=sequence,
            )
            for sequence, (name, least) in enumerate((("High", 2), ("Low", 1)))
        )
        high.refresh()
        self.assertEqual(
            high.partner_ids, self.partners.filtered(lambda p: p.color >= 2)
        )
        self.assertEqual(
            low.partner_ids, self.partners.filtered(lambda p: p.color == 1)
        )
        moved = high.partner_ids[0]
        low.included_partner_ids = [Command.link(moved.id)]
        low.refresh()
        self.assertIn(moved, low.partner_ids)
        self.assertNotIn(moved, high.partner_ids)

    def test_partial_refresh_looks_at_those_contacts_only(self):
        """Others keep their membership although they changed too."""
        segment = self.segment(
            [("id", "in", self.partners.ids), ("city", "=", "Tehran")]
        )
        leaves, stays = segment.partner_ids[:2]
        (leaves | stays).city = "Qom"
        segment.refresh(partner_ids=leaves.ids)
        self.assertNotIn(leaves, segment.partner_ids)
        self.assertIn(stays, segment.partner_ids)

    def test_touched_contacts_are_refreshed_by_the_worker(self):
        """Editing a contact notes it; the worker refreshes just that one."""
        segment = self.segment(
            [("id", "in", self.partners.ids), ("city", "=", "Tehran")]
        )
        engine = self.env["customer.segment.refresh"]
        while engine._refresh_touched():
            pass
        partner = self.partners[1]
        partner.city = "Tehran"
        self.env.flush_all()
        self.assertEqual(engine._refresh_touched(), 1)
        self.assertIn(partner, segment.partner_ids)

    def test_events_tell_who_when_and_why(self):
        """Enter by rule, leave by hand, and who was in at a past moment."""
        segment = self.segment(
            [("id", "in", self.partners.ids), ("city", "=", "Tehran")]
        )
        partner = segment.partner_ids[0]
        Event = self.env["customer.segment.event"]
        mine = [("segment_id", "=", segment.id), ("partner_id", "=", partner.id)]
        entered = Event.search(mine)
        self.assertEqual((entered.kind, entered.cause), ("enter", "rule"))
        self.assertFalse(entered.user_id)
        entered.date = fields.Datetime.now() - timedelta(days=2)
        partner.city = "Qom"
        segment.refresh()
        left = Event.search(mine, order="id desc", limit=1)
        self.assertEqual(left.kind, "leave")
        yesterday = fields.Datetime.now() - timedelta(days=1)
        self.assertEqual(segment.members_at(yesterday), partner.ids)
        now = fields.Datetime.now() + timedelta(seconds=5)
        self.assertNotIn(partner.id, segment.members_at(now))

    @mute_logger("odoo.sql_db")
    def test_broken_condition_keeps_the_last_good_members(self):
        """Quarantined alone, stamped, one activity; it recovers by itself."""
        segment = self.segment([("id", "in", self.partners.ids)])
        healthy = self.segment([("city", "=", "Tabriz")], name="Healthy")
        members = segment.partner_ids
        self.env.cr.execute(
            "UPDATE customer_segment SET domain = %s WHERE id = %s",
            ("[('x_gone', '=', 1)]", segment.id),
        )
        segment.invalidate_recordset()
        for _run in range(2):
            (segment | healthy).refresh()
        self.assertEqual(segment.state, "quarantined")
        self.assertIn("x_gone", segment.error)
        self.assertEqual(segment.partner_ids, members)
        self.assertEqual(len(segment.sudo().activity_ids), 1)
        self.assertEqual(healthy.state, "fresh")
        segment.domain = str([("id", "in", self.partners[:3].ids)])
        segment.refresh()
        self.assertEqual((segment.state, segment.error), ("fresh", False))
        self.assertEqual(segment.partner_ids, self.partners[:3])
        self.assertFalse(segment.sudo().activity_ids)

    def test_conditions_that_would_lie_are_refused(self):
        """With the reason, as the responsible sees it."""
        refused = [
            "not a list",
            "[('x_no_such_field', '=', 1)]",
            "[('credit', '=', 0)]",
            "[('display_name.x', '=', 1)]",
            "[('create_date', '>=', 'today -3q')]",
            "[('city', '~~', 'x')]",
            "__import__('os')",
            "[('user_ids.totp_secret', '!=', False)]",
            "[('segment_ids', 'ilike', 'x')]",
        ]
        for domain in refused:
            with self.subTest(domain), self.assertRaises(ValidationError):
                self.segment(domain)

    def test_circle_is_refused_with_its_path(self):
        """A condition may use other segments, never in a circle."""
        first = self.segment([("city", "=", "Tehran")], name="First")
        second = self.segment([("segment_ids", "in", [first.id])], name="Second")
        self.assertEqual(second.partner_ids, first.partner_ids)
        with self.assertRaises(ValidationError) as caught:
            first.domain = str([("segment_ids", "in", [second.id])])
        self.assertIn("First → Second → First", str(caught.exception))

    def test_used_segment_cannot_be_deleted_or_archived(self):
        """The users of it are named."""
        first = self.segment([("city", "=", "Tehran")], name="First")
        self.segment([("segment_ids", "in", [first.id])], name="Second")
        for action in first.unlink, first.action_archive:
            with self.subTest(action.__name__), self.assertRaises(UserError) as caught:
                action()
            self.assertIn("Second", str(caught.exception))

    def test_saving_a_condition_makes_the_editor_responsible(self):
        """Nobody reads through a colleague's eyes."""
        manager = self.build_user("club_manager")
        directors = self.segment([("city", "=", "Tehran")])
        directors.with_user(manager).user_id = manager
        with self.assertRaises(AccessError):
            directors.with_user(self.marketer).domain = "[('city', '=', 'Qom')]"
        theirs = self.segment([("city", "=", "Tehran")])
        theirs.with_user(manager).domain = "[('city', '=', 'Qom')]"
        self.assertEqual(theirs.user_id, manager)

    def test_members_are_never_written(self):
        """A write on the members or on a contact's segments becomes a pin, or fails."""
        segment = self.segment([("id", "in", self.partners[:4].ids)])
        inside, outside = self.partners[0], self.partners[9]
        editor = new_test_user(
            self.env,
            login="editor",
            groups="base.group_user,base.group_partner_manager",
            context={"no_reset_password": True},
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(AccessError):
            outside.with_user(editor).segment_ids = [Command.link(segment.id)]
        outside.with_user(self.marketer).segment_ids = [Command.link(segment.id)]
        self.assertIn(outside, segment.included_partner_ids)
        segment.refresh()
        self.assertIn(outside, segment.partner_ids)
        segment.partner_ids = [Command.unlink(inside.id)]
        self.assertIn(inside, segment.excluded_partner_ids)
        segment.refresh()
        self.assertNotIn(inside, segment.partner_ids)

    def test_confidential_segments_match_nothing_for_others(self):
        """Not by name and not by id; a portal user may not even ask."""
        segment = self.segment([("id", "in", self.partners.ids)], confidential=True)
        colleague = self.build_user("club_user")
        Partner = self.env["res.partner"]
        by_id = [("segment_ids", "in", segment.ids)]
        by_name = [("segment_ids", "=", segment.name)]
        for domain in by_id, by_name:
            with self.subTest(domain):
                self.assertFalse(Partner.with_user(colleague).search(domain))
                self.assertTrue(Partner.with_user(self.marketer).search(domain))

    def test_condition_uses_the_responsibles_rights(self):
        """Documents that the responsible may not see do not count."""
        seller = new_test_user(
            self.env,
            login="seller",
            groups=f"{CLUB}_marketer,sales_team.group_sale_salesman",
            context={"no_reset_password": True},
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.env["crm.lead"].create(
            {
                "name": "Someone else's deal",
                "type": "opportunity",
                "partner_id": self.partners[0].id,
                "user_id": self.marketer.id,
                "company_id": self.company.id,
            }
        )
        domain = str([("opportunity_ids", "!=", False)])
        Segment = self.env["customer.segment"]
        values = {"name": "Deals", "kind": "dynamic", "domain": domain}
        blind = Segment.with_user(seller).create(values)
        seeing = Segment.with_user(self.marketer).create(values)
        (blind | seeing).sudo().refresh()
        self.assertFalse(blind.partner_ids)
        self.assertIn(self.partners[0], seeing.partner_ids)

    def test_relative_dates_follow_the_segments_time_zone(self):
        """«Today» begins at the segment's midnight, not at the server's."""
        zones = {}
        for tz in "Asia/Tehran", "Pacific/Auckland":
            segment = self.segment([("create_date", ">=", "today")], tz=tz)
            condition = self.env["customer.segment.condition"]
            sql = condition._query(segment.sudo()).select()
            zones[tz] = str(self.env.cr.mogrify(sql.code, sql.params))
        self.assertEqual(len(set(zones.values())), 2)

    def test_random_conditions_equal_the_orms_own_search(self):
        """Membership is what search() finds, on random nested conditions."""
        rng = random.Random(19)
        cities = ["Tehran", "Tabriz", "Shiraz", "Qom"]

        def leaf():
            return rng.choice(
                [
                    ("city", rng.choice(["=", "!=", "ilike"]), rng.choice(cities)),
                    ("city", rng.choice(["in", "not in"]), rng.sample(cities, 2)),
                    ("color", rng.choice(["<", ">", "=", "!="]), rng.randrange(4)),
                    ("name", "ilike", str(rng.randrange(24))),
                    ("email", rng.choice(["=", "!="]), False),
                ]
            )

        def tree(depth):
            if not depth or rng.random() < 0.2:
                return [leaf()]
            operator = rng.choice(["&", "|", "!"])
            if operator == "!":
                return ["!", *tree(depth - 1)]
            return [operator, *tree(depth - 1), *tree(depth - 1)]

        segment = self.segment()
        for _round in range(25):
            domain = ["&", ("id", "in", self.partners.ids), *tree(4)]
            segment.domain = str(domain)
            segment.refresh()
            found = self.env["res.partner"].search(domain)
            with self.subTest(domain):
                self.assertEqual(segment.partner_ids, found)

    def test_device_group_members_have_the_device_as_cause(self):
        """A check-in puts the contact into the group at once, with its reason."""
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        partner = self.member(phone).partner_id
        group = self.device.group_id
        self.assertIn(partner, group.partner_ids)
        event = self.env["customer.segment.event"].search(
            [("partner_id", "=", partner.id), ("segment_id", "=", group.id)]
        )
        self.assertEqual((event.kind, event.cause), ("enter", "device"))

    def test_why_shows_each_condition(self):
        """True or false for that contact, with the brackets."""
        segment = self.segment(
            ["|", ("city", "=", "Tehran"), ("city", "=", "Qom")],
        )
        answer = segment.why(self.partners[0].id)
        self.assertTrue(answer["is_member"])
        self.assertEqual(
            [(row["depth"], row["holds"]) for row in answer["conditions"]],
            [(0, True), (1, True), (1, False)],
        )
        wizard = self.env["customer.segment.why"].create(
            {"subject_model": "res.partner", "partner_id": self.partners[0].id}
        )
        self.assertFalse(wizard.answer, "before a segment is chosen")
        wizard.segment_id = segment
        self.assertIn("✗", wizard.answer)
