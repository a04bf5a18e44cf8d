import json
from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ...tools.sms_text import fold

# Words for salutations in files of panels, besides the salutations' own names.
SALUTATION_WORDS = {
    "customer_salutation_mr": "Mr|Mr.|Sir|Male|Man|آقا|آقای|جناب آقای|جناب|مرد|مذکر",
    "customer_salutation_ms": "Ms|Ms.|Mrs|Mrs.|Miss|Female|Woman|خانم|سرکار خانم|سرکار"
    "|زن|مونث|مؤنث",
    "customer_salutation_dr": "Dr|Dr.|Doctor|دکتر",
    "customer_salutation_mr_dr": "جناب آقای دکتر|آقای دکتر",
    "customer_salutation_ms_dr": "سرکار خانم دکتر|خانم دکتر",
    "customer_salutation_eng": "Eng|Eng.|Engineer|مهندس",
    "customer_salutation_mr_eng": "جناب آقای مهندس|آقای مهندس",
    "customer_salutation_ms_eng": "سرکار خانم مهندس|خانم مهندس",
}
# Columns that the statement below sets for each contact. Stored fields computed from
# them by other modules are left to the ORM.
OWN_COLUMNS = frozenset(
    {"complete_name", "phone_sanitized", "commercial_partner_id", "name", "phone"}
)
SOURCE_COLUMNS = ("name", "phone", "salutation_id")


class ClubImportStore(models.AbstractModel):
    """Stores a batch of imported customers, in a fixed number of statements.

    Nothing here sends, tracks or posts anything, and nothing known is overwritten:
    an import fills what is missing.
    """

    _name = "club.import.store"
    _description = "Club Import Storage"

    @api.model
    def _store(self, club_import, customers):
        """Store customers, each with another number.

        :param club_import: ``club.import``, its rights those of the superuser
        :param list customers: ``ImportedCustomer`` of tools/import_row.py
        :return: ``new``, ``updated`` or ``unchanged`` by number
        :rtype: dict[str, str]
        """
        # In one order everywhere, so that two workers never wait for each other.
        customers = sorted(customers, key=lambda customer: customer.number.e164)
        phones = [customer.number.e164 for customer in customers]
        outcome = dict.fromkeys(phones, "unchanged")
        changed, new = self._upsert_members(club_import, customers)
        changed |= self._assume_visits(club_import, customers)
        salutations = self._match_salutations(customers)
        created = self._link_or_create_contacts(club_import, customers, salutations)
        contacts = self._read_contacts(club_import, phones)
        changed_ids = created | self._fill_contacts(customers, salutations, contacts)
        changed_ids |= self._add_to_groups(club_import, customers, contacts)
        changed_ids |= self._add_tags(customers, contacts)
        changed |= self.env["customer.consent"]._opt_out_all(
            club_import.company_id,
            {
                customer.number.e164: contacts.get(customer.number.e164)
                for customer in customers
                if customer.no_advertising
            },
            channel="import",
            source=club_import.display_name,
            user=club_import.user_id,
        )
        changed |= {phone for phone, id_ in contacts.items() if id_ in changed_ids}
        outcome.update(dict.fromkeys(changed, "updated"))
        outcome.update(dict.fromkeys(new, "new"))
        self.env.invalidate_all(flush=False)
        return outcome

    @api.model
    def _find_erased(self, club_import, phones):
        """The numbers whose owners asked to be erased: no old file brings them back.

        :rtype: set[str]
        """
        erasure = self.env["club.erasure"]
        hashes = {erasure._hash_phone(phone): phone for phone in phones}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT phone_hash FROM club_erasure
                 WHERE company_id = %s AND phone_hash = ANY(%s)
                """,
                club_import.company_id.id,
                list(hashes),
            )
        )
        return {hashes[phone_hash] for (phone_hash,) in rows}

    # === MEMBERS === #

    def _upsert_members(self, club_import, customers):
        """Make members of the numbers, and lock those who were members before.

        The highest number of visits that any import told holds (retention adds to
        ``imported_visits`` besides), the earlier and the later date; a refusal is added
        and never taken back.

        :return: numbers that changed, and among them those of new members
        :rtype: tuple[set[str], set[str]]
        """
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO club_member AS m
                       (company_id, phone_e164, joined_by, visit_count, first_visit,
                        last_visit, imported_visits, panel_visits,
                        imported_first_visit, imported_last_visit, no_sms, unverified,
                        create_uid, write_uid, create_date, write_date)
                SELECT %(company)s, d.phone, 'import', d.visits, d.first_visit,
                       d.last_visit, d.visits, d.visits, d.first_visit, d.last_visit,
                       d.no_sms, d.unverified, %(uid)s, %(uid)s,
                       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                  FROM unnest(%(phones)s, %(visits)s::int[], %(firsts)s::timestamp[],
                              %(lasts)s::timestamp[], %(no_sms)s, %(unverified)s)
                       AS d(phone, visits, first_visit, last_visit, no_sms, unverified)
                 ORDER BY d.phone
                ON CONFLICT (company_id, phone_e164) DO UPDATE
                   SET visit_count = coalesce(m.visit_count, 0) + greatest(
                           excluded.panel_visits - coalesce(m.panel_visits, 0), 0),
                       imported_visits = coalesce(m.imported_visits, 0) + greatest(
                           excluded.panel_visits - coalesce(m.panel_visits, 0), 0),
                       panel_visits = greatest(m.panel_visits, excluded.panel_visits),
                       first_visit = least(m.first_visit, excluded.first_visit),
                       last_visit = greatest(m.last_visit, excluded.last_visit),
                       imported_first_visit = least(
                           m.imported_first_visit, excluded.imported_first_visit),
                       imported_last_visit = greatest(
                           m.imported_last_visit, excluded.imported_last_visit),
                       no_sms = m.no_sms IS TRUE OR excluded.no_sms,
                       write_uid = excluded.write_uid,
                       write_date = excluded.write_date
                 WHERE excluded.panel_visits > coalesce(m.panel_visits, 0)
                    OR least(m.imported_first_visit, excluded.imported_first_visit)
                       IS DISTINCT FROM m.imported_first_visit
                    OR greatest(m.imported_last_visit, excluded.imported_last_visit)
                       IS DISTINCT FROM m.imported_last_visit
                    OR (excluded.no_sms AND m.no_sms IS NOT TRUE)
             RETURNING phone_e164, xmax = 0 AS is_new
                """,
                company=club_import.company_id.id,
                uid=club_import.user_id.id,
                phones=[customer.number.e164 for customer in customers],
                visits=[customer.visits or 0 for customer in customers],
                firsts=[customer.first_visit for customer in customers],
                lasts=[customer.last_visit for customer in customers],
                no_sms=[customer.no_sms for customer in customers],
                unverified=[not customer.number.verified for customer in customers],
            )
        )
        return {phone for phone, _new in rows}, {phone for phone, new in rows if new}

    def _assume_visits(self, club_import, customers):
        """Whoever the old panel knew has been here, also when it did not count: the
        next visit is no first one. Only for members without any visit.
        """
        silent = [customer for customer in customers if customer.visits is None]
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE club_member m
                   SET visit_count = d.visits,
                       imported_visits = d.visits,
                       panel_visits = d.visits
                  FROM unnest(%(phones)s::varchar[], %(visits)s::int[])
                       AS d(phone, visits)
                 WHERE m.company_id = %(company)s
                   AND m.phone_e164 = d.phone
                   AND coalesce(m.visit_count, 0) = 0
                   AND d.visits > 0
             RETURNING m.phone_e164
                """,
                company=club_import.company_id.id,
                phones=[customer.number.e164 for customer in silent],
                visits=[customer.assumed_visits for customer in silent],
            )
        )
        return {phone for (phone,) in rows}

    # === CONTACTS === #

    def _link_or_create_contacts(self, club_import, customers, salutations):
        """Give each member its contact, known or new.

        :return: ids of the new contacts
        :rtype: set[int]
        """
        by_phone = {customer.number.e164: customer for customer in customers}
        self.env.invalidate_all()
        members = self.env["club.member"].search(
            [
                ("company_id", "=", club_import.company_id.id),
                ("phone_e164", "in", list(by_phone)),
                ("partner_id", "=", False),
            ]
        )
        if not members:
            return set()
        self.env["club.checkin.followup"]._link_known_contacts(
            members, club_import.company_id
        )
        members = members.filtered(lambda member: not member.partner_id)
        pairs = [(member.id, by_phone[member.phone_e164]) for member in members]
        return (
            self._create_contacts(club_import, pairs, salutations) if pairs else set()
        )

    def _create_contacts(self, club_import, pairs, salutations):
        """Create contacts with one statement, each like one that the ORM has made.

        Every column comes from that template, so whatever columns the installed
        modules require are filled as they fill them.
        """
        customers = [customer for _member_id, customer in pairs]
        names = [customer.name or customer.number.national for customer in customers]
        rows = self.env.execute_query(
            SQL(
                """
                WITH data AS MATERIALIZED (
                    SELECT nextval('res_partner_id_seq') AS id, d.*
                      FROM unnest(%(members)s, %(names)s, %(phones)s, %(numbers)s,
                                  %(salutations)s::int[])
                           AS d(member_id, name, phone, number, salutation_id)
                ), created AS (
                    INSERT INTO res_partner
                    SELECT p.*
                      FROM data d
                CROSS JOIN LATERAL jsonb_populate_record(
                               NULL::res_partner,
                               %(template)s::jsonb || jsonb_build_object(
                                   'id', d.id,
                                   'commercial_partner_id', d.id,
                                   'name', d.name,
                                   'complete_name', d.name,
                                   'phone', d.phone,
                                   'phone_sanitized', d.number,
                                   'salutation_id', d.salutation_id)) p
                )
                UPDATE club_member m
                   SET partner_id = d.id
                  FROM data d
                 WHERE m.id = d.member_id
             RETURNING d.id
                """,
                members=[member_id for member_id, _customer in pairs],
                names=names,
                phones=[customer.number.international for customer in customers],
                numbers=[customer.number.e164 for customer in customers],
                salutations=[
                    salutations.get(customer.number.e164) for customer in customers
                ],
                template=json.dumps(self._get_template_row(club_import)),
            )
        )
        partners = self.env["res.partner"].browse(row[0] for row in rows)
        self._leave_to_orm(partners)
        return set(partners.ids)

    def _get_template_row(self, club_import):
        """The columns of a contact as the ORM creates it; it is gone afterwards.

        :return: value by column, as JSON has it
        :rtype: dict
        """
        savepoint = self.env.cr.savepoint()
        try:
            partner = (
                self.env["res.partner"]
                .with_context(tracking_disable=True, mail_create_nosubscribe=True)
                .create(self._prepare_template_values(club_import))
            )
            self.env.flush_all()
            [(row,)] = self.env.execute_query(
                SQL("SELECT to_jsonb(p) FROM res_partner p WHERE id = %s", partner.id)
            )
        finally:
            savepoint.close(rollback=True)
        return row

    def _prepare_template_values(self, club_import):
        """Values that every new contact of an import shares; a hook.

        :rtype: dict
        """
        return {
            "name": "-",
            "company_id": club_import.company_id.id,
            "country_id": club_import.country_id.id,
            "lang": club_import.lang,
        }

    def _leave_to_orm(self, partners):
        """Let the ORM compute what other modules store from a name or number."""
        model = self.env["res.partner"]
        for name in SOURCE_COLUMNS:
            for field in self.pool.get_dependent_fields(model._fields[name]):
                if (
                    field.store
                    and field.model_name == "res.partner"
                    and field.name not in OWN_COLUMNS
                ):
                    self.env.add_to_compute(field, partners)

    def _read_contacts(self, club_import, phones):
        """Contact id by number; one contact may be behind two numbers."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT phone_e164, partner_id
                  FROM club_member
                 WHERE company_id = %s AND phone_e164 = ANY(%s)
                   AND partner_id IS NOT NULL
                 ORDER BY phone_e164
                """,
                club_import.company_id.id,
                phones,
            )
        )
        return dict(rows)

    def _fill_contacts(self, customers, salutations, contacts):
        """Name contacts that only had their number as a name, and address those
        that had no salutation.
        """
        known = [customer for customer in customers if customer.number.e164 in contacts]
        rows = self.env.execute_query(
            SQL(
                """
                WITH data AS (
                    SELECT d.id, d.salutation_id,
                           CASE WHEN p.parent_id IS NULL AND p.is_company IS NOT TRUE
                                 AND coalesce(p.name, '') ~ '^[-0-9+() .]*$'
                                THEN d.name END AS name
                      FROM unnest(%(ids)s, %(names)s::varchar[],
                                  %(salutations)s::int[]) AS d(id, name, salutation_id)
                      JOIN res_partner p ON p.id = d.id
                )
                UPDATE res_partner p
                   SET name = coalesce(d.name, p.name),
                       complete_name = coalesce(d.name, p.complete_name),
                       salutation_id = coalesce(p.salutation_id, d.salutation_id)
                  FROM data d
                 WHERE p.id = d.id
                   AND (d.name IS NOT NULL
                        OR (p.salutation_id IS NULL AND d.salutation_id IS NOT NULL))
             RETURNING p.id
                """,
                ids=[contacts[customer.number.e164] for customer in known],
                names=[customer.name or None for customer in known],
                salutations=[
                    salutations.get(customer.number.e164) for customer in known
                ],
            )
        )
        partners = self.env["res.partner"].browse(row[0] for row in rows)
        self._leave_to_orm(partners)
        return set(partners.ids)

    def _match_salutations(self, customers):
        """Salutation id by number, compared in every language; unknown ones are left
        out.
        """
        if not any(customer.salutation for customer in customers):
            return {}
        ids = {}
        for name, words in SALUTATION_WORDS.items():
            salutation = self.env.ref(f"customer_segmentation.{name}", False)
            if salutation:
                ids.update((fold(word), salutation.id) for word in words.split("|"))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.id, v.value
                  FROM customer_salutation s
            CROSS JOIN LATERAL (SELECT value FROM jsonb_each_text(s.short_name)
                                 UNION ALL
                                SELECT value FROM jsonb_each_text(s.name)) v
                 WHERE s.active
                 ORDER BY s.sequence DESC, s.id DESC
                """
            )
        )
        ids.update((fold(value), salutation_id) for salutation_id, value in rows)
        return {
            customer.number.e164: ids[key]
            for customer in customers
            if (key := fold(customer.salutation)) in ids
        }

    # === GROUPS, TAGS, REFUSALS === #

    def _add_to_groups(self, club_import, customers, contacts):
        ids = self._get_group_ids(
            club_import, {name for customer in customers for name in customer.groups}
        )
        pairs = {
            (group_id, contacts[customer.number.e164])
            for customer in customers
            if customer.number.e164 in contacts
            for group_id in (
                *club_import.group_id.ids,
                *(ids[fold(name)] for name in customer.groups),
            )
        }
        linked = self._link(
            SQL.identifier("customer_segment_included_partner_rel"),
            SQL.identifier("segment_id"),
            pairs,
        )
        members = defaultdict(list)
        for group_id, partner_id in pairs:
            members[group_id].append(partner_id)
        for group_id, partner_ids in members.items():
            group = self.env["customer.segment"].browse(group_id)
            partners = self.env["res.partner"].browse(partner_ids)
            group._after_group_change(partners, "import")
        return linked

    def _add_tags(self, customers, contacts):
        ids = self._get_tag_ids(
            {name for customer in customers for name in customer.tags}
        )
        pairs = {
            (ids[fold(name)], contacts[customer.number.e164])
            for customer in customers
            if customer.number.e164 in contacts
            for name in customer.tags
        }
        return self._link(
            SQL.identifier("res_partner_res_partner_category_rel"),
            SQL.identifier("category_id"),
            pairs,
        )

    def _link(self, table, column, pairs):
        """Add rows (id, contact) to a relation; return the contacts that are new."""
        ids, partner_ids = zip(*sorted(pairs), strict=True) if pairs else ((), ())
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO %s (%s, partner_id)
                     SELECT * FROM unnest(%s::int[], %s::int[])
                ON CONFLICT DO NOTHING
                  RETURNING partner_id
                """,
                table,
                column,
                list(ids),
                list(partner_ids),
            )
        )
        return {partner_id for (partner_id,) in rows}

    def _get_group_ids(self, club_import, names):
        """Id by folded name of the company's groups, missing ones created."""
        if not names:
            return {}
        company = club_import.company_id
        segments = self.env["customer.segment"]
        known = segments.search(
            [("company_id", "=", company.id), ("kind", "=", "static")], order="id desc"
        )
        ids = {fold(segment.name): segment.id for segment in known}
        missing = {fold(name): name for name in sorted(names) if fold(name) not in ids}
        created = segments.with_context(tracking_disable=True).create(
            [
                {"name": name, "company_id": company.id, "kind": "static"}
                for name in missing.values()
            ]
        )
        return ids | dict(zip(missing, created.ids, strict=True))

    def _get_tag_ids(self, names):
        """Id by folded name of contact tags in any language, missing ones created."""
        if not names:
            return {}
        categories = self.env["res.partner.category"]
        categories.flush_model(["name", "active"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id, v.value
                  FROM res_partner_category c, jsonb_each_text(c.name) v
                 WHERE c.active
                 ORDER BY c.id DESC
                """
            )
        )
        ids = {fold(value): category_id for category_id, value in rows}
        missing = {fold(name): name for name in sorted(names) if fold(name) not in ids}
        created = categories.create([{"name": name} for name in missing.values()])
        return ids | dict(zip(missing, created.ids, strict=True))
