import {registry} from "@web/core/registry";
import {SegmentConditionDialog} from "./segment_condition_dialog";

/** Ask for the blanks of a ready segment, then open the segment made of it. */
export function useSegmentTemplate(env, action) {
    env.services.dialog.add(SegmentConditionDialog, {
        template: action.params.template,
        submit: async (template, values) => {
            const opening = await env.services.orm.call(
                "customer.segment.condition.template",
                "use",
                [[template.id], values]
            );
            await env.services.action.doAction(opening);
        },
    });
}

registry.category("actions").add("customer_segment_use_template", useSegmentTemplate);
