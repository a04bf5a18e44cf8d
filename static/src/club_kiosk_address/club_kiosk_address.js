import {Component, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const API = "/club/device/v1/config";
const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/**
 * The tablet page's address, and whether a browser that is not signed in gets it.
 *
 * The test runs in this browser, without its cookies: it goes the way a tablet goes,
 * through the same proxy.
 */
export class ClubKioskAddress extends Component {
    static template = "customer_segmentation.ClubKioskAddress";
    static props = {...standardFieldProps};

    setup() {
        this.notification = useService("notification");
        this.state = useState({isTesting: false, findings: []});
    }

    get configured() {
        return new URL(this.props.record.data[this.props.name]);
    }

    /** Where this browser found Odoo is known to work; localhost leads nowhere else. */
    get address() {
        const {location} = browser;
        const url = this.configured;
        const isLocal = LOCAL_HOSTS.includes(location.hostname);
        return isLocal ? url : new URL(url.pathname + url.search, location.origin);
    }

    get database() {
        return this.configured.searchParams.get("db");
    }

    async copy() {
        await browser.navigator.clipboard.writeText(this.address.href);
        this.notification.add(_t("Copied."), {type: "info"});
    }

    async test() {
        this.state.isTesting = true;
        const findings = [await this.testPage(), await this.testApi()];
        this.state.findings = [...findings, ...this.advice()];
        this.state.isTesting = false;
    }

    async testPage() {
        const response = await this.fetch(this.address.pathname + this.address.search);
        const text = response && response.ok ? await response.text() : "";
        if (text.includes('name="club-kiosk"')) {
            return {level: "success", text: _t("The page answers.")};
        }
        const status = response ? response.status : _t("no answer");
        return {
            level: "danger",
            text: _t(
                "The page does not answer (%s). A proxy must pass /club/ and /customer_segmentation/ on to Odoo.",
                status
            ),
        };
    }

    async testApi() {
        const headers = this.database ? {"X-Odoo-Database": this.database} : {};
        const response = await this.fetch(API, headers);
        const type = response && response.headers.get("Content-Type");
        // Without a token the club itself says so: that is the answer we want.
        if (
            response &&
            response.status === 401 &&
            (type || "").includes("problem+json")
        ) {
            return {level: "success", text: _t("The club answers the page.")};
        }
        return {
            level: "danger",
            text: this.database
                ? _t(
                      "The club does not answer for the database %s. Allow it in dbfilter, and let the proxy pass the header X-Odoo-Database on.",
                      this.database
                  )
                : _t("The club does not answer. A proxy must pass /club/ on to Odoo."),
        };
    }

    async fetch(path, headers = {}) {
        const url = new URL(path, browser.location.origin);
        const options = {headers, credentials: "omit", cache: "no-store"};
        return browser
            .fetch(url.href, {...options, redirect: "error"})
            .catch(() => null);
    }

    advice() {
        const {address} = this;
        const advice = [];
        if (this.database) {
            advice.push(
                _t(
                    "Several databases share this host, so the address names this one. For the short address /club/kiosk give each database its own host name and write %s into odoo.conf.",
                    "dbfilter = ^%d$"
                )
            );
        }
        const isLocal = LOCAL_HOSTS.includes(address.hostname);
        if (isLocal) {
            advice.push(
                _t(
                    "This address works on this computer only. Open Odoo by the name or IP address that the tablet can reach, and look here again."
                )
            );
        } else if (address.protocol !== "https:") {
            advice.push(
                _t(
                    "Without https the page cannot be reopened while offline. Check-ins are kept as long as it stays open."
                )
            );
        }
        if (!isLocal && address.origin !== browser.location.origin) {
            advice.push(
                _t(
                    "Tested at %(here)s. Open %(address)s on the tablet to see that it leads to the same place.",
                    {here: browser.location.origin, address: address.origin}
                )
            );
        }
        return advice.map((text) => ({level: "warning", text}));
    }
}

registry.category("fields").add("club_kiosk_address", {
    component: ClubKioskAddress,
    supportedTypes: ["char"],
});
