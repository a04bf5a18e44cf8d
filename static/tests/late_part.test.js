import {describe, expect, test} from "@odoo/hoot";
import {animationFrame} from "@odoo/hoot-mock";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    findComponent,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {FormController} from "@web/views/form/form_controller";

class Guest extends models.Model {
    _name = "late.guest";

    name = fields.Char({onChange: (guest) => (guest.hint = `of ${guest.name}`)});
    city = fields.Char();
    hint = fields.Char();
    wishes = fields.Char();
    secret = fields.Boolean();
    friend_ids = fields.One2many({relation: "late.guest"});

    _records = [
        {id: 1, name: "Ann", city: "Tabriz", hint: "h", wishes: "tea", friend_ids: [2]},
        {id: 2, name: "Ben", city: "Rasht"},
    ];
}

const ARCH = `
    <form>
        <field name="name" invisible="secret"/>
        <notebook>
            <page name="first" string="First"><field name="city"/></page>
            <page name="late" string="Late">
                <div class="o_late_part">
                    <field name="secret"/>
                    <field name="city"/>
                    <field name="hint"/>
                    <field name="wishes" invisible="not hint"/>
                    <field name="friend_ids"><list><field name="name"/></list></field>
                </div>
            </page>
        </notebook>
    </form>`;

defineMailModels();
defineModels([Guest]);
onRpc("has_group", () => true);
for (const method of ["web_read", "web_save", "onchange"]) {
    onRpc("late.guest", method, ({args, kwargs}) => {
        const names = Object.keys(kwargs.specification || args[3]).sort();
        expect.step(`${method}: ${names.join(" ")}`);
    });
}
onRpc("late.guest", "web_save", ({args}) => expect.step(args[1]));

describe.current.tags("desktop");

const open = (options) =>
    mountView({arch: ARCH, resModel: "late.guest", type: "form", ...options});
const valueOf = (name) =>
    document.querySelector(`.o_field_widget[name='${name}'] input`)?.value;
const EARLY = "city display_name name secret";
const LATE = "friend_ids hint wishes";
const ALL = "city display_name friend_ids hint name secret wishes";

test("late fields are read with their page, once", async () => {
    await open({resId: 1, resIds: [1, 2]});
    expect.verifySteps([`web_read: ${EARLY}`]);
    await contains(".nav-link[name='late']").click();
    expect.verifySteps([`web_read: ${LATE}`]);
    expect(valueOf("wishes")).toBe("tea");
    expect("[name='friend_ids'] .o_data_row").toHaveCount(1);
    await contains(".nav-link[name='first']").click();
    await contains(".nav-link[name='late']").click();
    expect.verifySteps([]);
    await contains(".o_pager_next").click();
    expect.verifySteps([`web_read: ${ALL}`]);
    expect(valueOf("wishes")).toBe(undefined);
});

test("what is typed before and after is kept and saved together", async () => {
    await open({resId: 1});
    await contains("[name='name'] input").edit("Anna");
    await contains(".nav-link[name='late']").click();
    expect(valueOf("name")).toBe("Anna");
    expect(valueOf("hint")).toBe("of Anna");
    await contains("[name='wishes'] input").edit("coffee");
    await contains(".o_form_button_save").click();
    expect.verifySteps([
        `web_read: ${EARLY}`,
        `onchange: ${EARLY}`,
        `web_read: ${LATE}`,
        `onchange: ${ALL}`,
        {name: "Anna", hint: "of Anna", wishes: "coffee"},
        `web_save: ${ALL}`,
    ]);
});

test("discarding, and saving without a look at the late page", async () => {
    await open({resId: 1});
    await contains("[name='city'] input").edit("Yazd");
    await contains(".nav-link[name='late']").click();
    await contains(".o_form_button_cancel").click();
    expect(valueOf("city")).toBe("Tabriz");
    expect(valueOf("wishes")).toBe("tea");
    expect.verifySteps([`web_read: ${EARLY}`, `web_read: ${LATE}`]);
});

test("a new record has all fields at once", async () => {
    await open({});
    expect.verifySteps([`onchange: ${ALL}`]);
    await contains(".nav-link[name='late']").click();
    await contains("[name='name'] input").edit("Cem");
    await animationFrame();
    expect(valueOf("hint")).toBe("of Cem");
    expect.verifySteps([`onchange: ${ALL}`]);
});

test("an answer that comes late does not take the late part away", async () => {
    const view = await open({resId: 1});
    const {model} = findComponent(view, (item) => item instanceof FormController);
    await contains(".nav-link[name='late']").click();
    model.root._setData({id: 1, name: "Ann", city: "Qom"}, {keepChanges: true});
    await animationFrame();
    expect(valueOf("city")).toBe("Qom");
    expect(valueOf("wishes")).toBe("tea");
    expect.verifySteps([`web_read: ${EARLY}`, `web_read: ${LATE}`]);
});
