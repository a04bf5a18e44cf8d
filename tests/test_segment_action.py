from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CLUB
from .test_segment_refresh import SegmentCommon

JOB = "odoo.addons.customer_segmentation.models.segment.customer_segment_action_job"
SERVER = "odoo.addons.base.models.ir_actions"


@tagged("post_install", "-at_install")
class TestSegmentAction(SegmentCommon):
    """What follows entry and exit: once, as the responsible, each failure reported."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.cron"].search([]).action_archive()
        cls.call_type = cls.env.ref("mail.mail_activity_data_call")
        cls.tag = cls.env["res.partner.category"].create({"name": "Entered"})
        cls.offer_tag = cls.offer(
            "Tag them",
            state="object_write",
            update_path="category_id",
            update_m2m_operation="add",
            value=str(cls.tag.id),
        )
        cls.offer_untag = cls.offer(
            "Untag them",
            state="object_write",
            update_path="category_id",
            update_m2m_operation="remove",
            value=str(cls.tag.id),
        )
        cls.offer_call = cls.offer(
            "Call them",
            state="next_activity",
            activity_type_id=cls.call_type.id,
            activity_summary="Call",
            activity_user_type="generic",
            activity_user_field_name="user_id",
        )

    @classmethod
    def offer(cls, name, model="res.partner", **values):
        """A server action that administrators offer to segments."""
        server_action = cls.env["ir.actions.server"].create(
            {"name": name, "model_id": cls.env["ir.model"]._get_id(model), **values}
        )
        return cls.env["customer.segment.offer"].create(
            {"name": name, "server_action_id": server_action.id}
        )

    def people(self, city="Tehran"):
        """A segment of the test's contacts in a city."""
        return self.segment(
            [("id", "in", self.partners.ids), ("city", "=", city)], name=city
        )

    def react(self, segment, offer, trigger="enter", user=None, **values):
        """Put an action on a segment, as its marketer."""
        return (
            self.env["customer.segment.action"]
            .with_user(user or self.marketer)
            .create(
                {
                    "segment_id": segment.id,
                    "offer_id": offer.id,
                    "trigger": trigger,
                    **values,
                }
            )
        )

    def act(self):
        """Let the worker do all that waits.

        :return: how many were handled
        :rtype: int
        """
        job = self.env["customer.segment.action.job"].sudo()
        self.env.flush_all()
        total = 0
        for action in job._actions_with_work():
            while handled := job._act_batch(action):
                total += handled
        self.env.flush_all()
        self.env.invalidate_all()
        return total

    def move(self, partner, city):
        """A contact moves; the segments follow for just that one."""
        partner.city = city
        self.env["customer.segment"].search([]).refresh(partner_ids=partner.ids)

    # === WHEN === #

    def test_entry_and_exit_are_acted_on(self):
        """Not in the refresh itself, but right after it."""
        segment = self.people()
        entering = self.react(segment, self.offer_tag)
        leaving = self.react(segment, self.offer_untag, "leave")
        partner = self.partners[1]
        self.move(partner, "Tehran")
        self.assertEqual(entering.waiting_count, 1)
        self.assertFalse(partner.category_id)
        self.assertEqual(self.act(), 1)
        self.assertEqual(partner.category_id, self.tag)
        self.assertEqual((entering.done_count, entering.waiting_count), (1, 0))
        self.move(partner, "Qom")
        self.act()
        self.assertFalse(partner.category_id)
        self.assertEqual((entering.done_count, leaving.done_count), (1, 1))
        self.assertEqual(self.act(), 0, "nobody is acted on twice")

    def test_those_who_are_in_already_do_not_enter(self):
        """Neither when an action is added, nor by the first fill."""
        segment = self.people()
        self.react(segment, self.offer_tag)
        segment.refresh()
        fresh = (
            self.env["customer.segment"]
            .with_user(self.marketer)
            .create(
                {
                    "name": "New",
                    "kind": "dynamic",
                    "domain": str([("id", "in", self.partners.ids)]),
                    "action_ids": [Command.create({"offer_id": self.offer_tag.id})],
                }
            )
        )
        fresh.refresh()
        self.assertEqual(len(fresh.partner_ids), len(self.partners))
        self.assertEqual(self.act(), 0)

    def test_coming_back_counts_unless_only_the_first_time(self):
        """An earlier entry, also before the action was there, was the first."""
        segment = self.people()
        always = self.react(segment, self.offer_call)
        first = self.react(segment, self.offer_call, first_time_only=True)
        known, new = self.partners[0], self.partners[1]
        for city in "Qom", "Tehran":
            self.move(known, city)
        for city in "Tehran", "Qom", "Tehran":
            self.move(new, city)
        self.act()
        self.assertEqual((always.done_count, first.done_count), (3, 1))
        mine = new.with_user(self.marketer).activity_ids
        self.assertIn(self.call_type, mine.activity_type_id)

    def test_circles_end(self):
        """Whoever enters and leaves all day is not called all day."""
        segment = self.people()
        action = self.react(segment, self.offer_call)
        for city in ("Tehran", "Qom") * 8:
            self.move(self.partners[1], city)
        self.act()
        self.assertEqual(action.done_count, 5)

    def test_many_at_once_wait_for_a_word(self):
        """A changed condition that brings in a crowd asks first."""
        segment = self.people()
        action = self.react(segment, self.offer_tag, ask_above=5)
        segment.domain = str([("id", "in", self.partners.ids)])
        segment.refresh()
        self.act()
        self.assertTrue(action.is_asking)
        self.assertEqual((action.done_count, action.waiting_count), (0, 16))
        self.act()
        self.assertEqual(len(segment.sudo().activity_ids), 1, "told once")
        left = self.partners[1]
        self.move(left, "Qom")
        segment.excluded_partner_ids = [Command.link(left.id)]
        segment.refresh()
        action.action_approve()
        self.act()
        self.assertFalse(action.is_asking)
        self.assertEqual(action.done_count, 15)
        self.assertFalse(left.category_id, "who left again is not concerned")

    def test_forgotten_ones_are_left_alone(self):
        """The responsible may say no."""
        segment = self.people()
        action = self.react(segment, self.offer_tag, ask_above=5)
        segment.domain = str([("id", "in", self.partners.ids)])
        segment.refresh()
        self.act()
        action.action_forget()
        self.assertEqual(self.act(), 0)
        self.assertFalse(self.partners[1].category_id)

    def test_groups_filled_by_hand_act_too(self):
        """A device, an import or a person puts somebody in."""
        group = (
            self.env["customer.segment"]
            .with_user(self.marketer)
            .create({"name": "By hand"})
        )
        action = self.react(group, self.offer_tag)
        group.included_partner_ids = [Command.link(self.partners[3].id)]
        self.act()
        self.assertEqual(action.done_count, 1)
        self.assertEqual(self.partners[3].category_id, self.tag)

    def test_leads(self):
        """Leads have actions of their own."""
        leads = self.env["crm.lead"].create(
            [{"name": name, "company_id": self.company.id} for name in ("One", "Two")]
        )
        segment = self.segment([("name", "=", "One")], model="crm.lead")
        offer = self.env.ref("customer_segmentation.segment_action_call_lead_offer")
        action = self.react(segment, offer)
        leads[1].name = "One"
        segment.refresh()
        self.act()
        self.assertEqual(action.done_count, 1)
        self.assertEqual(leads[1].activity_ids.user_id, leads[1].user_id)
        with self.assertRaises(ValidationError):
            self.react(segment, self.offer_tag)

    # === WHAT === #

    def test_sms_goes_through_the_one_door(self):
        """On the line of its class; refusals and missing numbers are left out."""
        template = self.build_template(self.company, "Hello {{ object.name }}")
        offer = self.offer("Greet", state="sms", sms_template_id=template.id)
        segment = self.people()
        action = self.react(segment, offer)
        reached, refused, numberless = (
            self.partners[1],
            self.partners[4],
            self.partners[7],
        )
        (reached | refused).write({"country_id": self.env.ref("base.ir").id})
        reached.phone, refused.phone = self.phone(), self.phone()
        refused.no_sms = True
        for partner in reached, refused, numberless:
            self.move(partner, "Tehran")
        self.act()
        messages = self.env["sms.sms"].search([("partner_id", "in", self.partners.ids)])
        self.assertEqual(messages.partner_id, reached)
        self.assertTrue(messages.body.startswith(f"Hello {reached.name}"))
        self.assertEqual(messages.line_id.message_class, "service")
        self.assertEqual((action.done_count, action.skipped_count), (1, 2))

    def test_email_pricelist_and_salesperson(self):
        """E-mail from a template, queued; whoever refused e-mail gets none."""
        template = self.env["mail.template"].create(
            {
                "name": "Welcome",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "subject": "Welcome",
                "body_html": "<p>Hello</p>",
                "partner_to": "{{ object.id }}",
            }
        )
        _usual, pricelist = self.env["product.pricelist"].create(
            [
                {"name": name, "company_id": self.company.id, "sequence": sequence}
                for sequence, name in enumerate(("Usual", "Club"))
            ]
        )
        offer = self.offer(
            "All of it",
            state="multi",
            child_ids=[
                Command.create(
                    {
                        "name": name,
                        "model_id": self.env["ir.model"]._get_id("res.partner"),
                        **values,
                    }
                )
                for name, values in (
                    (
                        "mail",
                        {
                            "state": "mail_post",
                            "template_id": template.id,
                            "mail_post_method": "email",
                        },
                    ),
                    (
                        "pricelist",
                        {
                            "state": "object_write",
                            "update_path": "property_product_pricelist",
                            "value": str(pricelist.id),
                        },
                    ),
                    (
                        "salesperson",
                        {
                            "state": "object_write",
                            "update_path": "user_id",
                            "value": str(self.marketer.id),
                        },
                    ),
                )
            ],
        )
        self.assertEqual((offer.kind, offer.admin_only), ("several", False))
        segment = self.people()
        action = self.react(segment, offer)
        reached, refused = self.partners[1], self.partners[4]
        reached.email, refused.email = "one@example.com", "two@example.com"
        self.env["mail.blacklist"]._add("two@example.com")
        for partner in reached, refused:
            self.move(partner, "Tehran")
        self.act()
        self.assertFalse(action.error)
        mails = self.env["mail.mail"].search([("subject", "=", "Welcome")])
        self.assertEqual(mails.recipient_ids, reached)
        self.assertEqual(mails.mapped("state"), ["outgoing"])
        for partner in reached, refused:
            self.assertEqual(partner.user_id, self.marketer)
            chosen = partner.with_company(self.company)
            self.assertEqual(chosen.specific_property_product_pricelist, pricelist)

    # === RIGHTS === #

    def test_code_is_for_administrators(self):
        """To publish it and to choose it; it runs as the responsible all the same."""
        code = "records.write({'comment': '%s/%s' % (env.user.id, env.su)})"
        offer = self.offer("Code", state="code", code=code)
        self.assertTrue(offer.admin_only)
        segment = self.people()
        with self.assertRaises(AccessError):
            self.react(segment, offer)
        action = self.react(segment, self.offer_tag)
        with self.assertRaises(AccessError):
            action.offer_id = offer
        with self.assertRaises(AccessError):
            self.env["customer.segment.offer"].with_user(
                self.build_user("club_manager")
            ).create({"name": "Mine", "server_action_id": 1})
        admin = new_test_user(
            self.env,
            login="sysadmin",
            groups=f"{CLUB}_club_manager,base.group_system",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            context={"no_reset_password": True},
        )
        self.react(segment, offer, user=admin)
        self.move(self.partners[1], "Tehran")
        self.act()
        self.assertIn(f"{self.marketer.id}/False", self.partners[1].comment)

    def test_computed_values_and_webhooks_count_as_code(self):
        """Whatever evaluates an expression or leaves the server."""
        for values in (
            {
                "state": "object_write",
                "update_path": "comment",
                "evaluation_type": "equation",
                "value": "env.user.name",
            },
            {"state": "webhook", "webhook_url": "http://localhost/x"},
        ):
            with self.subTest(values["state"]):
                self.assertTrue(self.offer("Odd", **values).admin_only)
        offer = self.offer_call
        offer.server_action_id.write({"state": "code", "code": "True"})
        self.assertTrue(offer.admin_only)

    def test_a_colleagues_segment_is_out_of_reach(self):
        """A marketer changes the actions of own segments only; a cashier none."""
        segment = self.people()
        action = self.react(segment, self.offer_tag)
        colleague = self.build_user("marketer")
        with self.assertRaises(AccessError):
            self.react(segment, self.offer_tag, user=colleague)
        for method in "action_approve", "action_retry", "action_forget", "unlink":
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(action.with_user(colleague), method)()
        with self.assertRaises(AccessError):
            action.with_user(self.build_user("cashier")).read(["offer_id"])
        with self.assertRaises(UserError):
            action.segment_id = self.people("Tabriz")

    def test_confidential_segments_keep_their_actions_to_themselves(self):
        """Nobody learns from the list of actions who is in."""
        segment = self.people()
        segment.confidential = True
        self.react(segment, self.offer_tag)
        self.move(self.partners[1], "Tehran")
        colleague = self.build_user("marketer")
        for model in "customer.segment.action", "customer.segment.action.job":
            with self.subTest(model):
                self.assertFalse(self.env[model].with_user(colleague).search([]))
                self.assertTrue(self.env[model].with_user(self.marketer).search([]))

    # === FAILURES === #

    @mute_logger(JOB, "odoo.sql_db")
    def test_one_failure_stops_nobody_else(self):
        """The one who fails is named, the others and the refresh are done."""
        broken, fine = self.partners[1], self.partners[4]
        segment = self.people()
        code = (
            f"if {broken.id} in records.ids: raise UserError('No way')\n"
            "records.write({'comment': 'Done'})"
        )
        admin = self.env.ref("base.user_admin")
        admin.company_ids += self.company
        failing = self.react(
            segment, self.offer("Code", state="code", code=code), user=admin
        )
        tagging = self.react(segment, self.offer_tag)
        for partner in broken, fine:
            self.move(partner, "Tehran")
        self.act()
        self.assertIn(broken, segment.partner_ids)
        self.assertEqual((failing.done_count, failing.failed_count), (1, 1))
        self.assertEqual(failing.error, "No way")
        self.assertIn("Done", fine.comment)
        self.assertEqual(tagging.done_count, 2)
        activity = segment.sudo().activity_ids
        self.assertEqual(activity.user_id, self.marketer)
        self.move(fine, "Qom")
        self.move(fine, "Tehran")
        failing.action_retry()
        self.act()
        self.assertEqual(failing.failed_count, 1)
        self.assertEqual(failing.done_count, 2)

    @mute_logger(JOB)
    def test_responsible_without_rights_fails_as_a_whole(self):
        """Not one by one, and told to whoever made the segment."""
        segment = self.people()
        action = self.react(segment, self.offer_tag)
        for partner in self.partners[1:3]:
            self.move(partner, "Tehran")
        self.marketer.active = False
        self.act()
        self.assertEqual(action.failed_count, 2)
        self.assertIn(self.marketer.name, action.sudo().error)
        self.marketer.active = True
        action.action_retry()
        self.act()
        self.assertEqual((action.failed_count, action.done_count), (0, 2))

    @mute_logger(JOB, SERVER)
    def test_responsible_acts_with_own_rights_only(self):
        """What that person may not write is not written."""
        reader = self.build_user("marketer")
        segment = self.people()
        segment.sudo().user_id = reader
        action = self.react(segment, self.offer_tag, user=reader)
        self.move(self.partners[1], "Tehran")
        self.act()
        self.assertEqual(action.failed_count, 1)
        self.assertFalse(self.partners[1].category_id)

    def test_worker_runs_as_a_cron(self):
        """One slice through Odoo's own runner."""
        segment = self.people()
        action = self.react(segment, self.offer_tag)
        self.move(self.partners[1], "Tehran")
        cron = self.env.ref("customer_segmentation.customer_segment_action_cron")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(action.done_count, 1)
