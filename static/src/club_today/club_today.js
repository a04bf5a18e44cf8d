import {Component, onWillStart, onWillUnmount, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {Layout} from "@web/search/layout";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {formatCount, formatSince} from "../counting/format_count";
import {ClubCaller} from "./club_caller";
import {ClubTodayChart} from "./club_today_chart";

const REFRESH_MS = 60000;
const STORAGE_KEY = "customer_segmentation.club_today";

/** First screen of the club: figures that open their list, and who is calling. */
export class ClubToday extends Component {
    static template = "customer_segmentation.ClubToday";
    static components = {Layout, ClubCaller, ClubTodayChart};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.keepLast = new KeepLast();
        this.display = {controlPanel: {}};
        this.formatCount = formatCount;
        const {period = "today", branch = false} = this.readChoice();
        this.state = useState({data: null, chart: 0, busy: false, period, branch});
        onWillStart(() => this.load());
        const timer = browser.setInterval(() => this.refresh(), REFRESH_MS);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    readChoice() {
        try {
            return JSON.parse(browser.sessionStorage.getItem(STORAGE_KEY)) || {};
        } catch {
            return {};
        }
    }

    async load() {
        const {period, branch} = this.state;
        this.state.data = await this.keepLast.add(
            this.orm.call("club.dashboard", "get_figures", [period, branch])
        );
    }

    /** Fresh figures each minute; without a network the last ones stay. */
    async refresh() {
        if (document.visibilityState !== "visible") {
            return;
        }
        try {
            const {period, branch} = this.state;
            this.state.data = await this.keepLast.add(
                this.orm.silent.call("club.dashboard", "get_figures", [period, branch])
            );
        } catch (error) {
            console.info("Today was not refreshed", error.message);
        }
    }

    async choose(choice) {
        Object.assign(this.state, choice, {chart: 0});
        await this.load();
        // The server decides what is possible.
        const {period, branch} = this.state.data;
        Object.assign(this.state, {period, branch});
        browser.sessionStorage.setItem(STORAGE_KEY, JSON.stringify({period, branch}));
    }

    get chart() {
        const charts = this.state.data.charts;
        return charts[this.state.chart] || charts[0];
    }

    open(action) {
        if (action) {
            this.action.doAction(action, {onClose: () => this.load()});
        }
    }

    openBar(index) {
        const {action, domains, labels} = this.chart;
        this.open({
            ...action,
            name: `${action.name} · ${labels[index]}`,
            domain: domains[index],
        });
    }

    async applyPreset(preset) {
        this.state.busy = true;
        try {
            const done = await this.orm.call("club.dashboard", "apply_preset", [
                preset.id,
            ]);
            this.notification.add(done, {type: "success"});
            await this.load();
        } finally {
            this.state.busy = false;
        }
    }

    sinceText(value) {
        return formatSince(deserializeDateTime(value));
    }

    momentText(value) {
        return formatDateTime(deserializeDateTime(value));
    }
}

registry.category("actions").add("club_today", ClubToday);
