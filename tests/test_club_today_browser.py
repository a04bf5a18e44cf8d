from odoo.tests import new_test_user, tagged

from .common import CLUB, ClubHttpCommon

# Written for the page, so that it can be read: waits, clicks, and says what is missing.
HELPERS = """
const wait = async (what, find) => {
    for (let tries = 0; tries < 1000; tries++) {
        const found = find();
        if (found) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${what} did not appear`);
};
const query = (selector) => wait(selector, () => document.querySelector(selector));
const type = (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
};
const equal = (value, expected, what) => {
    if (value !== expected) {
        throw new Error(`${what}: ${value} instead of ${expected}`);
    }
};
"""


@tagged("-at_install", "post_install", "customer_segmentation")
class TestClubTodayBrowser(ClubHttpCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")
        cls.manager = cls.build_user("club_manager")
        cls.manager.password = cls.manager.login

    def run_in_browser(self, steps, user=None):
        code = f"(async () => {{ {HELPERS} {steps} }})()"
        self.browser_js(
            "/odoo/club-today",
            f"{code}.then(() => console.log('test successful'))"
            ".catch((error) => console.error(error.message));",
            ready="!!document.querySelector('.o_club_today_tile')",
            login=(user or self.manager).login,
        )

    def check_in_two_guests(self):
        self.visitor = "09120001234"
        self.check_in(self.visitor, 1)
        self.check_in(self.phone())
        self.follow_up()
        self.member(self.visitor).partner_id.name = "Sample Guest"
        self.env.flush_all()

    def test_who_is_calling_is_asked_from_any_screen(self):
        self.check_in_two_guests()
        self.run_in_browser(
            f"""
            location.hash = "";
            odoo.__WOWL_DEBUG__.root.env.services.action.doAction(
                "customer_segmentation.club_member_action");
            await query(".o_list_view, .o_kanban_view");
            (await query(".o_menu_systray button[title='Who is calling?']")).click();
            const menu = await query(".o_club_caller_menu");
            type(menu.querySelector(".o_club_caller_input"), "{self.visitor}");
            menu.querySelector("form button.btn-primary").click();
            const person = await query(".o_club_caller_menu .o_club_caller_person a");
            equal(person.textContent.trim(), "Sample Guest", "the caller");
            person.click();
            await wait("the contact", () =>
                document.querySelector(".o_form_view .o_field_widget[name='name']"));
            equal(document.querySelector(".o_club_caller_menu"), null, "the menu");
            """
        )

    def test_nobody_else_is_asked(self):
        """Who may not read members has no phone in the corner."""
        user = new_test_user(
            self.env, login="only-a-cashier", groups=f"{CLUB}_cashier,base.group_user"
        )
        self.browser_js(
            "/odoo/discuss",
            'console[document.querySelector(".o_menu_systray '
            "button[title='Who is calling?']\") ? 'error' : 'log']"
            "('test successful');",
            ready="!!document.querySelector('.o_menu_systray .o_user_menu')",
            login=user.login,
        )

    def test_figure_opens_its_list_and_the_caller_is_known(self):
        self.check_in_two_guests()
        for lang, direction, digits in (
            ("en_US", "ltr", self.visitor),
            ("fa_IR", "rtl", "۰۹۱۲ ۰۰۰ ۱۲۳۴"),
        ):
            self.manager.lang = lang
            self.env.flush_all()
            with self.subTest(lang=lang):
                self.run_in_browser(
                    f"""
                    const rtl = document.body.classList.contains("o_rtl");
                    equal(rtl ? "rtl" : "ltr", "{direction}", "direction");
                    await query(".o_club_today_chart canvas");
                    const tile = await query('[data-key="visits"]');
                    const value = tile.querySelector(".o_club_today_value");
                    equal(value.textContent, rtl ? "۲" : "2", "visits");
                    type(await query(".o_club_caller_input"), "{digits}");
                    document.querySelector(".o_club_caller form button.btn-primary")
                        .click();
                    const person = await query(".o_club_caller_person");
                    if (!person.textContent.includes("Sample Guest")) {{
                        throw new Error("The caller is not named");
                    }}
                    if (!person.textContent.includes("Coffee")) {{
                        throw new Error("The caller's tag is missing");
                    }}
                    (await query('[data-period="7_days"]')).click();
                    await query('[data-chart="hour"]');
                    (await query('[data-key="first"]')).click();
                    await wait("the list", () =>
                        document.querySelectorAll(".o_data_row").length === 2
                    );
                    (await query(".o_back_button, .breadcrumb-item a")).click();
                    await query('[data-period="7_days"].active');
                    """
                )

    def test_bar_opens_its_hour(self):
        self.check_in_two_guests()
        self.run_in_browser(
            """
            const canvas = await query(".o_club_today_chart canvas");
            const chart = Chart.getChart(canvas);
            const busy = chart.data.datasets[0].data.findIndex((count) => count);
            const bar = chart.getDatasetMeta(0).data[busy];
            const box = canvas.getBoundingClientRect();
            canvas.dispatchEvent(new MouseEvent("click", {
                bubbles: true,
                clientX: box.left + bar.x,
                clientY: box.top + (bar.y + bar.base) / 2,
            }));
            await wait("the list", () =>
                document.querySelectorAll(".o_list_view .o_data_row").length === 2
            );
            """
        )

    def test_first_steps_and_a_trade_in_one_click(self):
        self.company.write(
            {"club_welcome_template_id": False, "club_repeat_template_id": False}
        )
        preset = self.env["club.preset"].create(
            {"name": "Tea house", "sequence": -1, "welcome_body": "Welcome to tea"}
        )
        self.env.flush_all()
        self.run_in_browser(
            f"""
            await query('[data-step="welcome"]:not(.o_club_today_step_done)');
            (await query('[data-preset="{preset.id}"]')).click();
            await query('[data-step="welcome"].o_club_today_step_done');
            (await query('[data-step="try"] button')).click();
            await query('.modal [name="phone"] input');
            """
        )
        self.env.invalidate_all()
        self.assertEqual(self.company.club_welcome_template_id.body, "Welcome to tea")

    def test_cashier_sees_today_without_names(self):
        self.check_in_two_guests()
        cashier = self.build_user("cashier")
        cashier.password = cashier.login
        self.env.flush_all()
        self.run_in_browser(
            """
            equal(document.querySelector(".o_club_caller"), null, "caller box");
            equal(document.querySelector("[data-period]"), null, "periods");
            (await query('[data-key="visits"]')).click();
            await wait("the list", () =>
                document.querySelectorAll(".o_list_view .o_data_row").length === 2
            );
            """,
            cashier,
        )
