import {Component, onWillStart, useEffect, useRef} from "@odoo/owl";
import {loadBundle} from "@web/core/assets";
import {cookie} from "@web/core/browser/cookie";
import {getColor, getCustomColor} from "@web/core/colors/colors";
import {localization} from "@web/core/l10n/localization";
import {user} from "@web/core/user";
import {formatCount} from "../counting/format_count";

/** Stacked bars; a click on one opens its list. */
export class ClubTodayChart extends Component {
    static template = "customer_segmentation.ClubTodayChart";
    static props = {chart: Object, onOpen: Function};

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const chart = new Chart(this.canvas.el, this.config);
                return () => chart.destroy();
            },
            () => [
                JSON.stringify(this.props.chart.series),
                this.props.chart.labels.join(),
            ]
        );
    }

    get summary() {
        return this.props.chart.series
            .map((series) => `${series.label}: ${series.values.join(" ")}`)
            .join("; ");
    }

    get config() {
        const scheme = cookie.get("color_scheme");
        const textColor = getCustomColor(scheme, "#374151", "#E4E4E4");
        const gridColor = getCustomColor(
            scheme,
            "rgba(0,0,0,.08)",
            "rgba(255,255,255,.12)"
        );
        const rtl = localization.direction === "rtl";
        const font = {family: getComputedStyle(this.canvas.el).fontFamily};
        return {
            type: "bar",
            data: {
                labels: this.props.chart.labels,
                datasets: this.props.chart.series.map((series, index) => ({
                    label: series.label,
                    data: series.values,
                    backgroundColor: getColor(index, scheme, "odoo"),
                    maxBarThickness: 40,
                })),
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                locale: user.lang?.startsWith("fa") ? "fa" : "en",
                interaction: {mode: "index", intersect: false},
                onClick: (ev, elements) => {
                    if (elements.length) {
                        this.props.onOpen(elements[0].index);
                    }
                },
                onHover: (ev, elements) => {
                    ev.native.target.style.cursor = elements.length ? "pointer" : "";
                },
                plugins: {
                    legend: {
                        rtl,
                        align: "start",
                        labels: {color: textColor, font, boxWidth: 12},
                    },
                    tooltip: {rtl, titleFont: font, bodyFont: font},
                },
                scales: {
                    x: {
                        stacked: true,
                        reverse: rtl,
                        grid: {display: false},
                        ticks: {color: textColor, font, maxRotation: 0, autoSkip: true},
                    },
                    y: {
                        stacked: true,
                        position: rtl ? "right" : "left",
                        beginAtZero: true,
                        grid: {color: gridColor},
                        ticks: {
                            color: textColor,
                            font,
                            precision: 0,
                            callback: formatCount,
                        },
                    },
                },
            },
        };
    }
}
