from odoo import api, models
from odoo.tools import SQL

from ...tools.phone import is_mobile
from .mailing_recipient import NUMBER_COUNTS

# See customer_segment_preview: operators get blocks of ten thousand numbers.
BLOCK_DIGITS = 4
TABLE = SQL("mailing_audience_draft")


class MailingAudience(models.AbstractModel):
    """Who gets a campaign and who does not, and why; set-based, for any size.

    Fills a temporary table, one row per contact or lead that the campaign names, with
    the number it goes to or the reason why not. What is shown before sending and what
    is sent both come from it.
    """

    _name = "mailing.audience"
    _description = "Campaign Audience"

    @api.model
    def _build(self, mailing, user, due=None, part=None):
        """Fill the table for a campaign.

        :param mailing: one ``mailing.mailing`` with an audience of its own
        :param user: ``res.users`` with whose rights contacts are chosen
        :param datetime due: when it leaves, for caps and blocks; default now
        :param list part: one of :meth:`_slices`, to follow those stored before; None
            for everybody at once
        """
        self._choose(mailing, user, part)
        self.env.cr.execute(SQL("ANALYZE %s", TABLE))
        self._hold_landlines(mailing)
        self._hold_foreign(mailing)
        self._hold_excluded(mailing)
        self._hold_duplicates()
        self._hold_refused(mailing, due)
        self._hold_back(mailing)

    @api.model
    def _build_mail(self, mailing, user, part=None):
        """The same for an e-mail: the address takes the place of the number.

        Core's own composer looks at its blacklist once more when it sends.
        """
        self._choose(mailing, user, part, by_mail=True)
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET reason = CASE WHEN partner_id IS NULL"
                " THEN 'no_contact' ELSE 'no_email' END"
                " WHERE number IS NULL AND reason IS NULL",
                TABLE,
            )
        )
        self._hold_excluded_mail(mailing)
        self._hold_duplicates()
        self._hold_refused_mail()
        self._hold_back(mailing)

    def _create_table(self):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                DROP TABLE IF EXISTS %(table)s;
                CREATE TEMPORARY TABLE %(table)s (
                    id serial, partner_id int, lead_id int, segment_id int,
                    number varchar, certain boolean, reason varchar,
                    company_id int
                ) ON COMMIT DROP
                """,
                table=TABLE,
            )
        )

    # === WHO === #

    def _choose(self, mailing, user, part=None, by_mail=False):
        """Everybody, or a part of them, with number or address."""
        self._create_table()
        models = [part[0]] if part else ["res.partner", "crm.lead"]
        within = part[1:] if part else None
        if "res.partner" in models:
            self._add_contacts(mailing, user, within, by_mail)
        if "crm.lead" in models:
            self._add_leads(mailing, user, within, by_mail)
        for model in models:
            self._add_unfit(mailing, user, model, within)

    def _add_contacts(self, mailing, user, within=None, by_mail=False):
        chosen = self._chosen(mailing, "res.partner")
        if chosen is None:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (partner_id, segment_id, number, certain)
                SELECT p.id, chosen.segment_id, %(address)s, m.phone_e164 IS NOT NULL
                  FROM (%(chosen)s) chosen(id, segment_id)
                  JOIN res_partner p ON p.id = chosen.id
             LEFT JOIN (SELECT DISTINCT ON (partner_id) partner_id, phone_e164
                          FROM club_member
                         WHERE company_id = %(company)s AND %(members)s
                         ORDER BY partner_id, last_visit DESC NULLS LAST, id DESC) m
                    ON m.partner_id = p.id
                 WHERE %(within)s AND p.id IN (%(allowed)s)
                   AND NOT EXISTS (%(excluded)s)
                 ORDER BY p.id
                """,
                table=TABLE,
                chosen=chosen,
                address=SQL("p.email_normalized")
                if by_mail
                else SQL("coalesce(m.phone_e164, p.phone_sanitized)"),
                company=mailing.company_id.id,
                members=self._within(SQL("partner_id"), within),
                within=self._within(SQL("chosen.id"), within),
                allowed=self._allowed(mailing, user, "res.partner", within).subselect(),
                excluded=self._excluded(mailing, "res.partner", SQL("p.id")),
            )
        )
        if not by_mail:
            self._address_companies(mailing)

    def _add_leads(self, mailing, user, within=None, by_mail=False):
        """Leads under their own number; an e-mail goes to their contact."""
        if not self.env["crm.lead"].with_user(user).has_access("read"):
            return
        chosen = self._chosen(mailing, "crm.lead")
        if chosen is None:
            return
        condition = self.env["customer.segment.condition"]
        contacts = self._allowed(mailing, user, "res.partner")
        narrowing = joined = SQL("TRUE")
        if not condition._parse(mailing.audience_condition or "[]").is_true():
            # A condition narrows: a lead stays if its contact meets it.
            narrowing = SQL("l.partner_id IN (%s)", contacts.subselect())
        if by_mail:
            joined = SQL("p.id IN (%s)", contacts.subselect())
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (partner_id, lead_id, segment_id, number, certain)
                SELECT %(partner)s, l.id, chosen.segment_id, %(address)s, FALSE
                  FROM (%(chosen)s) chosen(id, segment_id)
                  JOIN crm_lead l ON l.id = chosen.id
             LEFT JOIN res_partner p ON p.id = l.partner_id AND %(joined)s
                 WHERE %(within)s AND l.id IN (%(allowed)s) AND %(narrowing)s
                   AND NOT EXISTS (%(excluded)s) AND NOT EXISTS (%(excluded_contact)s)
                 ORDER BY l.id
                """,
                table=TABLE,
                partner=SQL("p.id" if by_mail else "l.partner_id"),
                address=SQL("p.email_normalized")
                if by_mail
                else SQL("coalesce(l.phone_sanitized, p.phone_sanitized)"),
                chosen=chosen,
                joined=joined,
                within=self._within(SQL("chosen.id"), within),
                allowed=self._allowed(mailing, user, "crm.lead", within).subselect(),
                narrowing=narrowing,
                excluded=self._excluded(mailing, "crm.lead", SQL("l.id")),
                excluded_contact=self._excluded(
                    mailing, "res.partner", SQL("l.partner_id")
                ),
            )
        )

    # === WHERE TO === #

    def _address_companies(self, mailing):
        """A company without a mobile is reached through its chosen SMS contact, else
        its first contact with a mobile; never through every employee.
        """
        own = self._mobile_test(mailing, SQL("%s a", TABLE), SQL("a.number"))
        unreached = SQL(
            "p.id = a.partner_id AND p.is_company AND a.lead_id IS NULL"
            " AND NOT a.certain AND (a.number IS NULL OR NOT %s)",
            own,
        )
        mobile = self._mobile_test(
            mailing,
            SQL(
                "%s a JOIN res_partner p ON %s"
                " JOIN res_partner c ON c.parent_id = p.id",
                TABLE,
                unreached,
            ),
            SQL("c.phone_sanitized"),
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s a
                   SET partner_id = person.id, number = person.phone_sanitized,
                       company_id = p.id
                  FROM res_partner p
            CROSS JOIN LATERAL (
                       SELECT c.id, c.phone_sanitized
                         FROM res_partner c
                        WHERE c.parent_id = p.id AND c.active AND %(mobile)s
                        ORDER BY (c.id = p.sms_contact_id) IS TRUE DESC, c.id
                        LIMIT 1) person
                 WHERE %(unreached)s
                """,
                table=TABLE,
                mobile=mobile,
                unreached=unreached,
            )
        )

    def _mobile_test(self, mailing, source, number):
        """Whether a number is a mobile one.

        Iran's are known by their shape; of all others one of each block is judged by
        the library.

        :param SQL source: the tables of which numbers are judged
        :param SQL number: the column
        :rtype: SQL
        """
        region = mailing.company_id.country_id.code or "IR"
        blocks = self.env.execute_query(
            SQL(
                """
                SELECT left(%(number)s, -%(digits)s), min(%(number)s)
                  FROM %(source)s
                 WHERE %(number)s IS NOT NULL AND %(number)s NOT LIKE '+98%%'
                 GROUP BY 1
                """,
                number=number,
                digits=BLOCK_DIGITS,
                source=source,
            )
        )
        known = [block for block, example in blocks if is_mobile(example, region)]
        return SQL(
            "(%(number)s ~ '^[+]989[0-9]{9}$'"
            " OR left(%(number)s, -%(digits)s) = ANY(%(known)s::varchar[]))",
            number=number,
            digits=BLOCK_DIGITS,
            known=known,
        )

    # === WHAT IT SAYS === #

    @api.model
    def _counts(self):
        """How many for each reason; None is who gets it.

        :rtype: dict
        """
        return dict(
            self.env.execute_query(
                SQL("SELECT reason, count(*) FROM %s GROUP BY 1", TABLE)
            )
        )

    @api.model
    def _samples(self, count):
        """Some who get it, the same ones each time.

        :return: list of ``(partner id, lead id, segment id, number)``
        """
        return self.env.execute_query(
            SQL(
                "SELECT partner_id, lead_id, segment_id, number FROM %s"
                " WHERE reason IS NULL"
                " ORDER BY hashtext(number) LIMIT %s",
                TABLE,
                count,
            )
        )

    @api.model
    def _companies(self, count):
        """Some companies that are reached through one of their contacts.

        :return: how many there are, and ``(company id, contact id)`` of some
        :rtype: tuple[int, list]
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT company_id, partner_id, count(*) OVER () FROM %s"
                " WHERE company_id IS NOT NULL AND reason IS NULL"
                " ORDER BY company_id LIMIT %s",
                TABLE,
                count,
            )
        )
        return (rows[0][2] if rows else 0), [row[:2] for row in rows]

    @api.model
    def _longest(self, text):
        """Those who get it and whose names and fields make a text long.

        :param str text: all texts of the campaign, one below the other
        :return: as :meth:`_samples`
        """
        found = []
        for model, name in (("res.partner", "partner_id"), ("crm.lead", "lead_id")):
            column = SQL.identifier(name)
            # A lead's row knows its contact, too.
            who = SQL(
                "SELECT %s FROM %s WHERE reason IS NULL AND %s",
                column,
                TABLE,
                SQL("lead_id IS NULL" if model == "res.partner" else "TRUE"),
            )
            documents = self.env[model].sudo().with_context(active_test=False)
            query = documents._search([])
            query.add_where(SQL("%s IN (%s)", SQL.identifier(query.table, "id"), who))
            ids = self.env["sms.placeholder"]._longest_ids(text, documents, query)
            found += self.env.execute_query(
                SQL(
                    "SELECT partner_id, lead_id, segment_id, number FROM %s"
                    " WHERE reason IS NULL AND %s = ANY(%s)",
                    TABLE,
                    column,
                    ids,
                )
            )
        return found

    @api.model
    def _store(self, mailing):
        """Add what was built to the snapshot that is sent from.

        Whose number an earlier slice has stored is a duplicate: the unique index says
        so, not a query, whose plan goes wrong as long as PostgreSQL has not noticed
        the campaign.

        :return: how many of them get it
        :rtype: int
        """
        columns = SQL(
            "mailing_id, company_id, partner_id, lead_id, segment_id, number, state,"
            " reason"
        )
        values = SQL(
            "%s, %s, partner_id, lead_id, segment_id, number",
            mailing.id,
            mailing.company_id.id,
        )
        [(waiting,)] = self.env.execute_query(
            SQL(
                """
                WITH stored AS (
                    INSERT INTO mailing_recipient (%(columns)s)
                    SELECT %(values)s,
                           CASE WHEN reason IS NULL THEN 'waiting'
                                WHEN reason = 'holdout' THEN 'holdout' ELSE 'held' END,
                           nullif(reason, 'holdout')
                      FROM %(table)s ORDER BY id
                        ON CONFLICT DO NOTHING
                 RETURNING number, state, reason),
                doubled AS (
                    INSERT INTO mailing_recipient (%(columns)s)
                    SELECT %(values)s, 'held', 'duplicate'
                      FROM %(table)s
                     WHERE number IS NOT NULL AND %(counts)s
                       AND number NOT IN (
                           SELECT number FROM stored
                            WHERE number IS NOT NULL AND %(counts)s)
                     ORDER BY id)
                SELECT count(*) FROM stored WHERE state = 'waiting'
                """,
                columns=columns,
                values=values,
                table=TABLE,
                counts=SQL(NUMBER_COUNTS),
            )
        )
        return waiting
