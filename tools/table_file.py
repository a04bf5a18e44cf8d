"""Rows of a CSV or Excel file as lists of texts. Plain Python, no ORM.

The layout (kind, encoding, delimiter) is guessed once, shown to a person and then
given back, so that what was previewed is what is read.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

TableErrorCode = Literal[
    "empty", "unreadable", "wrong-encoding", "web-page", "no-old-excel", "too-large"
]

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "windows-1256")
DELIMITERS = (",", ";", "\t", "|")
MAX_ROWS = 500_000
MAX_COLUMNS = 60
MAX_CELL_LENGTH = 1000
"""Characters kept of one cell; no name, tag list or date is that long."""
MAX_UNPACKED_BYTES = 1 << 30
"""An .xlsx is a zip file: one that unpacks to more is no list of customers."""

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SAMPLE_LINES = 30


class TableError(ValueError):
    """The file cannot be read; ``code`` says why, for the caller to put in words."""

    def __init__(self, code: TableErrorCode):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How to read a file. ``encoding`` and ``delimiter`` matter for CSV only."""

    kind: Literal["csv", "xlsx", "xls"]
    encoding: str = ""
    delimiter: str = ""


def guess_layout(data: bytes) -> TableLayout:
    """Return how the file is most probably to be read; its name does not count.

    :param bytes data: the whole file
    :raise TableError: for an empty file and for a web page that calls itself Excel
    """
    if not data.strip():
        raise TableError("empty")
    if data.startswith(_ZIP):
        return TableLayout("xlsx")
    if data.startswith(_OLD_EXCEL):
        return TableLayout("xls")
    encoding = guess_encoding(data)
    lines = _first_lines(data, encoding)
    if lines and lines[0].lstrip().lower().startswith(("<html", "<!doctype", "<table")):
        raise TableError("web-page")
    return TableLayout("csv", encoding, guess_delimiter(lines))


def guess_encoding(data: bytes) -> str:
    """Return one of :data:`ENCODINGS`; what is no valid UTF-8 is Windows-1256.

    Source: Excel writes UTF-8 with a BOM, "Unicode text" as UTF-16 with a BOM, and
    plain CSV in the code page of Windows, 1256 on Persian and Arabic systems.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1256"
    return "utf-8"


def guess_delimiter(lines: list[str]) -> str:
    """Return the delimiter that splits the first lines into the most equal rows.

    :param list lines: first lines of the file; Excel's ``sep=`` line is believed
    """
    if lines and lines[0].lower().startswith("sep=") and lines[0][4:5] in DELIMITERS:
        return lines[0][4]

    def score(delimiter):
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if not widths:
            return 0, 0
        usual = max(set(widths), key=widths.count)
        return (widths.count(usual) if usual > 1 else 0), usual

    return max(DELIMITERS, key=score)


def read_rows(data: bytes, layout: TableLayout) -> Iterator[list[str]]:
    """Yield the rows that hold something, each cell as a trimmed text.

    Numbers lose a fraction of zero, dates are ISO, so that a cell reads as a person
    sees it. Only the first sheet of a workbook is read.

    :param bytes data: the whole file
    :param TableLayout layout: from :func:`guess_layout`, or corrected by a person
    :raise TableError: while iterating, when the file turns out to be broken
    """
    reader = {"csv": _read_csv, "xlsx": _read_xlsx, "xls": _read_xls}[layout.kind]
    count = 0
    for cells in reader(data, layout):
        row = [_text(cell) for cell in cells[:MAX_COLUMNS]]
        if not any(row):
            continue
        count += 1
        if count > MAX_ROWS:
            raise TableError("too-large")
        yield row


def write_csv(rows: Iterator[list[str]]) -> bytes:
    """Return a CSV file that Excel opens as it is: UTF-8 with a BOM.

    A text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


# === READERS === #


def _first_lines(data: bytes, encoding: str) -> list[str]:
    # One more byte could cut a character: errors are ignored in the sample.
    text = data[: 1 << 16].decode(encoding, "ignore").replace("\0", "")
    return text.splitlines()[:_SAMPLE_LINES]


def _read_csv(data, layout):
    try:
        text = data.decode(layout.encoding)
    except UnicodeError as error:
        raise TableError("wrong-encoding") from error
    # "sep=;" is a line for Excel, not for us.
    if text[:4].lower() == "sep=":
        text = text.partition("\n")[2]
    lines = io.StringIO(text.replace("\0", ""), newline="")
    try:
        yield from csv.reader(lines, delimiter=layout.delimiter)
    except csv.Error as error:
        raise TableError("unreadable") from error


def _read_xlsx(data, _layout):
    # Odoo's own requirement, imported where needed as Odoo does: it is slow to load.
    import openpyxl

    _check_unpacked_size(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # A size that the file claims may be a million empty rows.
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)
    except Exception as error:
        raise TableError("unreadable") from error


def _check_unpacked_size(data):
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise TableError("unreadable") from error
    if size > MAX_UNPACKED_BYTES:
        raise TableError("too-large")


def _read_xls(data, _layout):
    try:
        import xlrd
    except ImportError as error:
        raise TableError("no-old-excel") from error
    try:
        book = xlrd.open_workbook(file_contents=data, on_demand=True)
        sheet = book.sheet_by_index(0)
    except Exception as error:
        raise TableError("unreadable") from error
    for number in range(sheet.nrows):
        yield [_xls_value(xlrd, book, cell) for cell in sheet.row(number)]


def _xls_value(xlrd, book, cell):
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate.xldate_as_datetime(cell.value, book.datemode)
        except (xlrd.xldate.XLDateError, OverflowError, ValueError):
            return ""
    if cell.ctype in (xlrd.XL_CELL_ERROR, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return ""
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    return cell.value


def _text(value) -> str:
    """Return one cell as the text that a person sees in it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, (date, time)):
        value = value.isoformat(*([" "] if isinstance(value, datetime) else []))
    text = str(value).replace("\0", "").strip()[:MAX_CELL_LENGTH]
    # Our own protection against formulas, and Excel's sign for "this is text".
    if text[:1] == "'" and text[1:2] in _FORMULA_STARTS:
        text = text[1:]
    return text
