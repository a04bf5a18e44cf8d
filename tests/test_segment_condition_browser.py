from odoo.tests import tagged

from .common import ClubHttpCommon
from .test_club_today_browser import HELPERS

STEPS = """
const offer = async (name) => {
    const found = await wait(name, () =>
        [...document.querySelectorAll(".o_segment_condition_offer")].find(
            (item) => item.textContent.trim().startsWith(name)
        )
    );
    found.click();
    await query(".o_segment_condition_blanks");
};
const number = async (value) => {
    type(await query(".o_segment_condition_blanks input[type=number]"), value);
};
const text = async (value) => {
    type(await query(".o_segment_condition_blanks input[type=text]"), value);
};
const insert = async () => {
    const button = await wait("a filled in condition", () =>
        document.querySelector(".o_segment_condition_insert:not([disabled])")
    );
    button.click();
    await wait("the dialog to close", () =>
        !document.querySelector(".o_segment_condition_dialog")
    );
};
const sentence = (expected) =>
    wait(`the sentence ${expected}`, () =>
        document
            .querySelector(".o_segment_condition_sentence")
            ?.textContent.includes(expected)
    );
const add = async () => (await query(".o_segment_condition_add")).click();
"""


@tagged("-at_install", "post_install", "customer_segmentation")
class TestSegmentConditionBrowser(ClubHttpCommon):
    """Ready conditions in the real client: at a rule, with «and» and «or»."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")
        cls.manager = cls.build_user("club_manager")
        cls.manager.password = cls.manager.login

    def run_in_browser(self, path, ready, steps):
        code = f"(async () => {{ {HELPERS} {STEPS} {steps} }})()"
        self.browser_js(
            path,
            f"{code}.then(() => console.log('test successful'))"
            ".catch((error) => console.error(error.message));",
            ready=f"!!document.querySelector('{ready}')",
            login=self.manager.login,
        )

    def test_ready_conditions_are_inserted_and_nested(self):
        """Searched, filled in, combined by «or», one put beside a rule by «and»."""
        self.run_in_browser(
            "/odoo/customer-segments-by-condition/new",
            ".o_segment_condition_add",
            """
            type(await query("[name=name] input, [name=name] textarea"), "Nested");
            await sentence("Everybody");
            await add();
            const search = await query(".o_segment_condition_search");
            type(search, "CITY");
            await wait("one offer", () =>
                document.querySelectorAll(".o_segment_condition_offer").length === 1
            );
            await offer("City");
            if (document.querySelector(".o_segment_condition_or")) {
                throw new Error("There is nothing to connect the first one with");
            }
            await text("Tehran");
            await insert();
            await sentence("City contains “Tehran”.");
            await add();
            await offer("Visited at least");
            await number("5");
            (await query(".o_segment_condition_or")).click();
            await insert();
            await sentence("City contains “Tehran” or Visits is at least 5.");
            (await query(".o_segment_condition_here")).click();
            await offer("Created in the last");
            await number("20");
            await insert();
            await sentence("(City contains “Tehran” and Created on since ");
            await sentence("(20 days ago)) or Visits is at least 5.");
            const days = await query(".o_segment_relative_date input");
            equal(days.value, "20", "days in Odoo's own editor");
            days.value = "12";
            days.dispatchEvent(new Event("change", { bubbles: true }));
            await sentence("(12 days ago)) or Visits is at least 5.");
            await add();
            (await query(".o_segment_condition_more")).click();
            await wait("a raw rule", () =>
                document.querySelectorAll(".o_tree_editor_condition").length === 4
            );
            const raw = [...document.querySelectorAll("[aria-label='Delete rule']")];
            raw.at(-1).click();
            await wait("three rules", () =>
                document.querySelectorAll(".o_tree_editor_condition").length === 3
            );
            (await query(".o_form_button_save")).click();
            await wait("the segment to be saved", () =>
                /\\/\\d+$/.test(window.location.pathname)
            );
            """,
        )
        segment = self.env["customer.segment"].search([("name", "=", "Nested")])
        self.assertEqual(
            segment.domain,
            '["|", "&", ("city", "ilike", "Tehran"), '
            '("create_date", ">=", "today -12d"), ("club_visit_count", ">=", 5)]',
        )

    def test_gallery_asks_for_blanks_and_opens_the_segment(self):
        """In Persian, from right to left; nothing English is asked."""
        self.manager.lang = "fa_IR"
        self.env.flush_all()
        self.run_in_browser(
            "/odoo/customer-segment-gallery",
            ".o_kanban_record button",
            """
            const card = await wait("the card", () =>
                [...document.querySelectorAll(".o_kanban_record")].find((record) =>
                    record.textContent.includes("سه مراجعه")
                )
            );
            card.querySelector("button").click();
            await number("4");
            const dialog = await query(".o_segment_condition_dialog");
            if (/[A-Za-z]{3}/.test(dialog.textContent)) {
                throw new Error(`English: ${dialog.textContent}`);
            }
            await insert();
            await sentence("دست‌کم ۴");
            """,
        )
        segment = self.env["customer.segment"].search([], order="id desc", limit=1)
        self.assertEqual(segment.domain, "[('club_month_visits', '>=', 4)]")
        self.assertEqual(segment.user_id, self.manager)
