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
from ...tools.transaction import (
    begin_by_command,
    begin_read_committed,
    takes_commands,
)
from .club_checkin_statements import (
    BEGIN_AND_TAKE_MEMBER,
    INSERT_VISIT,
    STORE_AND_WAKE,
    TAKE_MEMBER,
    TAKE_QUOTA,
)

EVENT_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,64}")
# A clock this far ahead of ours is wrong: the time of arrival is used and flagged.
CLOCK_AHEAD_SECONDS = 120
RATE_BURST = 20
LOCK_TIMEOUT = "4s"
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

    def _get_quota_values(self, device):
        """The device's limit as GCRA knows it, in seconds.

        Source: generic cell rate algorithm, one row per device; burst 20.
        """
        interval = 60.0 / device["rate_limit_per_minute"]
        return {
            "device": device["id"],
            "limited": device["limited"],
            "interval": interval,
            "tolerance": interval * (RATE_BURST - 1),
        }

    def _take_quota(self, device):
        """Count a check-in that is not stored: it costs the server as much.

        :param dict device: row of ``ir.http._authenticate_club_device``
        :raise Problem: ``quota-exceeded`` with the seconds to wait
        """
        self.env.cr.execute(TAKE_QUOTA, self._get_quota_values(device))
        if not self.env.cr.rowcount:
            raise self._quota_exceeded(device)

    def _refuse_early(self, device, ahead_seconds):
        """Refuse a device that is too fast, at no further cost.

        :param float ahead_seconds: of its rate; None if not known
        :raise Problem: ``quota-exceeded`` with the seconds to wait
        """
        tolerance = self._get_quota_values(device)["tolerance"]
        if (ahead_seconds or 0.0) > tolerance:
            raise self._wait_problem(ahead_seconds - tolerance)

    def _quota_exceeded(self, device):
        """The refusal that tells how long the device has to wait.

        :rtype: Problem
        """
        self.env.cr.execute(
            "SELECT rate_tat - extract(epoch FROM clock_timestamp())::float8"
            " FROM club_device_activity WHERE device_id = %s",
            [device["id"]],
        )
        row = self.env.cr.fetchone()
        values = self._get_quota_values(device)
        return self._wait_problem(
            row[0] - values["tolerance"] if row else values["interval"]
        )

    def _wait_problem(self, seconds):
        return Problem("quota-exceeded", retry_after=max(1, int(seconds + 0.999)))

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

        What a device sent itself is ``limited``: it counts against the device's rate,
        also when it is refused, and waits for others with the same phone no longer than
        ``LOCK_TIMEOUT``; the transaction has to be its own. One whose settings are
        ``known`` begins its transaction itself, and ends it once the check-in is
        stored.

        :param dict device: row of ``ir.http._authenticate_club_device``, or of
            ``club.device._get_intake_row``
        :param dict item: ``event_id``, ``phone`` and optionally ``tag``, ``age_s``,
            ``occurred_at``, ``config_rev``, each of its JSON type
        :param str joined_by: how a new member joined
        :return: the journal row as a dict, ``replayed`` telling whether it was there,
            ``woken`` whether all is committed and the worker woken
        :rtype: dict
        :raise Problem: see docs/device-api.md
        """
        if device["limited"]:
            self._refuse_early(device, device["ahead_seconds"])
        try:
            facts = self._read_item(device, item)
        except Problem:
            if device.get("known"):
                begin_read_committed(self.env.cr)
                self._check_stamp(device, self._get_stamp(device))
            if device["limited"]:
                self._take_quota(device)
            raise
        taken = self._take_member(device, facts, joined_by)
        if device.get("known"):
            self._check_known(device, taken)
        if not device["club_open"] or taken["replay"] or facts["too_old"]:
            if device["limited"]:
                # A member may have been made for an event that came just before us.
                begin_read_committed(self.env.cr)
                self._take_quota(device)
            return self._answer_unstored(device, facts, taken["replay"])
        if taken["erased"]:
            taken["member_id"] = None
            visit = self._judge_erased()
            facts = {**facts, "phone_raw": None, "fingerprint": None}
        else:
            visit = self._judge(device, facts, taken)
        return self._insert_visit(device, facts, taken, visit)

    def _check_known(self, device, taken):
        """Go on with remembered settings only while they are the present ones.

        :raise SerializationFailure: to begin again with the present ones
        :raise Problem: ``quota-exceeded`` with the seconds to wait
        """
        self._check_stamp(device, taken["stamp"])
        try:
            self._refuse_early(device, taken["ahead_seconds"])
        except Problem:
            # A refusal commits; the member that was made for it must not stay.
            begin_read_committed(self.env.cr)
            raise

    def _check_stamp(self, device, stamp):
        if stamp != device["stamp"]:
            self.env["club.device.pairing"]._forget_rows()
            raise psycopg2.errors.SerializationFailure()

    def _get_stamp(self, device):
        """The present version of a device's settings, for what is refused by them."""
        row = self.env["club.device.pairing"]._get_row(device["public_id"])
        return row and row["stamp"]

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

    def _take_member(self, device, facts, joined_by):
        """Hold the member's row, found or made, and read what the check-in depends on.

        :return: what the statements return, ``rev`` and ``meaning`` of the digit;
            ``replay`` is the journal row of the same event, if it came before
        :rtype: dict
        """
        rev, meaning = self._read_digit(device, facts)
        gap = timedelta(minutes=device["gap_minutes"])
        statements = TAKE_MEMBER
        if device.get("known") and takes_commands(self.env.cr):
            statements = BEGIN_AND_TAKE_MEMBER
            begin_by_command(self.env.cr)
        statements.execute(
            self.env.cr,
            {
                "limited": device["limited"],
                "lock_timeout": LOCK_TIMEOUT,
                "company": device["company_id"],
                "device": device["id"],
                "event_id": facts["event_id"],
                "phone": facts["phone"],
                "phone_hash": self.env["club.erasure"]._hash_phone(facts["phone"]),
                "occurred_at": facts["occurred_at"],
                "after": facts["occurred_at"] - gap,
                "before": facts["occurred_at"] + gap,
                "welcome": bool(device["club_open"]) and not facts["too_old"],
                "consent": device["club_consent_version"] or None,
                "unverified": facts["unverified"],
                "joined_by": joined_by,
                "tz": device["club_tz"],
                "digit": facts["tag"],
                "tag": meaning.get("tag_id") or None,
                "category": meaning.get("category_id") or None,
            },
        )
        return {**self.env.cr.dictfetchone(), "rev": rev, "meaning": meaning}

    def _read_digit(self, device, facts):
        """What the digit meant under the revision that the device had.

        A revision we do not know (a restored database, say) reads as the present one.

        :return: the revision, and ``tag_id`` and ``category_id`` if it knew the digit
        :rtype: tuple[int, dict]
        """
        revisions = self.env["club.device.revision"]
        rev = facts["rev"]
        digits = None if rev is None else revisions._get_digits(device["id"], rev)
        if digits is None:
            rev = device["config_rev"]
            digits = revisions._get_digits(device["id"], rev)
        return rev, (digits or {}).get(str(facts["tag"]), {})

    def _answer_unstored(self, device, facts, replay):
        """The journal row of an event that came before, or why it is not taken.

        :raise Problem: ``event-id-reused`` when number, tag or time differ
        """
        if not device["club_open"]:
            raise Problem("club-closed", retry_after=300)
        if not replay:
            # Only now: a replay of what was accepted once is no new check-in.
            raise Problem("too-old")
        # An erased check-in has lost its fingerprint: whatever comes is its replay.
        known = replay["fingerprint"] or facts["fingerprint"]
        if not secrets.compare_digest(known, facts["fingerprint"]):
            raise Problem("event-id-reused")
        return {**replay, "replayed": True, "woken": False}

    def _judge(self, device, facts, taken):
        """Whether the visit counts, and which text it sends."""
        counted = not taken["in_gap"]
        visit_no = taken["visit_count"] + (1 if counted else 0)
        is_late = facts["arrived_at"] - facts["occurred_at"] > timedelta(
            hours=device["club_late_hours"]
        )
        visit = Visit(
            counted=counted,
            visit_no=visit_no,
            is_first=visit_no <= 1,
            same_digit_in_gap=taken["same_digit"],
            tag_pressed_before=taken["tag_pressed_before"],
            is_late=is_late,
            no_sms=bool(taken["no_sms"] or taken["contact_no_sms"]),
            silent=bool(device["club_silent"]),
            sent_today=taken["sent_today"],
        )
        texts = ClubTexts(
            welcome_template_id=device["club_welcome_template_id"],
            repeat_template_id=device["club_repeat_template_id"],
            milestone_every=device["club_milestone_every"] or 0,
            milestone_template_id=device["club_milestone_template_id"],
            daily_cap=device["club_daily_cap"] or 0,
        )
        tag = taken["tag_id"] and TagTexts(
            first_mode=taken["first_mode"],
            first_template_id=taken["first_template_id"],
            repeat_mode=taken["repeat_mode"],
            repeat_template_id=taken["repeat_template_id"],
            first_scope=taken["first_scope"],
        )
        return visit, choose_message(visit, texts, tag or None)

    def _judge_erased(self):
        """A check-in from before its number was erased: a count without a person."""
        return Visit(counted=True, is_late=True), Choice(reason="no_sms")

    def _insert_visit(self, device, facts, taken, visit_and_choice):
        """Store the check-in and count it.

        :return: what the device is told of
        :rtype: dict
        """
        visit, choice = visit_and_choice
        if choice.kind:
            answer = "queued"
        else:
            answer = ANSWER_BY_REASON.get(choice.reason, "none")
        result = (
            "too_soon" if not visit.counted else "new" if visit.is_first else "repeat"
        )
        values = {
            **self._get_quota_values(device),
            "company": device["company_id"],
            "member": taken["member_id"],
            "event_id": facts["event_id"],
            "fingerprint": facts["fingerprint"],
            "phone_raw": facts["phone_raw"],
            "digit": facts["tag"],
            "tag": taken["tag_id"],
            "category": taken["category_id"],
            "rev": taken["rev"],
            "occurred_at": facts["occurred_at"],
            "arrived_at": facts["arrived_at"],
            "is_late": visit.is_late,
            "counted": visit.counted,
            "not_counted": None if visit.counted else "too_soon",
            "visit_no": visit.visit_no,
            "result": result,
            "unknown_digit": bool(facts["tag"]) and not taken["meaning"],
            "clamped": facts["clamped"],
            "kind": choice.kind,
            "template": choice.template_id,
            "reason": choice.reason,
            "answer": answer,
        }
        is_woken = bool(device.get("known")) and takes_commands(self.env.cr)
        if is_woken:
            self._store_and_wake(values)
        else:
            self._store(device, values)
        return {
            "event_id": facts["event_id"],
            "digit": facts["tag"],
            "visit_no": visit.visit_no,
            "result": result,
            "answer_sms": answer,
            "counted": visit.counted,
            "replayed": False,
            "woken": is_woken,
        }

    def _store(self, device, values):
        INSERT_VISIT.execute(self.env.cr, values)
        within_quota, is_stored = self.env.cr.fetchone()
        if not within_quota:
            # Faster than its rate while we were at it: nothing of this one remains.
            begin_read_committed(self.env.cr)
            raise self._quota_exceeded(device)
        if not is_stored:
            # The same event was stored between our look-up and now.
            raise psycopg2.errors.SerializationFailure()

    def _store_and_wake(self, values):
        followup = self.env["club.checkin.followup"]
        try:
            STORE_AND_WAKE.execute(self.env.cr, {**values, **followup._wake_values()})
        except psycopg2.errors.DivisionByZero as error:
            # Too fast, or stored already: the longer way tells which.
            raise psycopg2.errors.SerializationFailure() from error
        followup._notify()
