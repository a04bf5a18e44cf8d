from odoo.tests import tagged

from .common import ClubHttpCommon

# The browser fails a test on any error in its console.
STORY = """
const until = async (find, what) => {
    for (let i = 0; i < 600; i++) {
        const found = find();
        if (found) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`not seen: ${what}`);
};
const TAG = ".o_field_widget[name=tag_ids] .o_data_row td[name=label]";
const get = (selector) => until(() => document.querySelector(selector), selector);
const expect = (truth, what) => {
    if (!truth) {
        throw new Error(`wrong: ${what}`);
    }
};
(async () => {
    %s
    console.log("test successful");
})().catch((error) => console.error(error.message));
"""


@tagged("-at_install", "post_install", "customer_segmentation")
class TestClubScreensBrowser(ClubHttpCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.build_user("club_manager")

    def play(self, path, story):
        """Open a page as the club manager and play a story on it."""
        self.browser_js(
            path,
            STORY % story,
            ready="!!document.querySelector('.o_main_navbar')",
            login=self.manager.login,
            timeout=120,
        )

    def test_connect_shows_the_code_its_countdown_and_the_setup_string(self):
        device = self.build_device(self.company, name="Tablet")
        self.play(
            f"/odoo/club-devices/{device.id}",
            """
            (await get("button[name=action_connect]")).click();
            const shown = await get(".o_club_pairing_code");
            const code = shown.textContent.replace(/\\s/g, "");
            expect(/^[0-9]{9}$/.test(code), `a code of 9 digits, not ${code}`);
            const setup = document.querySelector(".o_club_pairing_setup input").value;
            expect(setup.endsWith(`|${code}`), `the setup string ${setup}`);
            expect(
                document.querySelector(".o_club_pairing_qr").src.startsWith("data:image"),
                "the QR code"
            );
            await until(
                () => /9:5[0-9]/.test(
                    document.querySelector(".o_club_pairing").textContent
                ),
                "the countdown"
            );
            """,
        )
        self.assertTrue(device.pairing_expires)

    def test_tag_popup_counts_while_the_owner_types(self):
        self.play(
            f"/odoo/club-devices/{self.device.id}",
            """
            (await get(TAG)).click();
            (await get(".modal .o_field_widget[name=first_mode] input")).click();
            const field = ".modal .o_field_widget[name=first_text]";
            const text = await get(`${field} textarea`);
            const type = (value) => {
                text.value = value;
                text.dispatchEvent(new InputEvent("input", {bubbles: true}));
            };
            const cost = () =>
                document.querySelector(`${field} .o_sms_text_cost`).textContent;
            const shows = (start) => until(() => cost().startsWith(start), start);
            type("Hello");
            // The line adds a line break and «لغو11».
            await shows("11 characters · Unicode · 1 part");
            type("ا".repeat(65));
            await shows("71 characters · Unicode · 2 part");
            expect(text.dir === "rtl", "Persian is written from the right");
            document.querySelector(".modal .o_form_button_cancel").click();
            await until(() => !document.querySelector(".modal"), "the popup closed");
            """,
        )

    def test_tag_popup_previews_what_is_sent(self):
        self.tag_coffee.first_text = "{{ object.sms_greeting ||| Dear guest}}, hello!"
        self.play(
            f"/odoo/club-devices/{self.device.id}",
            """
            (await get(TAG)).click();
            const preview = await get(".modal .o_field_widget[name=first_preview]");
            expect(
                preview.textContent.includes("Dear guest, hello!\\nلغو11"),
                preview.textContent
            );
            const later = await get(".modal .o_field_widget[name=repeat_preview]");
            expect(later.textContent.includes("Nice to see you"), "the club's text");
            """,
        )

    def test_title_of_the_scoring_rules_is_read_beside_its_buttons(self):
        """The buttons of the packs once left it no room at all."""
        self.play(
            "/odoo/customer-score-rules",
            """
            await get(".o_list_pack");
            const title = await get(".o_last_breadcrumb_item > span");
            expect(
                title.clientWidth >= title.scrollWidth,
                `${title.clientWidth} of ${title.scrollWidth} pixels of the title`
            );
            """,
        )

    def test_checkins_and_contact_open_in_both_languages(self):
        phone = self.phone()
        self.take(phone, tag=1)
        self.follow_up()
        partner = self.member(phone).partner_id
        for lang, direction, result in (
            ("en_US", "ltr", "First visit"),
            ("fa_IR", "rtl", "مراجعهٔ اول"),
        ):
            self.manager.lang = lang
            with self.subTest(lang=lang, page="check-ins"):
                self.play(
                    "/odoo/club-checkins",
                    f"""
                    const row = await get(".o_list_view .o_data_row");
                    expect(row.textContent.includes("{result}"), row.textContent);
                    expect(
                        getComputedStyle(document.body).direction === "{direction}",
                        "direction of the page"
                    );
                    const number = row.querySelector("td[name=phone_e164]");
                    expect(
                        getComputedStyle(number).direction === "ltr",
                        "direction of the number"
                    );
                    """,
                )
            with self.subTest(lang=lang, page="contact"):
                self.play(
                    f"/odoo/res.partner/{partner.id}",
                    f"""
                    const visits = await get("[name=action_open_club_checkins]");
                    expect(visits.textContent.includes("1"), visits.textContent);
                    (await get(".o_notebook a[name=club]")).click();
                    const row = await get("[name=club_checkin_ids] .o_data_row");
                    expect(row.textContent.includes("{result}"), row.textContent);
                    """,
                )
