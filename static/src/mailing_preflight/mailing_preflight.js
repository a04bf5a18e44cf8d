import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {serializeDateTime} from "@web/core/l10n/dates";
import {formatCount} from "../counting/format_count";
import {useCounting} from "../counting/use_counting";

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
    "company_id",
    "line_id",
    "holdout_percent",
    "body_plaintext",
    "sms_template_id",
    "subject",
    "body_html",
];

/** What the form holds and is not saved yet. */
export function preflightValues({data}) {
    const values = {};
    for (const name of NAMES.filter((each) => each in data)) {
        const value = data[name];
        if (value instanceof String) {
            // HTML is marked as such.
            values[name] = value.toString();
        } else if (value && value.currentIds) {
            values[name] = [...value.currentIds].filter(Number.isInteger);
        } else if (value && typeof value === "object") {
            values[name] = value.id;
        } else {
            values[name] = value;
        }
    }
    if (data.schedule_date) {
        values.schedule_date = serializeDateTime(data.schedule_date);
    }
    if (data.variant_ids) {
        values.variants = data.variant_ids.records
            .map(({data: variant}) => [
                variant.segment_id?.id,
                variant.sms_template_id?.id,
            ])
            .filter(([segment, template]) => segment && template);
    }
    return values;
}

/** Who gets a group message, who does not and why; beside the text, all the time. */
export class MailingPreflight extends Component {
    static template = "customer_segmentation.MailingPreflight";
    static props = {...standardWidgetProps};

    setup() {
        this.formatCount = formatCount;
        this.state = useCounting("mailing.mailing", "preflight", preflightValues);
    }
}

registry.category("view_widgets").add("mailing_preflight", {
    component: MailingPreflight,
});
