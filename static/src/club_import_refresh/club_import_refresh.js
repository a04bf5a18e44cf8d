import {Component, onWillUnmount, xml} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

const SECONDS = 2;

/** Loads the record again every two seconds while its import runs. */
export class ClubImportRefresh extends Component {
    static template = xml`<span class="d-none" />`;
    static props = {...standardWidgetProps};

    setup() {
        this.ticker = setInterval(() => this.tick(), SECONDS * 1000);
        onWillUnmount(() => clearInterval(this.ticker));
    }

    async tick() {
        const {record} = this.props;
        if (this.loading || !record.resId || record.data.state !== "running") {
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

registry.category("view_widgets").add("club_import_refresh", {
    component: ClubImportRefresh,
    fieldDependencies: [{name: "state", type: "selection"}],
});
