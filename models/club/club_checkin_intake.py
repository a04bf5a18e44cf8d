import hashlib
import re
import secrets
from datetime import datetime, timedelta, timezone

import psycopg2.errors

from odoo import api, models
from odoo.tools import SQL

from ...tools.message_choice import (
    Choice,
    ClubTexts,
    TagTexts,
    Visit,
    choose_message,
)
from ...tools.phone import PhoneError, parse_phone
from ...tools.problem import Problem

EVENT_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,64}")
# A clock this far ahead of ours is wrong: the time of arrival is used and flagged.
CLOCK_AHEAD_SECONDS = 120
RATE_BURST = 20
ANSWER_BY_REASON = {"no_sms": "not_allowed"}
MAX_PHONE_LENGTH = 32


class ClubCheckinIntake(models.AbstractModel):
    """Takes a check-in: the journal row and the member row, in a few statements.

    Everything else (contact, tag, group, message) follows from the journal, see
    ``club.checkin.followup``. Runs in one READ COMMITTED transaction that the caller
    begins; the member's row lock puts check-ins of one phone in a row.
    """

    _name = "club.checkin.intake"
    _description = "Club Check-in Intake"

    @api.model
    def _take_quota(self, device):
        """Count one check-in against the device's limit (GCRA).

        Source: generic cell rate algorithm, one row per device; burst 20.

        :param dict device: row of ``ir.http._authenticate_club_device``
        :raise Problem: ``quota-exceeded`` with the seconds to wait
        """
        interval = 60.0 / device["rate_limit_per_minute"]
        tolerance = interval * (RATE_BURST - 1)
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE club_device_activity a
                   SET rate_tat = greatest(a.rate_tat, t.now) + %(interval)s,
                       last_seen = CASE
                           WHEN a.last_seen > t.at - interval '1 minute'
                           THEN a.last_seen ELSE t.at END
                  FROM (SELECT extract(epoch FROM clock_timestamp())::float8 AS now,
                               date_trunc('second',
                                   clock_timestamp() AT TIME ZONE 'UTC') AS at) t
                 WHERE a.device_id = %(device)s
                   AND greatest(a.rate_tat, t.now) - t.now <= %(tolerance)s
             RETURNING 1
                """,
                interval=interval,
                tolerance=tolerance,
                device=device["id"],
            )
        )
        if rows:
            return
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rate_tat - extract(epoch FROM clock_timestamp())
                  FROM club_device_activity
                 WHERE device_id = %s
                """,
                device["id"],
            )
        )
        wait = float(rows[0][0]) - tolerance if rows else interval
        raise Problem("quota-exceeded", retry_after=max(1, int(wait + 0.999)))

    @api.model
    def _note_heartbeat(self, device, firmware, queue):
        """Keep what a device says of itself.

        :param dict device: row of ``ir.http._authenticate_club_device``
        :param str firmware: version, or ""
        :param int queue: check-ins that wait in the device, or None
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_device_activity
                   SET last_seen = date_trunc('second',
                           clock_timestamp() AT TIME ZONE 'UTC'),
                       firmware = coalesce(nullif(%(firmware)s, ''), firmware),
                       queue_length = coalesce(%(queue)s, queue_length)
                 WHERE device_id = %(device)s
                """,
                firmware=firmware,
                queue=None if queue is None else max(0, min(queue, 2**31 - 1)),
                device=device["id"],
            )
        )

    @api.model
    def _note_refusal(self, device, problem):
        """Keep for the staff that a check-in was dropped: its reason, not its number.

        :param dict device: row of ``ir.http._authenticate_club_device``
        :param Problem problem: what the device is told
        """
        if problem.type.retry != "never":
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_device_activity
                   SET refused_count = coalesce(refused_count, 0) + 1,
                       last_refusal = %s,
                       last_refused_at = date_trunc('second',
                           clock_timestamp() AT TIME ZONE 'UTC')
                 WHERE device_id = %s
                """,
                problem.name,
                device["id"],
            )
        )

    @api.model
    def _unix_time(self):
        """The server's time, by which devices set their clock."""
        return int(datetime.now(timezone.utc).timestamp())

    @api.model
    def _receive(self, device, item, joined_by="device"):
        """Take one check-in of a device.

        :param dict device: row of ``ir.http._authenticate_club_device``
        :param dict item: ``event_id``, ``phone`` and optionally ``tag``, ``age_s``,
            ``occurred_at``, ``config_rev``, each of its JSON type
        :param str joined_by: how a new member joined
        :return: the journal row as a dict, ``replayed`` telling whether it was there
        :rtype: dict
        :raise Problem: see docs/device-api.md
        """
        facts = self._read_item(device, item)
        club = self._read_club(device, facts)
        if not club["club_open"]:
            raise Problem("club-closed", retry_after=300)
        if replay := self._find_replay(device, facts):
            return replay
        if facts["too_old"]:
            # Only now: a replay of what was accepted once is no new check-in.
            raise Problem("too-old")
        if club["erased_at"] and facts["occurred_at"] <= club["erased_at"]:
            return self._insert_erased(device, facts, club)
        member = self._lock_member(device, facts, club, joined_by)
        visit = self._judge(device, facts, club, member)
        row = self._insert_journal(device, facts, club, member, visit)
        if not row:
            # The same event was stored between our look-up and now.
            raise psycopg2.errors.SerializationFailure()
        if row["counted"]:
            self._count_visit(member, facts)
        return row

    # === READING THE ITEM === #

    def _read_item(self, device, item):
        event_id = item.get("event_id")
        if event_id is None or item.get("phone") is None:
            name = "event_id" if event_id is None else "phone"
            raise Problem("missing-field", f"The field {name} is missing.")
        if not isinstance(event_id, str) or not EVENT_ID_PATTERN.fullmatch(event_id):
            raise Problem("wrong-type", "event_id: 8 to 64 of A-Z a-z 0-9 _ -")
        tag = self._read_integer(item, "tag")
        if tag is None and device["tag_required"]:
            raise Problem("tag-required")
        if tag is not None and not 1 <= tag <= 8:
            raise Problem("unknown-tag")
        phone = item["phone"]
        if not isinstance(phone, str):
            raise Problem("wrong-type", "phone is a text, a number loses its zeros.")
        number = self._read_phone(device, phone)
        arrived_at = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        occurred_at, clamped = self._read_time(item, arrived_at)
        offline_limit = timedelta(days=device["offline_limit_days"])
        sent_at = item.get("occurred_at")
        return {
            "event_id": event_id,
            "phone_raw": phone[:MAX_PHONE_LENGTH],
            "phone": number.e164,
            "unverified": not number.verified,
            "tag": tag,
            "rev": self._read_integer(item, "config_rev"),
            "arrived_at": arrived_at,
            "occurred_at": occurred_at,
            "clamped": clamped,
            "too_old": arrived_at - occurred_at > offline_limit,
            "fingerprint": hashlib.sha256(
                f"{number.e164}|{tag or ''}|{sent_at or ''}".encode()
            ).hexdigest(),
        }

    def _read_integer(self, item, name):
        value = item.get(name)
        if value is None:
            return None
        # True is an int in Python; a JSON integer is neither true nor 2.0.
        if isinstance(value, bool) or not isinstance(value, int):
            raise Problem("wrong-type", f"{name} is an integer.")
        if abs(value) > 2**53:
            raise Problem("wrong-type", f"{name} is too large.")
        return value

    def _read_phone(self, device, phone):
        try:
            return parse_phone(
                phone,
                device["region"],
                foreign_allowed=device["foreign_allowed"],
                accept_unverified=device["unverified_allowed"],
            )
        except PhoneError as error:
            raise Problem(error.code) from error

    def _read_time(self, item, arrived_at):
        """When the key was pressed, and whether the device's clock was corrected."""
        age = self._read_integer(item, "age_s")
        unix = self._read_integer(item, "occurred_at")
        if age is not None:
            if age < 0:
                raise Problem("wrong-type", "age_s is not negative.")
            age = min(age, 400 * 86400)
            occurred_at = arrived_at - timedelta(seconds=age)
        elif unix is not None:
            ahead = unix - int(arrived_at.replace(tzinfo=timezone.utc).timestamp())
            if ahead > CLOCK_AHEAD_SECONDS:
                return arrived_at, True
            occurred_at = arrived_at + timedelta(seconds=max(ahead, -400 * 86400))
        else:
            return arrived_at, False
        return min(occurred_at, arrived_at), False

    # === STATEMENTS === #

    def _execute(self, query):
        """Run a statement that holds a number: when it fails, a lock timeout say, its
        values stay out of the log.
        """
        self.env.cr.execute(query, log_exceptions=False)

    def _read_club(self, device, facts):
        """The company's texts and limits, and what the digit meant under its revision.

        A revision we do not know (a restored database, say) reads as the present one.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT c.club_open, c.club_silent, c.club_late_hours, c.club_daily_cap,
                       c.club_welcome_template_id, c.club_repeat_template_id,
                       c.club_milestone_every, c.club_milestone_template_id,
                       c.club_consent_version, coalesce(c.club_tz, 'UTC') AS club_tz,
                       coalesce(asked.rev, now_rev.rev) AS rev,
                       digit.meaning AS digit,
                       t.id AS tag_id, cat.id AS category_id,
                       t.first_mode, t.first_template_id, t.repeat_mode,
                       t.repeat_template_id, t.first_scope, erased.erased_at
                  FROM res_company c
             LEFT JOIN club_erasure erased
                    ON erased.company_id = c.id AND erased.phone_hash = %(phone)s
             LEFT JOIN club_device_revision now_rev
                    ON now_rev.device_id = %(device)s AND now_rev.rev = %(now_rev)s
             LEFT JOIN club_device_revision asked
                    ON asked.device_id = %(device)s AND asked.rev = %(rev)s
             LEFT JOIN LATERAL (
                       SELECT coalesce(asked.digits, now_rev.digits) -> %(tag)s
                              AS meaning) digit ON TRUE
             LEFT JOIN club_device_tag t ON t.id = (digit.meaning ->> 'tag_id')::int
             LEFT JOIN res_partner_category cat
                    ON cat.id = (CASE WHEN jsonb_typeof(digit.meaning -> 'category_id')
                                           = 'number'
                                      THEN digit.meaning ->> 'category_id' END)::int
                 WHERE c.id = %(company)s
                """,
                device=device["id"],
                company=device["company_id"],
                phone=self.env["club.erasure"]._hash_phone(facts["phone"]),
                now_rev=device["config_rev"],
                rev=facts["rev"] if facts["rev"] is not None else device["config_rev"],
                tag=str(facts["tag"] or ""),
            )
        )
        return self.env.cr.dictfetchone()

    def _find_replay(self, device, facts):
        """The journal row of an event that came before, or None.

        :raise Problem: ``event-id-reused`` when number, tag or time differ
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT event_id, fingerprint, digit, visit_no, result, answer_sms,
                       counted
                  FROM club_checkin
                 WHERE device_id = %s AND event_id = %s
                """,
                device["id"],
                facts["event_id"],
            )
        )
        row = self.env.cr.dictfetchone()
        if not row:
            return None
        # An erased check-in has lost its fingerprint: whatever comes is its replay.
        known = row["fingerprint"] or facts["fingerprint"]
        if not secrets.compare_digest(known, facts["fingerprint"]):
            raise Problem("event-id-reused")
        return {**row, "replayed": True}

    def _lock_member(self, device, facts, club, joined_by):
        """Find or create the member and hold its row until the transaction ends."""
        self._execute(
            SQL(
                """
                INSERT INTO club_member AS m
                            (company_id, phone_e164, visit_count, joined_by,
                             joined_device_id, consent_version, no_sms, unverified,
                             create_uid, write_uid, create_date, write_date)
                     VALUES (%(company)s, %(phone)s, 0, %(joined_by)s, %(device)s,
                             %(consent)s, FALSE, %(unverified)s, 1, 1,
                             now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
                ON CONFLICT (company_id, phone_e164)
                         DO UPDATE SET visit_count = m.visit_count
                  RETURNING id, visit_count, no_sms, partner_id
                """,
                company=device["company_id"],
                phone=facts["phone"],
                joined_by=joined_by,
                device=device["id"],
                consent=club["club_consent_version"] or None,
                unverified=facts["unverified"],
            )
        )
        return self.env.cr.dictfetchone()

    def _judge(self, device, facts, club, member):
        """Whether the visit counts, and which text it sends."""
        self._execute(
            SQL(
                """
                SELECT count(*) FILTER (WHERE near AND counted) > 0 AS in_gap,
                       count(*) FILTER (WHERE near AND same_digit) > 0 AS same_digit,
                       count(*) FILTER (WHERE same_tag) > 0 AS tag_pressed_before,
                       count(*) FILTER (
                           WHERE has_message AND arrived_at >= %(day)s) AS sent_today,
                       EXISTS (SELECT FROM res_partner p
                                WHERE p.no_sms
                                  AND (p.id = %(partner)s
                                       OR p.phone_sanitized = %(phone)s
                                          AND coalesce(p.company_id, %(company)s)
                                              = %(company)s)) AS contact_no_sms
                  FROM (SELECT arrived_at, counted,
                               message_kind IS NOT NULL AS has_message,
                               digit IS NOT DISTINCT FROM %(digit)s AS same_digit,
                               tag_id = %(tag)s AS same_tag,
                               occurred_at > %(from)s AND occurred_at < %(to)s AS near
                          FROM club_checkin
                         WHERE member_id = %(member)s
                           AND not_counted_reason IS DISTINCT FROM 'non_customer') j
                """,
                member=member["id"],
                partner=member["partner_id"],
                phone=facts["phone"],
                company=device["company_id"],
                digit=facts["tag"],
                tag=club["tag_id"],
                day=self._day_start(club["club_tz"]),
                **{
                    "from": facts["occurred_at"]
                    - timedelta(minutes=device["gap_minutes"]),
                    "to": facts["occurred_at"]
                    + timedelta(minutes=device["gap_minutes"]),
                },
            )
        )
        past = self.env.cr.dictfetchone()
        counted = not past["in_gap"]
        visit_no = member["visit_count"] + (1 if counted else 0)
        is_late = facts["arrived_at"] - facts["occurred_at"] > timedelta(
            hours=club["club_late_hours"]
        )
        visit = Visit(
            counted=counted,
            visit_no=visit_no,
            is_first=visit_no <= 1,
            same_digit_in_gap=past["same_digit"],
            tag_pressed_before=past["tag_pressed_before"],
            is_late=is_late,
            no_sms=bool(member["no_sms"] or past["contact_no_sms"]),
            silent=bool(club["club_silent"]),
            sent_today=past["sent_today"],
        )
        texts = ClubTexts(
            welcome_template_id=club["club_welcome_template_id"],
            repeat_template_id=club["club_repeat_template_id"],
            milestone_every=club["club_milestone_every"] or 0,
            milestone_template_id=club["club_milestone_template_id"],
            daily_cap=club["club_daily_cap"] or 0,
        )
        tag = club["tag_id"] and TagTexts(
            first_mode=club["first_mode"],
            first_template_id=club["first_template_id"],
            repeat_mode=club["repeat_mode"],
            repeat_template_id=club["repeat_template_id"],
            first_scope=club["first_scope"],
        )
        return visit, choose_message(visit, texts, tag or None)

    def _day_start(self, tz):
        """Midnight of the club's present day as naive UTC, in SQL: the database knows
        every zone by the same tables as the rest of the statement.
        """
        return SQL(
            "date_trunc('day', now() AT TIME ZONE %(tz)s) AT TIME ZONE %(tz)s "
            "AT TIME ZONE 'UTC'",
            tz=tz,
        )

    def _insert_erased(self, device, facts, club):
        """A check-in from before its number was erased: a count without a person."""
        visit = Visit(counted=True, is_late=True)
        facts = {**facts, "phone_raw": None, "fingerprint": None}
        choice = Choice(reason="no_sms")
        return self._insert_journal(device, facts, club, {"id": None}, (visit, choice))

    def _insert_journal(self, device, facts, club, member, visit_and_choice):
        visit, choice = visit_and_choice
        if choice.kind:
            answer = "queued"
        else:
            answer = ANSWER_BY_REASON.get(choice.reason, "none")
        result = (
            "too_soon" if not visit.counted else "new" if visit.is_first else "repeat"
        )
        self._execute(
            SQL(
                """
                INSERT INTO club_checkin
                       (company_id, device_id, member_id, event_id, fingerprint,
                        phone_raw, digit, tag_id, category_id, config_rev,
                        occurred_at, arrived_at, is_late, counted, not_counted_reason,
                        visit_no, result, unknown_digit, clock_clamped, state, attempts,
                        message_kind, message_template_id, message_reason, answer_sms,
                        create_uid, write_uid, create_date, write_date)
                VALUES (%(company)s, %(device)s, %(member)s, %(event_id)s,
                        %(fingerprint)s, %(phone_raw)s, %(digit)s, %(tag)s,
                        %(category)s, %(rev)s, %(occurred_at)s, %(arrived_at)s,
                        %(is_late)s, %(counted)s, %(not_counted)s, %(visit_no)s,
                        %(result)s, %(unknown_digit)s, %(clamped)s, 'pending', 0,
                        %(kind)s, %(template)s, %(reason)s, %(answer)s, 1, 1,
                        now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
                ON CONFLICT (device_id, event_id) DO NOTHING
                RETURNING event_id, digit, visit_no, result, answer_sms, counted
                """,
                company=device["company_id"],
                device=device["id"],
                member=member["id"],
                event_id=facts["event_id"],
                fingerprint=facts["fingerprint"],
                phone_raw=facts["phone_raw"],
                digit=facts["tag"],
                tag=club["tag_id"],
                category=club["category_id"],
                rev=club["rev"],
                occurred_at=facts["occurred_at"],
                arrived_at=facts["arrived_at"],
                is_late=visit.is_late,
                counted=visit.counted,
                not_counted=None if visit.counted else "too_soon",
                visit_no=visit.visit_no,
                result=result,
                unknown_digit=bool(facts["tag"]) and not club["digit"],
                clamped=facts["clamped"],
                kind=choice.kind,
                template=choice.template_id,
                reason=choice.reason,
                answer=answer,
            )
        )
        row = self.env.cr.dictfetchone()
        return row and {**row, "replayed": False}

    def _count_visit(self, member, facts):
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_member
                   SET visit_count = visit_count + 1,
                       first_visit = least(first_visit, %(at)s),
                       last_visit = greatest(last_visit, %(at)s)
                 WHERE id = %(member)s
                """,
                at=facts["occurred_at"],
                member=member["id"],
            )
        )
