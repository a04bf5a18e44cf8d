import {Component, useState} from "@odoo/owl";
import {deserializeDateTime, formatDate} from "@web/core/l10n/dates";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {formatCount, formatSince} from "../counting/format_count";
import {CustomerGuidance} from "../customer_guidance/customer_guidance";

/** A number typed or pasted, Persian or Latin digits, and who it belongs to. */
export class ClubCaller extends Component {
    static template = "customer_segmentation.ClubCaller";
    static components = {CustomerGuidance};
    static props = {onOpen: Function};

    setup() {
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.formatCount = formatCount;
        this.state = useState({phone: "", answer: null});
    }

    async find() {
        const phone = this.state.phone.trim();
        this.state.answer = phone
            ? await this.keepLast.add(
                  this.orm.call("club.dashboard", "find_caller", [phone])
              )
            : null;
    }

    clear() {
        Object.assign(this.state, {phone: "", answer: null});
    }

    onPaste(ev) {
        const pasted = ev.clipboardData.getData("text").trim();
        if (pasted) {
            ev.preventDefault();
            this.state.phone = pasted;
            this.find();
        }
    }

    dayText(value) {
        return formatDate(deserializeDateTime(value));
    }

    sinceText(value) {
        return formatSince(deserializeDateTime(value));
    }
}
