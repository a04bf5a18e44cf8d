from odoo.tests import HttpCase, new_test_user, tagged

from .common import ClubBuilders


@tagged("post_install", "-at_install", "customer_segmentation")
class TestSmsTextBrowser(ClubBuilders, HttpCase):
    """Somebody who is no developer writes a text with placeholders."""

    def test_menu_inserts_and_previews(self):
        """A name with its words, then what three people get."""
        manager = new_test_user(
            self.env,
            login="manager-browser",
            groups="customer_segmentation.customer_segmentation_group_club_manager,"
            "base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.env["res.partner"].create(
            [
                {
                    "name": name,
                    "phone": self.phone(),
                    "company_id": self.company.id,
                    "country_id": self.env.ref("base.ir").id,
                }
                for name in ("Sara", "Mina", "Farhad of the long name")
            ]
        )
        template = self.build_template(self.company, "Hello")
        steps = """
            (await find(".o_sms_text_insert")).click();
            const item = await find(".o_sms_text_menu_list .o-dropdown-item");
            item.click();
            const words = await find("#o_sms_placeholder_fallback");
            if (words.value !== "Dear guest") throw new Error(words.value);
            (await find(".o_sms_placeholder_insert")).click();
            await until(
                () => document.querySelector(".o_field_sms_text textarea").value
                    === "Hello {{ greeting ||| Dear guest }}",
                "inserted"
            );
            (await find(".o_sms_text_preview_toggle")).click();
            await until(
                () => document.querySelectorAll(".o_sms_text_preview_card").length > 2,
                "three previews"
            );
            await until(
                () => document.body.innerText.includes("Hello Farhad of the long name"),
                "the longest"
            );
            (await find(".o_form_button_save")).click();
            await until(() => !document.querySelector(".o_form_dirty"), "saved");
        """
        helpers = """
            const until = async (test, what) => {
                for (let tries = 0; tries < 500; tries++) {
                    const result = test();
                    if (result) return result;
                    await new Promise((done) => setTimeout(done, 100));
                }
                throw new Error("Waited in vain for " + what);
            };
            const find = (selector) =>
                until(() => document.querySelector(selector), selector);
        """
        self.browser_js(
            f"/odoo/sms.template/{template.id}",
            f"(async () => {{ {helpers} {steps} }})()"
            ".then(() => console.log('test successful'))"
            ".catch((error) => console.error(error.message));",
            ready="!!document.querySelector('.o_sms_text_insert')",
            login=manager.login,
        )
        self.env.invalidate_all()
        self.assertEqual(template.body, "Hello {{ greeting ||| Dear guest }}")
