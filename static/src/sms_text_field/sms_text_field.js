import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {TextField, textField} from "@web/views/fields/text/text_field";

import {useState} from "@odoo/owl";

import {formatCount} from "../counting/format_count";
import {count, withoutPlaceholders, withSuffix} from "./sms_count";
import {SmsTextMenu} from "./sms_text_menu";

// The audience is asked once typing pauses.
const INSPECT_AFTER_MS = 700;

/**
 * A text area that says while typing what the SMS costs: characters, encoding and
 * parts, with the opt-out suffix of the line that will carry it. Where it knows for
 * which documents the text is (``model_field``), it offers their placeholders, shows
 * three real recipients' texts and counts the longest one of the audience.
 */
export class SmsTextField extends TextField {
    static template = "customer_segmentation.SmsTextField";
    static props = {
        ...TextField.props,
        suffix: {type: String, optional: true},
        suffixField: {type: String, optional: true},
        model: {type: String, optional: true},
        modelField: {type: String, optional: true},
        idsField: {type: String, optional: true},
        idField: {type: String, optional: true},
        domainField: {type: String, optional: true},
        inspects: {type: Boolean, optional: true},
    };
    static components = {...TextField.components, SmsTextMenu};

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.state = useState({text: "", answer: null, showPreviews: false});
        this.inspections = new KeepLast();
        this.inspectSoon = useDebounced(() => this.inspect(), INSPECT_AFTER_MS);
        useRecordObserver((record, props) => {
            this.state.text = record.data[props.name] || "";
            if (this.inspects && this.suffix !== null && this.domain !== null) {
                this.inspectSoon();
            }
        });
    }

    /** The documents the text is for, "" where the view does not tell. */
    get model() {
        const {record, model, modelField} = this.props;
        return (modelField && record.data[modelField]) || model || "";
    }

    get resIds() {
        const {record, idsField, idField} = this.props;
        if (idsField && record.data[idsField]) {
            return JSON.parse(record.data[idsField]);
        }
        return idField && record.data[idField] ? [record.data[idField]] : null;
    }

    /** The audience as a mailing keeps it, "" where the view does not tell. */
    get domain() {
        const {record, domainField} = this.props;
        return (domainField && record.data[domainField]) || "";
    }

    /** Whether real recipients are shown here and not elsewhere in the view. */
    get inspects() {
        return Boolean(this.model && this.props.inspects);
    }

    async inspect() {
        if (!this.inspects || !withoutPlaceholders(this.state.text).hasPlaceholders) {
            this.state.answer = null;
            return;
        }
        this.state.answer = await this.inspections.add(
            this.orm.silent.call("sms.placeholder", "inspect", [
                this.state.text,
                this.model,
                this.resIds,
                this.suffix,
                this.domain,
            ])
        );
    }

    /** What the longest text of the audience costs, "" while it is not known. */
    get longest() {
        const {longest, total} = this.state.answer || {};
        if (!longest) {
            return "";
        }
        return _t(
            "Longest of %(total)s recipients: %(characters)s characters · %(encoding)s · %(parts)s part(s)",
            {
                total: formatCount(total),
                characters: formatCount(longest.characters),
                encoding: longest.encoding === "gsm7" ? _t("GSM-7") : _t("Unicode"),
                parts: formatCount(longest.parts),
            }
        );
    }

    togglePreviews() {
        this.state.showPreviews = !this.state.showPreviews;
    }

    /**
     * Put words at the cursor.
     *
     * @param {string} words
     * @param {boolean} [ownLine] a block begins on a line of its own
     */
    async insert(words, ownLine = false) {
        const area = this.textareaRef.el;
        const value = area.value;
        const start = area.selectionStart ?? value.length;
        const before = value.slice(0, start);
        const after = value.slice(area.selectionEnd ?? start);
        let lead = "";
        if (before && !/\s$/.test(before)) {
            lead = ownLine ? "\n" : " ";
        }
        const text = before + lead + words + after;
        await this.props.record.update({[this.props.name]: text});
        area.value = text;
        area.focus();
        const cursor = (before + lead + words).length;
        area.setSelectionRange(cursor, cursor);
        this.state.text = text;
        this.inspectSoon();
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
            characters: formatCount(characters),
            encoding: encoding === "gsm7" ? _t("GSM-7") : _t("Unicode"),
            parts: formatCount(Math.max(parts, 1)),
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
        if (this.inspects) {
            this.inspectSoon();
        }
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
        {
            label: _t("Document field"),
            name: "model_field",
            type: "field",
            availableTypes: ["char", "selection"],
        },
    ],
    supportedTypes: ["char", "text"],
    extractProps: (fieldInfo, dynamicInfo) => ({
        ...textField.extractProps(fieldInfo, dynamicInfo),
        suffix: dynamicInfo.context.sms_suffix || "",
        suffixField: fieldInfo.options.suffix_field || "",
        model: fieldInfo.options.model || "",
        modelField: fieldInfo.options.model_field || "",
        idsField: fieldInfo.options.ids_field || "",
        idField: fieldInfo.options.id_field || "",
        domainField: fieldInfo.options.domain_field || "",
        inspects: fieldInfo.options.preview !== false,
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
