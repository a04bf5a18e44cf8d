import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

KEPT_DAYS = 30


class SmsInbound(models.Model):
    """Which received texts were handled: providers push a text again until they are
    answered. Holds a fingerprint only, no number and no text.
    """

    _name = "sms.inbound"
    _description = "Received SMS"
    _log_access = False

    line_id = fields.Many2one("sms.line", required=True, ondelete="cascade")
    fingerprint = fields.Char(required=True)
    received_at = fields.Datetime(required=True, default=fields.Datetime.now)

    _fingerprint_unique = models.Constraint(
        "UNIQUE (line_id, fingerprint)", "This text was handled already."
    )

    def _is_new(self, line, inbound):
        """Whether this text comes for the first time, and remember it.

        Texts without an id are told apart by number, words and hour.

        :param line: ``sms.line``
        :param Inbound inbound: of ``tools.gateways``
        """
        key = inbound.external_id or "|".join(
            [inbound.number, inbound.text, fields.Datetime.now().strftime("%Y%m%d%H")]
        )
        fingerprint = hashlib.sha256(f"{line.id}|{key}".encode()).hexdigest()
        # Two pushes of one text may come at once: the second one waits and gets none.
        return bool(
            self.env.execute_query(
                SQL(
                    """
                    INSERT INTO sms_inbound (line_id, fingerprint, received_at)
                         VALUES (%s, %s, now() AT TIME ZONE 'UTC')
                    ON CONFLICT (line_id, fingerprint) DO NOTHING RETURNING id
                    """,
                    line.id,
                    fingerprint,
                )
            )
        )

    @api.autovacuum
    def _gc_inbound(self):
        before = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search([("received_at", "<", before)], limit=10_000).unlink()
