import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {formatInteger} from "@web/views/fields/formatters";
import {TextField, textField} from "@web/views/fields/text/text_field";

import {useState} from "@odoo/owl";

import {count, withoutPlaceholders, withSuffix} from "./sms_count";

/**
 * A text area that says while typing what the SMS costs: characters, encoding and
 * parts, with the opt-out suffix of the line that will carry it.
 */
export class SmsTextField extends TextField {
    static template = "customer_segmentation.SmsTextField";
    static props = {
        ...TextField.props,
        suffix: {type: String, optional: true},
        suffixField: {type: String, optional: true},
    };

    setup() {
        super.setup();
        this.state = useState({text: ""});
        useRecordObserver((record, props) => {
            this.state.text = record.data[props.name] || "";
        });
    }

    get suffix() {
        const {record, suffix, suffixField} = this.props;
        return (suffixField && record.data[suffixField]) || suffix || "";
    }

    /** The line under the text, empty when no SMS would be sent. */
    get cost() {
        const {text, hasPlaceholders} = withoutPlaceholders(this.state.text);
        // A text of placeholders only still becomes an SMS.
        const body = withSuffix(text, this.suffix);
        const {characters, encoding, parts} = count(body);
        if (!parts && !hasPlaceholders) {
            return "";
        }
        const values = {
            characters: formatInteger(characters),
            encoding: encoding === "gsm7" ? _t("GSM-7") : _t("Unicode"),
            parts: formatInteger(Math.max(parts, 1)),
        };
        if (hasPlaceholders) {
            return _t(
                "%(characters)s characters · %(encoding)s · %(parts)s part(s), before personal fields are filled in",
                values
            );
        }
        return _t(
            "%(characters)s characters · %(encoding)s · %(parts)s part(s)",
            values
        );
    }

    /** A text is written in the direction of its words, not of its placeholders. */
    get direction() {
        const {text} = withoutPlaceholders(this.state.text);
        const [letter] =
            text.match(/[A-Za-z\u00c0-\u024f\u0590-\u08ff\ufb1d-\ufefc]/) || [];
        if (!letter) {
            return "auto";
        }
        return letter < "\u0590" ? "ltr" : "rtl";
    }

    get title() {
        return this.suffix
            ? _t("Counted with “%s”, which the line adds.", this.suffix)
            : "";
    }

    onInput(ev) {
        this.state.text = ev.target.value;
    }
}

export const smsTextField = {
    ...textField,
    component: SmsTextField,
    displayName: _t("SMS Text with Counter"),
    additionalClasses: ["o_field_text"],
    supportedOptions: [
        ...textField.supportedOptions,
        {
            label: _t("Suffix field"),
            name: "suffix_field",
            type: "field",
            availableTypes: ["char"],
        },
    ],
    supportedTypes: ["char", "text"],
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...textField.extractProps(fieldInfo, dynamicInfo),
        suffix: dynamicInfo.context.sms_suffix || "",
        suffixField: fieldInfo.options.suffix_field || "",
    }),
    fieldDependencies: ({options}) =>
        options.suffix_field ? [{name: options.suffix_field, type: "char"}] : [],
};

registry.category("fields").add("sms_text", smsTextField);

/** The same in a list's row, where it starts with the height of one line. */
export class ListSmsTextField extends SmsTextField {
    static defaultProps = {
        ...SmsTextField.defaultProps,
        rowCount: 1,
    };

    get minimumHeight() {
        return 0;
    }

    get rowCount() {
        return this.props.rowCount;
    }
}

registry.category("fields").add("list.sms_text", {
    ...smsTextField,
    component: ListSmsTextField,
});
