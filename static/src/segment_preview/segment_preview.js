import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {formatCount} from "../counting/format_count";
import {useCounting} from "../counting/use_counting";
import {previewValues} from "./segment_preview_values";

/** Who a segment would hold, as its condition is typed. */
export class SegmentPreview extends Component {
    static template = "customer_segmentation.SegmentPreview";
    static props = {...standardWidgetProps};

    setup() {
        this.action = useService("action");
        this.formatCount = formatCount;
        this.state = useCounting("customer.segment", "preview", previewValues);
    }

    get isSaved() {
        return Boolean(this.props.record.resId);
    }

    get changes() {
        const {answer} = this.state;
        return this.isSaved && (answer.entering || answer.leaving);
    }

    open(person) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: this.props.record.data.model,
            res_id: person.id,
            views: [[false, "form"]],
        });
    }
}

registry.category("view_widgets").add("segment_preview", {
    component: SegmentPreview,
    // What not everybody sees on the form counts all the same.
    fieldDependencies: [
        {name: "sequence", type: "integer"},
        {name: "company_id", type: "many2one", relation: "res.company"},
    ],
});
