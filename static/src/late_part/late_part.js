import {Component, onWillStart, xml} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {patch} from "@web/core/utils/patch";
import {append, createElement} from "@web/core/utils/xml";
import {RelationalModel} from "@web/model/relational_model/relational_model";
import {extractFieldsFromArchInfo} from "@web/model/relational_model/utils";
import {FormController} from "@web/views/form/form_controller";
import {FormRenderer} from "@web/views/form/form_renderer";

/**
 * What stands in `<div class="o_late_part">` on a page of a form is read when that page
 * is first shown, not when the form opens. To everything else (other views that inherit
 * this one, saving, the server) its fields are fields of the form like all others.
 */
const SELECTOR = "div.o_late_part";
const MODIFIERS = [
    "column_invisible",
    "context",
    "domain",
    "invisible",
    "options",
    "readonly",
    "required",
];

/** Whatever may be the name of a field in the modifiers of these nodes. */
function findWords(nodes) {
    return new Set(
        nodes
            .flatMap((node) => MODIFIERS.map((name) => node.getAttribute(name) || ""))
            .flatMap((expression) => expression.match(/\w+/gu) || [])
    );
}

/**
 * Fields that only late parts show: the first reading of a form can do without.
 *
 * @param {Object} archInfo of the form
 * @param {Object} fields of its model
 * @param {Object} activeFields all fields that the form shows
 * @returns {Object} the active fields that are late, by name
 */
function findLateFields(archInfo, fields, activeFields) {
    const nodes = [...archInfo.xmlDoc.querySelectorAll("*")];
    const early = nodes.filter((node) => !node.closest(SELECTOR));
    const words = findWords(early);
    const pick = (infos, key) => {
        const ids = early
            .filter((node) => !node.parentNode.closest?.("field"))
            .map((node) => node.getAttribute(key));
        return Object.fromEntries(
            ids.filter((id) => id in infos).map((id) => [id, infos[id]])
        );
    };
    const shown = extractFieldsFromArchInfo(
        {
            fieldNodes: pick(archInfo.fieldNodes, "field_id"),
            widgetNodes: pick(archInfo.widgetNodes, "widget_id"),
        },
        fields
    ).activeFields;
    const named = new Set(
        Object.values(archInfo.fieldNodes).map((fieldInfo) => fieldInfo.name)
    );
    return Object.fromEntries(
        Object.entries(activeFields).filter(
            ([name]) => named.has(name) && !(name in shown) && !words.has(name)
        )
    );
}

patch(FormController.prototype, {
    /**
     * Leave the late fields out of the first reading of an existing record; a new one
     * needs all of them, for their default values.
     *
     * @override
     */
    onWillLoadRoot(config) {
        super.onWillLoadRoot(...arguments);
        const {archInfo} = this;
        if (!config || !archInfo.xmlDoc.querySelector(SELECTOR)) {
            return;
        }
        if (!config.resId) {
            config.activeFields = {...config.activeFields, ...archInfo.lateFields};
            archInfo.lateFields = {};
        } else if (!archInfo.lateFields) {
            const {activeFields, fields} = config;
            const late = findLateFields(archInfo, fields, activeFields);
            config.activeFields = Object.fromEntries(
                Object.entries(activeFields).filter(([name]) => !(name in late))
            );
            archInfo.lateFields = late;
        }
    },
});

patch(RelationalModel.Record.prototype, {
    /**
     * The answer to the first reading may come after a late part was read, where the
     * form was shown from the browser's memory at first.
     *
     * @override
     */
    _setData(data, ...others) {
        const values = this._lateValues ? {...this._lateValues, ...data} : data;
        super._setData(values, ...others);
    },

    /**
     * Read fields of a form that it did not read when it opened. Changes that are not
     * saved yet stay, and show in them as they would if they had been read at once.
     *
     * @param {Object} activeFields by name
     */
    async _readLate(activeFields) {
        const config = {...this.config, activeFields};
        const [values] = await this.model._loadRecords(config, this.evalContext);
        Object.assign(this.config.activeFields, activeFields);
        this._lateValues = {...this._lateValues, ...values};
        this._applyValues(values);
        if (this.dirty) {
            const changed = await this._getOnchangeValues({...this._changes});
            this._applyChanges(
                {},
                Object.fromEntries(
                    Object.entries(changed).filter(([name]) => name in activeFields)
                )
            );
        }
    },
});

/** Waits for its fields, then shows them: the page before stays until they are there. */
class LatePart extends Component {
    static template = xml`<t t-slot="default"/>`;
    static props = {archInfo: Object, names: Array, record: Object, slots: Object};

    setup() {
        onWillStart(() => this.props.record.model.mutex.exec(() => this.read()));
    }

    async read() {
        const {archInfo, names, record} = this.props;
        const wanted = names.filter((name) => name in (archInfo.lateFields || {}));
        if (wanted.length) {
            await record._readLate(
                Object.fromEntries(
                    wanted.map((name) => [name, archInfo.lateFields[name]])
                )
            );
            wanted.forEach((name) => delete archInfo.lateFields[name]);
        }
    }
}

patch(FormRenderer.prototype, {
    setup() {
        super.setup();
        this.LatePart = LatePart;
    },
});

registry.category("form_compilers").add("customer_segmentation_late_part", {
    selector: SELECTOR,
    doNotCopyAttributes: true,
    fn(node, params) {
        const fields = [...node.querySelectorAll("field")];
        const names = fields.map((field) => field.getAttribute("name"));
        const words = findWords([...node.querySelectorAll("*")]);
        const part = createElement("t", {
            "t-component": "__comp__.LatePart",
            archInfo: "__comp__.props.archInfo",
            names: JSON.stringify([...new Set([...names, ...words])]),
            record: "__comp__.props.record",
        });
        for (const child of node.children) {
            append(part, this.compileNode(child, params));
        }
        return part;
    },
});
