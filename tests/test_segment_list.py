import io
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .test_segment_refresh import SegmentCommon


@tagged("post_install", "-at_install")
class TestSegmentList(SegmentCommon):
    """From lists into segments, from segments to their members, and back."""

    def assign(self, mode, records, group, user=None):
        """Add records to a group or take them out, as the list's action does."""
        wizard = self.env["customer.segment.assign"].with_user(user or self.marketer)
        form = Form(
            wizard.with_context(
                default_mode=mode,
                active_model=records._name,
                active_ids=records.ids,
            )
        )
        form.segment_id = group
        return form.save().action_apply()

    def by_hand(self, **values):
        """A group of the marketer."""
        return (
            self.env["customer.segment"]
            .with_user(self.marketer)
            .create({"name": "Chosen", **values})
        )

    def test_group_opens_without_its_people(self):
        """A device's group holds very many: they are a list, never tags of the form."""
        group = self.by_hand()
        view_id = group.get_formview_id()
        arch = group.get_view(view_id, "form")["arch"]
        self.assertNotIn("included_partner_ids", arch)
        self.assertNotIn("included_lead_ids", arch)
        action = self.env.ref("customer_segmentation.customer_segment_action")
        self.assertIn((view_id, "form"), action.views)
        segment = self.segment([("id", "in", self.partners.ids)])
        other = segment.get_view(segment.get_formview_id(), "form")["arch"]
        self.assertIn("included_partner_ids", other)

    def test_cards_stand_in_columns_by_set(self):
        """Those of no set are not folded away; a column somebody folds stays so."""
        set_ = self.env["customer.segment.set"].create(
            {"name": "Set", "company_id": self.company.id}
        )
        free, classed = self.segment([]), self.segment([], set_id=set_.id)
        view = self.env.ref(
            "customer_segmentation.customer_segment_view_kanban_dynamic"
        )
        arch = etree.fromstring(free.get_view(view.id, "kanban")["arch"])
        by_set = arch.get("default_group_by")

        def cards(**kwargs):
            found = free.web_read_group(
                [("id", "in", (free | classed).ids)],
                [by_set],
                auto_unfold=True,
                unfold_read_specification={"name": {}},
                **kwargs,
            )
            return {
                group[by_set] and group[by_set][0]: [
                    card["id"] for card in group.get("__records", ())
                ]
                for group in found["groups"]
            }

        self.assertEqual(cards(), {False: free.ids, set_.id: classed.ids})
        folded = cards(opening_info=[{"value": False, "folded": True}])
        self.assertEqual(folded, {False: [], set_.id: classed.ids})

    def stopped(self):
        """A segment whose condition broke yesterday."""
        segment = self.segment([("id", "in", self.partners.ids)])
        segment.sudo().last_refresh = fields.Datetime.now() - timedelta(days=1)
        self.env.cr.execute(
            "UPDATE customer_segment SET state = 'quarantined' WHERE id = %s",
            [segment.id],
        )
        segment.invalidate_recordset()
        return segment

    # === FROM A LIST === #

    def test_add_to_group_and_remove_from_it(self):
        """At once, with events by hand; nothing happens twice."""
        group = self.by_hand()
        chosen = self.partners[:3]
        told = self.assign("add", chosen, group)
        self.assertEqual(group.partner_ids, chosen)
        self.assertIn("3", told["params"]["message"])
        again = self.assign("add", self.partners[:4], group)
        self.assertIn("1", again["params"]["message"])
        self.assign("remove", chosen, group)
        self.assertEqual(group.partner_ids, self.partners[3])
        events = self.env["customer.segment.event"].search(
            [("segment_id", "=", group.id)]
        )
        self.assertEqual(len(events), 7)
        self.assertEqual(set(events.mapped("cause")), {"hand"})
        self.assertEqual(events.user_id, self.marketer)

    def test_leads_go_into_groups_of_leads(self):
        """A group of contacts is not offered for them."""
        lead = self.env["crm.lead"].create({"name": "L", "company_id": self.company.id})
        group = self.by_hand(model="crm.lead")
        self.assign("add", lead, group)
        self.assertEqual(group.lead_ids, lead)
        with self.assertRaises(UserError):
            self.assign("add", lead, self.by_hand())

    def test_groups_of_others_are_out_of_reach(self):
        """Only one's own groups are offered, and nothing else is accepted."""
        group = self.by_hand()
        colleague = self.build_user("marketer")
        wizard = (
            self.env["customer.segment.assign"]
            .with_user(colleague)
            .with_context(active_model="res.partner", active_ids=self.partners.ids)
            .create({"segment_id": group.id})
        )
        self.assertNotIn(group, wizard.available_segment_ids)
        with self.assertRaises(AccessError):
            wizard.action_apply()
        with self.assertRaises(AccessError):
            self.env["customer.segment.assign"].with_user(
                self.build_user("club_user")
            ).create({"segment_id": group.id})

    def test_list_actions_are_for_marketers(self):
        """On lists and kanbans of contacts and leads."""
        bindings = self.env["ir.actions.actions"]
        for model in "res.partner", "crm.lead":
            for user, expected in (
                (self.marketer, 2),
                (self.build_user("club_user"), 0),
            ):
                found = [
                    action
                    for action in bindings.with_user(user)
                    .get_bindings(model)
                    .get("action", ())
                    if action["name"] in ("Add to group", "Remove from group")
                ]
                with self.subTest(f"{model} {user.login}"):
                    self.assertEqual(len(found), expected)

    def test_filter_becomes_a_segment(self):
        """With uid resolved and dates that keep moving."""
        action = (
            self.env["customer.segment"]
            .with_user(self.marketer)
            .action_new_from_filter(
                "res.partner",
                "['&', ('user_id', '=', uid), ('create_date', '>=', "
                "(context_today() - relativedelta(days=30)).strftime('%Y-%m-%d'))]",
                name="Mine",
            )
        )
        form = Form(
            self.env["customer.segment"]
            .with_user(self.marketer)
            .with_context(**action["context"])
        )
        segment = form.save()
        self.assertEqual((segment.kind, segment.name), ("dynamic", "Mine"))
        self.assertEqual(
            segment.domain,
            f"['&', ('user_id', '=', {self.marketer.id}), "
            "('create_date', '>=', 'today -30d')]",
        )

    def test_filter_that_cannot_be_kept_is_refused(self):
        """By name, instead of a segment that slowly goes wrong."""
        Segment = self.env["customer.segment"].with_user(self.marketer)
        with self.assertRaises(UserError) as caught:
            Segment.action_new_from_filter("res.partner", "[('id', '=', active_id)]")
        self.assertIn("active_id", str(caught.exception))
        with self.assertRaises(UserError):
            Segment.action_new_from_filter("res.users", "[]")
        with self.assertRaises(AccessError):
            Segment.with_user(self.build_user("club_user")).action_new_from_filter(
                "res.partner", "[]"
            )

    # === FROM A SEGMENT === #

    def test_members_are_written_to(self):
        """By a group message, which is an SMS or an e-mail."""
        segment = self.segment([("id", "in", self.partners.ids)])
        action = segment.with_user(self.marketer).action_send_sms()
        draft = self.env["mailing.mailing"].browse(action["res_id"])
        self.assertEqual(draft.audience_segment_ids, segment)
        self.assertEqual((draft.state, draft.audience_mode), ("draft", "segments"))
        action = segment.with_user(self.marketer).action_send_mail()
        draft = self.env["mailing.mailing"].browse(action["res_id"])
        self.assertEqual(draft.audience_segment_ids, segment)
        self.assertEqual(draft.mailing_type, "mail")

    def test_members_get_activities(self):
        """Through core's own wizard; too many at once are refused with a way out."""
        segment = self.segment([("id", "in", self.partners.ids)])
        context = segment.action_add_activity()["context"]
        wizard = (
            self.env["mail.activity.schedule"]
            .with_user(self.marketer)
            .with_context(**context)
            .create(
                {"activity_type_id": self.env.ref("mail.mail_activity_data_call").id}
            )
        )
        wizard.action_schedule_activities()
        self.assertEqual(len(self.partners.activity_ids), len(self.partners))
        crowd = self.env["res.partner"].create(
            [{"name": f"C {n}", "company_id": self.company.id} for n in range(501)]
        )
        segment.domain = str([("id", "in", crowd.ids)])
        segment.refresh()
        with self.assertRaises(UserError):
            segment.action_add_activity()

    def test_stopped_segment_asks_first(self):
        """Naming the moment its members are of; then it does what was asked."""
        segment = self.stopped()
        for method in (
            "action_open_members",
            "action_send_sms",
            "action_send_mail",
            "action_add_activity",
        ):
            with self.subTest(method):
                asked = getattr(segment, method)()
                self.assertEqual(asked["res_model"], "customer.segment.confirm")
                wizard = (
                    self.env["customer.segment.confirm"]
                    .with_user(self.marketer)
                    .with_context(**asked["context"])
                    .create({})
                )
                year = str(segment.last_refresh.year)
                self.assertIn(year, wizard.message)
                self.assertIn(str(segment.member_count), wizard.message)
                answer = wizard.action_continue()
                self.assertNotEqual(answer["res_model"], "customer.segment.confirm")

    # === WHY, SINCE WHEN, HOW MANY === #

    def test_contact_tells_its_segments(self):
        """Count, history and why; a confidential one to its readers only."""
        partner = self.partners[0]
        segment = self.segment([("city", "=", "Tehran")], name="Tehran")
        hidden = self.segment(
            [("city", "=", "Tehran")], name="Hidden", confidential=True
        )
        colleague = self.build_user("marketer")
        for user, expected in (
            (self.marketer, segment | hidden),
            (colleague, segment),
        ):
            self.env.invalidate_all()
            mine = partner.with_user(user)
            with self.subTest(user.login):
                self.assertEqual(mine.segment_ids, expected)
                self.assertEqual(mine.segment_count, len(expected))
                self.assertEqual(mine.segment_event_ids.segment_id, expected)
                groups = (
                    self.env["res.partner"]
                    .with_user(user)
                    ._read_group(
                        [("id", "=", partner.id)], ["segment_ids"], ["__count"]
                    )
                )
                self.assertEqual({group for group, _count in groups}, set(expected))
                panel = (
                    self.env["res.partner"]
                    .with_user(user)
                    .search_panel_select_multi_range("segment_ids")
                )
                self.assertEqual(
                    {row["id"] for row in panel["values"]}
                    & set((segment | hidden).ids),
                    set(expected.ids),
                )
        action = partner.with_user(self.marketer).action_open_segment_why()
        wizard = Form(
            self.env["customer.segment.why"]
            .with_user(self.marketer)
            .with_context(**action["context"])
        )
        wizard.segment_id = segment
        self.assertIn("✓", wizard.answer)
        with self.assertRaises(AccessError):
            hidden.with_user(colleague).why(partner.id)

    def test_members_over_time(self):
        """The chart ends at the number of members; one day's ins and outs are seen."""
        segment = self.segment(
            [("id", "in", self.partners.ids), ("city", "=", "Tehran")]
        )
        self.partners[0].city = "Qom"
        segment.refresh()
        report = self.env["customer.segment.event.report"].with_user(self.marketer)
        [(change, entered, left)] = report._read_group(
            [("segment_id", "=", segment.id)],
            [],
            ["change:sum", "entered_count:sum", "left_count:sum"],
        )
        self.assertEqual((change, entered, left), (segment.member_count, 8, 1))
        segment.confidential = True
        colleague = self.build_user("marketer")
        self.assertFalse(
            report.with_user(colleague).search([("segment_id", "=", segment.id)])
        )

    # === FIELDS THAT GO === #

    def test_custom_field_of_a_condition_stays(self):
        """Removing or renaming it names the segments that use it."""
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_shoe_size",
                "field_description": "Shoe size",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "ttype": "integer",
            }
        )
        segments = [
            self.segment(domain, name=name, model=model)
            for name, model, domain in (
                ("Direct", "res.partner", [("x_shoe_size", ">", 40)]),
                ("Through a lead", "crm.lead", [("partner_id.x_shoe_size", "=", 1)]),
                (
                    "Within",
                    "res.partner",
                    [("child_ids", "any", [("x_shoe_size", "=", 1)])],
                ),
            )
        ]
        for change in field.unlink, lambda: field.write({"name": "x_size"}):
            with self.assertRaises(UserError) as caught:
                change()
            for segment in segments:
                self.assertIn(segment.name, str(caught.exception))
        for segment in segments:
            segment.domain = "[('name', '=', 'x_shoe_size')]"
        field.field_description = "Size"
        field.unlink()


@tagged("post_install", "-at_install")
class TestSegmentExport(SegmentCommon, HttpCase):
    """Members as a spreadsheet, with the rights of whoever asks."""

    def download(self, user, segment):
        """Ask for the members of a segment over HTTP."""
        self.authenticate(user.login, user.login)
        return self.url_open(
            f"/customer_segmentation/segment/{segment.id}/members.xlsx"
        )

    def test_export(self):
        """Every member the user may see, one row each."""
        import openpyxl

        segment = self.segment([("id", "in", self.partners.ids)])
        # What a customer may type on the page of a profile link.
        self.partners[0].name = '=HYPERLINK("https://example.com","Open")'
        self.marketer.group_ids += self.env.ref("base.group_allow_export")
        answer = self.download(self.marketer, segment)
        self.assertEqual(answer.status_code, 200)
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        rows = list(sheet.iter_rows(values_only=True))
        self.assertEqual(len(rows), len(self.partners) + 1)
        self.assertIn("Contact 3", [row[0] for row in rows])
        self.assertNotIn("f", [cell.data_type for row in sheet for cell in row])

    @mute_logger("odoo.http")
    def test_export_needs_the_right(self):
        """The right to export, and the segment itself."""
        segment = self.segment([("id", "in", self.partners.ids)], confidential=True)
        self.assertNotEqual(self.download(self.marketer, segment).status_code, 200)
        colleague = self.build_user("marketer")
        colleague.group_ids += self.env.ref("base.group_allow_export")
        self.assertEqual(self.download(colleague, segment).status_code, 403)
