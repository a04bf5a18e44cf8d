"""A marketer writes a group message: who gets it is seen beside the text."""

from odoo.tests import new_test_user, tagged

from .common import ClubHttpCommon
from .test_club_today_browser import HELPERS


@tagged("-at_install", "post_install", "customer_segmentation")
class TestCampaignBrowser(ClubHttpCommon):
    def test_text_is_typed_and_sent(self):
        """Two members, one refuses; the other one is counted, then it is sent."""
        marketer = new_test_user(
            self.env,
            login="campaign-browser",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.company.sms_consent_basis = "relation"
        self.env["sms.line"].create(
            {
                "name": "Offers",
                "company_id": self.company.id,
                "message_class": "advertising",
                "gateway": "test",
                "window_start": 0,
                "window_end": 24,
            }
        )
        self.check_in(self.phone())
        self.check_in(self.phone())
        self.follow_up()
        guests = self.env["club.member"].search([("company_id", "=", self.company.id)])
        guests[0].partner_id.no_sms = True
        group = self.device.group_id
        group.refresh()
        mailing = self.env["mailing.mailing"].browse(
            group.with_user(marketer).action_group_message()["res_id"]
        )
        answer = mailing.with_user(marketer).preflight()
        self.assertEqual(answer["reachable"], 1, answer)
        self.env.flush_all()
        self.browser_js(
            f"/odoo/group-messages/{mailing.id}",
            f"""(async () => {{ {HELPERS}
            const reachable = () => document.querySelector(
                ".o_mailing_preflight_reachable")?.textContent;
            await wait("one of two", () => reachable() === "1");
            const body = await query("[name=body_plaintext] textarea");
            type(body, "New menu today");
            body.dispatchEvent(new Event("change", {{ bubbles: true }}));
            await wait("the text", () => document.querySelector(
                ".o_mailing_preflight_text")?.textContent.includes("menu today"));
            (await query(".o_form_button_save")).click();
            await wait("saved", () => !document.querySelector(".o_form_dirty"));
            document.querySelector("button[name=action_put_in_queue]").click();
            (await query(".modal-footer .btn-primary")).click();
            await query("button[name=action_stop]");
            }})().then(() => console.log('test successful'))
            .catch((error) => console.error(error.message));""",
            ready="!!document.querySelector('.o_mailing_preflight')",
            login=marketer.login,
        )
        self.env.invalidate_all()
        self.assertEqual(mailing.state, "in_queue")
        self.assertEqual(mailing.launched_by_id, marketer)
        self.assertEqual(mailing.launched_text["text"], {"": "New menu today"})
