"""The import in a real browser: upload, mapping, preview, run, rejected file."""

import json
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .common import ClubBuilders

HELPERS = """
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(what, condition) {
    for (let i = 0; i < 600; i++) {
        const found = condition();
        if (found) return found;
        await sleep(100);
    }
    throw new Error(`waited in vain for ${what}`);
}
const find = (selector) => document.querySelector(selector);
const button = (name) =>
    until(name, () => find(`button[name="${name}"]:not(:disabled)`));
const text = (selector) => (find(selector)?.textContent || "").replace(/\\s+/g, " ");
function check(condition, message) {
    if (!condition) throw new Error(message);
}
async function run(story) {
    try {
        await story();
        console.log("test successful");
    } catch (error) {
        console.error(error.message);
    }
}
"""

UPLOAD = """
run(async () => {
    const input = await until("upload", () => find("[name=file] input[type=file]"));
    const files = new DataTransfer();
    files.items.add(new File([FILE], "panel.csv", { type: "text/csv" }));
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await until("its name", () => find("[name=file] input:not([type=file])")?.value);
    (await button("action_read")).click();
    await until("preview", () => text("[name=preview]").includes("New member"));
    const preview = text("[name=preview]");
    check(preview.includes("Customer One"), "the name is missing: " + preview);
    check(preview.includes("A landline gets no SMS"), "no reason: " + preview);
    const rows = [...document.querySelectorAll("[name=column_ids] .o_data_row")];
    check(rows.length === 4, "columns: " + rows.length);
    check(rows[3].textContent.includes("Branch code"), rows[3].textContent);

    // The fourth column is left out until somebody says that it holds tags.
    check(!text("[name=preview] .badge").includes("North"), "North is a tag already");
    rows[3].querySelector("[name=field]").click();
    const select = await until("choices", () =>
        find("[name=column_ids] [name=field] input")
    );
    select.click();
    const choice = await until("Tags", () =>
        [...document.querySelectorAll(".o_select_menu_item, .dropdown-item")].find(
            (item) => item.textContent.trim() === "Tags"
        )
    );
    choice.click();
    await until("tags in the preview", () =>
        text("[name=preview] .badge").includes("North")
    );

    (await button("action_start")).click();
    const confirm = await until("dialog", () => find(".modal .btn-primary"));
    check(text(".modal").includes("Nothing is sent"), "dialog: " + text(".modal"));
    confirm.click();
    await until("progress", () => find("button[name=action_stop]"));
});
"""

RUNNING = """
run(async () => {
    await until("a third", () => text("[name=progress]").includes("33"));
    // The page looks again by itself; the test's server works while it does.
    await until("done", () => find("button[name=action_check_again]"));
    check(!find("button[name=action_stop]"), "it still runs");
    check(text("[name=new_count]").includes("2"), "new: " + text("[name=new_count]"));
    const id = location.pathname.split("/").pop();
    const url = `/web/content/club.import/${id}/rejected_file?download=true`;
    const answer = await fetch(url);
    check(answer.ok, "download: " + answer.status);
    const rejected = await answer.text();
    check(rejected.includes("A landline gets no SMS"), rejected);
    check(rejected.includes("02188880000"), rejected);
});
"""


@tagged("post_install", "-at_install")
class TestClubImportBrowser(ClubBuilders, HttpCase):
    browser_size = "1440x900"

    def test_the_whole_way(self):
        manager = self.build_user("club_manager")
        first, second = self.phone(), self.phone()
        file = (
            "Mobile,Name,Visits,Branch code\n"
            f"{first},Customer One,12,North\n"
            "02188880000,Landline,1,North\n"
            f"{second},Customer Two,3,South\n"
        )
        self.browser_js(
            "/odoo/club-import/new",
            f"{HELPERS}const FILE = {json.dumps(file)};{UPLOAD}",
            login=manager.login,
        )
        club_import = self.env["club.import"].search([("user_id", "=", manager.id)])
        self.assertEqual(club_import.state, "running")
        self.assertEqual(club_import.total_count, 3)
        self.work(1)
        reads = []
        imports = self.env.registry["club.import"]
        web_read = imports.web_read

        def read_and_work(records, specification):
            answer = web_read(records, specification)
            reads.append(answer)
            if len(reads) > 1:
                self.work(1)
            return answer

        read_and_work._readonly = False
        with patch.object(imports, "web_read", read_and_work):
            self.browser_js(
                f"/odoo/club-import/{club_import.id}",
                f"{HELPERS}{RUNNING}",
                login=manager.login,
            )
        members = self.member(first) + self.member(second)
        self.assertEqual(members.mapped("visit_count"), [12, 3])
        self.assertEqual(
            members.partner_id.category_id.mapped("name"), ["North", "South"]
        )

    def work(self, limit):
        """Let the worker store the next rows."""
        self.env["club.import"].sudo()._run_chunk(limit=limit)
        self.env.flush_all()
        self.env.invalidate_all()
