import {formatDate} from "@web/core/l10n/dates";
import {localization} from "@web/core/l10n/localization";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {DateTimeField, dateField} from "@web/views/fields/datetime/datetime_field";
import {useEffect, useRef} from "@odoo/owl";
import {parseJalali} from "./jalali";

const {DateTime} = luxon;

/** A date that may be typed in the Solar Hijri calendar, and is shown in it too. */
export class BirthdateField extends DateTimeField {
    static template = "customer_segmentation.BirthdateField";

    setup() {
        super.setup();
        this.typed = useRef("typed");
        const convert = (ev) => {
            if (ev.type === "keydown" && !["Enter", "Tab"].includes(ev.key)) {
                return;
            }
            this.convertTyped(ev.target);
        };
        // Before the date picker reads what was typed, which knows one calendar only.
        useEffect(
            (el) => {
                for (const type of ["change", "keydown"]) {
                    el?.addEventListener(type, convert, {capture: true});
                }
                return () => {
                    for (const type of ["change", "keydown"]) {
                        el?.removeEventListener(type, convert, {capture: true});
                    }
                };
            },
            () => [this.typed.el]
        );
    }

    get jalaliText() {
        const value = this.values[0];
        if (!value || !user.lang.startsWith("fa")) {
            return "";
        }
        return new Intl.DateTimeFormat("fa-IR-u-ca-persian", {
            dateStyle: "long",
            timeZone: "UTC",
        }).format(Date.UTC(value.year, value.month - 1, value.day));
    }

    convertTyped(input) {
        const date = input.tagName === "INPUT" && parseJalali(input.value);
        if (date) {
            input.value = formatDate(DateTime.fromObject(date), {
                format: localization.dateFormat,
            });
        }
    }
}

registry.category("fields").add("birthdate", {
    ...dateField,
    component: BirthdateField,
    extractProps: (...args) => ({...dateField.extractProps(...args), numeric: true}),
});
