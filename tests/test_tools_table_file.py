"""Files as rows, rows as customers, dates of two calendars. Plain Python."""

import csv
import io
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import xlsxwriter

from odoo.tests import BaseCase

from ..tools import import_row, jalali, table_file
from ..tools.import_row import (
    ImportedCustomer,
    RowError,
    RowOptions,
    guess_field,
    guess_mapping,
    parse_moment,
    parse_row,
)
from ..tools.table_file import (
    TableError,
    TableLayout,
    guess_layout,
    read_rows,
)

OPTIONS = RowOptions(
    region="IR",
    foreign_allowed=False,
    zone=ZoneInfo("Asia/Tehran"),
    day_first=True,
    persian=True,
    assumed_visits=1,
)
TEXT = "شماره;نام\n09120000001;علی\n09120000002;زهرا\n"


def rows_of(data):
    return list(read_rows(data, guess_layout(data)))


def excel(*rows):
    """An .xlsx file with these rows in its first sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for index, row in enumerate(rows):
        sheet.write_row(index, 0, row)
    book.add_worksheet().write(0, 0, "second sheet")
    book.close()
    return out.getvalue()


class TestTableFile(BaseCase):
    def test_encodings_are_guessed(self):
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "windows-1256"):
            # Windows-1256 has no Persian ye: old files hold the Arabic one.
            text = TEXT.replace("ی", "ي") if encoding == "windows-1256" else TEXT
            with self.subTest(encoding):
                data = text.encode(encoding)
                self.assertEqual(guess_layout(data).encoding, encoding)
                self.assertEqual(rows_of(data)[2], ["09120000002", "زهرا"])

    def test_delimiters_are_guessed(self):
        for delimiter in (",", ";", "\t", "|"):
            with self.subTest(delimiter):
                data = TEXT.replace(";", delimiter).encode()
                self.assertEqual(guess_layout(data).delimiter, delimiter)

    def test_tags_with_commas_in_quotes_do_not_mislead(self):
        data = b'phone;tags\n09120000001;"a,b,c"\n09120000002;"d,e,f"\n'
        self.assertEqual(guess_layout(data).delimiter, ";")
        self.assertEqual(rows_of(data)[1], ["09120000001", "a,b,c"])

    def test_a_list_of_bare_numbers_is_a_file(self):
        self.assertEqual(
            rows_of(b"09120000001\n09120000002\n"), [["09120000001"], ["09120000002"]]
        )

    def test_the_sep_line_of_excel_is_no_row(self):
        self.assertEqual(rows_of(b"sep=;\nphone;name\n0912;A\n")[0], ["phone", "name"])

    def test_empty_rows_are_left_out(self):
        self.assertEqual(len(rows_of(b"phone,name\n,\n\n0912,A\n , \n")), 2)

    def test_excel_cells_read_as_people_see_them(self):
        data = excel(
            ["phone", "visits", "last", "vip"],
            [9120000001, 12.0, datetime(2024, 3, 1), True],
            ["09120000002", 1.5, datetime(2024, 3, 1, 18, 30), None],
        )
        self.assertEqual(guess_layout(data).kind, "xlsx")
        self.assertEqual(
            rows_of(data)[1:],
            [
                ["9120000001", "12", "2024-03-01", "1"],
                ["09120000002", "1.5", "2024-03-01 18:30:00"],
            ],
        )

    def test_what_is_no_list_is_refused(self):
        for data, code in (
            (b"", "empty"),
            (b"  \n", "empty"),
            (b"<html><table><tr><td>0912", "web-page"),
            (b"PK\x03\x04 broken", "unreadable"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "unreadable"),
        ):
            with self.subTest(data), self.assertRaises(TableError) as caught:
                rows_of(data)
            self.assertEqual(caught.exception.code, code)

    def test_a_wrong_encoding_is_said(self):
        with self.assertRaises(TableError) as caught:
            list(
                read_rows(
                    TEXT.encode("windows-1256", "replace") + b"\x98\xff",
                    TableLayout("csv", "utf-8", ";"),
                )
            )
        self.assertEqual(caught.exception.code, "wrong-encoding")

    def test_too_many_rows_are_refused(self):
        self.patch(table_file, "MAX_ROWS", 2)
        with self.assertRaises(TableError) as caught:
            rows_of(b"1\n2\n3\n")
        self.assertEqual(caught.exception.code, "too-large")

    def test_formulas_are_written_harmless_and_read_back(self):
        cells = ["=1+1", "+989120000001", "-x", "@x", "\tx", "plain", "12-3"]
        data = table_file.write_csv([cells])
        self.assertTrue(data.startswith(b"\xef\xbb\xbf"))
        written = next(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        self.assertEqual(
            written, ["'=1+1", "'+989120000001", "'-x", "'@x", "'\tx", "plain", "12-3"]
        )
        self.assertEqual(rows_of(data)[0][:4], cells[:4])


class TestJalali(BaseCase):
    def test_known_days(self):
        for jalali_day, gregorian in (
            ((1300, 1, 1), date(1921, 3, 21)),
            ((1357, 11, 22), date(1979, 2, 11)),
            ((1399, 12, 30), date(2021, 3, 20)),
            ((1400, 1, 1), date(2021, 3, 21)),
            ((1402, 12, 29), date(2024, 3, 19)),
            ((1403, 1, 1), date(2024, 3, 20)),
            ((1403, 12, 30), date(2025, 3, 20)),
            ((1404, 7, 1), date(2025, 9, 23)),
        ):
            with self.subTest(jalali_day):
                self.assertEqual(jalali.to_gregorian(*jalali_day), gregorian)

    def test_every_day_of_two_centuries_there_and_back(self):
        day, end, seen = date(1921, 3, 21), date(2100, 1, 1), (0, 0, 0)
        while day < end:
            found = jalali.from_gregorian(day)
            self.assertLess(seen, found)
            self.assertEqual(jalali.to_gregorian(*found), day)
            day, seen = day + timedelta(days=1), found
        for outside in (date(1921, 3, 20), date(2121, 1, 1)):
            with self.assertRaises(ValueError):
                jalali.from_gregorian(outside)

    def test_days_that_do_not_exist(self):
        for day in (
            (1402, 12, 30),
            (1402, 7, 31),
            (1402, 13, 1),
            (1402, 1, 0),
            (1299, 1, 1),
            (1499, 1, 1),
        ):
            with self.subTest(day), self.assertRaises(ValueError):
                jalali.to_gregorian(*day)


class TestImportRow(BaseCase):
    def parse(self, cells, mapping=None, options=OPTIONS):
        mapping = mapping or ["phone", "visits", "first_visit", "last_visit", "no_sms"]
        return parse_row(cells, mapping, options)

    def test_dates_of_both_calendars(self):
        for text, expected in (
            ("2024-03-01", datetime(2024, 3, 1)),
            ("2024-03-01 18:30:05", datetime(2024, 3, 1, 18, 30, 5)),
            ("2024-03-01T18:30", datetime(2024, 3, 1, 18, 30)),
            ("1.3.2024", datetime(2024, 3, 1)),
            ("01/03/2024", datetime(2024, 3, 1)),
            ("12/31/2023", datetime(2023, 12, 31)),
            ("۱۴۰۲/۱۲/۱۱", datetime(2024, 3, 1)),
            ("11/12/1402 9:05", datetime(2024, 3, 1, 9, 5)),
            ("14021211", datetime(2024, 3, 1)),
            ("1402-12-11", datetime(2024, 3, 1)),
        ):
            with self.subTest(text):
                self.assertEqual(parse_moment(text), expected)
        self.assertEqual(parse_moment("01/03/2024", False), datetime(2024, 1, 3))
        self.assertEqual(parse_moment("11/12/1402", False), datetime(2024, 3, 1))

    def test_what_is_no_date(self):
        for text in (
            "yesterday",
            "02/03/04",
            "2024-13-01",
            "1402/12/30",
            "1700-01-01",
            "2024-03-01 25:00",
            "20240231",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                parse_moment(text)

    def test_a_whole_row(self):
        customer = self.parse(
            ["۰۹۱۲۰۰۰۰۰۰۱", "12 ", "1402/01/01", "1402/12/11 18:30", "بله"]
        )
        self.assertEqual(customer.number.e164, "+989120000001")
        self.assertEqual(customer.visits, 12)
        self.assertEqual(customer.first_visit, datetime(2023, 3, 20, 20, 30))
        self.assertEqual(customer.last_visit, datetime(2024, 3, 1, 15, 0))
        self.assertTrue(customer.no_sms)

    def test_names_tags_and_groups_come_from_several_columns(self):
        customer = self.parse(
            ["09120000001", "علي ", " كريمي", "طلایی؛ طلايي", "الف، ب", "ب|ج"],
            ["phone", "name", "name", "group", "tags", "tags"],
        )
        self.assertEqual(customer.name, "علی کریمی")
        self.assertEqual(customer.groups, ("طلایی",))
        self.assertEqual(customer.tags, ("الف", "ب", "ج"))

    def test_visits_that_the_file_does_not_tell(self):
        self.assertEqual(
            (
                self.parse(["09120000001"]).visits,
                self.parse(["09120000001", "0"]).visits,
            ),
            (None, 0),
        )
        none_assumed = OPTIONS.__class__(
            **{name: getattr(OPTIONS, name) for name in OPTIONS.__slots__}
            | {"assumed_visits": 0}
        )
        quiet = self.parse(["09120000001"], options=none_assumed)
        dated = self.parse(["09120000001", "", "1402/1/1"], options=none_assumed)
        self.assertEqual((quiet.assumed_visits, dated.assumed_visits), (0, 1))

    def test_reasons(self):
        for cells, code, field in (
            ([""], "no-phone", "phone"),
            (["0912"], "invalid-phone", "phone"),
            (["02188880000"], "not-mobile", "phone"),
            (["+12025550123"], "foreign-not-allowed", "phone"),
            (["09120000001", "many"], "bad-visits", "visits"),
            (["09120000001", "-3"], "bad-visits", "visits"),
            (["09120000001", "999999999"], "bad-visits", "visits"),
            (["09120000001", "1", "soon"], "bad-date", "first_visit"),
            (["09120000001", "1", "", "1478/1/1"], "future-date", "last_visit"),
            (
                ["09120000001", "1", "1403/1/1", "1402/1/1"],
                "last-before-first",
                "last_visit",
            ),
            (["09120000001", "1", "", "", "maybe"], "bad-refusal", "no_sms"),
            (["09120000001", "1", "", "", "فعال"], "bad-refusal", "no_sms"),
        ):
            with self.subTest(cells), self.assertRaises(RowError) as caught:
                self.parse(cells)
            self.assertEqual(
                (caught.exception.code, caught.exception.field), (code, field)
            )

    def test_refusals_in_every_spelling(self):
        for text, expected in (
            ("1", True), ("بلی", True), ("YES", True), ("لغو", True), ("لغو ۱۱", True),
            ("لغو11", True), ("0", False), ("خیر", False), ("", False), ("-", False),
        ):  # fmt: skip
            with self.subTest(text):
                self.assertIs(
                    self.parse(["09120000001", "1", "", "", text]).no_sms, expected
                )

    def test_two_rows_of_one_number(self):
        first = self.parse(["09120000001", "5", "1402/1/1", "1402/2/1", ""])
        second = self.parse(["09120000001", "3", "1401/1/1", "", "1"])
        joined = first.joined(second)
        self.assertEqual(joined.visits, 5)
        self.assertEqual(joined.first_visit, second.first_visit)
        self.assertEqual(joined.last_visit, first.last_visit)
        self.assertTrue(joined.no_sms)
        self.assertEqual(joined.joined(second), joined)
        self.assertIsInstance(joined, ImportedCustomer)

    def test_headings(self):
        for heading, field in (
            ("موبايل", "phone"), ("شماره‌ی موبایل مشتری", "phone"), ("Mobile", "phone"),
            ("نام و نام خانوادگی", "name"), ("FIRST NAME", "name"), ("گروه", "group"),
            ("برچسب‌ها", "tags"), ("تعداد مراجعه", "visits"),
            ("آخرین خرید", "last_visit"), ("تاریخ عضویت", "first_visit"),
            ("لغو ۱۱", "no_advertising"),
            ("عنوان", "salutation"), ("no_sms", "no_sms"), ("ردیف", None), ("", None),
        ):  # fmt: skip
            with self.subTest(heading):
                self.assertEqual(guess_field(heading), field)

    def test_a_file_without_headings(self):
        rows = [["1", "علی", "09120000001"], ["2", "زهرا", "09120000002"]]
        self.assertFalse(import_row.has_heading(rows[0], "IR"))
        self.assertEqual(guess_mapping(rows, False, "IR"), [None, None, "phone"])

    def test_a_field_is_guessed_for_one_column_only(self):
        rows = [["mobile", "phone", "tags", "tags"], ["09120000001", "021", "a", "b"]]
        self.assertEqual(
            guess_mapping(rows, True, "IR"), ["phone", None, "tags", "tags"]
        )
