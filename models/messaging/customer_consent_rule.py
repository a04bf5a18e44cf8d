from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL


class Judgement(NamedTuple):
    """Who may be reached.

    ``refused`` is the reason by number, of
    ``tools.refusal.REASONS``; ``room`` is how many
    advertising messages each other number may still get at that time, and lacks the
    numbers without a limit.
    """

    refused: dict
    room: dict


class CustomerConsent(models.Model):
    """The one rule of who may be reached, for every way a message can leave."""

    _inherit = "customer.consent"

    @api.model
    def _judge(
        self,
        company,
        numbers,
        message_class,
        *,
        line=None,
        partner_ids=None,
        due=None,
        caps=True,
    ):
        """Say who may not be reached and why; one statement for any amount of numbers.

        *Service* is stopped by «no SMS at all» (of the company's member, of a contact,
        or recorded) and by a stop on its own line. *Advertising* is also stopped by a
        stop on any service line of the company, since who wants no news wants no
        offers, by a stop on its own line, an opt-out, ``phone.blacklist``, a block of
        the operator, a missing consent and the caps. A message of no known class
        (another app's) respects what people said themselves, and so does a service
        message of which nobody knows the line.

        Source: docs/messaging.md, "Who is reached".

        :param company: ``res.company``, whose refusals count
        :param list numbers: E.164
        :param message_class: ``service``, ``advertising``, or False where unknown
        :param line: ``sms.line`` it goes over, none for core's own gateway
        :param list partner_ids: contact of each number, in their order; contacts with
            that number count anyway
        :param datetime due: when it leaves, UTC; default now
        :param bool caps: whether the caps count, too; not for messages that were
            counted already, which would stand in their own way
        :rtype: Judgement
        """
        numbers = [number or "" for number in numbers]
        line = (line or self.env["sms.line"]).sudo()
        if message_class == "advertising" and line.message_class == "service":
            return Judgement(dict.fromkeys(numbers, "wrong_class"), {})
        if not numbers:
            return Judgement({}, {})
        company = company.sudo()
        self.env.flush_all()
        asked = SQL(
            "SELECT * FROM unnest(%s::varchar[], %s::int[])",
            numbers,
            [partner_id or None for partner_id in partner_ids or [None] * len(numbers)],
        )
        rows = self.env.execute_query(
            self._judge_statement(
                company, message_class, asked, line=line, due=due, caps=caps
            )
        )
        refused, room = {}, {}
        for number, reason, left in rows:
            if reason:
                refused[number] = reason
            elif left is not None:
                room[number] = left
        return Judgement(refused, room)

    def _judge_statement(
        self, company, message_class, asked, *, line=None, due=None, caps=True
    ):
        """The rule itself, of :meth:`_judge`.

        :param SQL asked: a query of (number, id of the contact or NULL)
        :return: a query of (number, reason or NULL, room or NULL)
        :rtype: SQL
        """
        line = line or self.env["sms.line"]
        due = due or fields.Datetime.now()
        reasons = [self._refusal_by_rows(line, message_class, due)]
        used = SQL("SELECT NULL::varchar AS number, 0 AS day, 0 AS week WHERE FALSE")
        week, day = 0, 0
        if message_class != "service":
            reasons.append(self._refusal_by_blacklist())
        if message_class == "advertising":
            reasons.append(self._refusal_by_missing_consent(company, line))
            if caps:
                week, day = company.sms_cap_week, company.sms_cap_day
            if week or day:
                used = self._used_statement(company, due)
        return SQL(
            """
            WITH asked AS MATERIALIZED (
                SELECT DISTINCT number, partner_id
                  FROM (%(asked)s) AS asked(number, partner_id)),
            wanted AS MATERIALIZED (SELECT DISTINCT number FROM asked),
            member AS NOT MATERIALIZED (
                SELECT m.phone_e164 AS number, m.partner_id, m.no_sms
                  FROM club_member m JOIN asked w ON w.number = m.phone_e164
                 WHERE m.company_id = %(company)s),
            contact AS NOT MATERIALIZED (
                SELECT number, partner_id FROM asked
                 UNION ALL
                SELECT number, partner_id FROM member
                 UNION ALL
                SELECT w.number, p.id
                  FROM res_partner p JOIN asked w ON w.number = p.phone_sanitized
                 WHERE coalesce(p.company_id, %(company)s) = %(company)s),
            -- Few have said anything: from them to the numbers, not the other way.
            said AS NOT MATERIALIZED (
                SELECT id AS partner_id, 'no_sms' AS kind, NULL::int AS line_id,
                       NULL::timestamp AS until
                  FROM res_partner WHERE no_sms
                 UNION ALL
                SELECT partner_id, kind, line_id, until
                  FROM customer_consent
                 WHERE active AND company_id = %(company)s
                   AND partner_id IS NOT NULL),
            held AS MATERIALIZED (
                SELECT c.number, c.kind, c.line_id, c.until
                  FROM customer_consent c JOIN asked w ON w.number = c.number
                 WHERE c.active AND c.company_id = %(company)s
                 UNION ALL
                SELECT number, 'no_sms', NULL, NULL FROM member WHERE no_sms
                 UNION ALL
                SELECT k.number, s.kind, s.line_id, s.until
                  FROM contact k JOIN said s ON s.partner_id = k.partner_id),
            refused AS (%(reasons)s),
            used AS (%(used)s)
            SELECT w.number,
                   coalesce(r.reason,
                            CASE WHEN %(week)s > 0 AND u.week >= %(week)s
                                 THEN 'cap_week'
                                 WHEN %(day)s > 0 AND u.day >= %(day)s
                                 THEN 'cap_day' END),
                   least(nullif(%(week)s, 0) - coalesce(u.week, 0),
                         nullif(%(day)s, 0) - coalesce(u.day, 0))
              FROM wanted w
         LEFT JOIN (SELECT DISTINCT ON (number) number, reason
                      FROM refused ORDER BY number, rank) r ON r.number = w.number
         LEFT JOIN used u ON u.number = w.number
            """,
            asked=asked,
            company=company.id,
            reasons=SQL(" UNION ALL ").join(reasons),
            used=used,
            week=week,
            day=day,
        )

    # === REFUSALS: number, reason, rank === #

    def _refusal_by_rows(self, line, message_class, due):
        """Recorded refusals: a stop counts on its own line, for service no other."""
        advertising = SQL(
            """
            WHEN h.kind = 'optout' AND %(explicit)s
                 AND coalesce(h.line_id, %(line)s) = %(line)s THEN 'opted_out'
            WHEN h.kind = 'blocked' AND %(strict)s AND h.until > %(due)s
                 AND coalesce(h.line_id, %(line)s) = %(line)s THEN 'blocked'
            """,
            explicit=message_class != "service",
            strict=message_class == "advertising",
            line=line.id or 0,
            due=due,
        )
        return SQL(
            """
            SELECT number, reason,
                   CASE reason WHEN 'no_sms' THEN 1 WHEN 'stopped' THEN 2
                               WHEN 'opted_out' THEN 3 ELSE 5 END AS rank
              FROM (SELECT h.number,
                           CASE WHEN h.kind = 'no_sms' THEN 'no_sms'
                                WHEN h.kind = 'stop'
                                     AND (l.id = %(line)s OR %(any_line)s
                                          AND l.message_class = 'service')
                                THEN 'stopped'
                                %(advertising)s END AS reason
                      FROM held h LEFT JOIN sms_line l ON l.id = h.line_id) said
             WHERE reason IS NOT NULL
            """,
            line=line.id or 0,
            any_line=message_class != "service" or not line,
            advertising=advertising,
        )

    def _refusal_by_blacklist(self):
        return SQL(
            """
            SELECT w.number, 'blacklisted', 4
              FROM phone_blacklist b JOIN asked w ON w.number = b.number
             WHERE b.active
            """
        )

    def _refusal_by_missing_consent(self, company, line):
        """Neither agreed nor, where that is enough, a member or a customer."""
        missing = SQL(
            """
            SELECT w.number
              FROM wanted w
             WHERE NOT EXISTS (SELECT FROM held h
                                WHERE h.number = w.number AND h.kind = 'consent'
                                  AND coalesce(h.line_id, %s) = %s)
            """,
            line.id or 0,
            line.id or 0,
        )
        if company.sms_consent_basis != "relation":
            return SQL("SELECT number, 'no_consent', 6 FROM (%s) missing", missing)
        # Members first: what somebody bought is looked up of nobody else but the rest.
        return SQL(
            """
            (WITH stranger AS MATERIALIZED (
                %(missing)s
                   AND NOT EXISTS (SELECT FROM club_member m
                                    WHERE m.company_id = %(company)s
                                      AND m.phone_e164 = w.number)),
            known AS NOT MATERIALIZED (
                SELECT s.number, a.partner_id
                  FROM asked a JOIN stranger s ON s.number = a.number
                 UNION ALL
                SELECT s.number, p.id
                  FROM res_partner p JOIN stranger s ON s.number = p.phone_sanitized
                 WHERE coalesce(p.company_id, %(company)s) = %(company)s)
            SELECT s.number, 'no_consent', 6
              FROM stranger s
             WHERE NOT EXISTS (
                   SELECT FROM known k JOIN res_partner p ON p.id = k.partner_id
                    WHERE k.number = s.number AND (
                          EXISTS (SELECT FROM sale_order o
                                   WHERE o.partner_id IN (p.id, p.commercial_partner_id)
                                     AND o.company_id = %(company)s
                                     AND o.state = 'sale')
                          OR EXISTS (SELECT FROM account_move a
                                   WHERE a.partner_id IN (p.id, p.commercial_partner_id)
                                     AND a.company_id = %(company)s
                                     AND a.state = 'posted'
                                     AND a.move_type = 'out_invoice')
                          OR EXISTS (SELECT FROM customer_profile f
                                   WHERE f.partner_id IN (p.id, p.commercial_partner_id)
                                     AND f.company_id = %(company)s
                                     AND (f.purchase_count > 0 OR f.visit_count > 0)))))
            """,
            missing=missing,
            company=company.id,
        )

    def _used_statement(self, company, due, skipped=None):
        """Advertising of that day, and of the seven days on the fuller side of it.

        :param SQL skipped: what does not count, of the message ``s`` and its count
            ``a``; the cancelled and failed ones never do
        """
        return SQL(
            """
            SELECT a.number,
                   count(*) FILTER (
                       WHERE (a.due_at AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date
                           = (%(due)s AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date
                   ) AS day,
                   greatest(count(*) FILTER (WHERE a.due_at <= %(due)s),
                            count(*) FILTER (WHERE a.due_at >= %(due)s)) AS week
              FROM sms_advertising a
              JOIN wanted w ON w.number = a.number
         LEFT JOIN sms_sms s ON s.uuid = a.sms_uuid
             WHERE a.company_id = %(company)s
               AND a.due_at > %(due)s - interval '7 days'
               AND a.due_at < %(due)s + interval '7 days'
               AND coalesce(s.state, 'sent') NOT IN ('canceled', 'error')
               AND (%(skipped)s) IS NOT TRUE
             GROUP BY a.number
            """,
            skipped=skipped or SQL("FALSE"),
            company=company.id,
            due=SQL("%s::timestamp", due),
            tz=company.club_tz or "UTC",
        )
