from odoo import api, fields, models
from odoo.exceptions import UserError

IMPORT_FIELDS = [
    ("phone", "Mobile number"),
    ("name", "Name"),
    ("salutation", "Salutation"),
    ("group", "Group"),
    ("tags", "Tags"),
    ("visits", "Number of visits"),
    ("first_visit", "First visit"),
    ("last_visit", "Last visit"),
    ("no_advertising", "Opted out of advertising"),
    ("no_sms", "No SMS at all"),
]
SAMPLE_VALUES = 3


def isolate(text):
    """Let a text run in its own direction, whatever stands beside it (UAX #9)."""
    return f"\u2068{text}\u2069"


class ClubImportColumn(models.Model):
    """A column of the file and what it holds."""

    _name = "club.import.column"
    _description = "Column of a Club Import"
    _order = "position"
    _rec_name = "header"

    import_id = fields.Many2one(
        "club.import", required=True, ondelete="cascade", index=True
    )
    position = fields.Integer(required=True, readonly=True)
    header = fields.Char(string="Column of the file", compute="_compute_header")
    sample = fields.Char(string="For example", compute="_compute_header")
    field = fields.Selection(
        IMPORT_FIELDS, string="Holds", help="Empty: the column is left out."
    )

    @api.depends("import_id.sample_rows", "import_id.has_header", "position")
    @api.depends_context("lang")
    def _compute_header(self):
        for column in self:
            cells = [
                row[column.position] if column.position < len(row) else ""
                for row in column.import_id.sample_rows or []
            ]
            header = cells.pop(0) if column.import_id.has_header and cells else ""
            column.header = header or column.env._("Column %s", column.position + 1)
            samples = list(filter(None, cells))[:SAMPLE_VALUES]
            column.sample = " · ".join(map(isolate, samples))

    def write(self, vals):
        """Refuse another mapping while the worker reads by the present one."""
        if "field" in vals and any(
            club_import.state == "running" for club_import in self.import_id
        ):
            raise UserError(self.env._("Stop the import before you change it."))
        return super().write(vals)
