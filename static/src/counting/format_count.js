import {user} from "@web/core/user";
import {formatInteger} from "@web/views/fields/formatters";

/** A number within a sentence: in Persian with its digits and groups, «۱٬۲۰۰». */
export function formatCount(value) {
    return user.lang?.startsWith("fa")
        ? new Intl.NumberFormat("fa").format(value)
        : formatInteger(value);
}
