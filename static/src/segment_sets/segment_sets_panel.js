import {Component, onWillStart, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {KanbanController} from "@web/views/kanban/kanban_controller";
import {kanbanView} from "@web/views/kanban/kanban_view";

const MODEL = "customer.segment.set.template";

/** Ready class sets, each one click away, until all are in use or it is closed. */
export class SegmentSetsPanel extends Component {
    static template = "customer_segmentation.SegmentSetsPanel";
    static props = {onUsed: Function};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.key = `customer_segmentation.class_sets.${user.activeCompany.id}`;
        this.state = useState({sets: [], busy: false, closed: this.isClosed()});
        onWillStart(async () => {
            if (!this.state.closed) {
                this.state.sets = await this.orm.call(MODEL, "offered", []);
            }
        });
    }

    isClosed() {
        return browser.localStorage.getItem(this.key) === "closed";
    }

    get isShown() {
        return !this.state.closed && this.state.sets.some((set) => !set.set_id);
    }

    async use(set) {
        this.state.busy = true;
        try {
            const used = await this.orm.call(MODEL, "use", [[set.id]]);
            this.notification.add(used.message, {type: "success"});
            this.state.sets = await this.orm.call(MODEL, "offered", []);
            await this.props.onUsed();
        } finally {
            this.state.busy = false;
        }
    }

    async open(set) {
        const opening = await this.orm.call(MODEL, "action_open_set", [[set.id]]);
        await this.action.doAction(opening);
    }

    close() {
        browser.localStorage.setItem(this.key, "closed");
        this.state.closed = true;
    }
}

export class SegmentKanbanController extends KanbanController {
    static template = "customer_segmentation.SegmentKanbanView";
    static components = {...KanbanController.components, SegmentSetsPanel};

    async onSetUsed() {
        await this.model.load();
    }
}

registry.category("views").add("customer_segment_kanban", {
    ...kanbanView,
    Controller: SegmentKanbanController,
});
