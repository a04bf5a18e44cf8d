import json
from itertools import islice

from odoo import fields, models
from odoo.tools import SQL

STAGING_BATCH = 5000


class ClubImportRow(models.Model):
    """A row of an import's file that waits, or was refused; the others are gone.

    Written by set statements only, and emptied when the import ends.
    """

    _name = "club.import.row"
    _description = "Row of a Club Import"
    _log_access = False
    _order = "row_no"

    import_id = fields.Many2one(
        "club.import", required=True, readonly=True, ondelete="cascade"
    )
    row_no = fields.Integer(required=True, readonly=True)
    cells = fields.Json(required=True, readonly=True)
    reason = fields.Char(readonly=True, help="Why the row was refused.")

    _in_order = models.Index("(import_id, row_no)")
    _waiting = models.Index("(import_id, row_no) WHERE reason IS NULL")

    def _stage(self, club_import, rows):
        """Keep the rows of a file for the worker.

        :param club_import: ``club.import``
        :param rows: iterable of lists of texts
        :return: how many there are
        :rtype: int
        """
        rows = iter(rows)
        total = 0
        while batch := list(islice(rows, STAGING_BATCH)):
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO club_import_row (import_id, row_no, cells)
                         SELECT %s, d.row_no, d.cells::jsonb
                           FROM unnest(%s, %s) AS d(row_no, cells)
                    """,
                    club_import.id,
                    list(range(total + 1, total + len(batch) + 1)),
                    [json.dumps(row) for row in batch],
                )
            )
            total += len(batch)
        return total

    def _next_batch(self, club_import, limit):
        """The first rows that wait.

        :return: pairs of id and cells, in the file's order
        :rtype: list[tuple[int, list[str]]]
        """
        return self.env.execute_query(
            SQL(
                """
                SELECT id, cells
                  FROM club_import_row
                 WHERE import_id = %s AND reason IS NULL
                 ORDER BY row_no
                 LIMIT %s
                """,
                club_import.id,
                limit,
            )
        )

    def _settle(self, ids, reasons):
        """Drop rows that were taken and keep why the others were refused.

        :param list ids: rows of a batch
        :param dict reasons: text by id, for the refused ones among them
        """
        self.env.cr.execute(
            SQL(
                "DELETE FROM club_import_row WHERE id = ANY(%s)",
                [row_id for row_id in ids if row_id not in reasons],
            )
        )
        if reasons:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE club_import_row r
                       SET reason = d.reason
                      FROM unnest(%s, %s) AS d(id, reason)
                     WHERE r.id = d.id
                    """,
                    list(reasons),
                    list(reasons.values()),
                )
            )

    def _take_refused(self, club_import):
        """Return the refused rows in the file's order, each with its reason, and
        forget every row of the import.

        :rtype: list[tuple[list[str], str]]
        """
        refused = self.env.execute_query(
            SQL(
                """
                SELECT cells, reason
                  FROM club_import_row
                 WHERE import_id = %s AND reason IS NOT NULL
                 ORDER BY row_no
                """,
                club_import.id,
            )
        )
        self._forget(club_import)
        return refused

    def _forget(self, club_import):
        self.env.cr.execute(
            SQL("DELETE FROM club_import_row WHERE import_id = %s", club_import.id)
        )
