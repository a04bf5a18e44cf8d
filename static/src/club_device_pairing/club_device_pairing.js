import {Component, onWillUnmount, useState} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";

/** Shows a pairing code with its countdown, its setup string and its QR code. */
export class ClubDevicePairing extends Component {
    static template = "customer_segmentation.ClubDevicePairing";
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        const {code, setup, qr, seconds} = this.props.action.params;
        this.setupString = setup;
        this.qr = qr;
        this.groups = code.match(/\d{3}/g);
        this.deadline = Date.now() + seconds * 1000;
        this.state = useState({left: seconds, connected: false});
        this.ticker = setInterval(() => this.tick(), 1000);
        onWillUnmount(() => clearInterval(this.ticker));
    }

    get leftText() {
        const minutes = Math.floor(this.state.left / 60);
        const seconds = String(this.state.left % 60).padStart(2, "0");
        return `${minutes}:${seconds}`;
    }

    async tick() {
        this.state.left = Math.max(0, Math.round((this.deadline - Date.now()) / 1000));
        if (this.state.left % 3 || this.state.connected) {
            return;
        }
        const id = this.props.action.params.device_id;
        const [device] = await this.orm.read(
            "club.device",
            [id],
            ["state", "pairing_expires"]
        );
        if (device.state === "active" && !device.pairing_expires) {
            this.state.connected = true;
            clearInterval(this.ticker);
            this.notification.add(_t("The device is connected."), {type: "success"});
        }
    }

    async copy() {
        await navigator.clipboard.writeText(this.setupString);
        this.notification.add(_t("Copied."), {type: "info"});
    }

    close() {
        this.action.doAction({type: "ir.actions.act_window_close"});
    }
}

registry.category("actions").add("club_device_pairing", ClubDevicePairing);
