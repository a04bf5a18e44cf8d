"""A marketer writes a group message: who gets it is seen beside the text."""

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import ClubHttpCommon
from .test_club_today_browser import HELPERS


@tagged("-at_install", "post_install", "customer_segmentation")
class TestCampaignBrowser(ClubHttpCommon):
    def test_from_one_message_to_the_next(self):
        """Who answered the first joins a group; then two members, of whom one refuses:
        the other one is counted, and it is sent.
        """
        marketer = new_test_user(
            self.env,
            login="campaign-browser",
            groups="customer_segmentation.customer_segmentation_group_marketer,"
            "base.group_partner_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.company.write(
            {"sms_consent_basis": "relation", "sms_cap_day": 0, "sms_cap_week": 0}
        )
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
        group = self.device.group_id
        group.refresh()
        earlier = self.sent_before(group, marketer)
        guests = self.env["club.member"].search([("company_id", "=", self.company.id)])
        guests[0].partner_id.no_sms = True
        mailing = self.env["mailing.mailing"].browse(
            group.with_user(marketer).action_group_message()["res_id"]
        )
        answer = mailing.with_user(marketer).preflight()
        self.assertEqual(answer["reachable"], 1, answer)
        self.env.flush_all()
        self.browser_js(
            f"/odoo/group-messages/{earlier.id}",
            f"""(async () => {{ {HELPERS}
            document.querySelector("button[name=action_enlarge_segment]").click();
            const said = () => document.querySelector(
                ".modal [name=enlarge_sentence]")?.textContent;
            await wait("one clicked", () => said() === "1 in all · 1 will be added");
            document.querySelector(".modal [data-value=new]").click();
            const name = await query(".modal [name=new_name] input");
            type(name, "Who clicked");
            name.dispatchEvent(new Event("change", {{ bubbles: true }}));
            document.querySelector(".modal [name=action_apply]").click();
            await wait("it is told", () => document.querySelector(
                ".o_notification")?.textContent.includes("Who clicked: 1 added"));
            (await query(".o_back_button a, .breadcrumb-item a")).click();
            (await wait("the draft", () => [...document.querySelectorAll(
                ".o_data_cell[name=subject]")].find(
                (cell) => cell.textContent === "{mailing.subject}"))).click();
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
            ready="!!document.querySelector('button[name=action_enlarge_segment]')",
            login=marketer.login,
        )
        self.env.invalidate_all()
        self.assertEqual(mailing.state, "in_queue")
        self.assertEqual(mailing.launched_by_id, marketer)
        self.assertEqual(mailing.launched_text["text"], {"": "New menu today"})
        joined = self.env["customer.segment"].search([("name", "=", "Who clicked")])
        clicked = earlier.mailing_trace_ids.filtered("links_click_datetime")
        self.assertEqual(joined.partner_ids.ids, clicked.mapped("res_id"))

    def sent_before(self, group, marketer):
        """A message that has left; one guest has clicked."""
        # Check-ins of this second would be visits that came of it.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE club_checkin SET occurred_at = occurred_at - interval '1 day'"
        )
        self.env.invalidate_all()
        mailing = self.env["mailing.mailing"].browse(
            group.with_user(marketer).action_group_message()["res_id"]
        )
        mailing.write({"subject": "Last week", "body_plaintext": "Welcome"})
        mailing.with_user(marketer).action_put_in_queue()
        while mailing._work_off_batch():
            pass
        mailing.mailing_trace_ids[0].links_click_datetime = fields.Datetime.now()
        return mailing
