from odoo import api, models
from odoo.tools import SQL

from ...tools.phone import is_mobile
from .mailing_answer import ANSWERED_BY

# See customer_segment_preview: operators get blocks of ten thousand numbers.
BLOCK_DIGITS = 4
TABLE = SQL("mailing_audience_draft")
LARGE = 10_000


class MailingAudience(models.AbstractModel):
    """Who gets a campaign and who does not, and why; set-based, for any size.

    Fills a temporary table, one row per contact or lead that the campaign names, with
    the number it goes to or the reason why not. What is shown before sending and what
    is sent both come from it.
    """

    _name = "mailing.audience"
    _description = "Campaign Audience"

    @api.model
    def _build(self, mailing, user, due=None):
        """Fill the table for a campaign.

        :param mailing: one ``mailing.mailing`` with an audience of its own
        :param user: ``res.users`` with whose rights contacts are chosen
        :param datetime due: when it leaves, for caps and blocks; default now
        """
        self._create_table()
        self._add_contacts(mailing, user)
        self._add_leads(mailing, user)
        self._add_unfit(mailing, user)
        self.env.cr.execute(SQL("ANALYZE %s", TABLE))
        self._hold_landlines(mailing)
        self._hold_foreign(mailing)
        self._hold_excluded(mailing)
        self._hold_duplicates()
        self._hold_refused(mailing, due)
        self._hold_back(mailing)

    @api.model
    def _build_mail(self, mailing, user):
        """The same for an e-mail: the address takes the place of the number.

        Core's own composer looks at its blacklist once more when it sends.
        """
        self._create_table()
        self._add_contacts(mailing, user, by_mail=True)
        self._add_leads(mailing, user, by_mail=True)
        self._add_unfit(mailing, user)
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

    def _add_contacts(self, mailing, user, by_mail=False):
        chosen = self._chosen(mailing, "res.partner")
        if chosen is None:
            return
        draft = mailing._audience_draft("res.partner", user)
        query = self.env["customer.segment.condition"]._query(draft)
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (partner_id, segment_id, number, certain)
                SELECT p.id, chosen.segment_id, %(address)s, m.phone_e164 IS NOT NULL
                  FROM (%(chosen)s) chosen(id, segment_id)
                  JOIN res_partner p ON p.id = chosen.id
             LEFT JOIN (SELECT DISTINCT ON (partner_id) partner_id, phone_e164
                          FROM club_member
                         WHERE company_id = %(company)s AND partner_id IS NOT NULL
                         ORDER BY partner_id, last_visit DESC NULLS LAST, id DESC) m
                    ON m.partner_id = p.id
                 WHERE p.id IN (%(allowed)s) AND NOT EXISTS (%(excluded)s)
                 ORDER BY p.id
                """,
                table=TABLE,
                chosen=chosen,
                address=SQL("p.email_normalized")
                if by_mail
                else SQL("coalesce(m.phone_e164, p.phone_sanitized)"),
                company=mailing.company_id.id,
                allowed=query.subselect(),
                excluded=self._excluded(mailing, "res.partner", SQL("p.id")),
            )
        )
        if not by_mail:
            self._address_companies(mailing)

    def _add_leads(self, mailing, user, by_mail=False):
        """Leads under their own number; an e-mail goes to their contact."""
        if not self.env["crm.lead"].with_user(user).has_access("read"):
            return
        chosen = self._chosen(mailing, "crm.lead")
        if chosen is None:
            return
        condition = self.env["customer.segment.condition"]
        contacts = condition._query(mailing._audience_draft("res.partner", user))
        narrowing = joined = SQL("TRUE")
        if not condition._parse(mailing.audience_condition or "[]").is_true():
            # A condition narrows: a lead stays if its contact meets it.
            narrowing = SQL("l.partner_id IN (%s)", contacts.subselect())
        if by_mail:
            joined = SQL("p.id IN (%s)", contacts.subselect())
        query = condition._query(mailing._audience_draft("crm.lead", user))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (partner_id, lead_id, segment_id, number, certain)
                SELECT %(partner)s, l.id, chosen.segment_id, %(address)s, FALSE
                  FROM (%(chosen)s) chosen(id, segment_id)
                  JOIN crm_lead l ON l.id = chosen.id
             LEFT JOIN res_partner p ON p.id = l.partner_id AND %(joined)s
                 WHERE l.id IN (%(allowed)s) AND %(narrowing)s
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
                allowed=query.subselect(),
                narrowing=narrowing,
                excluded=self._excluded(mailing, "crm.lead", SQL("l.id")),
                excluded_contact=self._excluded(
                    mailing, "res.partner", SQL("l.partner_id")
                ),
            )
        )

    def _chosen(self, mailing, model):
        """Ids and segments that the campaign names, None for nobody.

        :rtype: SQL or None
        """
        return getattr(self, f"_chosen_{mailing.audience_mode}")(mailing, model)

    def _chosen_odoo(self, _mailing, _model):
        return None

    def _chosen_segments(self, mailing, model):
        parts = []
        named = mailing.sudo().audience_segment_ids
        visible = self._visible(mailing, named)
        segments = named.filtered(
            lambda segment: (
                segment._origin.id in visible._ids and segment.model == model
            )
        )
        if segments:
            relation = segments._relation_of(model)
            parts.append(
                SQL(
                    """
                    SELECT r.%(column)s, r.segment_id, wanted.rank
                      FROM unnest(%(ids)s::int[]) WITH ORDINALITY wanted(id, rank)
                      JOIN %(table)s r ON r.segment_id = wanted.id
                    """,
                    column=relation.column,
                    table=relation.table,
                    ids=list(segments.ids),
                )
            )
        if model == "res.partner" and mailing.audience_tag_ids:
            tags = self.env["res.partner.category"]._search(
                [("id", "child_of", mailing.audience_tag_ids.ids)]
            )
            parts.append(
                SQL(
                    """
                    SELECT partner_id, NULL::int, 1000000
                      FROM res_partner_res_partner_category_rel
                     WHERE category_id IN (%s)
                    """,
                    tags.subselect(),
                )
            )
        if not parts:
            return None
        return SQL(
            """
            SELECT DISTINCT ON (named.id) named.id, named.segment_id
              FROM (%s) named(id, segment_id, rank) ORDER BY named.id, named.rank
            """,
            SQL(" UNION ALL ").join(parts),
        )

    def _visible(self, mailing, segments):
        """Those that the sender may see: of others one might learn who is in them."""
        return (
            self.env["customer.segment"]
            .with_user(mailing._sender())
            .with_context(allowed_company_ids=mailing.company_id.ids)
            .search([("id", "in", segments.ids)])
        )

    def _chosen_condition(self, mailing, model):
        condition = self.env["customer.segment.condition"]
        if model != "res.partner":
            return None
        if condition._parse(mailing.audience_condition or "[]").is_true():
            # Nothing asked is nobody, never everybody.
            return None
        return SQL("SELECT id, NULL::int FROM res_partner WHERE active")

    def _chosen_chosen(self, mailing, model):
        name = "partner" if model == "res.partner" else "lead"
        ids = mailing.sudo()[f"audience_{name}_ids"]._origin.ids
        return SQL("SELECT unnest(%s::int[]), NULL::int", list(ids)) if ids else None

    def _chosen_previous(self, mailing, model):
        answer = mailing.previous_answer or "silent"
        previous = mailing.sudo().previous_mailing_id
        query = self._answered(previous, answer, mailing._sender())
        column = SQL("partner_id" if model == "res.partner" else "lead_id")
        query.add_where(SQL("%s IS NOT NULL", column))
        if model == "res.partner":
            query.add_where(SQL("lead_id IS NULL"))
        return query.select(column, SQL("segment_id"))

    def _answered(self, mailing, answer, user):
        """Those who got a campaign and gave an answer, as far as a user may see them:
        who is in a hidden segment is told to nobody.

        :param str answer: a key of ``ANSWERED_BY``
        :rtype: Query
        """
        recipients = (
            self.env["mailing.recipient"]
            .with_user(user)
            .with_context(allowed_company_ids=mailing.company_id.ids)
        )
        domain = [("mailing_id", "=", mailing.id), ("state", "=", "queued")]
        query = recipients._search(domain)
        query.add_where(ANSWERED_BY[answer])
        return query

    def _excluded(self, mailing, model, record):
        """Whether a record is in a segment that gets nothing; nobody has to be allowed
        to see that segment.
        """
        relation = self.env["customer.segment"]._relation_of(model)
        return SQL(
            "SELECT FROM %(table)s r"
            " WHERE r.%(column)s = %(record)s AND r.segment_id = ANY(%(ids)s::int[])",
            table=relation.table,
            column=relation.column,
            record=record,
            ids=list(mailing.sudo().audience_exclude_segment_ids.ids),
        )

    # === WHERE TO === #

    def _address_companies(self, mailing):
        """A company without a mobile is reached through its chosen SMS contact, else
        its first contact with a mobile; never through every employee.
        """
        mobile = self._mobile_test(mailing, SQL("res_partner"), SQL("phone_sanitized"))
        own = self._mobile_test(mailing, TABLE, SQL("number"))
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
                 WHERE p.id = a.partner_id AND p.is_company AND a.lead_id IS NULL
                   AND NOT a.certain AND (a.number IS NULL OR NOT %(own)s)
                """,
                table=TABLE,
                mobile=mobile(SQL("c.phone_sanitized")),
                own=own(SQL("a.number")),
            )
        )

    def _mobile_test(self, mailing, table, column):
        """A function that makes SQL of whether a number is a mobile one.

        Iran's are known by their shape; of all others one of each block is judged by
        the library.
        """
        region = mailing.company_id.country_id.code or "IR"
        blocks = self.env.execute_query(
            SQL(
                """
                SELECT left(%(column)s, -%(digits)s), min(%(column)s)
                  FROM %(table)s
                 WHERE %(column)s IS NOT NULL AND %(column)s NOT LIKE '+98%%'
                 GROUP BY 1
                """,
                column=column,
                table=table,
                digits=BLOCK_DIGITS,
            )
        )
        known = [block for block, example in blocks if is_mobile(example, region)]

        def test(number):
            return SQL(
                "(%(number)s ~ '^[+]989[0-9]{9}$'"
                " OR left(%(number)s, -%(digits)s) = ANY(%(known)s::varchar[]))",
                number=number,
                digits=BLOCK_DIGITS,
                known=known,
            )

        return test

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
        """Take the snapshot that is sent from.

        :return: as :meth:`_counts`
        :rtype: dict
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO mailing_recipient
                       (mailing_id, company_id, partner_id, lead_id, segment_id,
                        number, state, reason)
                SELECT %(mailing)s, %(company)s, partner_id, lead_id, segment_id,
                       number,
                       CASE WHEN reason IS NULL THEN 'waiting'
                            WHEN reason = 'holdout' THEN 'holdout' ELSE 'held' END,
                       nullif(reason, 'holdout')
                  FROM %(table)s ORDER BY id
                """,
                mailing=mailing.id,
                company=mailing.company_id.id,
                table=TABLE,
            )
        )
        if self.env.cr.rowcount >= LARGE:
            # Else each batch is planned as if there were next to none, and sorts all.
            self.env.cr.execute("ANALYZE mailing_recipient")
        return self._counts()
