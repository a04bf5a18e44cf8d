from odoo import api, fields, models
from odoo.tools import SQL

MAX_FAILURES_PER_MINUTE = 5
LOCK_MINUTES = 15
# From so many wrong codes an hour, from all addresses together, answers slow down and
# the managers whose devices wait for a code are told.
GLOBAL_ALERT_PER_HOUR = 50


class ClubPairingFailure(models.Model):
    """Wrong pairing codes, counted per address.

    Source: gateways-and-devices, pairing: five wrong tries a minute lock the address
    for 15 minutes; the total only slows answers and alerts, it never refuses.
    """

    _name = "club.pairing.failure"
    _description = "Wrong Pairing Codes"
    _log_access = False

    address = fields.Char(required=True)
    window_start = fields.Datetime(required=True)
    failures = fields.Integer(default=0)
    hour_start = fields.Datetime()
    hour_failures = fields.Integer(default=0)
    locked_until = fields.Datetime()

    _address_unique = models.Constraint("unique(address)", "One row per address.")

    @api.model
    def _seconds_locked(self, address):
        """Seconds for which ``address`` may not try again, 0 when it may."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT ceil(extract(epoch FROM
                            locked_until - (clock_timestamp() AT TIME ZONE 'UTC')))
                  FROM club_pairing_failure
                 WHERE address = %s
                   AND locked_until > clock_timestamp() AT TIME ZONE 'UTC'
                """,
                address,
            )
        )
        return int(rows[0][0]) if rows else 0

    @api.model
    def _count(self, address):
        """Count one wrong code from ``address``.

        :return: wrong codes of the last hour from all addresses
        :rtype: int
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO club_pairing_failure AS f
                            (address, window_start, failures, hour_start,
                             hour_failures)
                     VALUES (%(address)s, clock_timestamp() AT TIME ZONE 'UTC', 1,
                             clock_timestamp() AT TIME ZONE 'UTC', 1)
                ON CONFLICT (address) DO UPDATE
                        SET failures = CASE
                                WHEN f.window_start < EXCLUDED.window_start
                                     - interval '1 minute'
                                THEN 1 ELSE f.failures + 1 END,
                            window_start = CASE
                                WHEN f.window_start < EXCLUDED.window_start
                                     - interval '1 minute'
                                THEN EXCLUDED.window_start ELSE f.window_start END,
                            hour_failures = CASE
                                WHEN f.hour_start < EXCLUDED.hour_start
                                     - interval '1 hour'
                                THEN 1 ELSE f.hour_failures + 1 END,
                            hour_start = CASE
                                WHEN f.hour_start < EXCLUDED.hour_start
                                     - interval '1 hour'
                                THEN EXCLUDED.hour_start ELSE f.hour_start END,
                            locked_until = CASE
                                WHEN f.window_start >= EXCLUDED.window_start
                                     - interval '1 minute'
                                     AND f.failures + 1 >= %(most)s
                                THEN EXCLUDED.window_start
                                     + make_interval(mins => %(lock)s)
                                ELSE f.locked_until END
                """,
                address=address,
                most=MAX_FAILURES_PER_MINUTE,
                lock=LOCK_MINUTES,
            )
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT coalesce(sum(hour_failures), 0)
                  FROM club_pairing_failure
                 WHERE window_start > (now() AT TIME ZONE 'UTC') - interval '1 hour'
                """
            )
        )
        return int(rows[0][0])

    @api.autovacuum
    def _gc_failures(self):
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM club_pairing_failure
                 WHERE window_start < (now() AT TIME ZONE 'UTC') - interval '1 day'
                """
            )
        )
