from odoo import api, fields, models
from odoo.tools import SQL


class CustomerConsent(models.Model):
    """Refusals of thousands at once, as imports bring them."""

    _inherit = "customer.consent"

    @api.model
    def _opt_out_all(self, company, people, *, channel, source, user):
        """Record that people want no advertising of a company, in three statements.

        Whoever opted out already stays as recorded. Whoever took back an opt-out that
        came this way before has decided since: an old file does not undo that.

        :param company: ``res.company``
        :param dict people: id of the contact or None, by E.164 number
        :param str channel: of ``CHANNELS``
        :param str source: where it comes from
        :param user: ``res.users`` who brings it
        :return: the numbers that are new
        :rtype: set[str]
        """
        if not people:
            return set()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT number FROM customer_consent
                 WHERE company_id = %s AND kind = 'optout' AND line_id IS NULL
                   AND number = ANY(%s) AND (active OR channel = %s)
                """,
                company.id,
                list(people),
                channel,
            )
        )
        known = {number for (number,) in rows}
        fresh = sorted(people.keys() - known)
        self._holding(company.id, fresh, ["consent"])._end(channel)
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO customer_consent
                       (company_id, number, partner_id, kind, date, channel, source,
                        user_id, active, create_uid, write_uid, create_date,
                        write_date)
                SELECT %(company)s, d.number, d.partner_id, 'optout', %(now)s,
                       %(channel)s, %(source)s, %(user)s, TRUE, %(user)s, %(user)s,
                       %(now)s, %(now)s
                  FROM unnest(%(numbers)s::varchar[], %(partners)s::int[])
                       AS d(number, partner_id)
                ON CONFLICT DO NOTHING
             RETURNING number
                """,
                company=company.id,
                now=now,
                channel=channel,
                source=source,
                user=user.id,
                numbers=fresh,
                partners=[people[number] or None for number in fresh],
            )
        )
        self.invalidate_model()
        return {number for (number,) in rows}
