from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tools import SQL

from ..models.profile import customer_profile_slice
from .profile_world import NOW, TODAY, ProfileWorld


class TestProfileTouch(ProfileWorld):
    """Whose documents changed is worked out again within minutes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.touch = cls.env["customer.profile.touch"]
        cls.person = cls.partners.filtered("parent_id")[0]
        cls.env.flush_all()

    def touched(self):
        """Contacts of ours found by what changed in this transaction."""
        since = self.env.cr.now() - timedelta(seconds=1)
        [[last]] = self.env.execute_query(SQL("SELECT max(id) FROM mail_message"))
        found = self.touch._touched(since, last)
        return self.env["res.partner"].browse(found) & self.partners

    def forget(self):
        """Everything written so far lies in the past."""
        self.env.flush_all()
        for table in (
            "res_partner",
            "sale_order",
            "account_move",
            "crm_lead",
            "calendar_event",
            "mailing_trace",
            "club_member",
            "club_checkin",
        ):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET write_date = write_date - interval '1 day'",
                    SQL.identifier(table),
                )
            )
        self.env.invalidate_all()

    def test_documents_touch_their_contacts(self):
        single = self.partners[-1]
        for name, change in (
            ("order", lambda: self.order(single, self.company, NOW, 10)),
            ("invoice", lambda: self.invoice(single, self.company, TODAY, 10)),
            (
                "lead",
                lambda: self.env["crm.lead"].create(
                    {"name": "Lead", "partner_id": single.id}
                ),
            ),
            (
                "meeting",
                lambda: self.env["calendar.event"].create(
                    {
                        "name": "Meeting",
                        "start": NOW,
                        "stop": NOW,
                        "partner_ids": single.ids,
                    }
                ),
            ),
            (
                "trace",
                lambda: self.env["mailing.trace"].create(
                    {"model": "res.partner", "res_id": single.id}
                ),
            ),
            ("contact", lambda: single.write({"no_profiling": True})),
        ):
            self.forget()
            with self.subTest(name):
                self.assertFalse(self.touched())
                change()
                self.assertEqual(self.touched(), single)

    def test_messages_touch_their_contacts(self):
        self.forget()
        order = self.order(self.person, self.company, NOW, 10)
        self.forget()
        [[last]] = self.env.execute_query(SQL("SELECT max(id) FROM mail_message"))
        order.message_post(body="We call you", message_type="comment")
        self.env.flush_all()
        future = self.env.cr.now() + timedelta(days=1)
        found = self.touch._touched(future, last)
        self.assertEqual(found, self.person.ids)

    @freeze_time(NOW)
    def test_crons_keep_figures_fresh(self):
        other = self.partners[-1]
        self.order(self.person, self.company, NOW - timedelta(days=5), 40)
        with self.enter_registry_test_mode():
            cron = self.env.ref("customer_segmentation.customer_profile_cron")
            cron.method_direct_trigger()
        profile = self.profile(self.person.commercial_partner_id)
        self.assertEqual(profile.purchase_total, 40)
        self.assertFalse(self.profile(self.person).purchase_total)
        run = self.env["customer.profile.run"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "all")]
        )
        self.assertEqual(profile.computed_at, run.started_at)
        self.order(other, self.company, NOW - timedelta(days=1), 60)
        with self.enter_registry_test_mode():
            cron = self.env.ref("customer_segmentation.customer_profile_touch_cron")
            cron.method_direct_trigger()
        self.assertEqual(self.profile(other).purchase_total, 60)

    @freeze_time(NOW)
    def test_merged_contacts_are_worked_out_anew(self):
        kept, gone = self.partners[-1], self.partners[-2]
        for company, amount in ((self.company, 10), (self.other_company, 20)):
            self.order(kept, company, NOW - timedelta(days=30), amount)
            self.order(gone, company, NOW - timedelta(days=10), amount)
        gone.no_profiling = True
        self.refresh()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((kept + gone).ids, kept)
        self.env.invalidate_all()
        self.assertFalse(gone.exists())
        self.assertTrue(kept.no_profiling)
        for company, total in ((self.company, 20), (self.other_company, 40)):
            profile = self.profile(kept, company)
            self.assertEqual(
                (profile.purchase_count, profile.purchase_total), (2, total)
            )
            self.assertFalse(profile.rfm_cell)

    def test_asked_for_on_the_contact(self):
        self.order(self.person, self.company, NOW - timedelta(days=5), 40)
        self.person.with_company(self.company).action_refresh_customer_profile()
        self.env.invalidate_all()
        company = self.person.commercial_partner_id.with_company(self.company)
        self.assertEqual(company.purchase_total, 40)
        self.assertEqual(company.customer_computed_at.date(), self.env.cr.now().date())
        shown = self.person.with_company(self.company).customer_entity_profile_ids
        self.assertEqual(shown, company.customer_profile_id)

    @freeze_time(NOW)
    def test_slices_end_where_one_statement_ends(self):
        """The nightly run writes what a refresh of all writes, and no row more."""
        for partner in self.partners:
            for days in (300, 90, 20):
                moment = NOW - timedelta(days=self.random.randrange(days))
                amount = self.random.randrange(100)
                self.order(partner, self.random.choice(self.companies), moment, amount)
        with (
            patch.object(customer_profile_slice, "CONTACTS", 3),
            self.enter_registry_test_mode(),
        ):
            cron = self.env.ref("customer_segmentation.customer_profile_cron")
            cron.method_direct_trigger()
        runs = self.env["customer.profile.run"].search([])
        self.assertEqual(set(runs.mapped("kind")), {"all"})
        self.assertEqual(
            self.env["customer.profile"].search_count([("rfm_cell", "!=", False)]) > 10,
            True,
        )
        self.assertEqual(self.refresh(), 0)

    @freeze_time(NOW)
    def test_a_slice_takes_two_seconds_and_comes_again(self):
        """A run that is under way goes on where it stopped."""
        cron = self.env.registry["ir.cron"]
        with (
            patch.object(customer_profile_slice, "CONTACTS", 3),
            patch.object(customer_profile_slice, "SLICE_SECONDS", -1),
            patch.object(cron, "_commit_progress", autospec=True),
        ):
            self.touch._cron_refresh_all()
            runs = self.env["customer.profile.run"].search([])
            under_way = runs.filtered("after_id")
            self.assertEqual(under_way.mapped("kind"), ["slices"])
            before = under_way.after_id
            self.touch._cron_refresh_all()
            self.assertGreater(under_way.after_id, before)
