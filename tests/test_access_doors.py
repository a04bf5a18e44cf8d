"""What somebody with an ordinary user would try, door by door."""

import contextlib

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import CLUB
from .test_segment_refresh import SegmentCommon


class DoorCommon(SegmentCommon):
    """Two companies, each with a visitor, and people who work for one of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.build_company("Another company")
        cls.other_device = cls.build_device(cls.other)
        cls.user = cls.person("club_user")
        cls.manager = cls.person("club_manager")
        cls.portal = new_test_user(
            cls.env,
            login="portal-at-the-door",
            groups="base.group_portal",
            context={"no_reset_password": True},
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def person(cls, role, groups="base.group_user"):
        """A user of the first company."""
        return new_test_user(
            cls.env,
            login=f"{role}-at-the-door-{next(cls.numbers)}",
            groups=f"{CLUB}_{role},{groups}",
            context={"no_reset_password": True},
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def as_user(self, record, user):
        """A record as somebody sees it who works for the first company."""
        self.env.flush_all()
        self.env.invalidate_all()
        return record.with_user(user).with_context(allowed_company_ids=self.company.ids)


@tagged("post_install", "-at_install")
class TestClubDoors(DoorCommon):
    """The journal, the members, the wizards."""

    def setUp(self):
        super().setUp()
        self.number, self.foreign = self.phone(), self.phone()
        self.take(self.number)
        self.take(self.foreign, device=self.other_device)
        self.follow_up()
        self.checkin = self.checkins(self.number)
        self.theirs = self.member(self.foreign, self.other)

    def test_journal_and_members_are_not_written(self):
        """Corrections have their own doors; a bare write would reach any row."""
        checkin = self.as_user(self.checkin, self.user)
        for values in (
            {"member_id": self.theirs.id},
            {"counted": False},
            {"visit_no": 99},
            {"state": "pending", "message_kind": "welcome", "message_state": False},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                checkin.write(values)
        member = self.as_user(self.member(self.number), self.user)
        for values in (
            {"partner_id": self.theirs.partner_id.id},
            {"phone_e164": "+989120000000"},
            {"visit_count": 50},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                member.write(values)
        member.no_sms = True
        checkin.mark_not_customer("mistake", "typed twice")
        checkin.action_undo_not_customer()
        checkin.correct_number(self.phone())

    def test_wizard_shows_no_number_of_another_company(self):
        """The number typed is read with the user's rights."""
        theirs = self.theirs.checkin_ids
        wizards = self.as_user(self.env["club.checkin.correct.number"], self.user)
        with self.assertRaises(AccessError):
            wizard = wizards.create({"checkin_id": theirs.id, "phone": "0"})
            wizard.read(["old_phone"])
        wizard = wizards.create({"checkin_id": self.checkin.id, "phone": "0"})
        self.assertEqual(wizard.old_phone, f"+98{self.number[1:]}")

    def test_trade_of_another_company_is_not_chosen(self):
        """A preset without texts would take those of the other company away."""
        before = self.other.club_welcome_template_id
        preset = self.as_user(self.env["club.preset"], self.manager).create(
            {"name": "Nothing"}
        )
        wizard = preset.env["club.preset.apply"]
        with self.assertRaises(AccessError):
            wizard.create(
                {"preset_id": preset.id, "company_id": self.other.id}
            ).action_apply()
        self.assertEqual(self.other.club_welcome_template_id, before)

    def test_merged_into_another_company_the_members_stay_readable(self):
        """Of one row whose contact is another company's now the list lives on."""
        partner = self.member(self.number).partner_id
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (partner | self.theirs.partner_id).ids, self.theirs.partner_id
        )
        member = self.as_user(self.member(self.number), self.user)
        self.assertEqual(member.sudo().partner_id.company_id, self.other)
        self.assertTrue(member.search_read([], ["display_name", "partner_id"]))
        found = member.env["club.dashboard"].find_caller(self.number)
        self.assertEqual([row["is_member"] for row in found["callers"]], [True])

    def test_tag_sends_no_text_of_another_company(self):
        """The device would read it aloud."""
        theirs = self.other.club_welcome_template_id
        tag = self.as_user(self.tag_coffee, self.manager)
        with self.assertRaises(UserError):
            tag.first_template_id = theirs

    def test_context_of_a_caller_is_no_route(self):
        """A service text that another app sends keeps its line and is noted."""
        partner = self.member(self.number).partner_id
        text = self.build_template(self.company, "Your order is ready")
        partner.with_context(sms_route={"line_id": 0})._message_sms_with_template(
            template=text, partner_ids=partner.ids
        )
        sms = self.env["sms.sms"].search([("partner_id", "=", partner.id)])[:1]
        self.assertEqual(sms.line_id, self.company._get_sms_line("service"))
        log = self.env["sms.service.log"].search([("template_id", "=", text.id)])
        self.assertIn("send", log.mapped("kind"))

    def test_judged_message_is_not_rewritten(self):
        """It would leave as something nobody judged; cancelling it stays possible."""
        line = self.company._get_sms_line("service")
        [(sms_id, _reason)] = line._queue_messages(
            [{"number": "+989129998877", "body": "Your coffee is ready"}]
        )
        admin = self.person("club_manager", "base.group_system")
        for user in self.manager, admin:
            message = self.as_user(self.env["sms.sms"].browse(sms_id), user)
            for values in (
                {"body": "Sale!"},
                {"number": "+989129998866"},
                {"partner_id": self.member(self.number).partner_id.id},
                {"line_id": False},
                {"message_class": False},
                {"company_id": self.other.id},
                {"source": "test,1"},
                {"uuid": "0"},
                {"state": "outgoing", "params": []},
            ):
                with self.subTest(values), self.assertRaisesRegex(UserError, "Cancel"):
                    message.write(values)
        self.as_user(message, self.manager).action_set_canceled()
        self.assertEqual(message.state, "canceled")
        free = message.create({"number": "+989129998877", "body": "Hi"})
        free.body = "Hello"
        with self.assertRaisesRegex(UserError, "Cancel"):
            free.line_id = line

    def test_balance_is_asked_by_those_who_see_the_line(self):
        """Each question goes to the provider over the company's account."""
        line = self.other._get_sms_line("service")
        for user in self.portal, self.user:
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.as_user(line, user).action_refresh_balance()


@tagged("post_install", "-at_install")
class TestSegmentDoors(DoorCommon):
    """Confidential segments and what others see of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.director = cls.person("club_manager")
        cls.inside = cls.partners[0]
        pinned = [Command.set(cls.inside.ids)]
        segments = cls.env["customer.segment"].with_user(cls.director)
        cls.hidden = segments.create(
            {
                "name": "Suspects",
                "confidential": True,
                "included_partner_ids": pinned,
            }
        )
        cls.hidden.refresh()

    def test_hidden_segment_is_not_subtracted(self):
        """Everybody without its members tells who they are."""
        mine = self.segment([("id", "in", self.partners.ids)])
        link = [Command.link(self.hidden.id)]
        with self.assertRaises(AccessError):
            self.as_user(mine, self.marketer).write({"exclude_segment_ids": link})
        with self.assertRaises(AccessError):
            self.segment("[]", exclude_segment_ids=link)

    def test_unseen_contacts_are_not_pinned(self):
        """The history would tell their names."""
        foreign = self.env["res.partner"].create(
            {"name": "Customer of another company", "company_id": self.other.id}
        )
        groups = self.as_user(self.env["customer.segment"], self.marketer)
        group = groups.create({"name": "Mine"})
        for command in Command.link(foreign.id), Command.set(foreign.ids):
            with self.subTest(command), self.assertRaises(AccessError):
                group.write({"included_partner_ids": [command]})
        with self.assertRaises(AccessError):
            groups.create(
                {"name": "Mine", "included_partner_ids": [Command.set(foreign.ids)]}
            )
        answer = group.preview({"included_ids": foreign.ids, "kind": "static"})
        self.assertEqual(answer["total"], 0)

    def test_why_names_no_hidden_segment(self):
        """Nor says that its members were taken out for it."""
        self.hidden.user_id = self.director
        open_ = self.hidden.with_user(self.director).create(
            {
                "name": "Open",
                "kind": "dynamic",
                "domain": str([("segment_ids", "in", self.hidden.ids)]),
                "exclude_segment_ids": [Command.link(self.hidden.id)],
            }
        )
        open_.refresh()
        for user in self.marketer, self.user:
            why = self.as_user(open_, user).why(self.inside.id)
            self.assertFalse(why["excluded_by"])
            self.assertNotIn("Suspects", str(why["conditions"]))
            self.assertEqual({row["holds"] for row in why["conditions"]}, {None})
        why = self.as_user(open_, self.director).why(self.inside.id)
        self.assertEqual(why["excluded_by"], ["Suspects"])
        self.assertEqual({row["holds"] for row in why["conditions"]}, {True})

    def test_sentence_names_no_hidden_segment(self):
        """An open condition may use it; its name may say everything."""
        open_ = self.hidden.with_user(self.director).create(
            {
                "name": "Open",
                "kind": "dynamic",
                "domain": str([("segment_ids", "in", self.hidden.ids)]),
            }
        )
        for user in self.marketer, self.user:
            self.assertEqual(
                self.as_user(open_, user).sentence(),
                "Segments include a confidential segment.",
            )
        self.assertIn("Suspects", self.as_user(open_, self.director).sentence())

    def test_why_explains_nothing_that_one_may_not_read(self):
        """Else it would be read aloud, condition by condition."""
        domain = ["|", ("profit", "=", 0), ("id", "=", self.inside.id)]
        open_ = self.hidden.with_user(self.director).create(
            {"name": "Open", "kind": "dynamic", "domain": str(domain)}
        )
        profit, other = self.as_user(open_, self.user).why(self.inside.id)[
            "conditions"
        ][-2:]
        self.assertEqual((profit["holds"], other["holds"]), (None, True))
        self.assertNotIn("Profit", profit["text"])
        why = self.as_user(open_, self.director).why(self.inside.id)
        self.assertIn("Profit", str(why))

    def test_sensitive_facts_are_asked_for_confidentially(self):
        """Members, points and recipients would tell them to everybody."""
        self.director.group_ids += self.env.ref(f"{CLUB}_sensitive")
        segments = self.as_user(self.env["customer.segment"], self.director)
        domain = str([("child_ids.religion", "=", "Jedi")])
        values = {"name": "S", "kind": "dynamic", "domain": domain}
        segment = segments.create({**values, "confidential": True})
        mailing = {
            "subject": "S",
            "mailing_type": "sms",
            "audience_mode": "condition",
            "audience_condition": domain,
        }
        rule = {"name": "S", "points": 5, "domain": domain}
        for attempt in (
            lambda: segment.write({"confidential": False}),
            lambda: segments.create(values),
            lambda: segments.env["mailing.mailing"].create(mailing),
            lambda: segments.env["customer.score.rule"].create(rule),
        ):
            with self.assertRaisesRegex(ValidationError, "sensitive"):
                attempt()

    def build_sensitive(self):
        """A confidential segment by somebody who may see sensitive facts."""
        self.director.group_ids += self.env.ref(f"{CLUB}_sensitive")
        self.inside.religion = "Jedi"
        segment = self.as_user(self.env["customer.segment"], self.director).create(
            {
                "name": "Believers",
                "kind": "dynamic",
                "confidential": True,
                "domain": str([("religion", "=", "Jedi")]),
            }
        )
        segment.refresh()
        self.assertEqual(segment.partner_ids, self.inside)
        return segment

    def test_members_by_a_sensitive_fact_are_for_who_may_know_it(self):
        """Not for managers as such, whichever way they ask."""
        believers = self.build_sensitive()
        seen = self.as_user(believers, self.manager)
        self.assertFalse(seen.search([("id", "=", believers.id)]))
        for attempt in (
            lambda: seen.read(["name", "member_count", "partner_ids"]),
            lambda: seen.why(self.inside.id),
            lambda: seen.preview({}),
            lambda: seen.members_at("2999-01-01"),
            seen.refresh,
            lambda: seen.write({"user_id": self.manager.id}),
        ):
            with self.assertRaises(AccessError):
                attempt()
        inside = self.as_user(self.inside, self.manager)
        self.assertNotIn(believers, inside.segment_ids)
        found = inside.search([("segment_ids", "in", believers.ids)])
        self.assertFalse(found)
        for name in "customer.segment.event", "customer.segment.event.report":
            rows = inside.env[name].search([("segment_id", "=", believers.id)])
            self.assertFalse(rows, name)
            rows = rows.with_user(self.director)
            self.assertTrue(rows.search([("segment_id", "=", believers.id)]), name)
        domain = [("segment_ids", "in", believers.ids)]
        answer = seen.browse().preview({"kind": "dynamic", "domain": str(domain)})
        self.assertFalse(answer.get("total"))

    def test_campaign_by_a_sensitive_fact_is_for_who_may_know_it(self):
        believers = self.build_sensitive()
        self.director.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        self.manager.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        opened = self.as_user(believers, self.director).action_group_message()
        mailing = self.env["mailing.mailing"].browse(opened["res_id"])
        chosen = {"mailing_id": mailing.id, "segment_id": believers.id}
        line = self.company._get_sms_line("service").id
        text = self.build_template(self.company, "Hello")
        series = self.env["mailing.series"].create(
            {
                "name": "S",
                "segment_id": believers.id,
                "line_id": line,
                "user_id": self.director.id,
                "step_ids": [Command.create({"sms_template_id": text.id})],
            }
        )
        rows = (
            mailing,
            mailing.copy(
                {
                    "audience_mode": "previous",
                    "previous_mailing_id": mailing.id,
                    "audience_segment_ids": False,
                }
            ),
            mailing.copy(
                {
                    "audience_mode": "series",
                    "series_id": series.id,
                    "audience_segment_ids": False,
                }
            ),
            self.env["mailing.trace"].create(
                {
                    "mass_mailing_id": mailing.id,
                    "model": "res.partner",
                    "res_id": self.inside.id,
                }
            ),
            self.env["mailing.recipient"].create(
                {**chosen, "company_id": self.company.id, "state": "queued"}
            ),
            self.env["mailing.variant"].create({**chosen, "sms_template_id": text.id}),
            series,
            series.step_ids,
            self.env["sms.sms"].create(
                {
                    "number": "+989129998877",
                    "body": "Hello",
                    "line_id": line,
                    "mailing_id": mailing.id,
                }
            ),
        )
        self.env.flush_all()
        rows += (
            self.env["mailing.trace.report"].search([("mailing_id", "=", mailing.id)]),
        )
        for row in rows:
            with self.subTest(row._name):
                seen = self.as_user(row, self.manager)
                self.assertFalse(seen.search([("id", "=", row.id)]))
                seen = self.as_user(row, self.director)
                self.assertTrue(seen.search([("id", "=", row.id)]))
        others = self.env["sms.sms"].create(
            {"number": "+989129998877", "body": "Hello", "line_id": line}
        )
        self.assertTrue(self.as_user(others, self.manager).has_access("write"))

    def test_sensitive_segment_is_used_confidentially(self):
        """What is made of it tells the same; what became so is hidden, too."""
        believers = self.build_sensitive()
        segments = self.as_user(self.env["customer.segment"], self.director)
        condition = str([("segment_ids", "in", believers.ids)])
        values = {"name": "Using", "kind": "dynamic"}
        without = {"exclude_segment_ids": [Command.link(believers.id)]}
        mailing = {
            "subject": "S",
            "mailing_type": "sms",
            "audience_mode": "condition",
            "audience_condition": condition,
        }
        for attempt in (
            lambda: segments.create({**values, "domain": condition}),
            lambda: segments.create({**values, **without}),
            lambda: segments.env["mailing.mailing"].create(mailing),
        ):
            with self.assertRaisesRegex(ValidationError, "sensitive"):
                attempt()
        group = segments.create({"name": "Group"})
        using = segments.create({**values, "exclude_segment_ids": group.ids})
        further = segments.create({**values, "exclude_segment_ids": using.ids})
        self.assertTrue(self.as_user(further, self.manager).has_access("read"))
        self.as_user(group, self.director).write(
            {
                "kind": "dynamic",
                "confidential": True,
                "domain": str([("ethnicity", "=", "X")]),
            }
        )
        for segment in using, further:
            self.assertFalse(self.as_user(segment, self.manager).has_access("read"))
            self.assertTrue(self.as_user(segment, self.director).has_access("read"))
        self.as_user(group, self.director).domain = "[]"
        self.assertTrue(self.as_user(further, self.manager).has_access("read"))

    def test_refusal_to_delete_names_no_hidden_segment(self):
        """That something uses it is told, not what."""
        group = self.as_user(self.env["customer.segment"], self.marketer).create(
            {"name": "Mine"}
        )
        self.hidden.exclude_segment_ids = [Command.link(group.id)]
        with self.assertRaises(UserError) as caught:
            self.as_user(group, self.marketer).unlink()
        self.assertNotIn("Suspects", str(caught.exception))
        for user in self.portal, self.user:
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.as_user(self.device.group_id, user).action_archive()

    def test_campaign_tells_no_colleague_who_is_in_a_hidden_segment(self):
        """Neither its recipients, its other texts, its subject, nor a series."""
        text = self.build_template(self.company, "Hello")
        line = self.company._get_sms_line("service").id
        opened = self.as_user(self.hidden, self.director).action_group_message()
        mailing = self.env["mailing.mailing"].browse(opened["res_id"])
        series = self.env["mailing.series"].create(
            {
                "name": "S",
                "segment_id": self.hidden.id,
                "line_id": line,
                "user_id": self.director.id,
                "step_ids": [Command.create({"sms_template_id": text.id})],
            }
        )
        chosen = {"mailing_id": mailing.id, "segment_id": self.hidden.id}
        rows = (
            self.env["mailing.recipient"].create(
                {**chosen, "company_id": self.company.id, "state": "queued"}
            ),
            self.env["mailing.variant"].create({**chosen, "sms_template_id": text.id}),
            series,
            series.step_ids,
            self.env["mailing.series.progress"].create(
                {
                    "series_id": series.id,
                    "partner_id": self.inside.id,
                    "text_count": 1,
                    "last_at": "2026-01-01",
                }
            ),
        )
        for row in rows:
            with self.subTest(row._name):
                seen = self.as_user(row, self.marketer)
                self.assertFalse(seen.search([("id", "=", row.id)]))
                seen = self.as_user(row, self.director)
                self.assertTrue(seen.search([("id", "=", row.id)]))
        self.assertNotIn("Suspects", mailing.subject)

    def test_question_of_a_stopped_segment_is_for_its_readers(self):
        """Its error names what the condition asks for."""
        self.env.cr.execute(
            "UPDATE customer_segment SET error = 'Field X' WHERE id = %s",
            [self.hidden.id],
        )
        wizards = self.as_user(
            self.env["customer.segment.confirm"], self.person("cashier")
        )
        with self.assertRaises(AccessError):
            wizard = wizards.create(
                {"segment_id": self.hidden.id, "method": "action_export"}
            )
            wizard.read(["error"])

    def test_sensitive_class_stands_among_its_like(self):
        """Of one class per contact, the open ones would tell who is missing."""
        believers = self.build_sensitive()
        segments = believers.browse()
        values = {"kind": "dynamic", "company_id": self.company.id}
        set_ = self.env["customer.segment.set"].create(
            {"name": "Faith", "exclusive": True, "company_id": self.company.id}
        )
        guests = segments.create({**values, "name": "Guests", "set_id": set_.id})
        using = segments.create({**values, "name": "Others", "set_id": set_.id})
        group = segments.create({"name": "Group", "company_id": self.company.id})
        using.exclude_segment_ids = group
        for attempt in (
            lambda: believers.write({"set_id": set_.id}),
            lambda: guests.write({"confidential": True, "domain": believers.domain}),
            # By what it uses
            lambda: group.write(
                {"kind": "dynamic", "confidential": True, "domain": believers.domain}
            ),
        ):
            with (
                self.subTest(attempt),
                self.assertRaisesRegex(ValidationError, "of their own"),
                self.env.cr.savepoint(),
            ):
                attempt()
        # Where one may be in several, nobody is missing.
        set_.exclusive = False
        believers.set_id = set_
        with (
            self.assertRaisesRegex(ValidationError, "Believers"),
            self.env.cr.savepoint(),
        ):
            set_.exclusive = True
        (guests | using).set_id = False
        set_.exclusive = True
        domain = str([("religion", "!=", "Jedi")])
        segments.create(
            {**values, "name": "Rest", "domain": domain, "set_id": set_.id}
            | {"confidential": True}
        )


@tagged("post_install", "-at_install")
class TestFieldDoors(DoorCommon):
    """Searches that reach further than reading does."""

    def test_lead_score_opens_no_other_record(self):
        """A condition within the score record runs with the user's rights."""
        salesperson = self.person("cashier", "sales_team.group_sale_salesman_all_leads")
        lead = self.env["crm.lead"].create(
            {"name": "L", "partner_id": self.partners[0].id, "user_id": salesperson.id}
        )
        self.partners[0].religion = "Jedi"
        self.env["customer.score.lead"].create(
            {"lead_id": lead.id, "company_id": self.company.id, "score": 5}
        )
        leads = self.as_user(lead, salesperson)
        inner = [("lead_id.partner_id.religion", "=", "Jedi")]
        with self.assertRaises(AccessError):
            leads.search([("customer_score_lead_id", "any", inner)])
        found = leads.search([("customer_score_lead_id", "any", [("score", "=", 5)])])
        self.assertEqual(found, leads)

    def test_portal_finds_no_trait_of_its_own_orders(self):
        """Nor any other field of ours on what it may read."""
        trait = self.env["customer.trait"].create(
            {"name": "Haggler", "neutral_label": "H", "family": "temperament"}
        )
        partner = self.portal.partner_id
        partner.trait_ids = trait
        order = self.env["sale.order"].create(
            {"partner_id": partner.id, "company_id": self.company.id, "state": "sent"}
        )
        order.message_subscribe(partner_ids=partner.ids)
        mine = self.as_user(order, self.portal)
        self.assertIn(mine, mine.search([]))
        for question in (
            [("trait_ids", "in", trait.ids)],
            [("trait_ids.name", "=", "Haggler")],
            [("is_assured", "=", False)],
        ):
            with self.subTest(question), self.assertRaises(AccessError):
                mine.search(question)

    def test_portal_sorts_groups_and_sums_nothing_of_ours(self):
        """Core follows a related field as superuser, whatever its groups."""
        partners = self.as_user(self.env["res.partner"], self.portal)
        query = partners._search([])
        for name, field in partners._fields.items():
            if field._modules[:1] == ("customer_segmentation",):
                # Most have no column and cannot be asked for at all.
                with self.subTest(name), contextlib.suppress(AccessError, ValueError):
                    self.fail(partners._field_to_sql(query.table, name, query))

    def test_portal_reads_no_calculation_of_the_company(self):
        """Margins and costs are no business of a customer."""
        company = self.as_user(self.company, self.portal)
        company.read(["name"])
        for name in (
            "guidance_min_margin_pct",
            "guidance_above_list",
            "profile_cost_call",
            "profile_cost_return",
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                company.read([name])

    def test_traces_are_of_ones_own_companies(self):
        """Who got another company's campaign, and under which number."""
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Theirs",
                "mailing_type": "sms",
                "company_id": self.other.id,
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "body_plaintext": "Hello",
            }
        )
        trace = self.env["mailing.trace"].create(
            {
                "mass_mailing_id": mailing.id,
                "trace_type": "sms",
                "sms_number": "+989121111111",
                "model": "res.partner",
                "res_id": self.partners[0].id,
            }
        )
        traces = self.as_user(trace, self.marketer)
        self.assertFalse(traces.search([("id", "=", trace.id)]))
        with self.assertRaises(AccessError):
            traces.read(["sms_number"])
        mine = mailing.copy({"company_id": self.company.id})
        trace.copy({"mass_mailing_id": mine.id})
        report = self.as_user(self.env["mailing.trace.report"], self.marketer)
        names = report.search([]).mapped("name")
        self.assertIn(mine.source_id.name, names)
        self.assertNotIn(mailing.source_id.name, names)
