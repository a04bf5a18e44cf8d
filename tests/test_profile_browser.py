from datetime import date

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import CLUB, ClubHttpCommon
from .test_club_today_browser import HELPERS

SAVE = """
const CHANGED = ".o_form_status_indicator_buttons:not(.invisible)";
const save = async () => {
    (await query(`${CHANGED} .o_form_button_save`)).click();
    await wait("the saved form", () => !document.querySelector(CHANGED));
};
"""


@tagged("-at_install", "post_install", "customer_segmentation")
class TestProfileBrowser(ClubHttpCommon):
    """Attributes and guidance as people meet them on the screen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")
        cls.salesman = new_test_user(
            cls.env,
            login="salesman-browser",
            groups=f"{CLUB}_club_user,sales_team.group_sale_salesman_all_leads",
            context={"no_reset_password": True},
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.trait = cls.env["customer.trait"].create(
            {
                "name": "Test haggler",
                "neutral_label": "Price-aware",
                "guidance_do": "Open with room.\n<b>Never</b> at once.",
                "limits_discount": True,
                "discount_ceiling_pct": 10,
            }
        )
        cls.contact = cls.env["res.partner"].create(
            {
                "name": "Sample Guest",
                "company_id": cls.company.id,
                "trait_ids": [Command.link(cls.trait.id)],
            }
        )

    def run_on(self, record, steps):
        """Open a record's form and do some steps."""
        self.env.flush_all()
        code = f"(async () => {{ {HELPERS} {SAVE} {steps} }})()"
        self.browser_js(
            f"/odoo/{record._name}/{record.id}",
            f"{code}.then(() => console.log('test successful'))"
            ".catch((error) => console.error(error.message));",
            ready="!!document.querySelector('.o_form_view .o_field_widget')",
            login=self.salesman.login,
        )

    def type_birthdate(self, text):
        self.run_on(
            self.contact,
            f"""
            (await query(".nav-link[name='attributes']")).click();
            const field = ".o_field_widget[name='birthdate_date']";
            const input = await query(`${{field}} input, ${{field}} button`);
            input.focus();
            const typed = await query(`${{field}} input`);
            type(typed, "{text}");
            typed.dispatchEvent(new Event("change", {{ bubbles: true }}));
            (await query(".o_field_widget[name='occupation'] input")).focus();
            await wait("the date", () => document.querySelector(field)
                && !document.querySelector(".o_datetime_picker"));
            await save();
            """,
        )
        self.contact.invalidate_recordset()

    def test_birth_dates_are_typed_in_either_calendar(self):
        """Also a day that the other calendar does not have."""
        self.salesman.lang = "fa_IR"
        self.type_birthdate("۱۳۷۰/۲/۳۱")
        self.assertEqual(self.contact.birthdate_date, date(1991, 5, 21))
        self.type_birthdate("1368/5/12")
        self.assertEqual(self.contact.birthdate_date, date(1989, 8, 3))

    def test_the_card_stands_on_the_contact(self):
        """As plain text, whatever somebody typed into it."""
        self.run_on(
            self.contact,
            """
            const card = await query(".o_customer_guidance_card");
            const text = card.textContent;
            for (const part of ["Test haggler", "Open with room.", "<b>Never</b>"]) {
                if (!text.includes(part)) {
                    throw new Error(`${part} is not on the card: ${text}`);
                }
            }
            equal(card.querySelector("b"), null, "mark-up");
            """,
        )

    def test_pages_of_the_contact_are_read_when_opened(self):
        """Each with its figures; what is typed on several is saved together."""
        self.env["customer.event"].create(
            {"kind": "call", "name": "Asked for a price", "partner_id": self.contact.id}
        )
        self.run_on(
            self.contact,
            """
            for (const page of ["profile", "customer_score", "club", "attributes"]) {
                (await query(`.nav-link[name='${page}']`)).click();
                await query(`.nav-link.active[name='${page}']`);
            }
            const name = await query(".o_field_widget[name='name'] textarea, "
                + ".o_field_widget[name='name'] input");
            type(name, "Sample Visitor");
            name.dispatchEvent(new Event("change", { bubbles: true }));
            const work = await query(".o_field_widget[name='occupation'] input");
            type(work, "Baker");
            work.dispatchEvent(new Event("change", { bubbles: true }));
            const events = await query(".o_field_widget[name='customer_event_ids']");
            if (!events.textContent.includes("Asked for a price")) {
                throw new Error(events.textContent);
            }
            await save();
            """,
        )
        self.contact.invalidate_recordset()
        self.assertEqual(self.contact.name, "Sample Visitor")
        self.assertEqual(self.contact.occupation, "Baker")

    def test_a_quotation_warns_while_the_discount_is_typed(self):
        """Without saving, and takes the warning back."""
        product = self.env["product.product"].create(
            {"name": "Chair", "list_price": 100, "taxes_id": False}
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.contact.id,
                "company_id": self.company.id,
                "user_id": self.salesman.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        self.run_on(
            order,
            """
            await query(".o_customer_guidance_card");
            const warning = ".o_field_widget[name='discount_ceiling_text']";
            const price = async (value) => {
                (await query("td[name='price_unit']")).click();
                const input = await query("td[name='price_unit'] input");
                type(input, value);
                input.dispatchEvent(new Event("change", { bubbles: true }));
            };
            await price("80");
            const found = await query(warning);
            if (!found.textContent.includes("20 %")) {
                throw new Error(found.textContent);
            }
            await price("95");
            await wait("no warning", () => !document.querySelector(warning));
            await save();
            """,
        )
        self.assertEqual(order.order_line.price_unit, 95)
