import base64
import logging
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.import_row import RowError, parse_row
from ...tools.quiet_sql import quiet_sql
from ...tools.table_file import TableError, write_csv
from ...tools.transaction import begin_read_committed
from .club_checkin_followup import RETRIABLE

_logger = logging.getLogger(__name__)

CRON = "customer_segmentation.club_import_cron"
CHUNK_SIZE = 1000
SLICE_SECONDS = 2.0
# More rows than this that the database refuses in one chunk are no coincidence.
MAX_POISONED = 20
COUNTERS = (
    "done_count",
    "new_count",
    "updated_count",
    "unchanged_count",
    "rejected_count",
)


class ClubImportWorker(models.AbstractModel):
    """The run of an import: in chunks, with progress, safe to kill and to repeat."""

    _name = "club.import.worker"
    _description = "Club Import Worker"

    total_count = fields.Integer(string="Rows", readonly=True)
    done_count = fields.Integer(readonly=True)
    new_count = fields.Integer(string="New members", readonly=True)
    updated_count = fields.Integer(string="Completed", readonly=True)
    unchanged_count = fields.Integer(string="Nothing to add", readonly=True)
    rejected_count = fields.Integer(string="Rejected", readonly=True)
    progress = fields.Float(compute="_compute_progress")
    rejected_file = fields.Binary(
        string="Rejected rows", attachment=True, readonly=True
    )
    rejected_filename = fields.Char(readonly=True)
    error = fields.Char(readonly=True)
    finished_at = fields.Datetime(string="Finished on", readonly=True)

    @api.depends("done_count", "total_count")
    def _compute_progress(self):
        for club_import in self:
            total = club_import.total_count
            club_import.progress = 100 * club_import.done_count / total if total else 0

    # === ACTIONS === #

    def action_start(self):
        """Take over every row of the file and let the worker store them."""
        self.ensure_one()
        self.check_access("write")
        self.lock_for_update()
        if self.state != "mapped":
            raise UserError(self.env._("Read the file first."))
        if self.mapping_problem:
            raise UserError(self.mapping_problem)
        staging = self.env["club.import.row"].sudo()
        staging._forget(self)
        try:
            with quiet_sql():
                total = staging._stage(self, self._iterate_body())
        except TableError as error:
            raise UserError(self._get_file_problem(error)) from error
        self.write(
            {
                **dict.fromkeys(COUNTERS, 0),
                "total_count": total,
                "state": "running",
                "user_id": self.env.uid,
                "error": False,
                "finished_at": False,
                "rejected_file": False,
            }
        )
        self.env.ref(CRON).sudo()._trigger()

    def action_stop(self):
        """Stop after the present chunk; what is stored stays."""
        self.ensure_one()
        self.check_access("write")
        if self.state == "running":
            self.write({"state": "failed", "error": self.env._("Stopped by hand.")})

    def action_continue(self):
        """Go on where the import stopped."""
        self.ensure_one()
        self.check_access("write")
        if self.state == "failed":
            self.write({"state": "running", "error": False})
            self.env.ref(CRON).sudo()._trigger()

    def action_check_again(self):
        """Go back to mapping and preview, to run the same file once more."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("failed", "done"):
            return
        self.env["club.import.row"].sudo()._forget(self)
        self.state = "mapped" if self.file and self.sample_rows else "draft"

    def action_other_file(self):
        """Take another file."""
        self.ensure_one()
        self.write({"file": False, "filename": False})
        self.column_ids.unlink()

    # === STORING === #

    @api.model
    def _cron_run(self):
        """One slice: chunks until nothing is left or two seconds have passed."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        while True:
            handled = self._run_chunk_safely()
            cron._commit_progress(handled)
            if not handled or time.monotonic() > stop:
                break
        if self.search_count([("state", "=", "running")], limit=1):
            self.env.ref(CRON).sudo()._trigger()
        cron._commit_progress(remaining=0)

    def _run_chunk_safely(self):
        """One chunk; when another transaction is in the way, once more."""
        for _attempt in range(3):
            begin_read_committed(self.env.cr)
            try:
                return self._run_chunk()
            except RETRIABLE:
                continue
        self.env.cr.rollback()
        return 0

    @api.model
    def _run_chunk(self, limit=CHUNK_SIZE):
        """Store the next rows of the oldest running import.

        Everything of a chunk is in one transaction, so a crash loses nothing and
        counts nothing twice.

        :return: how many rows were handled
        :rtype: int
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, user_id, company_id
                  FROM club_import
                 WHERE state = 'running'
                 ORDER BY id
                 LIMIT 1
                   FOR NO KEY UPDATE SKIP LOCKED
                """
            )
        )
        if not rows:
            return 0
        import_id, user_id, company_id = rows[0]
        user = self.env["res.users"].browse(user_id)
        # The rows belong to who started it; sudo, as the worker writes set-based.
        club_import = (
            self.with_user(user)
            .sudo()
            .with_context(lang=user.lang, tz=user.tz, allowed_company_ids=[company_id])
            .browse(import_id)
        )
        try:
            with quiet_sql(), self.env.cr.savepoint():
                return club_import._import_rows(limit)
        except RETRIABLE:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the import stops
            # The class only: an error text may hold a name or a number.
            _logger.warning(
                "Club import %s stopped: %s", import_id, type(error).__name__
            )
            club_import.write({"state": "failed", "error": str(error)[:500]})
            return 0

    def _import_rows(self, limit):
        staging = self.env["club.import.row"]
        rows = staging._next_batch(self, limit)
        counts = dict.fromkeys(("new", "updated", "unchanged", "rejected"), 0)
        reasons = self._store_rows(rows, counts)
        staging._settle([row_id for row_id, _cells in rows], reasons)
        self.write(
            {
                "done_count": self.done_count + len(rows),
                **{
                    f"{outcome}_count": self[f"{outcome}_count"] + count
                    for outcome, count in counts.items()
                },
            }
        )
        if len(rows) < limit:
            self._finish()
        return len(rows)

    def _store_rows(self, rows, counts):
        """Parse and store rows of the file.

        :param list rows: pairs of id and cells
        :param dict counts: outcomes, added to
        :return: reason by id of the rows that were refused
        :rtype: dict[int, str]
        """
        options, mapping = self._get_row_options(), self._get_mapping()
        customers, reasons, phones, completing = {}, {}, {}, set()
        for row_id, cells in rows:
            try:
                customer = parse_row(cells, mapping, options)
            except RowError as error:
                reasons[row_id] = self._get_reason(error)
                continue
            phone = phones[row_id] = customer.number.e164
            before = customers.get(phone)
            customers[phone] = before.joined(customer) if before else customer
            if before and customers[phone] != before:
                completing.add(row_id)
        erased = self.env["club.import.store"]._find_erased(self, customers)
        outcomes = self._store_safely(
            [item for phone, item in customers.items() if phone not in erased]
        )
        seen = set()
        for row_id, phone in phones.items():
            outcome = outcomes.get(phone, "erased")
            if outcome == "erased":
                reasons[row_id] = self.env._("This person asked to be erased.")
                continue
            if outcome == "rejected":
                reasons[row_id] = self.env._("The database refused this row.")
            elif phone in seen and outcome != "unchanged":
                outcome = "updated" if row_id in completing else "unchanged"
            seen.add(phone)
            counts[outcome] += outcome != "rejected"
        counts["rejected"] += len(reasons)
        return reasons

    def _store_safely(self, customers, poisoned=None):
        """Store customers; when the database refuses, find whose row it is.

        :return: outcome by number, as ``club.import.store`` has it, or ``rejected``
        :rtype: dict[str, str]
        """
        if not customers:
            return {}
        poisoned = [] if poisoned is None else poisoned
        try:
            with self.env.cr.savepoint():
                return self.env["club.import.store"]._store(self, customers)
        except RETRIABLE:
            raise
        except Exception:
            if len(customers) == 1:
                poisoned.append(customers[0])
                if len(poisoned) > MAX_POISONED:
                    raise
                return {customers[0].number.e164: "rejected"}
        middle = len(customers) // 2
        return {
            **self._store_safely(customers[:middle], poisoned),
            **self._store_safely(customers[middle:], poisoned),
        }

    def _finish(self):
        """Write the file of rejected rows and forget the others."""
        refused = self.env["club.import.row"]._take_refused(self)
        values = {"state": "done", "finished_at": fields.Datetime.now(), "error": False}
        if refused:
            width = max([len(self.column_ids), *(len(cells) for cells, _r in refused)])
            header = [column.header for column in self.column_ids.sorted("position")]
            lines = [
                [*cells, *[""] * (width - len(cells)), reason]
                for cells, reason in refused
            ]
            padding = [""] * (width - len(header))
            lines.insert(0, [*header, *padding, self.env._("Why rejected")])
            stem = (self.filename or "import").rpartition(".")[0] or "import"
            values["rejected_file"] = base64.b64encode(write_csv(lines))
            values["rejected_filename"] = f"{stem}-rejected.csv"
        self.write(values)

    def _get_reason(self, error):
        """Say why a row is refused, for its owner to correct."""
        reason = {
            "no-phone": self.env._("No mobile number"),
            "invalid-phone": self.env._("Not a phone number"),
            "not-mobile": self.env._("A landline gets no SMS"),
            "foreign-not-allowed": self.env._("A number from abroad"),
            "bad-visits": self.env._("The number of visits is not a number"),
            "bad-date": self.env._("Not a date"),
            "future-date": self.env._("A date in the future"),
            "last-before-first": self.env._("The last visit is before the first"),
            "bad-refusal": self.env._("Neither yes nor no"),
        }[error.code]
        if error.field in ("phone", "visits"):
            return reason
        labels = dict(
            self.env["club.import.column"]
            ._fields["field"]
            ._description_selection(self.env)
        )
        return f"{labels[error.field]}: {reason}"
