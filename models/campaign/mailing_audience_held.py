from odoo import models
from odoo.tools import SQL

from .mailing_audience import TABLE

JUDGE_BATCH = 50_000


class MailingAudience(models.AbstractModel):
    """Who of an audience gets nothing, and why: the first reason that applies."""

    _inherit = "mailing.audience"

    def _add_unfit(self, mailing, user, model, within=None):
        """Somebody chosen by hand who is no audience is told of, not left out
        silently.
        """
        condition = self.env["customer.segment.condition"]
        if (
            mailing.audience_mode != "chosen"
            or not condition._parse(mailing.audience_condition or "[]").is_true()
            or not self.env[model].with_user(user).has_access("read")
        ):
            return
        chosen = self._chosen(mailing, model)
        if chosen is None:
            return
        is_contact = model == "res.partner"
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (%(column)s, reason)
                SELECT chosen.id, 'unfit' FROM (%(chosen)s) chosen(id, segment_id)
                 WHERE %(within)s AND NOT EXISTS (%(excluded)s)
                   AND chosen.id NOT IN (
                       SELECT %(column)s FROM %(table)s
                        WHERE %(column)s IS NOT NULL
                          AND (lead_id IS NULL OR NOT %(is_contact)s))
                   AND chosen.id NOT IN (
                       SELECT company_id FROM %(table)s
                        WHERE company_id IS NOT NULL AND %(is_contact)s)
                """,
                table=TABLE,
                column=SQL("partner_id" if is_contact else "lead_id"),
                chosen=chosen,
                within=self._within(SQL("chosen.id"), within),
                excluded=self._excluded(mailing, model, SQL("chosen.id")),
                is_contact=is_contact,
            )
        )

    def _hold_landlines(self, mailing):
        mobile = self._mobile_test(mailing, TABLE, SQL("number"))
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET reason = 'no_mobile', number = NULL"
                " WHERE NOT certain AND reason IS NULL"
                " AND (number IS NULL OR NOT %s)",
                TABLE,
                mobile,
            )
        )

    def _hold_foreign(self, mailing):
        """What the line would refuse is told before it is sent."""
        line = mailing.line_id.sudo()
        if line:
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET reason = 'foreign'"
                    " WHERE reason IS NULL AND NOT starts_with(number, %s)",
                    TABLE,
                    line._get_home(),
                )
            )

    def _hold_excluded(self, mailing):
        """Somebody excluded may stand under the same number a second time."""
        excluded = list(mailing.sudo().audience_exclude_segment_ids.ids)
        if not excluded:
            return
        relation = self.env["customer.segment"]._relation_of
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s SET reason = 'excluded'
                 WHERE reason IS NULL AND number IN (
                       SELECT p.phone_sanitized FROM res_partner p
                         JOIN %(partners)s r ON r.partner_id = p.id
                        WHERE r.segment_id = ANY(%(ids)s)
                    UNION ALL
                       SELECT m.phone_e164 FROM club_member m
                         JOIN %(partners)s r ON r.partner_id = m.partner_id
                        WHERE r.segment_id = ANY(%(ids)s)
                          AND m.company_id = %(company)s
                    UNION ALL
                       SELECT l.phone_sanitized FROM crm_lead l
                         JOIN %(leads)s r ON r.lead_id = l.id
                        WHERE r.segment_id = ANY(%(ids)s))
                """,
                table=TABLE,
                partners=relation("res.partner").table,
                leads=relation("crm.lead").table,
                ids=excluded,
                company=mailing.company_id.id,
            )
        )

    def _hold_excluded_mail(self, mailing):
        """The same for an address."""
        excluded = list(mailing.sudo().audience_exclude_segment_ids.ids)
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s SET reason = 'excluded'
                 WHERE reason IS NULL AND number IN (
                       SELECT p.email_normalized FROM res_partner p
                         JOIN %(partners)s r ON r.partner_id = p.id
                        WHERE r.segment_id = ANY(%(ids)s::int[]))
                """,
                table=TABLE,
                partners=self.env["customer.segment"]._relation_of("res.partner").table,
                ids=excluded,
            )
        )

    def _hold_refused_mail(self):
        """Whoever wants no e-mail from here: core keeps that by address."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE %s a SET reason = 'blacklisted' FROM mail_blacklist b
                 WHERE a.reason IS NULL AND b.active AND b.email = a.number
                """,
                TABLE,
            )
        )

    def _hold_duplicates(self):
        """A number gets it once: contacts come before leads, older ones first."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s a SET reason = 'duplicate'
                  FROM (SELECT id, row_number() OVER (
                                   PARTITION BY number ORDER BY id) AS nth
                          FROM %(table)s WHERE reason IS NULL) ranked
                 WHERE ranked.id = a.id AND ranked.nth > 1
                """,
                table=TABLE,
            )
        )

    def _hold_refused(self, mailing, due):
        """Apply the one rule of who may be reached."""
        consents = self.env["customer.consent"].sudo()
        last = 0
        while True:
            rows = self.env.execute_query(
                SQL(
                    "SELECT id, number, partner_id FROM %s"
                    " WHERE reason IS NULL AND id > %s ORDER BY id LIMIT %s",
                    TABLE,
                    last,
                    JUDGE_BATCH,
                )
            )
            if not rows:
                return
            last = rows[-1][0]
            refused = consents._judge(
                mailing.company_id,
                [row[1] for row in rows],
                mailing.line_id.sudo().message_class or "advertising",
                line=mailing.line_id,
                partner_ids=[row[2] for row in rows],
                due=due,
            ).refused
            if refused:
                self.env.cr.execute(
                    SQL(
                        """
                        UPDATE %(table)s a SET reason = refused.reason
                          FROM unnest(%(numbers)s::varchar[], %(reasons)s::varchar[])
                               AS refused(number, reason)
                         WHERE a.number = refused.number AND a.reason IS NULL
                        """,
                        table=TABLE,
                        numbers=list(refused),
                        reasons=list(refused.values()),
                    )
                )

    def _hold_back(self, mailing):
        """Hold some back to compare: by number, so that it is the same ones each time
        somebody looks.
        """
        if not mailing.holdout_percent:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s SET reason = 'holdout'
                 WHERE reason IS NULL
                   AND abs(hashtext(number || %(salt)s)::bigint) %% 100 < %(percent)s
                """,
                table=TABLE,
                salt=f"/{mailing._saved().id}",
                percent=mailing.holdout_percent,
            )
        )
