"""The statements of a check-in, in the order in which they run.

Constant texts with named values; those of every check-in are prepared. The member's row
lock, taken by the first of ``TAKE_MEMBER``, puts check-ins of one number in a row.
"""

from ...tools.prepared import Prepared

# A device with the settings of its club, how far ahead of its rate it is, and a stamp:
# which versions of both rows these are. Only what comes with a token is limited.
_DEVICE = """
           d.id, d.company_id, d.state, d.active, d.public_id, d.token_hash,
           d.token_next_hash, d.token_next_at, d.config_rev, d.lang, d.tag_required,
           d.privacy, d.gap_minutes, d.offline_limit_days, d.foreign_allowed,
           d.unverified_allowed, d.rate_limit_per_minute, k.code AS region,
           a.rate_tat - extract(epoch FROM clock_timestamp())::float8 AS ahead_seconds,
           c.club_open, c.club_silent, c.club_late_hours, c.club_daily_cap,
           c.club_welcome_template_id, c.club_repeat_template_id,
           c.club_milestone_every, c.club_milestone_template_id,
           c.club_consent_version, coalesce(c.club_tz, 'UTC') AS club_tz,
           concat_ws(' ', d.xmin, d.ctid, c.xmin, c.ctid) AS stamp
      FROM club_device d
      JOIN res_country k ON k.id = d.country_id
      JOIN res_company c ON c.id = d.company_id
 LEFT JOIN club_device_activity a ON a.device_id = d.id
"""
DEVICE_OF_TOKEN = Prepared(
    "club_device",
    f"SELECT TRUE AS limited, {_DEVICE} WHERE d.public_id = %(public_id)s",
)
DEVICE_OF_ID = f"SELECT FALSE AS limited, {_DEVICE} WHERE d.id = %(id)s"

# The generic cell rate algorithm: one row per device, nothing to clean up. The clock is
# asked once the row is ours: having waited for it is no haste.
TAKE_QUOTA = """
    UPDATE club_device_activity
       SET rate_tat = greatest(rate_tat,
                               extract(epoch FROM clock_timestamp())::float8)
                      + %(interval)s,
           last_seen = CASE
               WHEN last_seen > clock_timestamp() AT TIME ZONE 'UTC'
                                - interval '1 minute'
               THEN last_seen
               ELSE date_trunc('second', clock_timestamp() AT TIME ZONE 'UTC') END
     WHERE device_id = %(device)s AND %(limited)s
       AND rate_tat - extract(epoch FROM clock_timestamp())::float8
           <= %(tolerance)s
 RETURNING 1
"""

# The member, whose row is held until the transaction ends. Who must not become a member
# does not: the club is closed or the event too old (``welcome`` is false), the event is
# known, the number was erased since.
_HOLD_MEMBER = """
    INSERT INTO club_member AS m
                (company_id, phone_e164, visit_count, joined_by, joined_device_id,
                 consent_version, no_sms, unverified, create_date, write_date)
         SELECT %(company)s, %(phone)s, 0, %(joined_by)s, %(device)s, %(consent)s,
                FALSE, %(unverified)s,
                now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
           FROM (SELECT CASE WHEN %(limited)s
                             THEN set_config('lock_timeout', %(lock_timeout)s, TRUE)
                        END) patience
          WHERE %(welcome)s
            AND NOT EXISTS (SELECT FROM club_checkin
                             WHERE device_id = %(device)s AND event_id = %(event_id)s)
            AND NOT EXISTS (SELECT FROM club_erasure
                             WHERE company_id = %(company)s
                               AND phone_hash = %(phone_hash)s
                               AND erased_at >= %(occurred_at)s)
    ON CONFLICT (company_id, phone_e164)
             DO UPDATE SET visit_count = m.visit_count
"""
# Only now, with that row held, is final what the journal says: the event, if it came
# before; the member's visits near this one and messages of today. One row, whatever
# there is.
_READ_MEMBER = """
    SELECT (SELECT to_jsonb(r)
              FROM (SELECT event_id, fingerprint, digit, visit_no, result, answer_sms,
                           counted
                      FROM club_checkin
                     WHERE device_id = %(device)s AND event_id = %(event_id)s) r
           ) AS replay,
           EXISTS (SELECT FROM club_erasure
                    WHERE company_id = %(company)s AND phone_hash = %(phone_hash)s
                      AND erased_at >= %(occurred_at)s) AS erased,
           m.id AS member_id, m.visit_count, m.no_sms,
           EXISTS (SELECT FROM res_partner p
                    WHERE p.no_sms
                      AND (p.id = m.partner_id
                           OR p.phone_sanitized = %(phone)s
                              AND coalesce(p.company_id, %(company)s) = %(company)s)
           ) OR EXISTS (
                   SELECT FROM customer_consent k
                    WHERE k.active AND k.company_id = %(company)s
                      AND k.number = %(phone)s
                      AND (k.kind = 'no_sms'
                           OR k.kind = 'stop' AND k.line_id = (
                              SELECT id FROM sms_line
                               WHERE active AND company_id = %(company)s
                                 AND message_class = 'service'
                               ORDER BY is_default DESC NULLS LAST, sequence, id
                               LIMIT 1))
           ) AS contact_no_sms,
           (SELECT concat_ws(' ', d.xmin, d.ctid, c.xmin, c.ctid)
              FROM club_device d JOIN res_company c ON c.id = d.company_id
             WHERE d.id = %(device)s) AS stamp,
           (SELECT rate_tat - extract(epoch FROM clock_timestamp())::float8
              FROM club_device_activity
             WHERE device_id = %(device)s) AS ahead_seconds,
           past.in_gap, past.same_digit, past.tag_pressed_before, past.sent_today,
           t.id AS tag_id, t.first_mode, t.first_template_id, t.repeat_mode,
           t.repeat_template_id, t.first_scope,
           (SELECT id FROM res_partner_category
             WHERE id = %(category)s) AS category_id
      FROM (SELECT) one
 LEFT JOIN club_member m
        ON m.company_id = %(company)s AND m.phone_e164 = %(phone)s
 LEFT JOIN club_device_tag t ON t.id = %(tag)s
CROSS JOIN LATERAL (
           SELECT coalesce(bool_or(near AND counted), FALSE) AS in_gap,
                  coalesce(bool_or(near AND same_digit), FALSE) AS same_digit,
                  coalesce(bool_or(same_tag), FALSE) AS tag_pressed_before,
                  count(*) FILTER (
                      WHERE has_message
                        AND arrived_at >= date_trunc('day', now() AT TIME ZONE %(tz)s)
                                          AT TIME ZONE %(tz)s AT TIME ZONE 'UTC'
                  ) AS sent_today
             FROM (SELECT arrived_at, counted, message_kind IS NOT NULL AS has_message,
                          digit IS NOT DISTINCT FROM %(digit)s AS same_digit,
                          tag_id = t.id AS same_tag,
                          occurred_at > %(after)s AND occurred_at < %(before)s AS near
                     FROM club_checkin
                    WHERE member_id = m.id
                      AND not_counted_reason IS DISTINCT FROM 'non_customer') j
           ) past
"""
TAKE_MEMBER = Prepared("club_take_member", _HOLD_MEMBER, _READ_MEMBER)
# The same for a request that has done nothing so far, in a transaction of its own.
BEGIN_AND_TAKE_MEMBER = Prepared(
    "club_begin_and_take_member",
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    _HOLD_MEMBER,
    _READ_MEMBER,
)

# The quota, the journal row and, when it counts, the member's visit. Not stored: the
# event came between our look-up and now. Nobody in Odoo wrote the row, so no user is
# named.
_VISIT = f"""
WITH quota AS ({TAKE_QUOTA}),
visit AS (
    INSERT INTO club_checkin
           (company_id, device_id, member_id, event_id, fingerprint, phone_raw,
            digit, tag_id, category_id, config_rev, occurred_at, arrived_at,
            is_late, counted, not_counted_reason, visit_no, result,
            unknown_digit, clock_clamped, state, attempts, message_kind,
            message_template_id, message_reason, answer_sms,
            create_date, write_date)
    SELECT %(company)s, %(device)s, %(member)s, %(event_id)s, %(fingerprint)s,
           %(phone_raw)s, %(digit)s, %(tag)s, %(category)s, %(rev)s,
           %(occurred_at)s, %(arrived_at)s, %(is_late)s, %(counted)s,
           %(not_counted)s, %(visit_no)s, %(result)s, %(unknown_digit)s,
           %(clamped)s, 'pending', 0, %(kind)s, %(template)s, %(reason)s,
           %(answer)s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
     WHERE NOT %(limited)s OR EXISTS (SELECT FROM quota)
    ON CONFLICT (device_id, event_id) DO NOTHING
    RETURNING 1),
counted AS (
    UPDATE club_member
       SET visit_count = visit_count + 1,
           first_visit = least(first_visit, %(occurred_at)s),
           last_visit = greatest(last_visit, %(occurred_at)s)
     WHERE id = %(member)s AND %(counted)s AND EXISTS (SELECT FROM visit))
"""  # noqa: S608 - made of constants
INSERT_VISIT = Prepared(
    "club_insert_visit",
    f"""{_VISIT}
    SELECT NOT %(limited)s OR EXISTS (SELECT FROM quota), EXISTS (SELECT FROM visit)
    """,  # noqa: S608 - made of constants
)
# Wakes the worker unless somebody has: a trigger that the running job has taken is
# about to disappear with the rows it has seen, so only one that nobody has begun to
# delete (xmax) counts as waiting. A look, without a lock that each check-in would have
# to write.
_WAKE = """
    INSERT INTO ir_cron_trigger (cron_id, call_at)
         SELECT %(cron)s, date_trunc('second', now() AT TIME ZONE 'UTC')
          WHERE NOT EXISTS (
                SELECT FROM ir_cron_trigger
                 WHERE cron_id = %(cron)s AND xmax = 0
                   AND call_at <= now() AT TIME ZONE 'UTC'
                   AND call_at > now() AT TIME ZONE 'UTC'
                                 - make_interval(secs => %(stale_seconds)s))
"""
WAKE = Prepared("club_wake", _WAKE)
# The same visit, committed, and the worker woken after that: never before. What cannot
# be stored divides by zero, and nothing of it is committed.
STORE_AND_WAKE = Prepared(
    "club_store_and_wake",
    f"""{_VISIT}
    SELECT 1 / (CASE WHEN (NOT %(limited)s OR EXISTS (SELECT FROM quota))
                      AND EXISTS (SELECT FROM visit) THEN 1 ELSE 0 END)
    """,  # noqa: S608 - made of constants
    "COMMIT",
    _WAKE,
)
