import {Component} from "@odoo/owl";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {STATIC_ACTIONS_GROUP_NUMBER} from "@web/search/action_menus/action_menus";

const MARKETER = "customer_segmentation.customer_segmentation_group_marketer";

/** Begins a segment with the filter of the list on the screen. */
export class SegmentFromFilter extends Component {
    static template = "customer_segmentation.SegmentFromFilter";
    static components = {DropdownItem};
    static props = {};

    async save() {
        // The menu is gone when the answer comes: services of the component would be too.
        const {action, orm} = this.env.services;
        const {domainString, facets, resModel} = this.env.searchModel;
        const words = facets
            .filter((facet) => facet.type !== "groupBy")
            .flatMap((facet) => facet.values);
        const form = await orm.call(
            "customer.segment",
            "action_new_from_filter",
            [resModel, domainString],
            {name: words.join(", ")}
        );
        await action.doAction(form);
    }
}

registry.category("cogMenu").add(
    "customer-segment-from-filter",
    {
        Component: SegmentFromFilter,
        groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
        isDisplayed: async ({config, searchModel}) =>
            config.actionType === "ir.actions.act_window" &&
            ["kanban", "list"].includes(config.viewType) &&
            ["res.partner", "crm.lead"].includes(searchModel.resModel) &&
            (await user.hasGroup(MARKETER)),
    },
    {sequence: 20}
);
