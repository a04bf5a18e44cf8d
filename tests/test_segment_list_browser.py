from odoo.tests import tagged

from .common import ClubHttpCommon
from .test_club_screens_browser import STORY


@tagged("-at_install", "post_install", "customer_segmentation")
class TestSegmentListBrowser(ClubHttpCommon):
    """The way from a list of contacts into segments, in a real browser."""

    def play(self, story):
        """Open the contacts as a club manager and play a story on them."""
        manager = self.build_user("club_manager")
        self.env["res.partner"].create(
            [
                {"name": f"Guest {number}", "company_id": self.company.id}
                for number in range(3)
            ]
        )
        self.browser_js(
            "/odoo/action-contacts.action_contacts?view_type=list",
            STORY % story,
            ready="!!document.querySelector('.o_list_view, .o_kanban_view')",
            login=manager.login,
            timeout=120,
        )

    def test_current_filter_becomes_a_new_segment(self):
        self.play(
            """
            const menu = ".o_control_panel_breadcrumbs .o_cp_action_menus .fa-cog";
            (await get(menu)).click();
            (await get(".o_segment_from_filter")).click();
            await get(".o_form_view .o_field_widget[name=domain]");
            const shown = document.querySelector(".o_form_view [name=user_id]");
            expect(shown, "a segment by a condition, with its responsible");
            """
        )

    def test_chosen_contacts_go_into_a_new_group(self):
        self.play(
            """
            (await get(".o_list_view thead .o_list_record_selector input")).click();
            await get(".o_selection_box, .o_list_selection_box");
            (await get(".o_cp_action_menus .dropdown-toggle:has(.fa-cog)")).click();
            const item = await until(
                () => [...document.querySelectorAll(".o-dropdown--menu .o_menu_item")]
                    .find((found) => found.textContent.includes("Add to group")),
                "Add to group");
            item.click();
            const input = await get(".modal .o_field_widget[name=segment_id] input");
            input.focus();
            input.value = "Fresh group";
            input.dispatchEvent(new InputEvent("input", {bubbles: true}));
            const create = ".o_m2o_dropdown_option_create";
            (await get(`${create} a, ${create}`)).click();
            await until(() => input.value === "Fresh group" &&
                !document.querySelector(create), "the group");
            document.querySelector(".modal button[name=action_apply]").click();
            await get(".o_notification .o_notification_content, .o_notification_body");
            """
        )
        group = self.env["customer.segment"].search([("name", "=", "Fresh group")])
        self.assertGreaterEqual(group.member_count, 3)
