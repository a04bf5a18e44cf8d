import {DomainSelector} from "@web/core/domain_selector/domain_selector";
import {TreeEditor} from "@web/core/tree_editor/tree_editor";
import {isRelativeDate, SegmentRelativeDate} from "./segment_relative_date";

/** Odoo's tree, which itself cannot show a date that moves with today. */
export class SegmentTreeEditor extends TreeEditor {
    getValueEditorInfo(node) {
        const info = super.getValueEditorInfo(node);
        const type = this.getFieldDef(node.path)?.type;
        if (!["date", "datetime"].includes(type) || !isRelativeDate(node.value)) {
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
