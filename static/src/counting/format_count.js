import {user} from "@web/core/user";
import {formatInteger} from "@web/views/fields/formatters";

/** A number within a sentence: in Persian with its digits and groups, «۱٬۲۰۰». */
export function formatCount(value) {
    return user.lang?.startsWith("fa")
        ? new Intl.NumberFormat("fa").format(value)
        : formatInteger(value);
}

/** How long ago a luxon moment was, in words: «۴ دقیقه پیش». */
export function formatSince(moment) {
    return moment.toRelative(
        user.lang?.startsWith("fa") ? {numberingSystem: "arabext"} : {}
    );
}
