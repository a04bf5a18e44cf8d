import {Component, onWillStart, useState} from "@odoo/owl";
import {Dialog} from "@web/core/dialog/dialog";
import {normalize} from "@web/core/l10n/utils";
import {_t} from "@web/core/l10n/translation";
import {MultiRecordSelector} from "@web/core/record_selectors/multi_record_selector";
import {RecordSelector} from "@web/core/record_selectors/record_selector";
import {useAutofocus, useService} from "@web/core/utils/hooks";

/**
 * Offers the ready conditions, asks for the blanks of the chosen one, and hands both
 * over: `submit(template, values, connector)`, with connector "&" or "|".
 */
export class SegmentConditionDialog extends Component {
    static template = "customer_segmentation.SegmentConditionDialog";
    static components = {Dialog, MultiRecordSelector, RecordSelector};
    static props = {
        close: Function,
        // What becomes of the chosen template, its values, and the connector.
        submit: Function,
        resModel: {type: String, optional: true},
        // Asks for the blanks of this one only.
        template: {type: Object, optional: true},
        // Whether there is something to connect the condition with by «and» or «or».
        connects: {type: Boolean, optional: true},
        // Opens Odoo's own tree of fields instead.
        more: {type: Function, optional: true},
    };

    setup() {
        this.orm = useService("orm");
        this.templates = [];
        this.state = useState({
            query: "",
            chosen: null,
            values: {},
            connector: "&",
            isBusy: false,
        });
        useAutofocus({refName: "autofocus"});
        onWillStart(async () => {
            if (this.props.template) {
                this.choose(this.props.template);
            } else {
                this.templates = await this.orm.call(
                    "customer.segment.condition.template",
                    "offered",
                    [this.props.resModel]
                );
            }
        });
    }

    /** What the search leaves, by category in the order of the templates. */
    get groups() {
        const query = normalize(this.state.query.trim());
        const groups = new Map();
        for (const template of this.templates) {
            const text = `${template.name} ${template.category} ${template.description}`;
            if (query && !normalize(text).includes(query)) {
                continue;
            }
            if (!groups.has(template.category)) {
                groups.set(template.category, []);
            }
            groups.get(template.category).push(template);
        }
        return [...groups.entries()];
    }

    get title() {
        return this.state.chosen ? this.state.chosen.name : _t("Add a condition");
    }

    get choosePlaceholder() {
        return _t("Choose…");
    }

    get isComplete() {
        return this.state.chosen.blanks.every((blank) => {
            const value = this.state.values[blank.key];
            return Array.isArray(value) ? value.length : value || value === 0;
        });
    }

    choose(template) {
        this.state.values = Object.fromEntries(
            template.blanks.map((blank) => [blank.key, blank.default])
        );
        this.state.chosen = template;
    }

    back() {
        this.state.chosen = null;
    }

    onNumber(key, ev) {
        const number = parseInt(ev.target.value, 10);
        this.state.values[key] = Number.isNaN(number) ? false : number;
    }

    onText(key, ev) {
        this.state.values[key] = ev.target.value;
    }

    onKeydown(ev) {
        if (ev.key === "Enter" && ev.target.dataset.plain && this.isComplete) {
            ev.preventDefault();
            this.confirm();
        }
    }

    onMore() {
        this.props.close();
        this.props.more();
    }

    async confirm() {
        const {chosen, connector, values} = this.state;
        this.state.isBusy = true;
        try {
            await this.props.submit(chosen, {...values}, connector);
        } finally {
            this.state.isBusy = false;
        }
        this.props.close();
    }
}
