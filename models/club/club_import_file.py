import base64
from itertools import islice
from zoneinfo import ZoneInfo

from odoo import fields, models
from odoo.exceptions import UserError

from ...tools.import_row import (
    RowOptions,
    guess_day_first,
    guess_mapping,
    has_heading,
    split_labels,
)
from ...tools.table_file import (
    TableError,
    TableLayout,
    guess_layout,
    read_rows,
)

PREVIEW_ROWS = 10
GUESS_ROWS = 200
# A column with more different values is no column of groups or tags.
MAX_LABELS = 500
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


class ClubImportFile(models.AbstractModel):
    """The file of an import: how it is read, and what its columns hold."""

    _name = "club.import.file"
    _description = "Club Import File"

    file = fields.Binary(attachment=True)
    filename = fields.Char()
    kind = fields.Selection(
        [("csv", "CSV"), ("xlsx", "Excel"), ("xls", "Excel 97–2003")],
        string="File type",
        readonly=True,
    )
    encoding = fields.Selection(
        [
            ("utf-8", "UTF-8"),
            ("utf-8-sig", "UTF-8 with BOM"),
            ("utf-16", "UTF-16"),
            ("windows-1256", "Windows-1256"),
        ]
    )
    delimiter = fields.Selection(
        [
            ("comma", "Comma"),
            ("semicolon", "Semicolon"),
            ("tab", "Tab"),
            ("pipe", "Vertical bar"),
        ]
    )
    has_header = fields.Boolean(string="The first row names the columns", default=True)
    sample_rows = fields.Json(readonly=True)
    column_ids = fields.One2many("club.import.column", "import_id")

    # === ACTIONS === #

    def action_read(self):
        """Read the beginning of the file and guess what its columns hold."""
        self.ensure_one()
        data = self._get_data()
        try:
            layout = guess_layout(data)
        except TableError as error:
            raise UserError(self._get_file_problem(error)) from error
        delimiters = {sign: name for name, sign in DELIMITERS.items()}
        self.write(
            {
                "kind": layout.kind,
                "encoding": layout.encoding or False,
                "delimiter": delimiters.get(layout.delimiter, False),
            }
        )
        self._read_columns(data)

    def action_read_again(self):
        """Read the columns again, with the encoding and delimiter chosen by hand."""
        self.ensure_one()
        if not self.kind:
            return self.action_read()
        return self._read_columns(self._get_data())

    # === READING THE FILE === #

    def _get_data(self):
        if self.state == "running":
            raise UserError(self.env._("Stop the import before you change it."))
        data = self.with_context(bin_size=False).file
        if not data:
            raise UserError(self.env._("Choose a file first."))
        return base64.b64decode(data)

    def _get_layout(self):
        return TableLayout(
            self.kind, self.encoding or "utf-8", DELIMITERS.get(self.delimiter, ",")
        )

    def _read_columns(self, data):
        """Read the first rows and make a column record of each column."""
        try:
            rows = list(islice(read_rows(data, self._get_layout()), GUESS_ROWS))
        except TableError as error:
            raise UserError(self._get_file_problem(error)) from error
        if not rows:
            raise UserError(self._get_file_problem(TableError("empty")))
        region = self.country_id.code
        with_header = has_heading(rows[0], region)
        mapping = guess_mapping(rows, with_header, region)
        self.column_ids.unlink()
        self.write(
            {
                "state": "mapped",
                "sample_rows": rows[: PREVIEW_ROWS + 1],
                "has_header": with_header,
                "date_order": "day"
                if guess_day_first([cell for row in rows for cell in row])
                else "month",
                "column_ids": [
                    fields.Command.create({"position": position, "field": field})
                    for position, field in enumerate(mapping)
                ],
            }
        )

    def _sample_body(self):
        rows = self.sample_rows or []
        return rows[1:] if self.has_header else rows

    def _iterate_body(self):
        """Yield the rows below the headings, watching over groups and tags.

        :raise UserError: when a column of groups or tags holds something else
        """
        mapping = self._get_mapping()
        labels = {
            index: ({""}, set())
            for index, field in enumerate(mapping)
            if field in ("group", "tags")
        }
        rows = read_rows(self._get_data(), self._get_layout())
        for cells in islice(rows, 1 if self.has_header else 0, None):
            for index, (texts, found) in labels.items():
                # Most cells repeat an earlier one.
                if index < len(cells) and cells[index] not in texts:
                    texts.add(cells[index])
                    found.update(split_labels([cells[index]], persian=True))
                if len(found) > MAX_LABELS:
                    raise UserError(
                        self.env._(
                            "The column “%(column)s” holds more than %(count)s "
                            "different values: is it really groups or tags?",
                            column=self.column_ids[index].header,
                            count=MAX_LABELS,
                        )
                    )
            yield cells

    def _get_mapping(self):
        """What each column holds, by position.

        :rtype: list[str | None]
        """
        columns = self.column_ids.sorted("position")
        return [column.field or None for column in columns]

    def _get_zone(self):
        return ZoneInfo(self.company_id.club_tz or "UTC")

    def _get_row_options(self):
        return RowOptions(
            region=self.country_id.code or "",
            foreign_allowed=self.foreign_allowed,
            zone=self._get_zone(),
            day_first=self.date_order != "month",
            persian=(self.lang or "").startswith("fa"),
            assumed_visits=self.default_visits,
        )

    def _get_file_problem(self, error):
        """Say why a file cannot be read, and what to do."""
        return {
            "empty": self.env._("The file is empty."),
            "unreadable": self.env._(
                "The file is damaged or no list: open it in Excel and save it as .xlsx."
            ),
            "wrong-encoding": self.env._(
                "The letters do not fit this encoding: choose another one."
            ),
            "web-page": self.env._(
                "The file is a web page that calls itself Excel: open it in Excel and "
                "save it as .xlsx."
            ),
            "no-old-excel": self.env._("Save the file as .xlsx and choose it again."),
            "too-large": self.env._(
                "The file is too large: divide it into files of up to 500,000 rows."
            ),
        }[error.code]
