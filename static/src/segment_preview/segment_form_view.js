import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {FormController} from "@web/views/form/form_controller";
import {formView} from "@web/views/form/form_view";
import {formatCount} from "../counting/format_count";
import {previewValues} from "./segment_preview_values";

const PATIENCE_SECONDS = 10;

/** Asks before a changed condition moves many people at once. */
export class SegmentFormController extends FormController {
    async onWillSaveRecord(record, changes) {
        const proceed = await super.onWillSaveRecord(record, changes);
        if (proceed === false || !record.resId || !record.dirty) {
            return proceed;
        }
        const answer = await this.orm.call(
            "customer.segment",
            "preview",
            [[record.resId]],
            {values: previewValues(record), patience: PATIENCE_SECONDS}
        );
        return answer.confirm ? this.confirmChange(answer) : proceed;
    }

    confirmChange({entering, leaving, total}) {
        return new Promise((resolve) => {
            this.dialogService.add(
                ConfirmationDialog,
                {
                    title: _t("Change this segment?"),
                    body: _t(
                        "%(entering)s people enter and %(leaving)s leave: it will hold %(total)s.",
                        {
                            entering: formatCount(entering),
                            leaving: formatCount(leaving),
                            total: formatCount(total),
                        }
                    ),
                    confirmLabel: _t("Change it"),
                    confirm: () => resolve(true),
                    cancel: () => resolve(false),
                },
                {onClose: () => resolve(false)}
            );
        });
    }
}

registry.category("views").add("customer_segment_form", {
    ...formView,
    Controller: SegmentFormController,
});
