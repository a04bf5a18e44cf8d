import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.gateways import BadSettings, Result

_logger = logging.getLogger(__name__)

DEAD_MINUTES = 10  # after which a claim belongs to a process that is no more
ASKING_MINUTES = 15  # how long nobody else asks about the same message
BATCH = 100


class SmsQueue(models.AbstractModel):
    """Finds out what became of messages whose outcome nobody knows.

    By the provider's own memory of our reference, else by its list of sent messages,
    else by a person; never by sending again and hoping.
    """

    _inherit = "sms.queue"

    @api.model
    def _reconcile_slice(self):
        """Ask one line's provider about one batch.

        :return: messages asked about
        :rtype: int
        """
        claim = self._retried("_claim_unknown")
        if not claim:
            return 0
        line_id, batch, rows, known_ids = claim
        line = self.env["sms.line"].sudo().browse(line_id)
        results = [Result("unknown", kind="server")] * len(rows)
        try:
            with line._connect() as gateway:
                hours = gateway.caps.ref_hours
                since = fields.Datetime.now() - timedelta(hours=hours)
                askable = [
                    position
                    for position, row in enumerate(rows)
                    # What the provider has forgotten would be sent anew.
                    if not hours or row["claimed_at"] > since
                ]
                found = gateway.reconcile(
                    [self._prepare_item(rows[position]) for position in askable],
                    known_ids,
                )
                for position, result in zip(askable, found, strict=True):
                    results[position] = result
        except BadSettings as error:
            _logger.info("Line %s: settings: %s", line_id, error.args)
        self._store_part(line_id, batch, rows, list(enumerate(results)))
        return len(rows)

    @api.model
    def _claim_unknown(self):
        """Take messages to ask about: those nobody knows of, and those whose process
        died after it claimed them.
        """
        now = fields.Datetime.now()
        dead = now - timedelta(minutes=DEAD_MINUTES)
        due = SQL(
            """
            (outcome = 'unknown' AND reconcile_at <= %(now)s
             OR outcome = 'claimed'
                AND coalesce(reconcile_at, claimed_at) <= %(dead)s)
            """,
            now=now,
            dead=dead,
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.line_id FROM sms_sms s JOIN sms_line l ON l.id = s.line_id
                 WHERE %s AND l.paused IS NOT TRUE
                 ORDER BY coalesce(s.reconcile_at, s.claimed_at) LIMIT 1
                """,
                due,
            )
        )
        if not rows:
            return None
        [[line_id]] = rows
        self.env.cr.execute(
            SQL(
                """
                WITH found AS MATERIALIZED (
                    SELECT id AS due_id FROM sms_sms
                     WHERE line_id = %(line)s AND %(due)s
                     ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                UPDATE sms_sms sms
                   SET outcome = 'unknown', reconcile_at = %(lease)s,
                       reconcile_count = greatest(coalesce(reconcile_count, 0), 1)
                  FROM found
                 WHERE sms.id = found.due_id
             RETURNING sms.batch, %(columns)s
                """,
                line=line_id,
                due=due,
                lease=now + timedelta(minutes=ASKING_MINUTES),
                limit=BATCH,
                columns=self._get_row_sql(),
            )
        )
        found = self.env.cr.dictfetchall()
        if not found:
            return None
        # One batch at a time: results are stored by batch.
        batch = found[0]["batch"]
        others = [row["id"] for row in found if row["batch"] != batch]
        self._ask_later(others, now)
        rows = sorted(
            (row for row in found if row["batch"] == batch), key=lambda row: row["id"]
        )
        return line_id, batch, rows, self._get_known_ids(line_id, rows)

    def _ask_later(self, ids, now):
        """Messages of other batches have their turn with the next slice."""
        if ids:
            self.env.cr.execute(
                SQL("UPDATE sms_sms SET reconcile_at = %s WHERE id = ANY(%s)", now, ids)
            )

    def _get_known_ids(self, line_id, rows):
        """The provider's ids of other messages to the same numbers, of two days."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT provider_id FROM sms_sms
                 WHERE line_id = %s AND provider_id IS NOT NULL
                   AND claimed_at > %s AND number = ANY(%s)
                """,
                line_id,
                min(row["claimed_at"] for row in rows) - timedelta(days=2),
                [row["number"] for row in rows],
            )
        )
        return [row[0] for row in rows]
