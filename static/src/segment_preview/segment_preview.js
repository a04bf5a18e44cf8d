import {Component, onWillUnmount, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {previewValues} from "./segment_preview_values";

const PAUSE_MS = 400;
const PATIENCE_SECONDS = 2;
const LONG_PATIENCE_SECONDS = 60;

/** Who a segment would hold, as its condition is typed; typing never waits for it. */
export class SegmentPreview extends Component {
    static template = "customer_segmentation.SegmentPreview";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.formatInteger = formatInteger;
        this.state = useState({answer: null, isCounting: true});
        useRecordObserver((record) => {
            const values = previewValues(record);
            const question = JSON.stringify([record.resId, values]);
            // A saved record is asked about again: only now its changes are nought.
            if (question === this.question && record.dirty === this.dirty) {
                return;
            }
            this.question = question;
            this.dirty = record.dirty;
            browser.clearTimeout(this.timer);
            this.timer = browser.setTimeout(
                () => this.count(record.resId, values),
                PAUSE_MS
            );
        });
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    async count(resId, values) {
        this.state.isCounting = true;
        for (const patience of [PATIENCE_SECONDS, LONG_PATIENCE_SECONDS]) {
            const answer = await this.keepLast.add(this.ask(resId, values, patience));
            if (!answer.counting) {
                Object.assign(this.state, {answer, isCounting: false});
                return;
            }
        }
        Object.assign(this.state, {answer: {isEndless: true}, isCounting: false});
    }

    async ask(resId, values, patience) {
        try {
            return await this.orm.silent.call(
                "customer.segment",
                "preview",
                [resId ? [resId] : []],
                {values, patience}
            );
        } catch (error) {
            return {error: error.data?.message || _t("Nobody could be counted.")};
        }
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
