"""Old customers come in once, complete, silently, and as regulars."""

import base64
import csv
import io
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.club import (
    club_import_file,
    club_import_worker,
)
from .common import ClubCommon

WORKER = "odoo.addons.customer_segmentation.models.club.club_import_worker"
HEADER = (
    "موبایل", "نام", "عنوان", "گروه", "برچسب", "تعداد مراجعه", "اولین مراجعه",
    "آخرین مراجعه", "لغو ۱۱", "بدون پیامک",
)  # fmt: skip


def csv_file(rows):
    """A base64 CSV file as Excel writes it."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return base64.b64encode(out.getvalue().encode("utf-8-sig"))


class ImportCommon(ClubCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.build_user("club_manager")
        cls.imports = cls.env["club.import"].with_user(cls.manager)

    def build_import(self, *rows, header=HEADER, **values):
        """An import whose file has been read."""
        club_import = self.imports.create(
            {
                "file": csv_file([header, *rows] if header else rows),
                "filename": "panel.csv",
                **values,
            }
        )
        club_import.action_read()
        return club_import

    def run_import(self, club_import):
        """Start an import and work it off without the worker's commits."""
        club_import.action_start()
        self.env.flush_all()
        while self.env["club.import"].sudo()._run_chunk():
            self.env.flush_all()
        self.env.invalidate_all()
        return club_import

    def bring(self, *rows, **values):
        return self.run_import(self.build_import(*rows, **values))

    def row(self, phone, name="", salutation="", group="", tags="", visits="", first="",
            last="", no_advertising="", no_sms=""):  # fmt: skip
        return [phone, name, salutation, group, tags, visits, first, last,
                no_advertising, no_sms]  # fmt: skip

    def counts(self, club_import):
        return [
            club_import[f"{name}_count"]
            for name in ("total", "done", "new", "updated", "unchanged", "rejected")
        ]


@tagged("post_install", "-at_install")
class TestClubImport(ImportCommon):
    # === WHAT IS STORED === #

    def test_a_row_becomes_a_member_and_a_contact(self):
        phone = self.phone()
        club_import = self.bring(
            self.row(phone, "علی کریمی", "آقای", "طلایی", "قهوه، کیک", "۱۲",
                     "1400/01/01", "1402/12/11 18:30", "بله"),
            lang="en_US",
        )  # fmt: skip
        self.assertEqual(club_import.state, "done")
        self.assertEqual(self.counts(club_import), [1, 1, 1, 0, 0, 0])
        member = self.member(phone)
        self.assertEqual((member.visit_count, member.imported_visits), (12, 12))
        self.assertEqual(member.first_visit, datetime(2021, 3, 20, 20, 30))
        self.assertEqual(member.last_visit, datetime(2024, 3, 1, 15, 0))
        self.assertEqual(member.joined_by, "import")
        self.assertFalse(member.no_sms)
        self.assertEqual(member.create_uid, self.manager)
        partner = member.partner_id
        self.assertEqual(partner.name, "علی کریمی")
        self.assertEqual(partner.phone_sanitized, member.phone_e164)
        self.assertEqual(
            partner.salutation_id,
            self.env.ref("customer_segmentation.customer_salutation_mr"),
        )
        self.assertEqual(partner.category_id.mapped("name"), ["قهوه", "کیک"])
        self.assertEqual(partner.included_segment_ids.mapped("name"), ["طلایی"])
        self.assertEqual(partner.included_segment_ids.company_id, self.company)
        self.assertFalse(partner.phone_sanitized_blacklisted, "all companies' list")
        consent = self.consents(phone)
        self.assertEqual(
            (consent.kind, consent.channel, consent.partner_id, consent.user_id),
            ("optout", "import", partner, self.manager),
        )
        self.assertEqual(consent.source, club_import.display_name)

    def consents(self, phone, **context):
        """What holds for a number in the club's company."""
        return (
            self.env["customer.consent"]
            .with_context(**context)
            .search(
                [
                    ("company_id", "=", self.company.id),
                    ("number", "=", self.member(phone).phone_e164),
                ]
            )
        )

    def test_a_contact_is_like_one_that_the_orm_creates(self):
        """Every stored column equals what res.partner.create() gives."""
        phone = self.phone()
        self.bring(self.row(phone, "Zahra"))
        partner = self.member(phone).partner_id
        twin = (
            self.env["res.partner"]
            .with_user(self.manager)
            .sudo()
            .create(
                {
                    "name": "Zahra",
                    "phone": partner.phone,
                    "company_id": self.company.id,
                    "country_id": self.env.ref("base.ir").id,
                    "lang": "en_US",
                }
            )
        )
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT to_jsonb(p) FROM res_partner p WHERE id = ANY(%s) ORDER BY id",
                [partner.id, twin.id],
            )
        )
        stored, created = (row for (row,) in rows)
        own = (
            "id",
            "commercial_partner_id",
            "create_date",
            "write_date",
            "write_uid",
            # A moment as well: when the contact was made.
            "calendar_last_notif_ack",
        )
        for column in own:
            self.assertTrue(stored.pop(column))
            created.pop(column)
        self.assertEqual(
            {
                name: (stored[name], created[name])
                for name in stored
                if stored[name] != created[name]
            },
            {},
        )
        self.assertEqual(partner.commercial_partner_id, partner)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "-")]))

    def test_nothing_is_sent_posted_or_followed(self):
        messages = self.env["mail.message"].search_count([])
        queued = self.env["sms.sms"].search_count([])
        checkins = self.env["club.checkin"].search_count([])
        phone = self.phone()
        self.bring(self.row(phone, "Ali", no_advertising="1", group="Gold"))
        self.follow_up()
        self.assertEqual(self.env["sms.sms"].search_count([]), queued)
        self.assertEqual(self.env["club.checkin"].search_count([]), checkins)
        partner = self.member(phone).partner_id
        self.assertFalse(partner.message_follower_ids)
        self.assertFalse(partner.message_ids)
        group = partner.included_segment_ids
        self.assertLessEqual(
            self.env["mail.message"].search_count([]) - messages, len(group.message_ids)
        )

    def test_the_next_visit_of_a_regular_is_a_repeat_visit(self):
        regular, stranger, uncounted, told_none = (self.phone() for _i in range(4))
        self.bring(
            self.row(regular, "Ali", visits="12", last="1402/12/11"),
            self.row(uncounted, "Zahra"),
            self.row(told_none, "Reza", visits="0"),
        )
        answers = {phone: self.take(phone) for phone in (regular, stranger, uncounted)}
        self.take(told_none)
        self.follow_up()
        self.assertEqual(answers[regular]["result"], "repeat")
        self.assertEqual(answers[regular]["visit_no"], 13)
        kinds = {
            phone: (checkin.message_kind, checkin.sms_id.body.splitlines()[0])
            for phone in (regular, stranger, uncounted, told_none)
            for checkin in self.checkins(phone)
        }
        self.assertEqual(kinds[regular][0], "repeat")
        self.assertIn("again", kinds[regular][1])
        self.assertEqual(kinds[uncounted][0], "repeat")
        self.assertEqual(kinds[stranger][0], "welcome")
        self.assertEqual(kinds[told_none][0], "welcome")

    def test_imported_visits_outlive_a_recount(self):
        phone = self.phone()
        self.bring(self.row(phone, visits="12", first="1400/1/1"))
        self.take(phone)
        member = self.member(phone)
        self.assertEqual(member.visit_count, 13)
        member.checkin_ids.mark_not_customer("passer_by")
        self.assertEqual(member.visit_count, 12)
        self.assertEqual(member.first_visit, datetime(2021, 3, 20, 20, 30))
        self.assertEqual(self.take(phone)["result"], "repeat")

    # === REPEATING === #

    def test_the_same_file_twice_changes_nothing(self):
        rows = [
            self.row(self.phone(), "Ali", "Mr.", "Gold", "a,b", "3", "1400/1/1", "",
                     "1", "1"),
            self.row(self.phone(), "Zahra"),
            self.row(self.phone()),
        ]  # fmt: skip
        self.bring(*rows, group_id=self.group.id)
        tables = ("res_partner", "club_member", "customer_consent", "customer_segment",
                  "res_partner_category", "customer_segment_included_partner_rel",
                  "res_partner_res_partner_category_rel")  # fmt: skip

        def contents():
            return {
                table: self.env.execute_query(
                    SQL(
                        "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) "
                        "FROM %s t",
                        SQL.identifier(table),
                    )
                )
                for table in tables
            }

        before = contents()
        again = self.bring(*rows, group_id=self.group.id)
        self.assertEqual(self.counts(again), [3, 3, 0, 0, 3, 0])
        self.assertEqual(contents(), before)

    def test_a_higher_number_is_taken_never_added(self):
        phone = self.phone()
        self.bring(self.row(phone, visits="5", first="1400/1/1", last="1401/1/1"))
        self.take(phone)
        higher = self.bring(
            self.row(phone, visits="7", first="1399/1/1", last="1400/6/1")
        )
        member = self.member(phone)
        self.assertEqual(self.counts(higher)[2:5], [0, 1, 0])
        self.assertEqual((member.imported_visits, member.visit_count), (7, 8))
        self.assertEqual(member.first_visit, datetime(2020, 3, 19, 20, 30))
        self.bring(self.row(phone, visits="2"))
        self.assertEqual(member.visit_count, 8)
        member._recount()
        self.assertEqual(member.visit_count, 8)

    def test_visits_folded_in_by_retention_are_not_mistaken_for_the_panels(self):
        phone = self.phone()
        self.take(phone)
        member = self.member(phone)
        self.env.cr.execute(
            SQL("UPDATE club_member SET imported_visits = 4, visit_count = 5 "
                "WHERE id = %s", member.id)
        )  # fmt: skip
        self.bring(self.row(phone, visits="3"))
        self.bring(self.row(phone, visits="3"))
        self.assertEqual((member.imported_visits, member.visit_count), (7, 8))

    def test_a_row_without_visits_adds_none_to_a_member_who_has_some(self):
        phone = self.phone()
        self.take(phone)
        self.bring(self.row(phone, "Ali"))
        self.assertEqual(self.member(phone).visit_count, 1)

    def test_rows_of_one_number_are_one_customer(self):
        phone = self.phone()
        club_import = self.bring(
            self.row(phone, "Ali", tags="a", visits="3"),
            self.row("+98" + phone[1:], "Other", tags="b", visits="5"),
            self.row(phone, "Ali", visits="3"),
        )
        member = self.member(phone)
        self.assertEqual(self.counts(club_import), [3, 3, 1, 1, 1, 0])
        self.assertEqual((member.visit_count, member.partner_id.name), (5, "Ali"))
        self.assertEqual(member.partner_id.category_id.mapped("name"), ["a", "b"])

    # === WHAT IS KNOWN ALREADY === #

    def test_known_contacts_are_completed_not_overwritten(self):
        named, numbered = self.phone(), self.phone()
        dr = self.env.ref("customer_segmentation.customer_salutation_dr")
        partner = self.env["res.partner"].create(
            {"name": "Dr. Known", "phone": f"+98{named[1:]}", "salutation_id": dr.id}
        )
        self.take(numbered)
        self.follow_up()
        club_import = self.bring(
            self.row(named, "Other Name", "Mr."), self.row(numbered, "Zahra", "Ms.")
        )
        self.assertEqual(self.counts(club_import)[2:], [1, 1, 0, 0])
        self.assertEqual(self.member(named).partner_id, partner)
        self.assertEqual((partner.name, partner.salutation_id), ("Dr. Known", dr))
        contact = self.member(numbered).partner_id
        self.assertEqual(contact.name, "Zahra")
        self.assertEqual(contact.display_name, "Zahra")
        self.assertEqual(
            contact.salutation_id,
            self.env.ref("customer_segmentation.customer_salutation_ms"),
        )

    def test_a_person_before_a_company_then_the_oldest(self):
        phone = self.phone()
        partners = self.env["res.partner"].create(
            [
                {"name": "Firm", "phone": f"+98{phone[1:]}", "is_company": True},
                {"name": "First", "phone": f"+98{phone[1:]}"},
                {"name": "Second", "phone": f"+98{phone[1:]}"},
            ]
        )
        self.bring(self.row(phone, "Ali"))
        self.assertEqual(self.member(phone).partner_id, partners[1])

    def test_groups_and_tags_in_another_spelling_are_the_same(self):
        group = self.build_group(self.company, "طلایی")
        tag = self.env["res.partner.category"].create({"name": "كيك"})
        phone = self.phone()
        self.bring(self.row(phone, group="طلايي", tags="کیک"))
        partner = self.member(phone).partner_id
        self.assertEqual(partner.included_segment_ids, group)
        self.assertEqual(partner.category_id, tag)

    def test_refusals_are_added_never_taken_back(self):
        phone = self.phone()
        self.bring(self.row(phone, no_advertising="بله", no_sms="1"))
        self.bring(self.row(phone, no_advertising="", no_sms="خیر"))
        member = self.member(phone)
        self.assertTrue(member.no_sms)
        self.assertEqual(self.consents(phone).kind, "optout")
        self.take(phone)
        self.follow_up()
        self.assertEqual(self.checkins(phone).message_reason, "no_sms")

    def test_an_old_file_undoes_no_later_consent(self):
        """The first import ends a consent; what the person says then stays."""
        phone = self.phone()
        self.bring(self.row(phone))
        number = self.member(phone).phone_e164
        agree = {"number": number, "kind": "consent", "company_id": self.company.id}
        self.env["customer.consent"].create(agree)
        self.bring(self.row(phone, no_advertising="1"))
        self.assertEqual(self.consents(phone).kind, "optout")
        self.env["customer.consent"].create(agree)
        again = self.bring(self.row(phone, no_advertising="1"))
        self.assertEqual(self.consents(phone).kind, "consent")
        self.assertEqual(self.counts(again)[-2], 1, "unchanged")
        self.assertEqual(len(self.consents(phone, active_test=False)), 3)

    def test_an_erased_person_does_not_come_back(self):
        phone = self.phone()
        self.take(phone)
        self.follow_up()
        self.env["club.erasure"]._erase_contacts(self.member(phone).partner_id)
        club_import = self.bring(self.row(phone, "Ali"), self.row(self.phone()))
        self.assertEqual(self.counts(club_import), [2, 2, 1, 0, 0, 1])
        self.assertFalse(self.member(phone))

    # === REJECTED ROWS === #

    def test_rejected_rows_come_back_with_their_reason(self):
        good = self.phone()
        club_import = self.bring(
            self.row(good, "Ali"),
            self.row("02188880000", "=HYPERLINK(1)"),
            self.row("", "Nobody"),
            self.row(self.phone(), visits="many"),
            self.row(self.phone(), last="soon"),
            self.row(self.phone(), no_advertising="maybe"),
        )
        self.assertEqual(self.counts(club_import), [6, 6, 1, 0, 0, 5])
        data = base64.b64decode(club_import.rejected_file)
        self.assertTrue(data.startswith(b"\xef\xbb\xbf"))
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        self.assertEqual(lines[0], [*HEADER, "Why rejected"])
        self.assertEqual(
            [line[-1] for line in lines[1:]],
            [
                "A landline gets no SMS",
                "No mobile number",
                "The number of visits is not a number",
                "Last visit: Not a date",
                "Opted out of advertising: Neither yes nor no",
            ],
        )
        self.assertEqual(lines[1][:2], ["02188880000", "'=HYPERLINK(1)"])
        self.assertEqual(club_import.rejected_filename, "panel-rejected.csv")
        self.assertFalse(
            self.env["club.import.row"].search([("import_id", "=", club_import.id)])
        )

    def test_the_corrected_rejected_file_can_be_imported(self):
        phone = self.phone()
        club_import = self.bring(self.row(f"+98{phone[1:]}", "=Ali", visits="many"))
        data = base64.b64decode(club_import.rejected_file).replace(b"many", b"4")
        again = self.imports.create({"file": base64.b64encode(data)})
        again.action_read()
        self.run_import(again)
        self.assertEqual(self.counts(again), [1, 1, 1, 0, 0, 0])
        self.assertEqual(self.member(phone).partner_id.name, "=Ali")

    def test_a_row_that_the_database_refuses_does_not_stop_the_others(self):
        phones = [self.phone() for _i in range(5)]
        original = self.env.registry["club.import.store"]._upsert_members

        def poisoned(store, club_import, customers):
            if any(customer.name == "Poison" for customer in customers):
                raise ValueError("poison")
            return original(store, club_import, customers)

        with patch.object(
            self.env.registry["club.import.store"], "_upsert_members", poisoned
        ):
            club_import = self.bring(
                *[self.row(phone) for phone in phones],
                self.row(self.phone(), "Poison"),
            )
        self.assertEqual(self.counts(club_import), [6, 6, 5, 0, 0, 1])
        self.assertTrue(all(self.member(phone) for phone in phones))

    def test_a_failing_statement_leaves_no_number_in_the_log(self):
        phone = self.phone()

        def fail(store, club_import, customers):
            store.env.cr.execute("SELECT %s::int", (phone + "x",))

        imports = type(self.env["club.import.store"])
        with (
            patch.object(imports, "_upsert_members", fail),
            self.assertNoLogs(level="WARNING"),
        ):
            club_import = self.bring(self.row(phone))
        self.assertEqual(club_import.rejected_count, 1)

    def test_a_failure_stops_the_import_and_it_goes_on_where_it_stopped(self):
        phones = [self.phone() for _i in range(3)]
        club_import = self.build_import(*[self.row(phone) for phone in phones])
        club_import.action_start()
        self.env.flush_all()
        worker = self.env["club.import"].sudo()
        self.assertEqual(worker._run_chunk(limit=2), 2)
        with (
            patch.object(
                self.env.registry["club.import"],
                "_store_safely",
                side_effect=ValueError(f"with number {phones[0]}"),
            ),
            self.assertLogs(WORKER, "WARNING") as logs,
        ):
            self.assertFalse(worker._run_chunk(limit=2))
        self.assertNotIn(phones[0], "".join(logs.output))
        self.env.invalidate_all()
        self.assertEqual(club_import.state, "failed")
        self.assertEqual(club_import.done_count, 2)
        club_import.action_continue()
        self.env.flush_all()
        worker._run_chunk(limit=2)
        self.env.invalidate_all()
        self.assertEqual(self.counts(club_import), [3, 3, 3, 0, 0, 0])
        self.assertEqual(club_import.state, "done")

    # === THE WORKER === #

    def test_the_cron_works_off_what_runs(self):
        phones = [self.phone() for _i in range(3)]
        club_import = self.build_import(*[self.row(phone) for phone in phones])
        club_import.action_start()
        self.assertEqual(club_import.state, "running")
        self.patch(club_import_worker, "SLICE_SECONDS", 0)
        with self.enter_registry_test_mode():
            self.env.ref(
                "customer_segmentation.club_import_cron"
            ).method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(club_import.state, "done")
        self.assertEqual(club_import.progress, 100)

    def test_a_chunk_takes_the_same_queries_whatever_its_size(self):
        def queries(size):
            rows = [
                self.row(self.phone(), f"Customer {index}", "Mr.", "Gold", "a,b",
                         index % 9, "1400/1/1", "1402/1/1", index % 2, "")
                for index in range(size)
            ]  # fmt: skip
            club_import = self.build_import(*rows)
            club_import.action_start()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["club.import"].sudo()._run_chunk()
            self.env.flush_all()
            self.assertEqual(club_import.done_count, size)
            return self.env.cr.sql_log_count - before

        queries(3)  # creates group and tags, fills caches
        few, many = queries(3), queries(300)
        self.assertEqual(few, many)
        self.assertLess(many, 70)

    # === MAPPING, PREVIEW, RIGHTS === #

    def test_the_columns_are_guessed_and_shown(self):
        club_import = self.build_import(self.row(self.phone(), "Ali"))
        self.assertEqual(club_import.state, "mapped")
        self.assertEqual(club_import.column_ids.mapped("header"), list(HEADER))
        self.assertEqual(
            club_import.column_ids.mapped("field"),
            ["phone", "name", "salutation", "group", "tags", "visits", "first_visit",
             "last_visit", "no_advertising", "no_sms"],
        )  # fmt: skip
        self.assertFalse(club_import.mapping_problem)

    def test_the_preview_shows_what_will_be_stored(self):
        known = self.phone()
        self.take(known)
        club_import = self.build_import(
            self.row(known, "<b>Ali</b>"),
            self.row("02188880000", "Landline"),
            self.row(self.phone(), "Zahra", "Baroness", visits="7", last="1402/12/11"),
            group_id=self.group.id,
        )
        preview = str(club_import.preview)
        for text in (
            "Known: completed",
            "New member",
            "A landline gets no SMS",
            "03/01/2024",
            "Baroness",
            self.group.name,
            "&lt;b&gt;Ali",
        ):
            self.assertIn(text, preview)
        self.env["res.lang"]._activate_lang("fa_IR")
        persian = str(club_import.with_context(lang="fa_IR").preview)
        self.assertIn("1402/12/11", persian)
        club_import.column_ids[0].field = False
        self.assertIn("mobile numbers", club_import.mapping_problem)
        self.assertFalse(club_import.preview)

    def test_a_file_without_headings(self):
        phones = [self.phone(), self.phone()]
        club_import = self.build_import(
            ["Ali", phones[0]], ["Zahra", phones[1]], header=None
        )
        self.assertFalse(club_import.has_header)
        self.assertEqual(club_import.column_ids.mapped("field"), [False, "phone"])
        self.assertEqual(club_import.column_ids[0].header, "Column 1")
        club_import.column_ids[0].field = "name"
        self.run_import(club_import)
        self.assertEqual(self.member(phones[0]).partner_id.name, "Ali")

    def test_wrong_mappings_are_refused(self):
        club_import = self.build_import(self.row(self.phone(), "Ali"))
        club_import.column_ids[1].field = "phone"
        with self.assertRaisesRegex(UserError, "cannot both hold"):
            club_import.action_start()
        self.patch(club_import_file, "MAX_LABELS", 2)
        club_import = self.build_import(
            *[self.row(self.phone(), f"Name {index}") for index in range(3)]
        )
        club_import.column_ids[1].field = "tags"
        with self.assertRaisesRegex(UserError, "really groups or tags"):
            club_import.action_start()

    def test_files_that_cannot_be_read_say_so(self):
        for data, message in (
            (b"", "Choose a file"),
            (b" ", "empty"),
            (b"<html><table>", "web page"),
            (b"PK\x03\x04", "damaged"),
        ):
            with self.subTest(data), self.assertRaisesRegex(UserError, message):
                self.imports.create({"file": base64.b64encode(data)}).action_read()

    def test_a_wrong_guess_of_the_encoding_is_corrected_by_hand(self):
        data = "شماره,نام\n09120000001,علي\n".encode("windows-1256")
        club_import = self.imports.create({"file": base64.b64encode(data)})
        club_import.action_read()
        self.assertEqual(club_import.encoding, "windows-1256")
        club_import.encoding = "utf-8"
        with self.assertRaisesRegex(UserError, "encoding"):
            club_import.action_read_again()
        club_import.encoding = "windows-1256"
        club_import.action_read_again()
        self.assertEqual(club_import.column_ids.mapped("field"), ["phone", "name"])

    def test_a_running_import_is_not_changed(self):
        club_import = self.build_import(self.row(self.phone()))
        club_import.action_start()
        for action in (
            lambda: club_import.write({"group_id": self.group.id}),
            lambda: club_import.column_ids[0].write({"field": "name"}),
            club_import.action_start,
            club_import.action_read,
            club_import.unlink,
        ):
            with self.assertRaises(UserError):
                action()
        club_import.action_stop()
        self.env.flush_all()
        self.assertFalse(self.env["club.import"].sudo()._run_chunk())
        club_import.action_check_again()
        self.assertEqual(club_import.state, "mapped")
        self.assertFalse(
            self.env["club.import.row"].search([("import_id", "=", club_import.id)])
        )

    def test_only_managers_import_and_only_into_their_company(self):
        with self.assertRaises(AccessError):
            self.env["club.import"].with_user(self.build_user("club_user")).create({})
        club_import = self.build_import(self.row(self.phone(), group="Gold"))
        other = self.build_company("Other")
        stranger = self.build_user("club_manager", other)
        env = self.env(user=stranger, context={"allowed_company_ids": other.ids})
        self.assertFalse(env["club.import"].search([]))
        self.assertFalse(env["club.import.column"].search([]))
        with self.assertRaises(AccessError):
            club_import.with_env(env).action_start()
        with self.assertRaises(AccessError):
            self.imports.create({"company_id": other.id})
        with self.assertRaises(UserError):
            club_import.group_id = self.build_group(other)

    def test_companies_keep_their_own_members_and_contacts(self):
        phone = self.phone()
        self.bring(self.row(phone, "Ali", visits="12"))
        other = self.build_company("Other")
        manager = self.build_user("club_manager", other)
        env = self.env(user=manager, context={"allowed_company_ids": other.ids})
        club_import = env["club.import"].create(
            {"file": csv_file([HEADER, self.row(phone, "Reza", visits="2")])}
        )
        club_import.action_read()
        self.run_import(club_import)
        self.assertEqual(self.counts(club_import), [1, 1, 1, 0, 0, 0])
        ours, theirs = self.member(phone), self.member(phone, other)
        self.assertEqual((ours.visit_count, theirs.visit_count), (12, 2))
        self.assertNotEqual(ours.partner_id, theirs.partner_id)
        self.assertEqual(theirs.partner_id.company_id, other)

    def test_files_are_forgotten_after_a_month(self):
        club_import = self.bring(self.row(self.phone()), self.row("0912"))
        self.assertTrue(club_import.rejected_file)
        self.env["club.import"]._gc_files()
        self.assertTrue(club_import.file)
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE club_import SET write_date = write_date - interval '31 days'")
        )
        self.env.invalidate_all()
        self.env["club.import"]._gc_files()
        self.assertFalse(club_import.file or club_import.rejected_file)
        self.assertEqual(club_import.new_count, 1)
