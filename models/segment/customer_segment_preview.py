import psycopg2.errors

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...tools.phone import is_mobile
from ...tools.quiet_sql import quiet_sql

SAMPLE_SIZE = 10
PATIENCE_SECONDS = 2.0
LONGEST_PATIENCE_SECONDS = 60.0
# Numbers that differ in their last four digits only are of one kind: operators get
# blocks of ten thousand (E.164 blocks, ITU-T E.129). So one of each block is judged.
BLOCK_DIGITS = 4
UNREADABLE = (
    AccessError,
    UserError,
    ValueError,
    TypeError,
    KeyError,
    NotImplementedError,
    psycopg2.DataError,
    psycopg2.ProgrammingError,
)


class CustomerSegment(models.Model):
    """The audience before it is saved or used: how many, who, and how to reach them."""

    _inherit = "customer.segment"

    def preview(self, values=None, patience=PATIENCE_SECONDS):
        """What a segment would hold with these values; nothing is written.

        A condition that differs from the saved one is evaluated with the asking
        user's rights, since who saves it answers for it.

        :param dict values: of the form, what is missing is taken from the segment:
            ``domain``, ``kind``, ``model``, ``tz``, ``lang``, ``company_id``,
            ``set_id``, ``sequence``, and as lists of ids ``included_ids``,
            ``excluded_ids``, ``exclude_segment_ids``
        :param float patience: seconds; at most 60
        :return: ``{"counting": True}`` when it takes longer; ``{"error": text}`` when
            the condition cannot be used; else ``total``, ``mobile``, ``email``,
            ``refused`` (of ``mobile``: asked for no advertising or no SMS at all),
            ``duplicates`` (of ``mobile``: a number somebody before has),
            ``entering``, ``leaving``, ``sample`` (ten of ``{"id", "name"}``) and
            ``confirm``, whether so many change that a person should be asked
        :rtype: dict
        :raise AccessError: for whoever may not make or change segments
        """
        if self:
            self.ensure_one()
            self.check_access("read")
        self.browse().check_access("create")
        try:
            with quiet_sql(), self.env.cr.savepoint():
                draft = self._preview_draft(values or {})
                seconds = min(max(patience, 0.1), LONGEST_PATIENCE_SECONDS)
                self.env.cr.execute(
                    SQL("SET LOCAL statement_timeout = %s", f"{int(seconds * 1000)}ms")
                )
                blocks, sample = self._preview_blocks(draft)
                self.env.cr.execute("SET LOCAL statement_timeout TO DEFAULT")
        except psycopg2.errors.QueryCanceled:
            return {"counting": True}
        except UNREADABLE as error:
            return {"error": str(error).strip() or type(error).__name__}
        return self._preview_answer(draft, blocks, sample)

    def _preview_draft(self, values):
        """The segment as it would be saved, and the pins that come with it.

        :return: ``segment`` (a new record), ``origin`` (id or 0) and lists of ids
        :rtype: dict
        """
        me = self.sudo()
        names = ("domain", "kind", "model", "tz", "lang", "company_id", "set_id")
        given = {name: values[name] for name in (*names, "sequence") if name in values}
        company = self.env["res.company"].browse(given.get("company_id"))
        company = company or me.company_id or self.env.company
        if company not in self.env.companies:
            raise AccessError(self.env._("Choose a company you work for."))
        given["company_id"] = company.id
        if given.get("set_id"):
            self.env["customer.segment.set"].browse(given["set_id"]).check_access(
                "read"
            )
        unchanged = self and all(
            given.get(name, me[name]) == me[name]
            for name in ("domain", "kind", "model")
        )
        given["user_id"] = me.user_id.id if unchanged else self.env.uid
        segment = me.new(given, origin=me)
        others = values.get("exclude_segment_ids", me.exclude_segment_ids.ids)
        draft = {
            "segment": segment,
            "origin": self.id or 0,
            "included": self._seen(values.get("included_ids"), segment, "included"),
            "excluded": self._seen(values.get("excluded_ids"), segment, "excluded"),
            "without": self.search([("id", "in", others)]).ids,
        }
        if segment.kind == "dynamic":
            self.env["customer.segment.condition"]._check(segment)
        return draft

    def _seen(self, ids, segment, side):
        """Pins as given, without new ones that the user cannot see; else the saved."""
        kind = "partner" if segment.model == "res.partner" else "lead"
        saved = self.sudo()[f"{side}_{kind}_ids"].ids
        if ids is None:
            return saved
        added = list(set(ids) - set(saved))
        if added:
            seen = self.env[segment.model].search([("id", "in", added)])
            added = set(added) - set(seen.ids)
        return [id_ for id_ in ids if id_ not in added]

    def _preview_target(self, draft):
        """The query of the ids that the segment would hold."""
        segment, relation = draft["segment"], draft["segment"]._membership()
        query = SQL("SELECT NULL::int AS id WHERE FALSE")
        if segment.kind == "dynamic":
            condition = self.env["customer.segment.condition"]
            query = condition._query(segment).subselect()
        # In an exclusive set a class takes nobody whom one above it has.
        above = segment.set_id.segment_ids.filtered(
            lambda other: (
                segment.set_id.exclusive
                and other.id != draft["origin"]
                and other.model == segment.model
                and (other.sequence, other.id)
                < (segment.sequence, draft["origin"] or float("inf"))
            )
        )
        return SQL(
            """
            SELECT c.id
              FROM (SELECT q.id, FALSE AS pinned FROM (%(query)s) q(id)
              UNION SELECT unnest(%(included)s::int[]), TRUE) c
             WHERE c.id <> ALL(%(excluded)s::int[])
               AND NOT EXISTS (SELECT FROM %(table)s r
                                WHERE r.%(column)s = c.id
                                  AND (r.segment_id = ANY(%(without)s::int[])
                                       OR r.segment_id = ANY(%(above)s::int[])
                                          AND NOT c.pinned))
             GROUP BY c.id
            """,
            query=query,
            included=draft["included"],
            excluded=draft["excluded"],
            without=draft["without"],
            above=list(above.ids),
            table=relation.table,
            column=relation.column,
        )

    def _preview_people(self, model, company):
        """Number, contact and e-mail of each in ``target``, by model."""
        if model == "crm.lead":
            return SQL(
                """
                SELECT t.id, l.partner_id, l.phone_sanitized AS number,
                       FALSE AS certain, l.email_normalized AS email
                  FROM target t
                  JOIN crm_lead l ON l.id = t.id
                """
            )
        number = SQL("p.phone_sanitized")
        if "mobile" in self.env["res.partner"]._fields:
            # OCA's partner_mobile; as typed, so that only its digits count.
            number = SQL(
                "coalesce(nullif(regexp_replace(p.mobile, '[^+0-9]', '', 'g'), ''),"
                " p.phone_sanitized)"
            )
        return SQL(
            """
            SELECT t.id, t.id AS partner_id,
                   coalesce(m.phone_e164, %(number)s) AS number,
                   m.phone_e164 IS NOT NULL AS certain,
                   p.email_normalized AS email
              FROM target t
              JOIN res_partner p ON p.id = t.id
         LEFT JOIN (SELECT DISTINCT ON (partner_id) partner_id, phone_e164
                      FROM club_member
                     WHERE company_id = %(company)s AND partner_id IS NOT NULL
                     ORDER BY partner_id, last_visit DESC NULLS LAST, id DESC) m
                ON m.partner_id = t.id
            """,
            number=number,
            company=company.id,
        )

    def _preview_blocks(self, draft):
        """Counts by block of numbers, and ten ids; one statement."""
        segment = draft["segment"]
        relation = segment._membership()
        people = self._preview_people(segment.model, segment.company_id)
        # What people said themselves, whatever the class and line of a message.
        consents = self.env["customer.consent"].sudo()
        asked = SQL("SELECT number, partner_id FROM person WHERE number IS NOT NULL")
        judged = consents._judge_statement(segment.company_id.sudo(), False, asked)
        rows = self.env.execute_query(
            SQL(
                """
                WITH target AS MATERIALIZED (%(target)s),
                person AS MATERIALIZED (%(people)s),
                judged AS (%(judged)s),
                known AS (
                    SELECT person.*, j.reason IS NOT NULL AS refused,
                           EXISTS (SELECT FROM %(table)s r
                                    WHERE r.segment_id = %(origin)s
                                      AND r.%(column)s = person.id) AS present
                      FROM person
                 LEFT JOIN judged j(number, reason, room) ON j.number = person.number)
                SELECT CASE WHEN number IS NULL THEN NULL
                            WHEN certain OR number ~ '^[+]989[0-9]{9}$' THEN 'mobile'
                            WHEN number LIKE '+98%%' THEN NULL
                            ELSE left(number, -%(block)s) END AS block,
                       min(number) AS example, count(*) AS total,
                       count(DISTINCT number) AS numbers,
                       count(*) FILTER (WHERE refused) AS refused,
                       count(email) AS email,
                       count(*) FILTER (WHERE present) AS present,
                       NULL::int[] AS sample
                  FROM known GROUP BY 1
             UNION ALL
                SELECT 'sample', NULL, 0, 0, 0, 0,
                       (SELECT count(*) FROM %(table)s r
                         WHERE r.segment_id = %(origin)s),
                       ARRAY(SELECT id FROM target ORDER BY hashint4(id)
                              LIMIT %(sample)s)
                """,
                target=self._preview_target(draft),
                people=people,
                table=relation.table,
                column=relation.column,
                origin=draft["origin"],
                block=BLOCK_DIGITS,
                judged=judged,
                sample=SAMPLE_SIZE,
            )
        )
        return rows[:-1], rows[-1]

    def _preview_answer(self, draft, blocks, sample):
        segment, company = draft["segment"], draft["segment"].company_id
        region = company.country_id.code or "IR"
        counts = dict.fromkeys(
            ("total", "mobile", "email", "refused", "duplicates", "present"), 0
        )
        for block, example, total, numbers, refused, email, present, _ids in blocks:
            counts["total"] += total
            counts["email"] += email
            counts["present"] += present
            if block == "mobile" or (block and is_mobile(example, region)):
                counts["mobile"] += total
                counts["refused"] += refused
                counts["duplicates"] += total - numbers
        was = sample[6]
        present = counts.pop("present")
        entering, leaving = counts["total"] - present, was - present
        changed = entering + leaving
        people = self.env[segment.model].search([("id", "in", sample[7])])
        return {
            **counts,
            "entering": entering,
            "leaving": leaving,
            "sample": [
                {"id": person.id, "name": person.display_name} for person in people
            ],
            "confirm": bool(
                was
                and changed > company.segment_confirm_people
                and changed * 100 > company.segment_confirm_percent * was
            ),
        }
