"""Who reads, joins and searches segments over RPC, and through whose eyes."""

import xmlrpc.client

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .common import CLUB
from .test_segment_refresh import SegmentCommon

PASSWORD = "long enough for a test"
ACCESS_ERROR = 4  # fault code of core
SECRET = "Directors' eyes only"


@tagged("post_install", "-at_install")
class TestSegmentAccess(SegmentCommon, HttpCase):
    """Whatever is asked for goes through the server as it would from outside."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director = cls.person("director", f"{CLUB}_club_manager")
        cls.inside = cls.partners[0]
        pinned = [Command.set(cls.inside.ids)]
        values = {"name": SECRET, "confidential": True, "included_partner_ids": pinned}
        segments = cls.env["customer.segment"].with_user(cls.director)
        cls.hidden = segments.create(values)
        cls.open = segments.create({**values, "name": "Open", "confidential": False})
        cls.directors = segments.create(
            {
                "name": "Of the director",
                "kind": "dynamic",
                "domain": str([("id", "in", cls.partners.ids), ("color", "=", 0)]),
            }
        )
        (cls.hidden | cls.open | cls.directors).refresh()
        cls.portal = cls.person("portal", "base.group_portal")
        cls.cashier = cls.person("cashier", f"{CLUB}_cashier")
        cls.editor = cls.person("editor", "base.group_user,base.group_partner_manager")

        # A cashier who also edits contacts has more doors than either.
        cls.clerk = cls.person("clerk", f"{CLUB}_cashier,base.group_partner_manager")

    @classmethod
    def person(cls, login, groups):
        """A user who may log in."""
        return new_test_user(
            cls.env,
            login=login,
            password=PASSWORD,
            groups=groups,
            context={"no_reset_password": True},
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def rpc(self, user, model, method, *args, **kwargs):
        """Call a method over XML-RPC."""
        self.env.flush_all()
        try:
            with mute_logger("odoo.http", "odoo.addons.rpc.controllers.xmlrpc"):
                return self.xmlrpc_object.execute_kw(
                    get_db_name(), user.id, PASSWORD, model, method, args, kwargs
                )
        finally:
            self.env.invalidate_all()

    def assertRefused(self, user, model, method, *args, **kwargs):
        """The answer is that this person may not."""
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            self.rpc(user, model, method, *args, **kwargs)
        self.assertEqual(caught.exception.faultCode, ACCESS_ERROR, caught.exception)

    def assertSameMembers(self):
        """Nobody came in or went."""
        for segment in self.hidden, self.open:
            self.assertEqual(segment.included_partner_ids, self.inside)
            self.assertFalse(segment.excluded_partner_ids)
            segment.refresh()
            self.assertEqual(segment.partner_ids, self.inside)

    # === ASKED FOR BY OUTSIDERS === #

    def test_portal_is_refused_everything(self):
        """Segments, their history, and its own contact's segments."""
        own = self.portal.partner_id
        self.open.included_partner_ids |= own
        self.open.refresh()
        for model in (
            "customer.segment",
            "customer.segment.set",
            "customer.segment.event",
            "customer.segment.action",
            "customer.segment.action.job",
            "customer.segment.event.report",
        ):
            with self.subTest(model):
                self.assertRefused(self.portal, model, "search", [])
        ids = self.open.ids
        for method, *args in (
            ("read", ids, ["name"]),
            ("write", ids, {"name": "Mine"}),
            ("refresh", ids),
            ("why", ids, own.id),
            ("members_at", ids, "2026-01-01 00:00:00"),
            ("preview", ids),
        ):
            with self.subTest(method):
                self.assertRefused(self.portal, "customer.segment", method, *args)
        for name in "segment_ids", "segment_count", "included_segment_ids":
            with self.subTest(name):
                ask = ("res.partner", "read", own.ids, [name])
                self.assertRefused(self.portal, *ask)
                join = ("res.partner", "write", own.ids, {name: [(4, ids[0])]})
                self.assertRefused(self.portal, *join)
                find = ("res.partner", "search", [(name, "!=", False)])
                self.assertRefused(self.portal, *find)

    def test_hidden_segments_tell_nothing(self):
        """Neither by id nor by name, path, order, group or the other side's pins."""
        hidden = self.hidden.ids
        questions = [
            [("segment_ids", "in", hidden)],
            [("segment_ids", "any", [("id", "in", hidden)])],
            [("segment_ids", "ilike", SECRET)],
            [("segment_ids.name", "=", SECRET)],
            [("segment_ids.user_id", "=", self.director.id), ("color", ">=", 1)],
            [("included_segment_ids", "in", hidden)],
            [("included_segment_ids.name", "=", SECRET)],
            [("child_ids.segment_ids", "in", hidden)],
            [("segment_event_ids.segment_id", "in", hidden)],
        ]
        for user in self.cashier, self.editor, self.clerk:
            for question in questions:
                with self.subTest(user=user.login, question=question):
                    try:
                        found = self.rpc(user, "res.partner", "search", question)
                    except xmlrpc.client.Fault as fault:
                        self.assertEqual(fault.faultCode, ACCESS_ERROR)
                    else:
                        self.assertNotIn(self.inside.id, found)
            with self.subTest(user=user.login):
                names = ["segment_ids"]
                if user != self.editor:
                    names.append("included_segment_ids")
                (values,) = self.rpc(
                    user, "res.partner", "read", self.inside.ids, names
                )
                for name in names:
                    self.assertEqual(
                        set(values[name]) & {self.hidden.id, self.open.id},
                        {self.open.id},
                    )
                self.assertRefused(
                    user, "customer.segment", "read", hidden, ["partner_ids"]
                )
                names = self.rpc(user, "customer.segment", "name_search", SECRET)
                self.assertFalse(names)
                groups = self.rpc(
                    user,
                    "res.partner",
                    "formatted_read_group",
                    [("id", "=", self.inside.id)],
                    ["segment_ids"],
                    ["__count"],
                )
                self.assertNotIn(SECRET, str(groups))

    def test_pins_are_searched_by_those_who_read_them(self):
        """A colleague without any role of the club sees members, not pins."""
        question = [("included_segment_ids", "in", self.open.ids)]
        self.assertRefused(self.editor, "res.partner", "search", question)
        found = self.rpc(self.cashier, "res.partner", "search", question)
        self.assertEqual(found, self.inside.ids)

    def test_nobody_joins_by_a_back_door(self):
        """Not from the contact, not from the segment, not through its pins."""
        outside = self.partners[1]
        for user in self.cashier, self.editor, self.clerk:
            for segment in self.open, self.hidden:
                link = [(4, segment.id)]
                for name in "segment_ids", "included_segment_ids":
                    with self.subTest(user=user.login, name=name, to=segment.name):
                        self.assertRefused(
                            user, "res.partner", "write", outside.ids, {name: link}
                        )
                        self.assertRefused(
                            user, "res.partner", "create", {"name": "N", name: link}
                        )
                for name in "partner_ids", "included_partner_ids":
                    with self.subTest(user=user.login, name=name, to=segment.name):
                        self.assertRefused(
                            user,
                            "customer.segment",
                            "write",
                            segment.ids,
                            {name: [(4, outside.id)]},
                        )
            with self.subTest(user=user.login):
                self.assertRefused(user, "customer.segment", "refresh", self.open.ids)
        self.assertSameMembers()

    def test_whose_group_it_is_may_use_either_side(self):
        """From the contact or from the segment; the group is right at once."""
        group = self.env["customer.segment"].with_user(self.marketer)
        group = group.create({"name": "By hand"})
        contact = self.partners[1].with_user(self.marketer)
        for name in "segment_ids", "included_segment_ids":
            with self.subTest(name):
                contact.write({name: [Command.link(group.id)]})
                self.assertEqual(group.partner_ids, contact)
                self.assertEqual(group.included_partner_ids, contact)
                contact.write({name: [Command.unlink(group.id)]})
                self.assertFalse(group.partner_ids | group.included_partner_ids)
        made = contact.create({"name": "New", "included_segment_ids": group.ids})
        self.assertEqual(group.partner_ids, made)
        self.assertFalse(made.copy().included_segment_ids)

    # === A DIRECTOR'S SEGMENT === #

    def test_marketer_cannot_edit_a_directors_segment(self):
        """Else the marketer would read through the director's eyes."""
        marketer = self.person("second-marketer", f"{CLUB}_marketer")
        ids = self.directors.ids
        before = self.directors.partner_ids
        for values in (
            {"domain": "[]"},
            {"included_partner_ids": [(4, self.partners[1].id)]},
            {"partner_ids": [(4, self.partners[1].id)]},
            {"user_id": marketer.id},
            {"kind": "static"},
            {"exclude_segment_ids": [(4, self.open.id)]},
        ):
            with self.subTest(values):
                self.assertRefused(marketer, "customer.segment", "write", ids, values)
        self.assertRefused(marketer, "customer.segment", "unlink", ids)
        # A copy, or one that names the director, is the marketer's own.
        (copy,) = self.rpc(marketer, "customer.segment", "copy", ids)
        copy = self.env["customer.segment"].browse(copy)
        self.assertEqual(copy.user_id, marketer)
        values = {"name": "Theirs", "kind": "dynamic", "user_id": self.director.id}
        made = self.rpc(marketer, "customer.segment", "create", values)
        made = self.env["customer.segment"].browse(made)
        self.assertEqual(made.user_id, marketer)
        self.directors.refresh()
        self.assertEqual(self.directors.partner_ids, before)

    # === OTHER COMPANIES === #

    def test_condition_sees_the_responsibles_companies_only(self):
        """Not another company's contacts and orders, whoever refreshes."""
        other = self.build_company("Another company")
        foreign = self.env["res.partner"].create(
            {"name": "Contact of another company", "company_id": other.id}
        )
        shared = self.env["res.partner"].create({"name": "Contact of everybody"})
        for company, partner in (other, shared), (self.company, self.inside):
            self.env["sale.order"].create(
                {"partner_id": partner.id, "company_id": company.id}
            )
        both = self.person("both", f"{CLUB}_club_manager,sales_team.group_sale_manager")
        both.company_ids |= other
        everybody = foreign | shared | self.inside
        mine = ("id", "in", everybody.ids)
        ordered = ("sale_order_ids", "!=", False)
        for user, company, domain, expected in (
            (self.marketer, self.company, [mine], shared | self.inside),
            (self.marketer, self.company, [mine, ordered], self.inside),
            (both, self.company, [mine], shared | self.inside),
            (both, other, [mine, ordered], shared),
        ):
            with self.subTest(user=user.login, company=company.name, domain=domain):
                segment = (
                    self.env["customer.segment"]
                    .with_user(user)
                    .with_company(company)
                    .create(
                        {
                            "name": "One company",
                            "kind": "dynamic",
                            "domain": str(domain),
                            "company_id": company.id,
                        }
                    )
                )
                # Somebody who sees both companies refreshes it, everybody or a few.
                wide = segment.with_user(both).with_context(
                    allowed_company_ids=both.company_ids.ids
                )
                wide.refresh()
                self.assertEqual(segment.sudo().partner_ids, expected)
                wide.refresh(partner_ids=everybody.ids)
                self.assertEqual(segment.sudo().partner_ids, expected)
        with self.assertRaises(UserError):
            self.env["customer.segment"].with_user(self.marketer).create(
                {"name": "Elsewhere", "company_id": other.id}
            )
