from datetime import timedelta

import psycopg2
import psycopg2.errors
from freezegun import freeze_time

from odoo import Command
from odoo.tools import mute_logger

from .profile_world import NOW, TODAY, ProfileWorld

DAY = timedelta(days=1)


@freeze_time(NOW)
class TestProfileGroup(ProfileWorld):
    """Each group of figures on documents whose figures are known."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.entity = cls.partners[0]
        cls.person = cls.partners.filtered(lambda p: p.parent_id == cls.entity)[0]
        cls.single = cls.partners[-1]

    def figures(self, partner, *names):
        self.refresh(self.partners.ids)
        profile = self.profile(partner)
        return tuple(profile[name] for name in names)

    # === DISCOUNT, MARGIN, COST === #

    def test_discount_and_margin(self):
        self.product.with_company(self.company).standard_price = 30
        free = self.env["product.product"].create({"name": "No cost", "type": "consu"})
        self.order(self.single, self.company, NOW - DAY, 100, discount=20, quantity=2)
        order = self.order(self.single, self.company, NOW - DAY, 100)
        order.order_line.product_id = free
        order.order_line.price_unit = 100
        self.invoice(self.single, self.company, TODAY - DAY, 40, kind="out_refund")
        self.assertEqual(
            self.figures(
                self.single, "purchase_total", "discount_share", "purchase_margin"
            ),
            # 160 + 100 - 40; 40 of 300; 160 - 60 and 30 - 40 of the one that came back
            (220, 0.1333, 90),
        )

    def test_discount_and_margin_in_other_currency_and_unit(self):
        self.product.with_company(self.company).standard_price = 2
        order = self.order(
            self.single,
            self.company,
            NOW - DAY,
            60,
            discount=10,
            pricelist_id=self.pricelist.id,
        )
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        order.order_line.write({"price_unit": 60, "discount": 10})
        self.env.flush_all()
        # One foreign is four of ours.
        self.assertEqual(
            self.figures(
                self.single, "purchase_total", "discount_share", "purchase_margin"
            ),
            (216, 0.1, 192),
        )

    def test_cost_to_serve_is_the_companys(self):
        self.company.write(
            {
                "profile_cost_call": 5,
                "profile_cost_meeting": 100,
                "profile_cost_message": 1,
                "profile_cost_return": 20,
            }
        )
        self.product.with_company(self.company).standard_price = 10
        self.order(self.person, self.company, NOW - DAY, 500)
        self.invoice(self.entity, self.company, TODAY - DAY, 50, kind="out_refund")
        colleague = self.env.ref("base.user_admin")
        colleague.company_ids += self.company
        colleague.company_id = self.company
        self.env["calendar.event"].create(
            {
                "name": "Visit",
                "start": NOW - 3 * DAY,
                "stop": NOW - 3 * DAY,
                "user_id": colleague.id,
                "partner_ids": (self.person + colleague.partner_id).ids,
            }
        )
        call = self.env.ref("mail.mail_activity_data_call")
        self.person.message_post(
            body="Called",
            author_id=colleague.partner_id.id,
            mail_activity_type_id=call.id,
            subtype_xmlid="mail.mt_activities",
        )
        for subtype in ("mail.mt_comment", "mail.mt_note"):
            self.person.message_post(
                body="Written",
                author_id=colleague.partner_id.id,
                message_type="comment",
                subtype_xmlid=subtype,
            )
        self.person.message_post(
            body="Received",
            author_id=self.person.id,
            message_type="email",
            subtype_xmlid="mail.mt_comment",
        )
        self.assertEqual(
            self.figures(self.entity, "cost_to_serve", "purchase_margin", "profit"),
            (126, 450, 324),
        )
        self.assertEqual(self.figures(self.person, "cost_to_serve"), (0,))
        self.assertFalse(self.profile(colleague.partner_id))

    # === OPEN === #

    def test_open_quotations_and_unpaid_invoices(self):
        self.order(self.person, self.company, NOW - 9 * DAY, 10, state="sent")
        self.order(self.entity, self.company, NOW - 4 * DAY, 30, state="draft")
        expired = self.order(self.person, self.company, NOW - DAY, 90, state="sent")
        expired.validity_date = TODAY - DAY
        for amount, due in ((7, TODAY - DAY), (9, TODAY)):
            self.invoice(
                self.person,
                self.company,
                TODAY - 9 * DAY,
                amount,
                invoice_payment_term_id=False,
                invoice_date_due=due,
            )
        self.assertEqual(
            self.figures(
                self.entity,
                "open_quotation_count",
                "open_quotation_total",
                "open_quotation_date",
                "unpaid_total",
                "overdue_total",
                "purchase_count",
            ),
            (2, 40, TODAY - 4 * DAY, 16, 7, 2),
        )

    # === VISITS === #

    def visits(self, partner, *days, imported=0):
        """A member of the club with counted check-ins."""
        device = self.env["club.device"].search(
            [("company_id", "=", self.company.id)], limit=1
        ) or self.env["club.device"].create(
            {
                "name": "Counter",
                "company_id": self.company.id,
                "group_id": self.env["customer.segment"]
                .create({"name": "Visitors", "company_id": self.company.id})
                .id,
            }
        )
        member = self.env["club.member"].create(
            {
                "company_id": self.company.id,
                "phone_e164": f"+98912000{partner.id:04d}",
                "partner_id": partner.id,
                "imported_visits": imported,
                "imported_first_visit": imported and NOW - 300 * DAY,
                "imported_last_visit": imported and NOW - 200 * DAY,
            }
        )
        self.env["club.checkin"].create(
            [
                {
                    "company_id": self.company.id,
                    "device_id": device.id,
                    "member_id": member.id,
                    "event_id": f"{partner.id}-{at}",
                    "occurred_at": NOW - day * DAY,
                    "arrived_at": NOW - day * DAY,
                    "counted": True,
                }
                for at, day in enumerate(days)
            ]
        )
        member._recount()

    def test_visits_are_the_persons(self):
        self.visits(self.person, 50, 40, 40, 10, imported=4)
        self.assertEqual(
            self.figures(
                self.person,
                "visit_count",
                "first_visit_date",
                "last_visit_date",
                "visit_gap_days",
                "last_contact_date",
                "cost_to_serve",
            ),
            (8, TODAY - 300 * DAY, TODAY - 10 * DAY, 20, TODAY - 10 * DAY, 0),
        )
        self.assertFalse(self.profile(self.entity).visit_count)

    def test_visits_count_as_purchases_where_a_company_says_so(self):
        self.company.club_visits_are_purchases = True
        self.order(self.single, self.company, NOW - DAY, 100)
        self.visits(self.person, 50, 40, 10)
        other = self.partners[1]
        self.visits(other, 90, imported=4)
        self.refresh()
        profile = self.profile(self.entity)
        self.assertEqual(
            (
                profile.purchase_count,
                profile.first_purchase_date,
                profile.last_purchase_date,
                profile.next_purchase_due_date,
                profile.purchase_total,
                profile.rfm_cell,
            ),
            (3, TODAY - 50 * DAY, TODAY - 10 * DAY, TODAY + 10 * DAY, 0, "21-"),
        )
        profile = self.profile(other)
        self.assertEqual(
            (profile.purchase_count, profile.first_purchase_date, profile.rfm_cell),
            (5, TODAY - 300 * DAY, "13-"),
        )
        self.assertFalse(self.profile(self.single).purchase_count)
        self.env.cr.execute(
            "SELECT count(*) FROM customer_profile WHERE company_id = %s "
            "AND (purchase_total IS NOT NULL OR rfm_monetary IS NOT NULL)",
            [self.company.id],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertEqual(self.refresh(), 0)

    # === ANSWERS, LEADS === #

    def trace(self, record, channel, sent, **answered):
        self.env["mailing.trace"].create(
            {
                "model": record._name,
                "res_id": record.id,
                "trace_type": channel,
                "trace_status": answered.pop("status", "sent"),
                "sent_datetime": NOW - sent * DAY,
                **{name: NOW - day * DAY for name, day in answered.items()},
            }
        )

    def test_answers_are_the_persons(self):
        lead = self.env["crm.lead"].create(
            {"name": "Lead", "partner_id": self.person.id, "company_id": False}
        )
        self.trace(self.person, "mail", 9, open_datetime=8, links_click_datetime=8)
        self.trace(self.person, "mail", 200, open_datetime=199)
        self.trace(self.person, "mail", 5, status="bounce")
        self.trace(lead, "mail", 3)
        self.trace(self.person, "sms", 100, reply_datetime=90)
        self.trace(self.person, "sms", 20, links_click_datetime=19)
        self.assertEqual(
            self.figures(
                self.person,
                "engagement",
                "mail_response_rate",
                "sms_response_rate",
                "best_channel",
                "last_contact_date",
                "first_contact_date",
            ),
            (3, 0.3333, 1, "sms", TODAY - 3 * DAY, TODAY - 200 * DAY),
        )
        self.assertFalse(self.profile(self.entity).engagement)

    def test_events_are_engagement_contacts_and_calls(self):
        self.company.profile_cost_call = 5
        lead = self.env["crm.lead"].create(
            {"name": "Lead", "partner_id": self.person.id, "company_id": False}
        )
        self.env["customer.event"].create(
            [
                {
                    "kind": kind,
                    "date": NOW - day * DAY,
                    "company_id": self.company.id,
                    **subject,
                }
                for kind, day, subject in (
                    ("form", 7, {"partner_id": self.person.id}),
                    ("download", 8, {"lead_id": lead.id}),
                    ("download", 100, {"partner_id": self.person.id}),
                    ("web_visit", 3, {"partner_id": self.person.id}),
                    ("call", 9, {"partner_id": self.person.id}),
                )
            ]
        )
        self.assertEqual(
            self.figures(
                self.person, "engagement", "last_contact_date", "first_contact_date"
            ),
            (2, TODAY - 3 * DAY, TODAY - 100 * DAY),
        )
        self.assertEqual(self.figures(self.entity, "cost_to_serve"), (5,))

    def test_leads_are_the_persons_and_the_companys(self):
        first, second = self.env["utm.source"].create(
            [{"name": "Fair"}, {"name": "Friend"}]
        )
        lost = self.env["crm.lead"].create(
            {"name": "Old", "partner_id": self.person.id, "source_id": first.id}
        )
        lost.action_set_lost()
        self.env["crm.lead"].create(
            {"name": "New", "partner_id": self.entity.id, "source_id": second.id}
        )
        names = ("open_lead_count", "lead_source_id")
        self.assertEqual(self.figures(self.person, *names), (0, first))
        self.assertEqual(self.figures(self.entity, *names), (1, first))

    def test_no_currency_rate_breaks_nothing(self):
        """A foreign document whose rate was lost counts one to one."""
        order = self.order(self.single, self.company, NOW - DAY, 100)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET currency_rate = 0 WHERE id = %s", [order.id]
        )
        self.assertEqual(self.figures(self.single, "purchase_total"), (100,))

    def test_impossible_settings_are_refused(self):
        for values in ({"profile_horizon_days": 0}, {"profile_cost_call": -1}):
            with (
                self.assertRaises(psycopg2.errors.CheckViolation),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.company.write(values)
                self.env.flush_all()

    def test_lines_without_a_product_break_nothing(self):
        order = self.order(self.single, self.company, NOW - DAY, 100)
        order.write(
            {
                "order_line": [
                    Command.create({"display_type": "line_note", "name": "Thank you"})
                ]
            }
        )
        self.assertEqual(
            self.figures(self.single, "purchase_total", "purchase_margin"), (100, 0)
        )
