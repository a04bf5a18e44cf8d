import {Component, onWillUnmount, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

const PAUSE_MS = 500;
const PATIENCE_SECONDS = [2, 60];
const NAMES = [
    "audience_mode",
    "audience_condition",
    "audience_segment_ids",
    "audience_exclude_segment_ids",
    "audience_tag_ids",
    "audience_partner_ids",
    "audience_lead_ids",
    "previous_mailing_id",
    "previous_answer",
    "mailing_type",
    "line_id",
    "holdout_percent",
    "body_plaintext",
    "sms_template_id",
];

/** What the form holds and is not saved yet. */
export function preflightValues({data}) {
    const values = {};
    for (const name of NAMES.filter((each) => each in data)) {
        const value = data[name];
        if (value && value.currentIds) {
            values[name] = [...value.currentIds].filter(Number.isInteger);
        } else if (value && typeof value === "object") {
            values[name] = value.id;
        } else {
            values[name] = value;
        }
    }
    return values;
}

/** Who gets a group message, who does not and why; beside the text, all the time. */
export class MailingPreflight extends Component {
    static template = "customer_segmentation.MailingPreflight";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.formatInteger = formatInteger;
        this.state = useState({answer: null, isCounting: true});
        useRecordObserver((record) => {
            const values = preflightValues(record);
            const question = JSON.stringify([record.resId, values]);
            if (question === this.question) {
                return;
            }
            this.question = question;
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
        for (const patience of PATIENCE_SECONDS) {
            const answer = await this.keepLast.add(this.ask(resId, values, patience));
            if (!answer.counting) {
                Object.assign(this.state, {answer, isCounting: false});
                return;
            }
        }
        Object.assign(this.state, {
            answer: {error: _t("This takes longer than a minute to count.")},
            isCounting: false,
        });
    }

    async ask(resId, values, patience) {
        try {
            return await this.orm.silent.call(
                "mailing.mailing",
                "preflight",
                [resId ? [resId] : []],
                {values, patience}
            );
        } catch (error) {
            return {error: error.data?.message || _t("Nobody could be counted.")};
        }
    }
}

registry.category("view_widgets").add("mailing_preflight", {
    component: MailingPreflight,
});
