from odoo.tests import new_test_user, tagged

from .common import ClubHttpCommon
from .test_club_today_browser import HELPERS


@tagged("-at_install", "post_install", "customer_segmentation")
class TestSegmentPreviewBrowser(ClubHttpCommon):
    """The audience follows the typing, and a large change is asked about."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")
        cls.marketer = new_test_user(
            cls.env,
            login="marketer-browser",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.env["res.partner"].create(
            [
                {"name": f"Guest {number}", "ref": "audience", "phone": phone}
                for number, phone in enumerate(
                    ("09120008001", "09120008001", "02188880000")
                )
            ]
        )
        cls.company.write({"segment_confirm_people": 1, "segment_confirm_percent": 30})

    def make_segment(self):
        segment = self.env["customer.segment"].create(
            {
                "name": "Audience",
                "kind": "dynamic",
                "company_id": self.company.id,
                "user_id": self.marketer.id,
                "domain": "[('ref', '=', 'audience')]",
            }
        )
        segment.refresh()
        self.env.flush_all()
        return segment

    def run_on(self, segment, steps):
        code = f"(async () => {{ {HELPERS} {steps} }})()"
        self.browser_js(
            f"/odoo/customer-segments-by-condition/{segment.id}?debug=1",
            f"{code}.then(() => console.log('test successful'))"
            ".catch((error) => console.error(error.message));",
            ready="!!document.querySelector('.o_segment_preview_total')",
            login=self.marketer.login,
        )

    def test_typing_counts_and_saving_asks(self):
        segment = self.make_segment()
        for lang, digits in {"en_US": "023", "fa_IR": "۰۲۳"}.items():
            self.marketer.lang = lang
            self.env.flush_all()
            with self.subTest(lang=lang):
                self.run_on(
                    segment,
                    f"const digits = {list(digits)};"
                    """
                    const total = () => {
                        const found = document.querySelector(
                            ".o_segment_preview_total");
                        return found && found.textContent;
                    };
                    await wait("three people", () => total() === digits[2]);
                    const mobile = await query(".o_segment_preview_mobile");
                    equal(mobile.textContent, digits[1], "with a mobile");
                    const raw = await query(
                        ".o_domain_selector_debug_container textarea");
                    raw.value = "[('ref', '=', 'nobody at all')]";
                    raw.dispatchEvent(new Event("input", { bubbles: true }));
                    raw.dispatchEvent(new Event("change", { bubbles: true }));
                    await wait("nobody", () => total() === digits[0]);
                    await query(".o_segment_preview_changes");
                    (await query(".o_form_button_save")).click();
                    const dialog = await query(".modal-dialog");
                    (dialog.querySelector(".btn-secondary")).click();
                    await wait("no dialog", () =>
                        !document.querySelector(".modal-dialog"));
                    (await query(".o_form_button_cancel")).click();
                    await wait("three again", () => total() === digits[2]);
                    """,
                )
                self.env.invalidate_all()
                self.assertEqual(segment.domain, "[('ref', '=', 'audience')]")
        self.marketer.lang = "en_US"
        self.run_on(
            segment,
            """
            const raw = await query(".o_domain_selector_debug_container textarea");
            raw.value = "[('ref', '=', 'nobody at all')]";
            raw.dispatchEvent(new Event("input", { bubbles: true }));
            raw.dispatchEvent(new Event("change", { bubbles: true }));
            await wait("nobody", () => document.querySelector(
                ".o_segment_preview_total")?.textContent === "0");
            (await query(".o_form_button_save")).click();
            (await query(".modal-dialog .btn-primary")).click();
            await query(".o_form_status_indicator_buttons.invisible");
            """,
        )
        self.env.invalidate_all()
        self.assertEqual(segment.domain, "[('ref', '=', 'nobody at all')]")
