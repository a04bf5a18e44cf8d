from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..tools.placeholder import fill, find_broken, format_jalali, format_number
from .common import ClubCommon


@tagged("post_install", "-at_install")
class TestPlaceholderText(BaseCase):
    """The grammar, without a database."""

    def test_broken_ones_are_found(self):
        """Open, closed, nested, empty, over two lines."""
        for text in (
            "Dear {{ name }, hi",
            "Dear { name }}, hi",
            "{{ {{ name }} }}",
            "{{ }}",
            "{{}}",
            "{{ name\n}}",
            "Dear {{ name",
        ):
            self.assertTrue(find_broken(text), text)
        for text in ("", "Dear {{ name }}", "{{a}}{{ b ||| c }}", "a { b } c"):
            self.assertEqual(find_broken(text), "", text)

    def test_lines_of_nothing_are_left_out(self):
        """Blank lines of the writer stay, data is never rendered again."""
        values = {"a": "{{ b }}", "b": "", "c": ""}
        text = "{{ a }}\n\n{{ b }}\n{{ b }} {{ c }}\nTel: {{ c }}"
        self.assertEqual(
            fill(text, lambda found: values[found.expression]), "{{ b }}\n\nTel:"
        )

    def test_dates_and_numbers(self):
        """As people of the language write them."""
        self.assertEqual(format_jalali(date(2026, 11, 23)), "۲ آذر ۱۴۰۵")
        self.assertEqual(format_number(0.5, "fa_IR"), "۰٫۵")
        self.assertEqual(format_number(1500000, "fa"), "۱٬۵۰۰٬۰۰۰")
        self.assertEqual(format_number(-0.001, "en_US"), "0")


@tagged("post_install", "-at_install")
class TestSmsPlaceholder(ClubCommon):
    """What people may write in texts, and what recipients get."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")
        cls.env = cls.env(context={**cls.env.context, "lang": "en_US"})
        cls.company = cls.company.with_env(cls.env)
        cls.placeholders = cls.env["sms.placeholder"]
        doctor = cls.env["customer.salutation"].create({"name": "Dr"})
        doctor.with_context(lang="fa_IR").name = "دکتر"
        iran = cls.env.ref("base.ir").id
        cls.sara, cls.john = cls.env["res.partner"].create(
            [
                {
                    "name": "سارا",
                    "lang": "fa_IR",
                    "phone": cls.phone(),
                    "country_id": iran,
                    "salutation_id": doctor.id,
                    "birthdate_date": "1990-03-21",
                    "gender": "female",
                },
                {
                    "name": "John",
                    "lang": "en_US",
                    "phone": cls.phone(),
                    "country_id": iran,
                    "birthdate_date": "1990-03-21",
                    "gender": "male",
                    "city": "Tabriz",
                },
            ]
        )
        cls.both = cls.sara | cls.john

    def render(self, text, records=None):
        """Texts in the order of the records."""
        records = self.both if records is None else records
        self.placeholders._check(text, records._name)
        bodies = self.placeholders._render_by_lang(text, records)
        return [bodies[record.id] for record in records]

    # === VALUES === #

    def test_each_in_their_language(self):
        """Names, salutations, dates, labels, fallback words."""
        self.assertEqual(
            self.render(
                "{{ greeting }}: {{ object.birthdate_date }}, {{ object.gender }}, "
                "{{ object.city ||| ? }}"
            ),
            ["دکتر سارا: ۱ فروردین ۱۳۶۹, زن, ?", "John: 03/21/1990, Male, Tabriz"],
        )

    def test_figures_of_the_customer(self):
        """Purchases, visits, score; nothing instead of zero."""
        self.company.currency_id = self.env.ref("base.EUR")
        self.env["customer.profile"].sudo().create(
            {
                "partner_id": self.sara.id,
                "company_id": self.company.id,
                "last_purchase_date": "2026-11-23",
                "purchase_count": 12,
                "score": 70,
            }
        )
        self.assertEqual(
            self.render("{{ last_purchase }}|{{ purchase_count }}|{{ score ||| - }}"),
            ["۲ آذر ۱۴۰۵|۱۲|۷۰", "||-"],
        )

    def test_money_in_tomans_or_rials(self):
        """As the company says; other currencies as they are."""
        rial = self.env["res.currency"].search(
            [("name", "=", "IRR"), ("active", "in", [True, False])]
        )
        rial.active = True
        self.company.currency_id = rial
        order = self.env["sale.order"].create(
            {
                "partner_id": self.sara.id,
                "company_id": self.company.id,
                "pricelist_id": self.env["product.pricelist"]
                .create({"name": "Rials", "currency_id": rial.id})
                .id,
                "order_line": [
                    (
                        0,
                        0,
                        {
                            "name": "Sofa",
                            "display_type": False,
                            "product_id": self.build_product().id,
                            "price_unit": 12000000,
                            "tax_ids": False,
                        },
                    )
                ],
            }
        )
        text = "{{ object.amount_total }}"
        self.assertEqual(self.render(text, order), ["۱٬۲۰۰٬۰۰۰ تومان"])
        self.company.sms_money_unit = "rial"
        self.assertEqual(self.render(text, order), ["۱۲٬۰۰۰٬۰۰۰ ریال"])
        self.sara.lang = "en_US"
        self.assertEqual(self.render(text, order), ["12,000,000 rial"])

    def build_product(self):
        return self.env["product.product"].create({"name": "Sofa"})

    def test_documents_speak_of_their_customer(self):
        """Quotation, lead with and without a contact, invoice."""
        order = self.env["sale.order"].create(
            {"partner_id": self.john.id, "company_id": self.company.id}
        )
        lead, nobody = self.env["crm.lead"].create(
            [
                {"name": "Hall", "partner_id": self.john.id},
                {"name": "Stage", "contact_name": "Mina", "phone": "09120000123"},
            ]
        )
        self.assertEqual(
            self.render("{{ greeting }} {{ object.name }} {{ company }}", order),
            [f"John {order.name} {self.company.name}"],
        )
        self.assertEqual(
            self.render("{{ greeting }} {{ object.name }}", lead | nobody),
            ["John Hall", "Mina Stage"],
        )

    def test_offer_of_the_segment(self):
        """The first segment that has one speaks, in the recipient's language."""
        segment = self.env["customer.segment"].create(
            {
                "name": "Regulars",
                "company_id": self.company.id,
                "suggested_message": "Coffee is on us",
            }
        )
        segment.with_context(lang="fa_IR").suggested_message = "قهوه مهمان ما"
        segment._add_partners(self.both)
        self.assertEqual(
            self.render("{{ offer }}"), ["قهوه مهمان ما", "Coffee is on us"]
        )

    def test_custom_properties(self):
        """Fields that users defined themselves."""
        definition = self.env[
            "properties.base.definition"
        ]._get_definition_for_property_field("res.partner", "properties")
        definition.properties_definition = [
            {"name": "plate", "string": "Plate", "type": "char"},
            {
                "name": "size",
                "string": "Size",
                "type": "selection",
                "selection": [["l", "Large"]],
            },
        ]
        self.john.properties = {"plate": "AB 12", "size": "l"}
        text = "{{ object.properties.plate }}/{{ object.properties.size ||| - }}"
        self.assertEqual(self.render(text), ["/-", "AB 12/Large"])
        with self.assertRaisesRegex(ValidationError, "no such property"):
            self.placeholders._check("{{ object.properties.nope }}", "res.partner")

    def test_names_are_data(self):
        """Whatever a customer is called, it is written, never evaluated."""
        self.john.name = "{{ object.phone }} <b>\u202ex\n y"
        self.assertEqual(
            self.render("Hi {{ name }}", self.john), ["Hi {{ object.phone }} <b>x\n y"]
        )

    def test_many_recipients_cost_few_queries(self):
        """The number of queries does not grow with the audience."""
        partners = self.env["res.partner"].create(
            [{"name": f"Guest {index}", "lang": "en_US"} for index in range(200)]
        )
        text = "{{ greeting }} {{ visits }} {{ last_purchase }} {{ score }}"
        self.render(text, partners[:2])
        self.env.invalidate_all()
        with self.assertQueryCount(40):
            self.render(text, partners)

    # === REFUSED === #

    def test_broken_and_forbidden_are_refused_by_name(self):
        """When saved, each with its reason."""
        manager = self.build_user("club_manager")
        template = self.build_template(self.company, "Hello").with_user(manager)
        for text, reason in (
            ("Hi {{ name }", "is broken"),
            ("Hi {{ nmae }}", "(?s)nmae.*no such placeholder"),
            ("{{ object.nmae }}", "no field “nmae” on Contact"),
            ("{{ object.name.upper() }}", "takes names and fields"),
            ("{{ object.env.cr }}", "no field “env”"),
            ("{{ object.user_ids.password }}", "may not stand"),
            ("{{ object.user_id.password }}", "may not stand"),
            ("{{ object.signup_token }}", "no field|may not stand"),
            ("{{ object.religion }}", "may not stand"),
            ("{{ object.trait_ids }}", "may not stand"),
            ("{{ object.profit }}", "may not stand"),
            ("{{ object.comment }}", "may not stand"),
            ("{{ object.industry_id.name }}", "Nothing may be read through"),
            ("{{ object.image_1920 }}", "may not stand"),
            ("{{ ''.__class__ }}", "takes names and fields"),
        ):
            with self.assertRaisesRegex(ValidationError, reason, msg=text):
                template.body = text
        template.body = "{{ object.country_id.name }} {{ greeting ||| Guest }}"

    def test_administrators_may_write_code_that_can_be_read(self):
        """As in core, except for what cannot work."""
        template = self.build_template(self.company, "Hello")
        template.body = "{{ object.name.upper() }}"
        body = template._render_field("body", self.john.ids)[self.john.id]
        self.assertEqual(body, "JOHN")
        for text in ("{{ object.name( }}", "{{ object.nmae }}", "{{ name"):
            with self.assertRaises(ValidationError, msg=text):
                template.body = text

    def test_translations_are_checked_too(self):
        """A broken Persian text is refused like an English one."""
        template = self.build_template(self.company, "Hello {{ name }}")
        with self.assertRaises(ValidationError):
            template.update_field_translations("body", {"fa_IR": "سلام {{ nam }}"})

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_nobody_sends_what_they_may_not_see(self):
        """In a free text; a saved one was somebody else's decision."""
        user = new_test_user(self.env, login="employee", groups="base.group_user")
        as_user = self.placeholders.with_user(user)
        self.assertEqual(as_user._find_problem("name", "res.partner"), "")
        self.assertIn("not see", as_user._find_problem("visits", "res.partner"))
        template = self.build_template(self.company, "Visits: {{ visits ||| none }}")
        body = template.with_user(user)._render_field("body", self.john.ids)
        self.assertEqual(body[self.john.id], "Visits: none")

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.http")
    def test_portal_users_reach_nothing(self):
        """Neither the menu nor a preview."""
        portal = new_test_user(self.env, login="portal", groups="base.group_portal")
        as_portal = self.placeholders.with_user(portal)
        for call in (
            lambda: as_portal.get_menu("res.partner"),
            lambda: as_portal.inspect("{{ name }}", "res.partner"),
            lambda: as_portal.get_problem("name", "res.partner"),
        ):
            with self.assertRaises(AccessError):
                call()

    # === MENU, PREVIEW, LENGTH === #

    def test_menu_offers_what_works(self):
        """Every item passes the check, for each kind of document."""
        for model in ("res.partner", "crm.lead", "sale.order", "account.move"):
            menu = self.placeholders.get_menu(model)
            expressions = [
                item["expression"]
                for group in menu["groups"]
                for item in group["items"]
            ]
            self.assertIn("greeting", expressions)
            for expression in expressions:
                self.placeholders._check(f"{{{{ {expression} }}}}", model)
            for block in menu["blocks"]:
                self.placeholders._check(block["body"], model)
            self.assertTrue(menu["blocks"], model)

    def test_preview_shows_three_and_counts_the_longest(self):
        """With the line's ending."""
        self.john.name = "J" * 90
        answer = self.placeholders.inspect(
            "Hi {{ name }}", "res.partner", self.both.ids, "لغو11"
        )
        self.assertEqual(answer["total"], 2)
        self.assertEqual(answer["longest"]["characters"], 3 + 90 + 6)
        self.assertEqual(
            (answer["longest"]["encoding"], answer["longest"]["parts"]), ("ucs2", 2)
        )
        self.assertEqual(
            {preview["id"] for preview in answer["previews"]}, set(self.both.ids)
        )
        self.assertTrue(
            all(row["body"].endswith("\nلغو11") for row in answer["previews"])
        )
        broken = self.placeholders.inspect("Hi {{ nmae }}", "res.partner")
        self.assertIn("nmae", broken["problem"])

    def test_longest_of_a_large_audience(self):
        """Found although only some are rendered."""
        iran = self.env.ref("base.ir").id
        crowd = self.env["res.partner"].create(
            [
                {
                    "name": f"Guest {index}",
                    "phone": self.phone(),
                    "country_id": iran,
                    "city": "Yazd" * (40 if index == 377 else 1),
                }
                for index in range(400)
            ]
        )
        crowd[390].name = "N" * 120
        text = "{{ name }}"
        answer = self.placeholders.inspect(text, "res.partner", crowd.ids)
        self.assertEqual((answer["total"], answer["longest"]["characters"]), (400, 120))
        answer = self.placeholders.inspect(
            "{{ object.city }}", "res.partner", crowd.ids
        )
        self.assertEqual(answer["longest"]["characters"], 160)
        # As a mailing of Odoo's own knows its audience.
        named = repr([("id", "in", crowd.ids), ("name", "like", "Guest")])
        answer = self.placeholders.inspect(text, "res.partner", None, "", named)
        self.assertEqual((answer["total"], answer["longest"]["characters"]), (399, 9))
        broken = self.placeholders.inspect(text, "res.partner", None, "", "[(x")
        self.assertGreater(broken["total"], 399)

    def test_typed_text_of_the_composer(self):
        """Rendered with the typist's rights, each in the recipient's language."""
        self.company.write({"sms_cap_day": 0, "sms_cap_week": 0})
        for partner in self.both:
            self.env["customer.consent"].create(
                {
                    "number": partner.phone_sanitized,
                    "kind": "consent",
                    "company_id": self.company.id,
                }
            )
        composer = self.env["sms.composer"].with_context(
            default_res_model="res.partner",
            default_composition_mode="mass",
            default_res_ids=repr(self.both.ids),
        )
        composer.create(
            {"body": "{{ name }} {{ object.birthdate_date }}"}
        ).action_send_sms()
        sent = self.env["sms.sms"].search([("partner_id", "in", self.both.ids)])
        self.assertEqual(
            set(sent.mapped("body")), {"سارا ۱ فروردین ۱۳۶۹", "John 03/21/1990"}
        )
        user = new_test_user(
            self.env,
            login="writer",
            groups="base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(UserError):
            composer.with_user(user).create(
                {"body": "{{ object.religion }}"}
            ).action_send_sms()

    def test_starter_texts_are_built_from_blocks(self):
        """In their order, and each can be rendered."""
        starter = self.env.ref("customer_segmentation.sms_text_starter_welcome_card")
        self.assertGreater(len(starter.block_ids), 2)
        self.assertEqual(starter.full_body.splitlines()[1], "{{ slogan }}")
        body = self.render(starter.full_body, self.john)[0]
        self.assertIn(self.company.name, body)
        self.assertNotIn("{{", body)

    def test_template_warns_of_links(self):
        """Where the line forbids them."""
        template = self.build_template(self.company, "See https://example.com")
        self.assertFalse(template.forbids_links)
        self.company._get_sms_line("service").links_allowed = False
        template.invalidate_recordset()
        self.assertTrue(template.forbids_links)
