import logging
import time
from collections import defaultdict
from datetime import timedelta

import psycopg2
import psycopg2.errors

from odoo import api, fields, models
from odoo.tools import SQL, frozendict

from ...tools.phone import PhoneError, parse_phone
from ...tools.quiet_sql import quiet_sql
from ...tools.transaction import begin_read_committed
from .club_checkin_statements import WAKE

_logger = logging.getLogger(__name__)

BATCH_SIZE = 100
# One slice of the worker: Odoo gives a job ten rounds, and a long one delays the rest.
SLICE_SECONDS = 2.0
# A trigger that waits longer lost its worker, killed perhaps: wake another one.
STALE_TRIGGER_SECONDS = 10
# Waiting time before each further attempt; after the last one a person is needed.
RETRY_MINUTES = (1, 5, 30, 120, 720)
RETRIABLE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.ForeignKeyViolation,
    psycopg2.errors.LockNotAvailable,
)
CRON = "customer_segmentation.club_checkin_followup_cron"


class ClubCheckinFollowup(models.AbstractModel):
    """What follows from the journal: contact, tag, group and message, in batches."""

    _name = "club.checkin.followup"
    _description = "Club Check-in Follow-up"

    # === WAKING AND RUNNING === #

    @api.model
    def _wake(self):
        """Wake the worker, to be called once the journal rows are committed."""
        WAKE.execute(self.env.cr, self._wake_values())
        self._notify()

    @api.model
    def _wake_values(self):
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id(CRON)
        return {"cron": cron_id, "stale_seconds": STALE_TRIGGER_SECONDS}

    @api.model
    def _notify(self):
        """Tell the cron threads, only of a trigger that was added just now: with one
        notification per check-in the connection pool runs dry.
        """
        if self.env.cr.rowcount:
            self.env.cr.postcommit.add(self.env["ir.cron"].sudo()._notifydb)

    @api.model
    def _cron_follow_up(self):
        """One slice: batches until nothing is left or two seconds have passed."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        while True:
            handled = self._follow_up_safely()
            cron._commit_progress(handled)
            if not handled:
                break
            if time.monotonic() > stop:
                self._wake()
                break
        self._wake_for_retries()
        cron._commit_progress(remaining=0)

    def _follow_up_safely(self):
        """One batch; when another transaction is in the way, once more."""
        for _attempt in range(3):
            begin_read_committed(self.env.cr)
            try:
                return self._follow_up_batch()
            except RETRIABLE:
                continue
        self.env.cr.rollback()
        self._wake()
        return 0

    def _wake_for_retries(self):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT min(next_attempt_at) FROM club_checkin
                 WHERE state = 'pending' AND next_attempt_at IS NOT NULL
                """
            )
        )
        if rows and rows[0][0]:
            self.env.ref(CRON).sudo()._trigger(rows[0][0])

    @api.model
    def _follow_up_batch(self, limit=BATCH_SIZE):
        """Prepare up to ``limit`` waiting check-ins, oldest first.

        Locks its rows in its first statement and passes over what somebody else holds:
        that one wakes the worker again.

        :return: how many rows were handled, failed ones included
        :rtype: int
        """
        self.env["club.checkin"].flush_model(["state", "next_attempt_at"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id
                  FROM club_checkin c
                 WHERE c.state = 'pending'
                   AND (c.next_attempt_at IS NULL
                        OR c.next_attempt_at <= clock_timestamp() AT TIME ZONE 'UTC')
                 ORDER BY c.id
                 LIMIT %s
                   FOR NO KEY UPDATE OF c SKIP LOCKED
                """,
                limit,
            )
        )
        checkins = self.env["club.checkin"].browse([row[0] for row in rows])
        if not checkins:
            return 0
        try:
            with quiet_sql(), self.env.cr.savepoint():
                self._follow_up(checkins)
        except RETRIABLE:
            raise
        except Exception:  # noqa: BLE001 - customisations raise anything
            # Some row broke the batch (a customisation, say): find it, one by one.
            _logger.info("A batch of %s check-ins failed, trying singly", len(checkins))
            for checkin in checkins:
                self._follow_up_single(checkin)
        return len(checkins)

    def _follow_up_single(self, checkin):
        try:
            with quiet_sql(), self.env.cr.savepoint():
                self._follow_up(checkin)
        except RETRIABLE:
            raise
        except Exception as error:  # noqa: BLE001 - customisations raise anything
            attempts = checkin.attempts + 1
            final = attempts > len(RETRY_MINUTES)
            # The class only: an error text may hold a name or a number.
            _logger.warning(
                "Check-in %s failed at attempt %s: %s",
                checkin.id,
                attempts,
                type(error).__name__,
            )
            checkin.write(
                {
                    "attempts": attempts,
                    "state": "failed" if final else "pending",
                    "next_attempt_at": False
                    if final
                    else fields.Datetime.now()
                    + timedelta(minutes=RETRY_MINUTES[attempts - 1]),
                    "error": str(error)[:500] or type(error).__name__,
                }
            )

    # === ONE BATCH === #

    def _follow_up(self, checkins):
        """Contact, group, tag and message of some check-ins, and their state.

        :param checkins: locked ``club.checkin`` recordset, any size
        """
        for company, company_checkins in checkins.grouped("company_id").items():
            batch = company_checkins.with_company(company)
            known = batch.filtered("member_id")
            self._link_known_contacts(known.member_id, company)
            self._create_contacts(known)
            kept = known.filtered(
                lambda checkin: checkin.not_counted_reason != "non_customer"
            )
            for group, members in kept.grouped(
                lambda checkin: checkin.device_id.group_id
            ).items():
                group._add_partners(members.member_id.partner_id)
            self._apply_tags(kept)
            # Conditions on visits.
            known.member_id.partner_id._touch_segments()
            self._queue_messages(batch, company)
        checkins.write({"state": "done", "next_attempt_at": False, "error": False})

    def _link_known_contacts(self, members, company):
        """Link members to contacts that have their number: a person before a company,
        then the oldest, among the company's own and the shared contacts.
        """
        members = members.filtered(lambda member: not member.partner_id)
        if not members:
            return
        self.env["res.partner"].flush_model(
            ["phone_sanitized", "company_id", "is_company", "active"]
        )
        members.flush_recordset(["partner_id"])
        # A second worker waits here and then sees the contact the first one made.
        self.env.execute_query(
            SQL(
                "SELECT FROM club_member WHERE id = ANY(%s) ORDER BY id "
                "FOR NO KEY UPDATE",
                list(members.ids),
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_member m
                   SET partner_id = found.partner_id
                  FROM (SELECT DISTINCT ON (m.id) m.id, p.id AS partner_id
                          FROM club_member m
                          JOIN res_partner p ON p.phone_sanitized = m.phone_e164
                         WHERE m.id = ANY(%(members)s)
                           AND p.active
                           AND (p.company_id IS NULL OR p.company_id = %(company)s)
                         ORDER BY m.id, p.is_company, p.id) found
                 WHERE m.id = found.id
                """,
                members=list(members.ids),
                company=company.id,
            )
        )
        members.invalidate_recordset(["partner_id"])

    def _create_contacts(self, checkins):
        """Create the contacts of members that have none, in one call."""
        first_of = {}
        for checkin in checkins.sorted("id"):
            member = checkin.member_id
            if not member.partner_id:
                first_of.setdefault(member, checkin)
        if not first_of:
            return
        partners = (
            self.env["res.partner"]
            .with_context(tracking_disable=True, mail_create_nosubscribe=True)
            .create(
                [
                    self._prepare_partner_values(member, checkin)
                    for member, checkin in first_of.items()
                ]
            )
        )
        for member, partner in zip(first_of, partners, strict=True):
            member.partner_id = partner

    def _prepare_partner_values(self, member, checkin):
        """Values of the contact of a new member; a hook for customisations.

        :param member: ``club.member``
        :param checkin: its first ``club.checkin``
        :rtype: dict
        """
        device = checkin.device_id
        try:
            number = parse_phone(
                member.phone_e164, device.country_id.code, foreign_allowed=True
            )
            name, phone = number.national, number.international
        except PhoneError:
            name = phone = member.phone_e164
        return {
            "name": name,
            "phone": phone,
            "company_id": checkin.company_id.id,
            "country_id": device.country_id.id,
            "lang": device.lang,
        }

    def _apply_tags(self, checkins):
        pairs = {
            (checkin.member_id.partner_id.id, checkin.category_id.id)
            for checkin in checkins
            if checkin.category_id and checkin.member_id.partner_id
        }
        if not pairs:
            return
        partner_ids, category_ids = zip(*sorted(pairs), strict=True)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO res_partner_res_partner_category_rel
                            (partner_id, category_id)
                     SELECT * FROM unnest(%s, %s)
                ON CONFLICT DO NOTHING
                """,
                list(partner_ids),
                list(category_ids),
            )
        )
        partners = self.env["res.partner"].browse(set(partner_ids))
        partners.invalidate_recordset(["category_id"])

    def _queue_messages(self, checkins, company):
        """Render each text once and hand all of them to the service line."""
        due = checkins.filtered(
            lambda checkin: checkin.message_kind and not checkin.message_state
        )
        marked = due.filtered(
            lambda checkin: checkin.not_counted_reason == "non_customer"
        )
        self._no_message(marked, "non_customer")
        due -= marked
        due_anonymous = due.filtered(lambda checkin: not checkin.member_id.partner_id)
        self._no_message(due_anonymous, "no_sms")
        due -= due_anonymous
        line = company._get_sms_line("service")
        if company.club_silent or not line:
            self._no_message(due, "silent" if company.club_silent else "no_line")
            return
        bodies = self._render_bodies(due)
        results = line._queue_messages(
            [
                {
                    "number": checkin.member_id.phone_e164,
                    "body": bodies.get(checkin.id) or "",
                    "partner_id": checkin.member_id.partner_id.id,
                    "checkin_id": checkin.id,
                    "template_id": checkin.message_template_id.id,
                    "res_id": checkin.member_id.partner_id.id,
                }
                for checkin in due
            ]
        )
        refused = defaultdict(lambda: self.env["club.checkin"])
        for checkin, (sms_id, reason) in zip(due, results, strict=True):
            if reason:
                refused[reason] += checkin
            else:
                checkin.write({"sms_id": sms_id, "message_state": "outgoing"})
        for reason, refused_checkins in refused.items():
            self._no_message(refused_checkins, reason)

    def _no_message(self, checkins, reason):
        checkins.write({"message_reason": reason, "message_kind": False})

    def _render_bodies(self, checkins):
        """Bodies by check-in id, each in its contact's language.

        The visit number of a text is the check-in's own, also when two check-ins of
        one contact meet in a batch.
        """
        bodies = {}
        for template, batch in checkins.grouped("message_template_id").items():
            if not template:
                continue
            waiting = batch
            while waiting:
                # One check-in per contact and round: rendering goes by contact.
                by_partner = {}
                for checkin in waiting:
                    by_partner.setdefault(checkin.member_id.partner_id.id, checkin)
                texts = template.with_context(
                    club_visit_numbers=frozendict(
                        (partner_id, checkin.visit_no)
                        for partner_id, checkin in by_partner.items()
                    )
                )._render_field("body", list(by_partner), compute_lang=True)
                for partner_id, checkin in by_partner.items():
                    bodies[checkin.id] = _without_empty_lines(texts[partner_id])
                waiting -= self.env["club.checkin"].union(*by_partner.values())
        return bodies


def _without_empty_lines(text):
    """Drop the lines whose placeholders turned out empty (no slogan, say)."""
    lines = (line.rstrip() for line in (text or "").splitlines())
    return "\n".join(line for line in lines if line)
