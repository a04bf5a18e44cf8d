import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";

const OFFSET = /^today ([+-])(\d+)([dwmy])$/;
// What core's own presets and the ready conditions write; months are Gregorian.
const NAMED = {
    today: _t("today"),
    "today +1d": _t("tomorrow"),
    "today =week_start": _t("beginning of this week"),
    "today =1d": _t("beginning of this month"),
    "today =1d -1m": _t("beginning of last month"),
    "today =1m =1d": _t("beginning of this year"),
};
const UNITS = {
    "-d": _t("days ago"),
    "-w": _t("weeks ago"),
    "-m": _t("months ago"),
    "-y": _t("years ago"),
    "+d": _t("days from now"),
    "+w": _t("weeks from now"),
    "+m": _t("months from now"),
    "+y": _t("years from now"),
};

/** Whether a condition's value is a date that moves with today. */
export function isRelativeDate(value) {
    return typeof value === "string" && /^(today|now)\b/.test(value);
}

/** Edits a date that moves with today: so many days ago, or the start of a period. */
export class SegmentRelativeDate extends Component {
    static template = "customer_segmentation.SegmentRelativeDate";
    static props = {value: String, update: Function};

    get offset() {
        const [, sign, number, unit] = this.props.value.match(OFFSET) || [];
        return sign && !(this.props.value in NAMED)
            ? {number, unit: sign + unit}
            : null;
    }

    /** The units and named moments, and what is there if it is neither. */
    get choices() {
        const choices = [...Object.entries(UNITS), ...Object.entries(NAMED)];
        if (!this.offset && !(this.props.value in NAMED)) {
            choices.push([this.props.value, this.props.value]);
        }
        return choices;
    }

    get chosen() {
        return this.offset ? this.offset.unit : this.props.value;
    }

    onNumber(ev) {
        const number = parseInt(ev.target.value, 10);
        if (number > 0) {
            this.update(number, this.offset.unit);
        }
    }

    onChoice(ev) {
        const choice = ev.target.value;
        if (choice in UNITS) {
            this.update(this.offset?.number || 30, choice);
        } else {
            this.props.update(choice);
        }
    }

    update(number, [sign, unit]) {
        this.props.update(`today ${sign}${number}${unit}`);
    }
}
