from odoo import fields, models
from odoo.tools import SQL


class SmsLine(models.Model):
    """What people answer to a campaign, to the number that it came from."""

    _inherit = "sms.line"

    def _receive_reply(self, number, date):
        """It answers the last campaign over this line, within the days that count."""
        result = super()._receive_reply(number, date)
        self.env.flush_all()
        # One probe of an index for each campaign of the last year.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT t.id
                  FROM mailing_mailing m
                  JOIN mailing_recipient r
                    ON r.mailing_id = m.id AND r.number = %(number)s
                   AND r.reason IS NULL AND r.state = 'queued'
                  JOIN sms_tracker k ON k.source = 'mailing.recipient,' || r.id
                  JOIN mailing_trace t ON t.id = k.mailing_trace_id
                 WHERE m.line_id = %(line)s
                   AND m.launched_at > %(date)s::timestamp - interval '1 year'
                   AND t.sent_datetime <= %(date)s::timestamp
                   AND t.sent_datetime
                       > %(date)s::timestamp - make_interval(days => m.answer_days)
                 ORDER BY t.sent_datetime DESC, t.id DESC LIMIT 1
                """,
                number=number,
                line=self.id,
                date=date or fields.Datetime.now(),
            )
        )
        traces = self.env["mailing.trace"].sudo().browse(row[0] for row in rows)
        traces.filtered(lambda trace: not trace.reply_datetime).set_replied()
        return result
