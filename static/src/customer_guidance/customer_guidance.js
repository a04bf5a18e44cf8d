import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const COLORS = {1: "danger", 2: "info", 3: "muted"};
const FIRST_CARDS = 3;

/** What to heed with a customer: one card per trait or segment, plain text only. */
export class CustomerGuidance extends Component {
    static template = "customer_segmentation.CustomerGuidance";
    static props = {cards: Array};

    setup() {
        this.state = useState({showAll: false});
    }

    get shown() {
        return this.state.showAll
            ? this.props.cards
            : this.props.cards.slice(0, FIRST_CARDS);
    }

    get hiddenText() {
        const count = this.props.cards.length - this.shown.length;
        return count ? _t("%s more", count) : "";
    }

    colorOf(card) {
        return COLORS[card.urgency] || "muted";
    }
}

export class CustomerGuidanceField extends Component {
    static template = "customer_segmentation.CustomerGuidanceField";
    static components = {CustomerGuidance};
    static props = {...standardFieldProps};

    get cards() {
        return this.props.record.data[this.props.name] || [];
    }
}

export const customerGuidanceField = {
    component: CustomerGuidanceField,
    displayName: _t("Guidance"),
    supportedTypes: ["json"],
};

registry.category("fields").add("customer_guidance", customerGuidanceField);
