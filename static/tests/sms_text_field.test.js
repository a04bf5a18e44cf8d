import {
    count,
    withoutPlaceholders,
    withSuffix,
} from "@customer_segmentation/sms_text_field/sms_count";
import {describe, expect, test} from "@odoo/hoot";
import {animationFrame} from "@odoo/hoot-mock";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

// The same vectors as in tests/test_tools_sms_text.py.
const COUNT_VECTORS = [
    // text, characters, units, encoding, parts, remaining
    ["", 0, 0, "gsm7", 0, 160],
    ["ا".repeat(70), 70, 70, "ucs2", 1, 0],
    ["ا".repeat(71), 71, 71, "ucs2", 2, 63],
    ["ا".repeat(134), 134, 134, "ucs2", 2, 0],
    ["ا".repeat(135), 135, 135, "ucs2", 3, 66],
    ["a".repeat(160), 160, 160, "gsm7", 1, 0],
    ["a".repeat(161), 161, 161, "gsm7", 2, 145],
    ["€".repeat(80), 80, 160, "gsm7", 1, 0],
    ["€".repeat(81), 81, 162, "gsm7", 2, 143],
    ["€".repeat(153), 153, 306, "gsm7", 3, 151],
    ["😀".repeat(35), 35, 70, "ucs2", 1, 0],
    ["😀".repeat(36), 36, 72, "ucs2", 2, 61],
    ["😀".repeat(67), 67, 134, "ucs2", 3, 65],
    ["\nلغو11", 6, 6, "ucs2", 1, 64],
    ["^{}\\[]~|€\f", 10, 20, "gsm7", 1, 140],
    ["line\nline", 9, 9, "gsm7", 1, 151],
    ["price ۵", 7, 7, "ucs2", 1, 63],
    ["a\tb", 3, 3, "ucs2", 1, 67],
    ["`", 1, 1, "ucs2", 1, 69],
];

class SmsText extends models.Model {
    _name = "sms.text";

    body = fields.Text();
    suffix = fields.Char();

    _records = [{id: 1, body: "سلام", suffix: "لغو11"}];
}

// The client asks for channels as it starts, wherever mail is installed.
defineMailModels();
defineModels([SmsText]);
onRpc("has_group", () => true);

describe.current.tags("desktop");

test("count: the shared vectors", () => {
    for (const [text, characters, units, encoding, parts, remaining] of COUNT_VECTORS) {
        expect(count(text)).toEqual({characters, units, encoding, parts, remaining});
    }
});

test("withSuffix: once, last, on its own line", () => {
    for (const text of [
        "سلام",
        "سلام\n",
        "سلام\nلغو11",
        "سلام\nلغو ۱۱",
        "سلام لغو۱۱",
        "سلام\nلغو١١ \n",
        "سلام\nلغو\u200c۱۱",
        "لغو11\nسلام",
        "سلام\nلغو 11\nلغو11",
        "سلام لغو11 لغو۱۱",
    ]) {
        expect(withSuffix(text, "لغو11")).toBe("سلام\nلغو11");
    }
    expect(withSuffix("کد شما لغو110", "لغو11")).toBe("کد شما لغو110\nلغو11");
    expect(withSuffix("Hi\nstop11", "STOP 11")).toBe("Hi\nSTOP 11");
    expect(withSuffix("Hi (a", "(a")).toBe("Hi\n(a");
    expect(withSuffix(" \n", "لغو11")).toBe("");
    expect(withSuffix("سلام", "")).toBe("سلام");
});

test("withoutPlaceholders: fallbacks stay", () => {
    expect(withoutPlaceholders("Hi {{ object.name ||| friend }}!")).toEqual({
        text: "Hi friend !",
        hasPlaceholders: true,
    });
    expect(withoutPlaceholders("{{ object.name }}").text).toBe("");
    expect(withoutPlaceholders("Hi").hasPlaceholders).toBe(false);
});

test("the counter follows the typing and counts the suffix", async () => {
    await mountView({
        type: "form",
        resModel: "sms.text",
        resId: 1,
        arch: `<form><field name="body" widget="sms_text" options="{'suffix_field': 'suffix'}"/></form>`,
    });
    expect(".o_field_sms_text textarea").toHaveAttribute("dir", "rtl");
    expect(".o_sms_text_cost").toHaveText("10 characters · Unicode · 1 part(s)");
    await contains(".o_field_sms_text textarea").edit("ا".repeat(65), {confirm: false});
    await animationFrame();
    expect(".o_sms_text_cost").toHaveText("71 characters · Unicode · 2 part(s)");
    await contains(".o_field_sms_text textarea").edit("", {confirm: false});
    await animationFrame();
    expect(".o_sms_text_cost").toHaveText("");
});

test("readonly shows the text and its cost; the context may give the suffix", async () => {
    await mountView({
        type: "form",
        resModel: "sms.text",
        resId: 1,
        arch: `<form><field name="body" widget="sms_text" readonly="1" context="{'sms_suffix': 'لغو11'}"/></form>`,
    });
    expect(".o_sms_text_value").toHaveText("سلام");
    expect(".o_sms_text_cost").toHaveText("10 characters · Unicode · 1 part(s)");
});

test("in a list's row", async () => {
    await mountView({
        type: "list",
        resModel: "sms.text",
        arch: `<list editable="bottom"><field name="body" widget="sms_text"/></list>`,
    });
    expect(".o_sms_text_cost").toHaveText("4 characters · Unicode · 1 part(s)");
    await contains(".o_data_row .o_data_cell").click();
    expect(".o_data_row textarea").toHaveCount(1);
});
