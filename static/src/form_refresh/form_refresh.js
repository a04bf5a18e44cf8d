import {Component, onMounted, onWillUnmount, xml} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

const SECONDS = 2;

/** Loads the record again every two seconds while it is in one of these states. */
export class FormRefresh extends Component {
    static template = xml`<span class="d-none" />`;
    static props = {...standardWidgetProps, states: {type: Array}};

    setup() {
        // A form that is left before it was shown is never unmounted.
        onMounted(() => {
            this.ticker = setInterval(() => this.tick(), SECONDS * 1000);
        });
        onWillUnmount(() => clearInterval(this.ticker));
    }

    async tick() {
        const {record, states} = this.props;
        const isRunning = record.resId && states.includes(record.data.state);
        if (this.loading || !isRunning || record.dirty) {
            return;
        }
        this.loading = true;
        try {
            await record.load();
        } finally {
            this.loading = false;
        }
    }
}

registry.category("view_widgets").add("form_refresh", {
    component: FormRefresh,
    extractProps: ({options}) => ({states: options.states}),
    fieldDependencies: [{name: "state", type: "selection"}],
});
