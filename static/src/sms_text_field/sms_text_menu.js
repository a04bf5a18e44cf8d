import {_t} from "@web/core/l10n/translation";
import {Dialog} from "@web/core/dialog/dialog";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {ModelFieldSelector} from "@web/core/model_field_selector/model_field_selector";
import {useService} from "@web/core/utils/hooks";

import {Component, useState} from "@odoo/owl";

const PRINTABLE = new Set([
    "boolean",
    "char",
    "date",
    "datetime",
    "float",
    "integer",
    "many2many",
    "many2one",
    "monetary",
    "selection",
    "tags",
    "text",
]);

/** Words for whoever has no such value, and for «any field» the field itself. */
export class SmsPlaceholderDialog extends Component {
    static template = "customer_segmentation.SmsPlaceholderDialog";
    static components = {Dialog, ModelFieldSelector};
    static props = {
        close: Function,
        model: String,
        item: {type: Object, optional: true},
        fields: {type: Array, optional: true},
        insert: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.fields = new Set(this.props.fields);
        const {item} = this.props;
        this.state = useState({
            path: "",
            fallback: item?.fallback || "",
            problem: "",
        });
    }

    get title() {
        return this.props.item?.label || _t("Any field");
    }

    get expression() {
        return this.props.item?.expression || `object.${this.state.path}`;
    }

    /** What to offer; whether it may stand in a text, the server says. */
    filter(field, path) {
        if (!path && !field.is_property && !this.fields.has(field.name)) {
            return false;
        }
        return PRINTABLE.has(field.type) || field.type === "properties";
    }

    async setPath(path) {
        this.state.path = path || "";
        this.state.problem = path
            ? await this.orm.call("sms.placeholder", "get_problem", [
                  this.expression,
                  this.props.model,
              ])
            : "";
    }

    get canInsert() {
        return Boolean(this.props.item || (this.state.path && !this.state.problem));
    }

    onKeydown(ev) {
        if (ev.key === "Enter" && this.canInsert) {
            ev.preventDefault();
            this.confirm();
        }
    }

    confirm() {
        const fallback = this.state.fallback.replace(/[{}|]/g, "").trim();
        this.props.insert(
            fallback
                ? `{{ ${this.expression} ||| ${fallback} }}`
                : `{{ ${this.expression} }}`
        );
        this.props.close();
    }
}

/** «Insert» under a text: placeholders by their meaning, ready blocks and texts. */
export class SmsTextMenu extends Component {
    static template = "customer_segmentation.SmsTextMenu";
    static components = {Dropdown, DropdownItem};
    static props = {
        model: String,
        insert: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.state = useState({groups: [], fields: [], blocks: []});
    }

    async load() {
        const menu = await this.orm
            .cache()
            .call("sms.placeholder", "get_menu", [this.props.model]);
        Object.assign(this.state, menu);
    }

    blocksOf(kind) {
        return this.state.blocks.filter((block) => block.kind === kind);
    }

    onItem(item) {
        this.dialog.add(SmsPlaceholderDialog, {
            model: this.props.model,
            item,
            insert: this.props.insert,
        });
    }

    onAnyField() {
        this.dialog.add(SmsPlaceholderDialog, {
            model: this.props.model,
            fields: [...this.state.fields],
            insert: this.props.insert,
        });
    }

    onBlock(block) {
        this.props.insert(block.body, true);
    }
}
