from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import ClubCommon

OUR_MODELS = (
    "club.checkin",
    "club.device",
    "club.device.activity",
    "club.device.revision",
    "club.device.tag",
    "club.erasure",
    "club.member",
    "club.pairing.failure",
    "club.preset",
    "customer.segment",
    "sms.line",
)


@tagged("post_install", "-at_install")
class TestClubAccess(ClubCommon):
    """Who may see and do what; docs/rights.md is the matrix."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = cls.phone()
        cls.portal = new_test_user(
            cls.env,
            login="portal-club",
            groups="base.group_portal",
            context={"no_reset_password": True},
            phone=cls.number,
            country_id=cls.env.ref("base.ir").id,
        )
        cls.public = cls.env.ref("base.public_user")

    def setUp(self):
        super().setUp()
        self.take(self.number, tag=1)
        self.follow_up()

    def test_portal_and_public_see_no_model_of_ours(self):
        """Neither read nor search, on any of our models."""
        for user in self.portal, self.public:
            for model in OUR_MODELS:
                with (
                    self.subTest(model=model, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    self.env[model].with_user(user).search([])

    def test_portal_sees_no_field_of_ours_on_its_own_contact(self):
        """Every field we add to the contact is closed, reading and searching."""
        partner = self.portal.partner_id
        self.assertEqual(self.member(self.number).partner_id, partner)
        as_portal = partner.with_user(self.portal)
        as_portal.read(["name"])
        ours = [
            name
            for name, field in partner._fields.items()
            if field._modules and field._modules[0] == "customer_segmentation"
        ]
        self.assertGreaterEqual(
            set(ours),
            {
                "club_member_ids",
                "club_visit_count",
                "club_last_visit",
                "club_first_visit",
                "is_club_member",
                "included_segment_ids",
                "no_sms",
                "salutation_id",
                "sms_greeting",
            },
        )
        for name in ours:
            with self.subTest(name):
                self.assertNotIn(name, as_portal.fields_get())
                with self.assertRaises(AccessError):
                    as_portal.read([name])
                self.assertIn(self.search_error(partner, name), ("closed", "no search"))

    def test_whoever_edits_contacts_may_copy_them(self):
        """Core copies field by field and stops at one that is closed."""
        editor = new_test_user(
            self.env,
            login="copying-editor",
            groups="base.group_user,base.group_partner_manager",
            context={"no_reset_password": True},
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        partner = self.member(self.number).partner_id
        copy = partner.with_user(editor).copy()
        self.assertFalse(copy.sudo().club_member_ids)
        for model in "res.partner", "crm.lead":
            closed = [
                name
                for name, field in self.env[model]._fields.items()
                if "customer_segmentation" in (field._modules or ())
                and field.copy
                and field.groups not in (None, "base.group_user")
            ]
            with self.subTest(model):
                self.assertFalse(closed)

    def search_error(self, partner, name):
        """Why the portal user cannot search a field, or what it found."""
        try:
            return (
                self.env["res.partner"]
                .with_user(self.portal)
                .search([("id", "=", partner.id), (name, "!=", False)])
            )
        except AccessError:
            return "closed"
        except ValueError:
            return "no search"

    def test_another_companys_user_sees_nothing(self):
        """A manager of another company sees no row of this one."""
        other = self.build_company("Another company")
        user = self.build_user("club_manager", other)
        env = self.env(user=user, context={"allowed_company_ids": other.ids})
        for model in "club.checkin", "club.device", "club.member", "customer.segment":
            with self.subTest(model):
                rows = env[model].search([])
                self.assertFalse(rows.filtered(lambda row: row.company_id != other))
        for record in self.device, self.member(self.number), self.device.group_id:
            with self.subTest(record._name), self.assertRaises(AccessError):
                record.with_env(env).read(["company_id"])
        with self.assertRaises(AccessError):
            self.device.with_env(env).generate_pairing_code()

    def test_cashier_sees_today_only_and_no_members(self):
        """Today's check-ins, not yesterday's; no member list, no changes."""
        cashier = self.build_user("cashier")
        self.take(self.phone())
        today, old = self.env["club.checkin"].search(
            [("company_id", "=", self.company.id)], limit=2
        )
        old.arrived_at = fields.Datetime.subtract(fields.Datetime.now(), days=3)
        seen = self.env["club.checkin"].with_user(cashier).search([])
        self.assertIn(today, seen)
        self.assertNotIn(old, seen)
        with self.assertRaises(AccessError):
            self.env["club.member"].with_user(cashier).search([])
        with self.assertRaises(AccessError):
            self.device.with_user(cashier).name = "Mine"
        with self.assertRaises(AccessError):
            self.device.with_user(cashier).generate_pairing_code()

    def test_cashier_checks_in_by_hand(self):
        """A hand check-in goes the same way as a device's, and says what happened."""
        cashier = self.build_user("cashier")
        phone = self.phone()
        Wizard = self.env["club.checkin.manual"].with_user(cashier)
        wizard = Wizard.create(
            {"device_id": self.device.id, "phone": phone, "tag_id": self.tag_coffee.id}
        )
        answer = wizard.action_checkin()
        self.assertEqual(answer["params"]["title"], "First visit")
        self.follow_up()
        member = self.member(phone)
        self.assertEqual((member.visit_count, member.joined_by), (1, "hand"))
        self.assertIn(self.category_coffee, member.partner_id.category_id)
        with self.assertRaises(UserError):
            Wizard.create(
                {"device_id": self.device.id, "phone": "02188776655"}
            ).action_checkin()
        self.device.state = "suspended"
        with self.assertRaises(UserError):
            Wizard.create(
                {"device_id": self.device.id, "phone": phone}
            ).action_checkin()

    def test_manager_needs_no_administrator_right(self):
        """Device, tags with texts, code and trade preset with the manager's right."""
        manager = self.build_user("club_manager")
        env = self.env(user=manager)
        group = env["customer.segment"].create({"name": "Managers' group"})
        device = env["club.device"].create(
            {
                "name": "New desk",
                "group_id": group.id,
                "tag_ids": [
                    (0, 0, {"digit": 1, "label": "VIP", "first_text": "Hello VIP"})
                ],
            }
        )
        self.assertEqual(device.tag_ids.first_mode, "own")
        self.assertEqual(device.tag_ids.repeat_mode, "club")
        self.assertRegex(device.generate_pairing_code(), r"^\d{9}$")
        preset = self.env["club.preset"].create(
            {
                "name": "Barber",
                "welcome_body": "Hello {{ object.sms_greeting ||| }}",
                "gap_minutes": 90,
                "tag_ids": [
                    (0, 0, {"digit": 1, "label": "Taken already"}),
                    (0, 0, {"digit": 2, "label": "Shave", "color": "#123456"}),
                ],
            }
        )
        env["club.preset.apply"].create(
            {"preset_id": preset.id, "device_id": device.id}
        ).action_apply()
        self.assertEqual(device.gap_minutes, 90)
        self.assertEqual(device.tag_ids.mapped("label"), ["VIP", "Shave"])
        self.assertEqual(
            self.company.club_welcome_template_id.body,
            "Hello {{ object.sms_greeting ||| }}",
        )

    def test_manager_cannot_touch_another_companys_texts(self):
        """A text belongs to its company, for reading and for writing."""
        other = self.build_company("Another company")
        manager = self.build_user("club_manager")
        template = other.club_welcome_template_id
        with self.assertRaises(AccessError):
            template.with_user(manager).body = "Changed"

    def test_tokens_are_for_administrators_only(self):
        """No club role reads a hash or a public id."""
        manager = self.build_user("club_manager")
        for name in "token_hash", "public_id", "pairing_hash", "token_next_hash":
            with self.subTest(name), self.assertRaises(AccessError):
                self.device.with_user(manager).read([name])
