from psycopg2.errors import CheckViolation, UniqueViolation

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestClubDevice(ClubCommon):
    """Devices, their numbered tags and what a digit meant when."""

    def test_changing_what_a_digit_means_keeps_history_and_customers_tags(self):
        """An offline check-in lands on its revision's tag; nobody loses a tag."""
        phone, offline, online = self.phone(), self.phone(), self.phone()
        self.take(phone, tag=1)
        self.follow_up()
        before = self.device.config_rev
        self.tag_coffee.category_id = self.category_cake
        self.assertEqual(self.device.config_rev, before + 1)
        self.take(offline, tag=1, rev=before)
        self.take(online, tag=1)
        self.follow_up()
        tags = {
            name: self.member(number).partner_id.category_id
            for name, number in (
                ("early", phone),
                ("offline", offline),
                ("online", online),
            )
        }
        self.assertEqual(tags["early"], self.category_coffee)
        self.assertEqual(tags["offline"], self.category_coffee)
        self.assertEqual(tags["online"], self.category_cake)
        self.assertEqual(self.checkins(offline).config_rev, before)

    def test_device_stays_with_the_company_it_works_for(self):
        """Its journal, group, texts and till are that company's."""
        other = self.build_company("Another company")
        values = {
            "company_id": other.id,
            "group_id": self.build_group(other).id,
        }
        used, till, fresh = (self.build_device(self.company) for _turn in range(3))
        self.take(self.phone(), device=used)
        self.company.club_pos_device_id = till
        for device in self.device, used, till:
            with self.assertRaisesRegex(UserError, "stays with Café Naderi"):
                device.write(values)
        fresh.write(values)
        self.assertEqual(fresh.company_id, other)
        with self.assertRaisesRegex(UserError, "Choose a device of Café Naderi"):
            self.company.club_pos_device_id = fresh
        self.company.club_pos_device_id = False
        till.write(values)
        self.device.write({"company_id": self.company.id, "branch": "Upstairs"})

    def test_deleting_a_numbered_tag_keeps_journal_and_contact_tags(self):
        """The old panels wipe tags on edit; here the journal knows what was pressed."""
        phone = self.phone()
        self.take(phone, tag=1)
        self.follow_up()
        rev = self.device.config_rev
        self.tag_coffee.unlink()
        checkin = self.checkins(phone)
        self.assertEqual(
            (checkin.digit, checkin.category_id), (1, self.category_coffee)
        )
        self.assertIn(self.category_coffee, self.member(phone).partner_id.category_id)
        late = self.phone()
        self.take(late, tag=1, rev=rev)
        self.follow_up()
        self.assertIn(self.category_coffee, self.member(late).partner_id.category_id)

    def test_every_change_of_the_config_body_raises_the_revision(self):
        """Label, colour, gap, privacy, club name: yes; a text or a note: no."""
        other = self.tag_cake
        for record, name, value in (
            (self.tag_coffee, "label", "Espresso"),
            (self.tag_coffee, "color", "#00FF00"),
            (self.device, "gap_minutes", 33),
            (self.device, "privacy", "public"),
            (self.device, "tag_required", True),
            (self.device, "lang", "fa_IR"),
            (self.company, "name", "Another name"),
        ):
            with self.subTest(name):
                before = self.device.config_rev
                record[name] = value
                self.assertEqual(self.device.config_rev, before + 1)
        before = self.device.config_rev
        other.first_text = "A new text"
        self.device.branch = "Upstairs"
        self.assertEqual(self.device.config_rev, before)

    def test_renaming_leaves_the_contact_tag_until_asked(self):
        """The form says that names differ; the button renames the contact tag."""
        self.tag_coffee.label = "Espresso"
        self.assertTrue(self.tag_coffee.label_differs)
        self.assertEqual(self.category_coffee.name, "Coffee")
        self.tag_coffee.action_rename_contact_tag()
        self.assertEqual(self.category_coffee.name, "Espresso")
        self.assertFalse(self.tag_coffee.label_differs)

    def test_typed_text_makes_its_template_and_mode(self):
        """Typing a text sends it, clearing it returns to the club's; none stays."""
        tag = self.tag_coffee
        self.assertEqual(tag.first_mode, "club")
        tag.first_text = "Coffee is ready"
        self.assertEqual(tag.first_mode, "own")
        self.assertEqual(tag.first_template_id.message_class, "service")
        self.assertEqual(tag.first_template_id.company_id, self.company)
        template = tag.first_template_id
        tag.first_text = "Coffee is hot"
        self.assertEqual(tag.first_template_id, template)
        tag.first_text = False
        self.assertEqual(tag.first_mode, "club")
        tag.first_mode = "none"
        tag.first_text = "Not sent"
        self.assertEqual(tag.first_mode, "none")

    def test_preview_fills_in_what_is_known_of_us(self):
        """By the names of the menu, which shipped texts use, and by paths."""
        self.company.website = "https://nilgoon.example.com/"
        self.tag_coffee.write(
            {
                "repeat_mode": "own",
                "repeat_text": "{{ greeting ||| Dear guest }}: {{ company }}, "
                "{{ company_website }}, visit {{ visits }}",
            }
        )
        self.assertEqual(
            self.tag_coffee.repeat_preview.partition("\n")[0],
            f"Dear guest: {self.company.name}, nilgoon.example.com, visit 2",
        )

    def test_information_digits_count_their_first_press(self):
        """Without a contact tag the first text goes to the first press."""
        self.assertEqual(self.tag_info.first_scope, "tag")
        self.assertEqual(self.tag_coffee.first_scope, "club")

    def test_limits_of_tags(self):
        """Eight digits, each once, labels of 24 characters, colours as #RRGGBB."""
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.build_tag(1, "Twice")
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(CheckViolation),
            self.env.cr.savepoint(),
        ):
            self.build_tag(9, "Nine")
        with self.assertRaises(ValidationError):
            self.tag_coffee.label = "x" * 25
        for color in "red", "#12345", "#GGGGGG", "#123456;background:url(x)":
            with self.subTest(color), self.assertRaises(ValidationError):
                self.tag_coffee.color = color

    def test_another_group_leaves_earlier_members_where_they_are(self):
        """Only later visitors join the new group."""
        early, late = self.phone(), self.phone()
        self.take(early)
        self.follow_up()
        old_group = self.device.group_id
        self.device.group_id = self.group
        self.take(late)
        self.follow_up()
        self.assertEqual(old_group.included_partner_ids, self.member(early).partner_id)
        self.assertEqual(self.group.included_partner_ids, self.member(late).partner_id)
        self.assertTrue(self.group.is_connected)
        self.assertEqual(self.group.device_count, 1)
        self.assertFalse(old_group.is_connected)

    def test_group_of_another_company_is_refused(self):
        """A device and its group belong together."""
        other = self.build_company("Another company")
        with self.assertRaises(Exception) as caught:
            self.device.group_id = self.build_group(other)
        self.assertIn("company", str(caught.exception).lower())

    def test_device_with_checkins_cannot_be_deleted(self):
        """Its journal points at it; archive instead."""
        self.take(self.phone())
        with self.assertRaises(ValidationError):
            self.device.unlink()
        unused = self.build_device(self.company)
        unused.unlink()
        self.assertFalse(unused.exists())

    def test_a_new_code_replaces_the_old_one(self):
        """Nine digits; only the last one works."""
        device = self.build_device(self.company)
        first, second = device.generate_pairing_code(), device.generate_pairing_code()
        self.assertRegex(first, r"^\d{9}$")
        hashes = self.env["club.device"].search([("pairing_hash", "!=", False)])
        self.assertEqual(device.pairing_hash, device._hash_code(second))
        self.assertNotIn(first, hashes.mapped("pairing_hash"))
        self.assertNotIn(second, hashes.mapped("pairing_hash"))

    def test_suspended_device_gets_no_code(self):
        """Pairing would wake it up behind the manager's back."""
        self.device.action_suspend()
        with self.assertRaises(UserError):
            self.device.generate_pairing_code()
        self.device.action_activate()
        self.assertEqual(self.device.state, "active")

    def test_connect_dialog_shows_code_setup_string_and_picture(self):
        """Everything a device without a keyboard needs."""
        params = self.build_device(self.company).action_connect()["params"]
        host, database, code = params["setup"].split("|")
        self.assertTrue(host.startswith("http"))
        self.assertEqual(database, self.env.cr.dbname)
        self.assertEqual(code, params["code"])
        self.assertTrue(params["qr"].startswith("data:image/svg+xml;base64,"))

    def test_revoking_makes_the_device_new_again(self):
        """The token is gone, the journal is not."""
        self.take(self.phone())
        self.device.action_revoke()
        self.assertEqual(self.device.state, "new")
        self.assertFalse(self.device.token_hash)
        self.assertEqual(len(self.device.checkin_ids), 1)
