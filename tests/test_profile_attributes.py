from datetime import date

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..tools.birthdate import generation, read_day
from .common import CLUB, ClubCommon


class AttributesCommon(ClubCommon):
    """Contacts of the company, and colleagues with various rights."""

    @classmethod
    def build_colleague(cls, login, groups):
        """A user of the company."""
        return new_test_user(
            cls.env,
            login=login,
            groups=groups,
            context={"no_reset_password": True},
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    @classmethod
    def build_contact(cls, name="Contact", **values):
        """A contact of the company."""
        return cls.env["res.partner"].create(
            {"name": name, "company_id": cls.company.id, **values}
        )

    def found(self, contacts, *domain):
        """Which of these contacts meet a condition."""
        return self.env["res.partner"].search(
            [("id", "in", contacts.ids), *domain], order="id"
        )

    def merge(self, gone, stays):
        """Merge contacts as the wizard does."""
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((gone | stays).ids, stays)
        self.env.flush_all()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestProfileAttributes(AttributesCommon):
    """Facts on the contact: typed, stored, searchable."""

    def test_birth_dates_of_both_calendars(self):
        """A year below 1600 is Solar Hijri, digits of any kind."""
        for typed in "1989-08-03", "1368-05-12", "1368/5/12", "۱۳۶۸/۵/۱۲":
            with self.subTest(typed=typed):
                contact = self.build_contact(birthdate_date=typed)
                self.assertEqual(contact.birthdate_date, date(1989, 8, 3))
        contact.birthdate_date = date(1368, 5, 12)
        self.assertEqual(contact.birthdate_date, date(1989, 8, 3))
        # A day that the Gregorian calendar does not have.
        contact.write({"birthdate_date": "1370-02-31"})
        self.assertEqual(contact.birthdate_date, date(1991, 5, 21))
        contact.birthdate_date = False
        self.assertFalse(contact.birthdate_date)

    def test_impossible_birth_dates_are_refused(self):
        """With a message that says what to write; nothing is changed."""
        contact = self.build_contact(birthdate_date="1989-08-03")
        for typed in (
            "1368-13-01",
            "1200-01-01",
            "2999-01-01",
            "yesterday",
            "1400-12-30",
            13680512,
            True,
        ):
            with self.subTest(typed=typed), self.assertRaises(ValidationError):
                contact.write({"birthdate_date": typed})
            contact.invalidate_recordset()
        self.assertEqual(contact.birthdate_date, date(1989, 8, 3))

    def test_other_days_are_read_and_refused_alike(self):
        """On contacts and leads; nobody means a day of the Middle Ages."""
        contact = self.build_contact(expected_delivery_date="1409/1/5")
        lead = self.env["crm.lead"].create({"name": "A lead"})
        for record, name in (
            (contact, "satisfaction_date"),
            (contact, "expected_delivery_date"),
            (lead, "expected_delivery_date"),
        ):
            with self.subTest(record=record._name, name=name):
                record.write({name: "۱۴۰۸/۱/۵"})
                self.assertEqual(record[name], date(2029, 3, 24))
                for typed in "2026-02-30", "1408-12-32", "soon", 5:
                    with self.assertRaises(ValidationError) as refused:
                        record.write({name: typed})
                    self.assertIn(str(typed), str(refused.exception))
                record.invalidate_recordset()
                self.assertEqual(record[name], date(2029, 3, 24))

    @freeze_time("2026-03-01 12:00:00")
    def test_age_is_found_without_being_stored(self):
        """The same ages by search as by computation, whatever the comparison."""
        self.assertFalse(self.env["res.partner"]._fields["age"].store)
        days = (
            "2026-03-01", "2025-03-02", "2025-03-01", "1996-02-29", "1996-03-01",
            "1996-03-02", "1926-01-01", False,
        )  # fmt: skip
        contacts = self.env["res.partner"].concat(
            *(self.build_contact(birthdate_date=day) for day in days)
        )
        self.assertEqual(contacts.mapped("age"), [0, 0, 1, 30, 30, 29, 100, 0])
        dated = contacts.filtered("birthdate_date")
        checks = {
            "=": lambda age, value: age == value,
            "!=": lambda age, value: age != value,
            "<": lambda age, value: age < value,
            "<=": lambda age, value: age <= value,
            ">": lambda age, value: age > value,
            ">=": lambda age, value: age >= value,
        }
        for operator, check in checks.items():
            for value in (-1, 1, 29, 30, 100, 3000):
                with self.subTest(operator=operator, value=value):
                    self.assertEqual(
                        self.found(dated, ("age", operator, value)),
                        dated.filtered(lambda c, v=value, f=check: f(c.age, v)),
                    )
        self.assertEqual(
            self.found(contacts, ("age", "in", [1, 30])).mapped("age"), [1, 30, 30]
        )
        self.assertEqual(len(self.found(contacts, ("age", "<", 200))), 7)
        self.assertEqual(self.found(contacts, ("age", "=", False)), contacts - dated)

    def test_generation_follows_the_birth_date(self):
        """Stored, so it groups and sorts."""
        contact = self.build_contact(birthdate_date="1946-01-01")
        self.assertEqual(contact.generation, "boomer")
        contact.birthdate_date = "1981-12-31"
        self.assertEqual(
            self.found(contact, ("generation", "=", "millennial")), contact
        )
        contact.birthdate_date = False
        self.assertFalse(contact.generation)
        self.assertEqual(generation(date(1900, 1, 1)), "silent")
        self.assertEqual(generation(date(2025, 1, 1)), "alpha")
        with self.assertRaises(ValueError):
            read_day(date(1299, 1, 1))

    def test_sensitive_facts_are_for_nobody_by_default(self):
        """Not even managers; whoever has the group reads, writes and searches."""
        group = self.env.ref(f"{CLUB}_sensitive")
        self.assertFalse(group.user_ids)
        manager = self.build_colleague(
            "manager-facts", f"{CLUB}_club_manager,base.group_partner_manager"
        )
        trusted = self.build_colleague(
            "trusted", f"{CLUB}_sensitive,base.group_partner_manager"
        )
        contact = self.build_contact()
        for name, value in (
            ("income_band", "high"),
            ("ethnicity", "Any"),
            ("religion", "Any"),
        ):
            with self.subTest(name=name):
                as_manager = contact.with_user(manager)
                with self.assertRaises(AccessError):
                    as_manager.write({name: value})
                with self.assertRaises(AccessError):
                    as_manager.search([(name, "=", value)])
                self.assertNotIn(name, as_manager.fields_get())
                contact.with_user(trusted)[name] = value
                self.assertIn(
                    contact, contact.with_user(trusted).search([(name, "=", value)])
                )

    def test_companies_share_their_facts_with_their_contacts(self):
        """In conditions, sorting and grouping; kept once, whoever changes them."""
        company = self.build_contact("Food Ltd.", is_company=True, employee_count=60)
        small = self.build_contact("Small Ltd.", is_company=True, employee_count=5)
        person = self.build_contact("Person", parent_id=company.id)
        other = self.build_contact("Other", parent_id=small.id)
        alone = self.build_contact("Alone", employee_count=200)
        everybody = company | small | person | other | alone
        self.assertEqual(person.employee_count, 60)
        self.assertEqual(
            self.found(everybody, ("employee_count", ">", 50)),
            (company | person | alone).sorted("id"),
        )
        self.assertEqual(
            self.env["res.partner"]
            .search(
                [("id", "in", everybody.ids)], order="employee_count desc, id", limit=3
            )
            .ids,
            [alone.id, *sorted((company | person).ids)],
        )
        groups = self.env["res.partner"]._read_group(
            [("id", "in", everybody.ids)], ["ownership"], ["__count"]
        )
        self.assertEqual(groups, [(False, 5)])
        person.write({"ownership": "family", "capital": 1000})
        self.assertEqual(company.ownership, "family")
        self.assertEqual(company.capital_currency_id, self.company.currency_id)
        self.assertEqual(
            self.found(everybody, ("ownership", "=", "family")),
            (company | person).sorted("id"),
        )
        # A condition needs no rewriting when the person changes company.
        person.parent_id = small
        self.assertFalse(self.found(person, ("employee_count", ">", 50)))

    def test_lists_of_a_company_are_found_through_its_contacts(self):
        """Technologies and contract types."""
        company = self.build_contact("Food Ltd.", is_company=True)
        person = self.build_contact("Person", parent_id=company.id)
        odoo = self.env["customer.attribute"].create(
            {"name": "A technology", "kind": "technology"}
        )
        yearly = self.env["customer.attribute"].create(
            {"name": "Yearly", "kind": "contract"}
        )
        person.technology_ids = [Command.link(odoo.id)]
        company.contract_type_ids = [Command.link(yearly.id)]
        both = (company | person).sorted("id")
        self.assertEqual(self.found(both, ("technology_ids", "in", odoo.ids)), both)
        self.assertEqual(self.found(both, ("contract_type_ids", "ilike", "year")), both)
        self.assertEqual(person.contract_type_ids, yearly)

    def test_where_a_company_keeps_its_facts_is_not_offered(self):
        """One field per fact in the condition editor."""
        offered = self.env["res.partner"].fields_get(attributes=["searchable"])
        self.assertTrue(offered["employee_count"]["searchable"])
        self.assertFalse(offered["own_employee_count"]["searchable"])

    def test_a_change_of_the_company_touches_its_contacts(self):
        """Their segments follow within seconds."""
        company = self.build_contact("Food Ltd.", is_company=True)
        person = self.build_contact("Person", parent_id=company.id)
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM customer_segment_touch")
        company.employee_count = 7
        self.env.flush_all()
        self.env.cr.execute("SELECT partner_id FROM customer_segment_touch")
        touched = {row[0] for row in self.env.cr.fetchall()}
        self.assertLessEqual({company.id, person.id}, touched)

    def test_place_is_suggested_and_may_be_corrected(self):
        """By city, else by state; what somebody filled in stays until the move."""
        iran = self.env.ref("base.ir")
        states = self.env["res.country.state"].search([("country_id", "=", iran.id)])
        yazd, gilan, tehran = (
            states.filtered(lambda state, name=name: state.name == name)
            for name in ("Yazd", "Gilan", "Tehran")
        )
        contact = self.build_contact(country_id=iran.id, state_id=yazd.id, city="يزد")
        self.assertEqual(
            (contact.residence, contact.climate_zone), ("urban", "hot_dry")
        )
        contact.residence = "rural"
        contact.street = "Somewhere"
        self.assertEqual(contact.residence, "rural")
        contact.write({"state_id": gilan.id, "city": "A village"})
        self.assertEqual(
            (contact.residence, contact.climate_zone), ("rural", "temperate_humid")
        )
        contact.write({"state_id": tehran.id, "city": "پردیس"})
        self.assertEqual(contact.residence, "suburban")
        nowhere = self.build_contact(city="Yazd")
        self.assertFalse(nowhere.residence)
        # Whoever typed the city only lives in its province all the same.
        stateless = self.build_contact(country_id=iran.id, city="يزد")
        self.assertEqual(
            (stateless.residence, stateless.climate_zone), ("urban", "hot_dry")
        )

    def test_filling_contacts_keeps_what_is_there(self):
        """One statement for all that have nothing yet."""
        iran = self.env.ref("base.ir")
        contacts = self.build_contact(country_id=iran.id, city="Atlantis")
        contacts |= self.build_contact(
            country_id=iran.id, city="Atlantis", residence="rural"
        )
        self.env["customer.place"].create(
            {
                "country_id": iran.id,
                "name": "Atlantis",
                "residence": "urban",
                "climate_zone": "hot_humid",
            }
        )
        self.env["customer.place"].action_fill_contacts()
        self.assertEqual(contacts.mapped("residence"), ["urban", "rural"])
        self.assertEqual(set(contacts.mapped("climate_zone")), {"hot_humid"})
        self.assertEqual(self.env["customer.place"]._fill_contacts(), 0)
        user = self.build_colleague("place-user", f"{CLUB}_club_user")
        with self.assertRaises(AccessError):
            self.env["customer.place"].with_user(user).action_fill_contacts()

    def test_satisfaction_counts_only_who_was_asked(self):
        """0 is an answer, nothing is none."""
        never, zero, nine = (self.build_contact() for _number in range(3))
        zero.satisfaction = 0
        nine.satisfaction = 9
        everybody = never | zero | nine
        self.assertEqual(self.found(everybody, ("satisfaction", "<", 7)), zero)
        self.assertEqual(self.found(everybody, ("satisfaction", ">=", 9)), nine)
        self.assertEqual(self.found(everybody, ("satisfaction", "=", 0)), zero)
        self.assertEqual(
            self.found(everybody, ("satisfaction", "in", [0, 9])), zero | nine
        )
        form = self.build_contact(satisfaction=0, satisfaction_date=False)
        self.assertFalse(form.satisfaction_date)
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            nine.satisfaction = 11
            self.env.flush_all()

    def test_no_profiling_forgets_and_survives_a_merge(self):
        """Traits and events go; nothing can be noted afterwards."""
        trait = self.env.ref("customer_segmentation.customer_trait_haggler")
        gone = self.build_contact(trait_ids=[Command.link(trait.id)])
        stays = self.build_contact(trait_ids=[Command.link(trait.id)])
        snapshots = self.env["customer.score.snapshot"]
        for contact in gone, stays:
            self.env["customer.event"].create(
                {
                    "partner_id": contact.id,
                    "kind": "form",
                    "company_id": self.company.id,
                }
            )
            snapshots.create(
                {
                    "partner_id": contact.id,
                    "company_id": self.company.id,
                    "date": "2026-01-01",
                    "score": 30,
                }
            )
        lead = self.env["crm.lead"].create(
            {"name": "A lead", "partner_id": gone.id, "trait_ids": trait.ids}
        )
        event = {"kind": "form", "company_id": self.company.id}
        self.env["customer.event"].create({**event, "lead_id": lead.id})
        gone.no_profiling = True
        self.assertFalse(lead.trait_ids)
        self.assertFalse(lead.customer_event_ids)
        self.assertFalse(gone.trait_ids)
        self.assertFalse(gone.customer_event_ids)
        self.assertFalse(snapshots.search([("partner_id", "=", gone.id)]))
        with self.assertRaises(ValidationError):
            gone.trait_ids = trait
        for subject in {"partner_id": gone.id}, {"lead_id": lead.id}:
            with self.assertRaises(ValidationError):
                self.env["customer.event"].create({**event, **subject})
        self.merge(gone, stays)
        self.assertTrue(stays.no_profiling)
        self.assertFalse(stays.trait_ids)
        self.assertFalse(stays.customer_event_ids)
        self.assertFalse(snapshots.search([("partner_id", "=", stays.id)]))

    def test_a_merge_keeps_every_fact(self):
        """Single values where empty, lists joined, computed places too."""
        language = self.env["customer.attribute"].create(
            {"name": "Esperanto", "kind": "language"}
        )
        gone = self.build_contact(
            birthdate_date="1368-05-12",
            residence="rural",
            spoken_language_ids=[Command.link(language.id)],
            satisfaction=8,
            employee_count=70,
        )
        stays = self.build_contact(gender="female")
        self.merge(gone, stays)
        self.assertEqual(stays.birthdate_date, date(1989, 8, 3))
        self.assertEqual(stays.generation, "millennial")
        self.assertEqual((stays.gender, stays.residence), ("female", "rural"))
        self.assertEqual(stays.spoken_language_ids, language)
        self.assertEqual((stays.satisfaction, stays.employee_count), (8, 70))
        self.assertTrue(stays.satisfaction_date)

    def test_erasure_takes_the_facts_along(self):
        """Nothing personal is left on the contact."""
        contact = self.build_contact(
            birthdate_date="1989-08-03", gender="male", occupation="Baker", budget=5
        )
        manager = self.build_colleague(
            "manager-erase", f"{CLUB}_club_manager,base.group_partner_manager"
        )
        contact.with_user(manager).action_erase_personal_data()
        contact = contact.with_context(active_test=False)
        self.assertFalse(contact.birthdate_date or contact.gender or contact.budget)
        self.assertFalse(contact.occupation)
        self.assertTrue(contact.no_profiling)

    def test_portal_users_find_nothing(self):
        """By no field of a contact, be it their own."""
        portal = new_test_user(
            self.env,
            login="portal-facts",
            groups="base.group_portal",
            context={"no_reset_password": True},
        )
        contact = portal.partner_id
        contact.write({"birthdate_date": "1989-08-03", "satisfaction": 3})
        names = (
            "birthdate_date", "age", "generation", "gender", "no_profiling",
            "employee_count", "own_employee_count", "technology_ids", "residence",
            "satisfaction", "trait_ids", "budget", "preferred_channel", "income_band",
            "customer_event_ids",
        )  # fmt: skip
        for name in names:
            with self.subTest(name=name):
                with self.assertRaises(AccessError):
                    contact.with_user(portal).search([(name, "!=", False)])
                with self.assertRaises(AccessError):
                    contact.with_user(portal).read([name])
        with self.assertRaises(AccessError):
            contact.with_user(portal).read(["guidance_card"])
        for model in (
            "customer.trait",
            "customer.event",
            "customer.attribute",
            "customer.place",
        ):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])

    def test_birthday_conditions_appear_by_themselves(self):
        """Ready conditions that need a birth date."""
        ready = self.env.ref(
            "customer_segmentation.customer_segment_condition_birthday"
        )
        self.assertTrue(ready.is_available)
        today = date.today()
        contact = self.build_contact(birthdate_date=today.replace(year=2000))
        self.assertEqual(
            self.found(contact, ("next_birthday", "<=", "today +7d")), contact
        )
