"""Who gets a group message, who does not and why."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

MARKETER = "customer_segmentation.customer_segmentation_group_marketer"


class CampaignCommon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create(
            {
                "name": "Cafe Campaign",
                "country_id": cls.env.ref("base.ir").id,
                "sms_consent_basis": "relation",
            }
        )
        cls.marketer = new_test_user(
            cls.env,
            login="campaign_marketer",
            groups=f"base.group_partner_manager,sales_team.group_sale_salesman_all_leads,{MARKETER}",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.env = cls.env(
            user=cls.marketer,
            context={
                **cls.env.context,
                "allowed_company_ids": cls.company.ids,
                "tracking_disable": True,
            },
        )
        lines = cls.env["sms.line"].sudo()
        cls.line = lines.create(
            {
                "name": "1000",
                "company_id": cls.company.id,
                "message_class": "advertising",
                "gateway": "test",
                "window_start": 0,
                "window_end": 24,
                "optout_suffix": "لغو11",
            }
        )
        cls.service = lines.create(
            {
                "name": "3000",
                "company_id": cls.company.id,
                "message_class": "service",
                "gateway": "test",
            }
        )
        cls.group = cls.env["customer.segment"].create(
            {"name": "Regulars", "kind": "static", "company_id": cls.company.id}
        )

    @classmethod
    def members(cls, first, count, into=None, **values):
        """Contacts that are members of the club, put into a group."""
        partners = (
            cls.env["res.partner"]
            .sudo()
            .create(
                [
                    {
                        "name": f"Guest {number}",
                        "phone": f"0912{number:07d}",
                        "country_id": cls.env.ref("base.ir").id,
                        "company_id": cls.company.id,
                        "lang": "en_US",
                        **values,
                    }
                    for number in range(first, first + count)
                ]
            )
        )
        cls.env["club.member"].sudo().create(
            [
                {
                    "company_id": cls.company.id,
                    "phone_e164": f"+98912{number:07d}",
                    "partner_id": partner.id,
                    "joined_by": "hand",
                }
                for number, partner in zip(
                    range(first, first + count), partners, strict=True
                )
            ]
        )
        group = into or cls.group
        group.sudo().write({"included_partner_ids": [(4, p.id) for p in partners]})
        return partners.with_env(cls.env)

    def campaign(self, **values):
        """A draft to the group."""
        return self.env["mailing.mailing"].create(
            {
                "mailing_type": "sms",
                "subject": "New menu",
                "audience_mode": "segments",
                "audience_segment_ids": self.group.ids,
                "line_id": self.line.id,
                "body_plaintext": "Hello {{ object.name ||| you }}",
                **values,
            }
        )

    def work_off(self, mailing):
        """Let the queue do all of it, in this transaction."""
        while mailing._work_off_batch():
            pass
        self.env.invalidate_all()
        return mailing

    def reasons(self, mailing):
        """Reason by contact, None for who gets it."""
        return {
            recipient.partner_id: recipient.reason or None
            for recipient in mailing.recipient_ids
        }

    def messages(self, mailing):
        return self.env["sms.sms"].sudo().search([("mailing_id", "=", mailing.id)])


@tagged("post_install", "-at_install")
class TestCampaignAudience(CampaignCommon):
    def test_group_gets_its_message(self):
        """Each member gets the text once, with its name and the line's ending."""
        self.members(1, 3)
        mailing = self.campaign()
        mailing.action_put_in_queue()
        self.work_off(mailing)
        messages = self.messages(mailing)
        self.assertEqual(
            sorted(messages.mapped("body")),
            [f"Hello Guest {number}\nلغو11" for number in (1, 2, 3)],
        )
        self.assertEqual(set(messages.mapped("state")), {"outgoing"})
        self.assertEqual(messages.line_id, self.line)
        self.assertEqual(set(mailing.recipient_ids.mapped("state")), {"queued"})
        traces = mailing.mailing_trace_ids
        self.assertEqual(len(traces), 3)
        self.assertEqual(set(traces.mapped("sms_id_int")), set(messages.ids))
        self.assertEqual(
            sorted(traces.sudo().sms_tracker_ids.mapped("sms_uuid")),
            sorted(messages.mapped("uuid")),
        )

    def test_nobody_without_a_choice(self):
        """Each mode without a choice is nobody, never everybody."""
        self.members(10, 2)
        for mode in ("segments", "condition", "chosen", "previous"):
            mailing = self.campaign(audience_mode=mode, audience_segment_ids=False)
            self.assertEqual(mailing.preflight()["total"], 0, mode)

    def test_reasons(self):
        """Who does not get it stands there with the reason."""
        well, refuses, opted, landline, nobody, twice = self.members(20, 6)
        refuses.sudo().no_sms = True
        self.env["customer.consent"].sudo().create(
            {
                "company_id": self.company.id,
                "number": "+989120000022",
                "kind": "optout",
                "channel": "staff",
            }
        )
        members = self.env["club.member"].sudo()
        members.search([("partner_id", "in", (landline | nobody | twice).ids)]).unlink()
        landline.sudo().phone = "+982188776655"
        nobody.sudo().phone = False
        twice.sudo().phone = "+989120000020"
        mailing = self.campaign()
        preflight = mailing.preflight()
        self.assertEqual((preflight["total"], preflight["reachable"]), (6, 1))
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(
            self.reasons(mailing),
            {
                well: None,
                refuses: "no_sms",
                opted: "opted_out",
                landline: "no_mobile",
                nobody: "no_mobile",
                twice: "duplicate",
            },
        )
        self.assertEqual(self.messages(mailing).mapped("number"), ["+989120000020"])

    def test_number_abroad_is_told_before(self):
        """A line that sends at home only: what it would refuse is no part of it."""
        home, abroad = self.members(30, 2)
        member = self.env["club.member"].sudo()
        member.search([("partner_id", "=", abroad.id)]).phone_e164 = "+4915112345678"
        self.company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
        mailing = self.campaign()
        preflight = mailing.preflight()
        self.assertEqual((preflight["total"], preflight["reachable"]), (2, 1))
        self.assertEqual([row["reason"] for row in preflight["held"]], ["foreign"])
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(self.reasons(mailing), {home: None, abroad: "foreign"})
        self.line.sudo().foreign_allowed = True
        self.assertEqual(self.campaign().preflight()["reachable"], 2)

    def test_excluded_always_wins(self):
        """An excluded segment takes out its people and their numbers."""
        first, second, third = self.members(40, 3)
        others = self.env["customer.segment"].create(
            {"name": "Not these", "kind": "static", "company_id": self.company.id}
        )
        others.included_partner_ids = first
        self.env["club.member"].sudo().search([("partner_id", "=", third.id)]).unlink()
        third.sudo().phone = first.phone
        mailing = self.campaign(audience_exclude_segment_ids=others.ids)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(self.reasons(mailing), {second: None, third: "excluded"})

    def test_condition_narrows(self):
        """In segments the condition narrows; alone it chooses."""
        first, second = self.members(50, 2)
        first.sudo().city = "Tabriz"
        stranger = self.members(
            59,
            1,
            into=self.env["customer.segment"]
            .sudo()
            .create({"name": "Other", "kind": "static", "company_id": self.company.id}),
            city="Tabriz",
        )
        condition = "[('city', '=', 'Tabriz')]"
        mailing = self.campaign(audience_condition=condition)
        self.assertEqual(mailing.preflight()["total"], 1)
        mailing.audience_mode = "condition"
        self.assertEqual(mailing.preflight()["total"], 2)
        self.assertTrue(second | stranger)

    def test_company_through_its_contact(self):
        """A company is reached through its SMS contact, else its first mobile."""
        firm = (
            self.env["res.partner"]
            .sudo()
            .create(
                {
                    "name": "Firm",
                    "is_company": True,
                    "phone": "+982188776655",
                    "company_id": self.company.id,
                    "child_ids": [
                        (0, 0, {"name": "Desk", "phone": "+982188776656"}),
                        (0, 0, {"name": "First", "phone": "+989120000061"}),
                        (0, 0, {"name": "Chosen", "phone": "+989120000062"}),
                    ],
                }
            )
        )
        self.env["club.member"].sudo().create(
            [
                {
                    "company_id": self.company.id,
                    "phone_e164": f"+98912000006{digit}",
                    "joined_by": "hand",
                }
                for digit in (1, 2)
            ]
        )
        mailing = self.campaign(audience_mode="chosen", audience_partner_ids=firm.ids)
        self.assertEqual(
            [preview["number"] for preview in mailing.preflight()["previews"]],
            ["+989120000061"],
        )
        firm.sms_contact_id = firm.child_ids.filtered(lambda p: p.name == "Chosen")
        self.assertEqual(
            [preview["number"] for preview in mailing.preflight()["previews"]],
            ["+989120000062"],
        )
        self.assertIn("1 companies through", mailing.preflight()["companies"])
        self.assertIn("Firm → Chosen", mailing.preflight()["companies"])

    def test_marketer_launches_our_own_placeholders(self):
        """Nobody has to be a template editor for them."""
        self.members(90, 1)
        self.assertFalse(self.marketer.has_group("mail.group_mail_template_editor"))
        mailing = self.campaign(body_plaintext="Hello {{ greeting ||| dear guest }}")
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(len(self.messages(mailing)), 1)

    def test_tags_alone(self):
        """Whoever has the tag or one below it."""
        partner, _other = self.members(85, 2)
        tag = self.env["res.partner.category"].sudo().create({"name": "Cake"})
        partner.sudo().category_id = tag.create(
            {"name": "Cheese cake", "parent_id": tag.id}
        )
        mailing = self.env["mailing.mailing"].browse(
            tag.with_env(self.env).action_group_message()["res_id"]
        )
        self.assertEqual(mailing.preflight()["total"], 1)

    def test_chosen_by_hand_and_no_audience(self):
        """Whoever is left out stands there with a reason, too."""
        partner = self.members(80, 1)
        colleague = self.marketer.partner_id
        mailing = self.campaign(
            audience_mode="chosen", audience_partner_ids=(partner | colleague).ids
        )
        self.assertEqual(
            [(row["reason"], row["count"]) for row in mailing.preflight()["held"]],
            [("unfit", 1)],
        )
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(self.reasons(mailing), {partner: None, colleague: "unfit"})

    def test_longest_text_of_the_audience_is_counted(self):
        """Also where only some are rendered, and not of those who get nothing."""
        partners = self.members(500, 70)
        partners[41].name = "N" * 150
        partners[42].write({"name": "M" * 200, "no_sms": True})
        mailing = self.campaign(
            audience_mode="chosen",
            audience_partner_ids=partners.ids,
            body_plaintext="Hi {{ name }}",
        )
        answer = mailing.preflight()
        self.assertEqual((answer["characters"], answer["parts"]), (3 + 150 + 6, 3))
        self.assertEqual(len(answer["previews"]), 3)

    def test_broken_and_forbidden_placeholders_are_refused_when_saved(self):
        """In our own campaigns; in Odoo's own mailings ours work, code does not."""
        mailing = self.campaign()
        for text in ("Hi {{ nmae }}", "Hi {{ name", "{{ object.comment }}"):
            with self.assertRaises(UserError, msg=text):
                mailing.body_plaintext = text
        mailing.body_plaintext = "Hi {{ greeting ||| Dear guest }}"
        own = self.campaign(audience_mode="odoo", body_plaintext="Hi {{ name }}")
        with self.assertRaises(AccessError):
            own.body_plaintext = "{{ object.env.user.login }}"

    def test_link_over_a_line_without_links_is_told_before(self):
        """Beside the text, and when it is launched."""
        self.members(590, 1)
        self.line.sudo().links_allowed = False
        for text in ("See shop.ir/menu", "{{ profile_link }}"):
            mailing = self.campaign(body_plaintext=text)
            self.assertIn("no links", mailing.preflight()["problem"])
            with self.assertRaisesRegex(UserError, "no links"):
                mailing.action_put_in_queue()
        self.assertFalse(self.campaign().preflight()["problem"])

    def test_contact_before_lead_of_the_same_number(self):
        """One message per phone across contacts and leads."""
        [partner] = self.members(70, 1)
        lead = (
            self.env["crm.lead"]
            .sudo()
            .create(
                {
                    "name": "Lead",
                    "phone": "+989120000070",
                    "company_id": self.company.id,
                    "country_id": self.env.ref("base.ir").id,
                }
            )
        )
        mailing = self.campaign(
            audience_mode="chosen",
            audience_partner_ids=partner.ids,
            audience_lead_ids=lead.ids,
        )
        mailing.action_put_in_queue()
        self.work_off(mailing)
        by_lead = {
            recipient.lead_id.id: recipient.reason
            for recipient in mailing.recipient_ids
        }
        self.assertEqual(by_lead, {False: False, lead.id: "duplicate"})
        self.assertEqual(len(self.messages(mailing)), 1)

    def test_lead_gets_the_fallback_words(self):
        """What a lead does not have is said by the words after the bars."""
        lead = (
            self.env["crm.lead"]
            .sudo()
            .create(
                {
                    "name": "Party of ten",
                    "phone": "+989120000075",
                    "company_id": self.company.id,
                    "country_id": self.env.ref("base.ir").id,
                }
            )
        )
        self.env["club.member"].sudo().create(
            {
                "company_id": self.company.id,
                "phone_e164": "+989120000075",
                "joined_by": "hand",
            }
        )
        mailing = self.campaign(
            audience_mode="chosen",
            audience_lead_ids=lead.ids,
            body_plaintext="{{ object.sms_greeting ||| Dear guest}}, come in",
        )
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(
            self.messages(mailing).mapped("body"), ["Dear guest, come in\nلغو11"]
        )

    def test_who_enters_later_gets_nothing(self):
        """Under way, the snapshot decides."""
        self.members(80, 1)
        mailing = self.campaign()
        mailing.action_put_in_queue()
        mailing._work_off_batch()
        self.members(85, 1)
        self.work_off(mailing)
        self.assertEqual(self.messages(mailing).mapped("number"), ["+989120000080"])

    def test_holdout(self):
        """Some are held back, the same ones at each look."""
        self.members(100, 60)
        mailing = self.campaign(holdout_percent=30)
        held = {row["reason"]: row["count"] for row in mailing.preflight()["held"]}
        self.assertTrue(5 < held["holdout"] < 35, held)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        states = mailing.recipient_ids.mapped("state")
        self.assertEqual(states.count("holdout"), held["holdout"])
        self.assertEqual(len(self.messages(mailing)), 60 - held["holdout"])

    def test_variant_of_a_segment(self):
        """A segment may have a text of its own."""
        self.members(170, 1)
        vips = self.env["customer.segment"].create(
            {"name": "VIP", "kind": "static", "company_id": self.company.id}
        )
        self.members(175, 1, into=vips)
        template = (
            self.env["sms.template"]
            .sudo()
            .create(
                {
                    "name": "For VIPs",
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "body": "A table is kept for you",
                    "message_class": "advertising",
                }
            )
        )
        mailing = self.campaign(
            audience_segment_ids=(self.group | vips).ids,
            variant_ids=[
                (0, 0, {"segment_id": vips.id, "sms_template_id": template.id})
            ],
        )
        mailing.action_put_in_queue()
        # Whoever edits a template now changes nothing of what is under way.
        template.body = "Something else"
        self.work_off(mailing)
        self.assertEqual(
            sorted(self.messages(mailing).mapped("body")),
            ["A table is kept for you\nلغو11", "Hello Guest 170\nلغو11"],
        )

    def test_launched_once(self):
        """Of two who press «Send» one sends."""
        self.members(180, 1)
        mailing = self.campaign()
        mailing.action_put_in_queue()
        with self.assertRaisesRegex(UserError, "has launched this campaign already"):
            mailing.action_put_in_queue()

    def test_stop_at_once(self):
        """What has not left does not leave."""
        self.members(190, 3)
        mailing = self.campaign(rate_per_hour=2)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(len(self.messages(mailing)), 2)
        gone, waiting = self.messages(mailing)
        gone.sudo().write({"state": "process", "outcome": "claimed"})
        mailing.action_stop()
        self.work_off(mailing)
        self.assertEqual((gone.state, waiting.state), ("process", "canceled"))
        traces = {trace.sms_id_int: trace for trace in mailing.mailing_trace_ids}
        self.assertEqual(traces[gone.id].trace_status, "outgoing")
        self.assertEqual(traces[waiting.id].trace_status, "cancel")
        self.assertEqual(
            sorted(mailing.recipient_ids.mapped("state")), ["held", "held", "queued"]
        )
        self.assertFalse(mailing._get_remaining_recipients())

    def test_refusal_in_the_middle(self):
        """Who refuses after the snapshot gets nothing."""
        first, second = self.members(200, 2)
        mailing = self.campaign(rate_per_hour=1)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        second.sudo().no_sms = True
        mailing.rate_per_hour = 0
        self.work_off(mailing)
        self.assertEqual(self.reasons(mailing), {first: None, second: "no_sms"})
        self.assertEqual(len(self.messages(mailing)), 1)

    def test_advertising_waits_for_the_hours(self):
        """Handed over outside the line's hours it is due when they begin."""
        self.members(210, 1)
        now = fields.Datetime.now()
        hour = (now + timedelta(hours=2)).hour
        self.line.write(
            {"tz": "UTC", "window_start": hour % 23, "window_end": hour % 23 + 0.5}
        )
        mailing = self.campaign()
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertGreater(self.messages(mailing).due_at, now)

    def test_service_line_takes_service_texts_only(self):
        """Advertising is refused on a service line, also as an edited text."""
        self.members(220, 1)
        selling = (
            self.env["sms.template"]
            .sudo()
            .create(
                {
                    "name": "Sale",
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "body": "Half price",
                    "message_class": "advertising",
                }
            )
        )
        mailing = self.campaign(line_id=self.service.id)
        with self.assertRaisesRegex(UserError, "only saved texts"):
            mailing.action_put_in_queue()
        mailing.sms_template_id = selling
        with self.assertRaisesRegex(UserError, "is advertising"):
            mailing.action_put_in_queue()
        selling.message_class = "service"
        mailing.body_plaintext = "Half price today only"
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertEqual(self.messages(mailing).mapped("body"), ["Half price"])

    def test_stopped_segment_is_refused(self):
        """A stopped segment holds old members: somebody has to repair it first."""
        self.members(230, 1)
        self.group.sudo()._write({"state": "quarantined"})
        self.group.invalidate_recordset()
        with self.assertRaisesRegex(UserError, "was stopped"):
            self.campaign().action_put_in_queue()

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_other_company(self):
        """Another company's marketer neither sees nor sends."""
        other = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env(su=True),
            login="campaign_stranger",
            groups=MARKETER,
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        mailing = self.campaign()
        theirs = mailing.with_user(stranger).with_context(allowed_company_ids=other.ids)
        self.assertFalse(theirs.search([("id", "=", mailing.id)]))
        for call in (theirs.preflight, theirs.action_put_in_queue, theirs.action_stop):
            with self.assertRaises(AccessError):
                call()

    def test_salesperson_cannot_send(self):
        """A mailing user without the marketer's right sends nothing of ours."""
        self.members(240, 1)
        seller = new_test_user(
            self.env(su=True),
            login="campaign_seller",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        mailing = self.campaign()
        with self.assertRaisesRegex(AccessError, "Marketer"):
            mailing.with_user(seller).action_put_in_queue()

    def test_marketer_without_sales(self):
        """Who may read no leads writes to contacts; leads get nothing from there."""
        (guest,) = self.members(245, 1)
        leads = (
            self.env["customer.segment"]
            .sudo()
            .create(
                {
                    "name": "Leads",
                    "kind": "static",
                    "model": "crm.lead",
                    "company_id": self.company.id,
                    "included_lead_ids": self.env["crm.lead"]
                    .sudo()
                    .create(
                        {
                            "name": "Lead",
                            "phone": "+989120000246",
                            "company_id": self.company.id,
                        }
                    )
                    .ids,
                }
            )
        )
        only = new_test_user(
            self.env(su=True),
            login="campaign_only_marketer",
            groups=MARKETER,
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        mailing = self.campaign().with_user(only)
        mailing.sudo().audience_segment_ids += leads
        self.assertNotIn(
            "audience_lead_ids", mailing.get_view(view_type="form")["arch"]
        )
        self.assertEqual(mailing.preflight()["total"], 1)
        chosen = {"audience_mode": "chosen", "audience_partner_ids": guest.ids}
        self.assertEqual(mailing.preflight(chosen)["total"], 1)
        mailing.action_put_in_queue()
        self.work_off(mailing.with_user(self.env.ref("base.user_root")))
        self.assertEqual(mailing.sudo().recipient_ids.partner_id, guest)

    def test_no_code_and_no_closed_field_in_a_text(self):
        """Nothing is evaluated, and nothing said that the sender may not see."""
        self.members(250, 1)
        editors = self.env.ref("mail.group_mail_template_editor").sudo()
        self.marketer.sudo().group_ids += editors
        for text in (
            "{{ object.env['res.users'].sudo().search([])[0].login }}",
            "{{ object.sudo().vat }}",
            "{{ object.income_band }}",
            "{{ object.user_ids.password }}",
        ):
            mailing = self.campaign()
            with self.assertRaises(UserError, msg=text), self.env.cr.savepoint():
                mailing.body_plaintext = text
            answer = mailing.preflight({"body_plaintext": text})
            self.assertTrue(answer["problem"], text)
            # However it got there, it does not leave.
            self.env.cr.execute(
                "UPDATE mailing_mailing SET body_plaintext = %s WHERE id = %s",
                [text, mailing.id],
            )
            mailing.invalidate_recordset()
            with self.assertRaises(UserError, msg=text):
                mailing.action_put_in_queue()
            answer = mailing.preflight()
            self.assertTrue(answer["problem"], text)
            self.assertNotIn("previews", answer, text)

    def test_confidential_segment_of_a_colleague(self):
        """Nobody learns who is in it by writing to it."""
        guests = self.members(255, 2)
        secret = (
            self.env["customer.segment"]
            .sudo()
            .create(
                {
                    "name": "Under watch",
                    "kind": "static",
                    "company_id": self.company.id,
                    "user_id": self.env.ref("base.user_admin").id,
                    "confidential": True,
                    "included_partner_ids": guests.ids,
                }
            )
        )
        mailing = self.campaign(audience_segment_ids=False)
        mailing.sudo().audience_segment_ids = secret
        self.assertEqual(mailing.preflight()["total"], 0)
        mailing.action_put_in_queue()
        self.work_off(mailing)
        self.assertFalse(mailing.recipient_ids)

    def test_launch_is_the_only_door(self):
        """Past the checks nothing is sent, and nobody sends in another's name."""
        self.members(260, 1)
        mailing = self.campaign()
        mailing.state = "in_queue"
        self.work_off(mailing)
        self.assertFalse(mailing._get_remaining_recipients())
        self.assertFalse(self.messages(mailing))
        mailing.state = "draft"
        for values in (
            {"launched_by_id": self.env.ref("base.user_admin").id},
            {"launched_text": {"text": {"": "Else"}, "variants": {}}},
            {"is_prepared": True},
        ):
            with self.assertRaises(AccessError):
                mailing.write(values)
            with self.assertRaises(AccessError):
                self.campaign(**values)
        mailing.action_put_in_queue()
        for values in (
            {"line_id": self.service.id},
            {"body_plaintext": "Something else"},
            {"audience_segment_ids": [(5,)]},
        ):
            with self.assertRaisesRegex(UserError, "stays as it was checked"):
                mailing.write(values)
        mailing.action_cancel()
        self.assertEqual(mailing.state, "draft")
        mailing.action_put_in_queue()
        self.work_off(mailing)
        with self.assertRaisesRegex(UserError, "stays as it was checked"):
            mailing.state = "draft"
        self.assertEqual(len(self.messages(mailing)), 1)
