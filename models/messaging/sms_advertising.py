from odoo import api, fields, models
from odoo.tools import SQL

KEPT_DAYS = 30


class SmsAdvertising(models.Model):
    """Which number gets advertising when: what the caps per person count.

    Messages themselves are tidied away soon after they left.
    """

    _name = "sms.advertising"
    _description = "Advertising Sent"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    number = fields.Char(required=True)
    due_at = fields.Datetime(required=True)
    sms_uuid = fields.Char(required=True)

    _number = models.Index("(company_id, number, due_at)")

    @api.model
    def _count_in(self, messages):
        """Count these messages, in one statement.

        :param messages: ``sms.sms`` recordset of any size and class, just queued
        """
        if not messages:
            return
        messages.flush_recordset()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sms_advertising (company_id, number, due_at, sms_uuid)
                SELECT company_id, number, coalesce(due_at, %s), uuid
                  FROM sms_sms
                 WHERE id = ANY(%s) AND message_class = 'advertising'
                   AND state = 'outgoing' AND number IS NOT NULL
                """,
                fields.Datetime.now(),
                list(messages.ids),
            )
        )

    @api.autovacuum
    def _gc_counted(self):
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM sms_advertising
                 WHERE due_at < (now() AT TIME ZONE 'UTC') - make_interval(days => %s)
                """,
                KEPT_DAYS,
            )
        )
