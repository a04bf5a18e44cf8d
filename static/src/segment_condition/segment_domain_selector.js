import {DomainSelector} from "@web/core/domain_selector/domain_selector";
import {_t} from "@web/core/l10n/translation";
import {TreeEditor} from "@web/core/tree_editor/tree_editor";
import {isRelativeDate, SegmentRelativeDate} from "./segment_relative_date";

/** Short words where Odoo's own are long and not translated everywhere. */
function operatorWord(operator, isNegated, isDate) {
    const isNone = operator === "not any" || (operator === "any" && isNegated);
    if (isNone || operator === "any") {
        return isNone ? _t("has none with") : _t("has one with");
    }
    if (isNegated) {
        return null;
    }
    const words = isDate
        ? {">=": _t("since"), "<=": _t("until")}
        : {">=": _t("at least"), "<=": _t("at most")};
    return words[operator];
}

/** Odoo's tree, which itself cannot show a date that moves with today. */
export class SegmentTreeEditor extends TreeEditor {
    isDate(node) {
        return ["date", "datetime"].includes(this.getFieldDef(node.path)?.type);
    }

    getOperatorEditorInfo(node) {
        const info = super.getOperatorEditorInfo(node);
        const word = operatorWord(node.operator, node.negate, this.isDate(node));
        if (!word) {
            return info;
        }
        return {
            ...info,
            extractProps: (params) => {
                const props = info.extractProps(params);
                const options = props.options.map(([key, label]) => [
                    key,
                    key === props.value ? word : label,
                ]);
                return {...props, options};
            },
        };
    }

    getValueEditorInfo(node) {
        const info = super.getValueEditorInfo(node);
        if (!this.isDate(node) || !isRelativeDate(node.value)) {
            return info;
        }
        return {
            ...info,
            component: SegmentRelativeDate,
            extractProps: ({value, update}) => ({value, update}),
            isSupported: isRelativeDate,
        };
    }
}
SegmentTreeEditor.components = {
    ...TreeEditor.components,
    TreeEditor: SegmentTreeEditor,
};

/** Odoo's own editor; archived contacts are never members, so it does not offer them. */
export class SegmentDomainSelector extends DomainSelector {
    static components = {...DomainSelector.components, TreeEditor: SegmentTreeEditor};

    getShowArchivedCheckBox() {
        return false;
    }
}
