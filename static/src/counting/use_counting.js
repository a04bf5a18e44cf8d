import {onWillUnmount, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {KeepLast} from "@web/core/utils/concurrency";
import {useService} from "@web/core/utils/hooks";
import {useRecordObserver} from "@web/model/relational_model/utils";

const PAUSE_MS = 400;
const PATIENCE_SECONDS = [2, 60];

/**
 * Ask the server how many, whenever what the form holds changes; typing never waits.
 *
 * @param {String} model - whose method is asked
 * @param {String} method - takes `values` and `patience` in seconds; answers
 *     `{counting: true}` when that was not enough
 * @param {Function} valuesOf - of a record, what the method wants to know
 * @returns {Object} reactive: `isCounting` and `answer`, which is what the method has
 *     answered, `{error}` or, after the longest patience, `{isEndless: true}`
 */
export function useCounting(model, method, valuesOf) {
    const orm = useService("orm");
    const keepLast = new KeepLast();
    const state = useState({answer: null, isCounting: true});
    let asked = null;
    let timer = null;

    async function ask(resId, values, patience) {
        try {
            return await orm.silent.call(model, method, [resId ? [resId] : []], {
                values,
                patience,
            });
        } catch (error) {
            return {error: error.data?.message || _t("Nobody could be counted.")};
        }
    }

    async function count(resId, values) {
        state.isCounting = true;
        let answer = null;
        for (const patience of PATIENCE_SECONDS) {
            answer = await keepLast.add(ask(resId, values, patience));
            if (!answer.counting) {
                break;
            }
        }
        Object.assign(state, {
            answer: answer.counting ? {isEndless: true} : answer,
            isCounting: false,
        });
    }

    useRecordObserver((record) => {
        const values = valuesOf(record);
        // A saved record is asked about again: only now its changes are nought.
        const question = JSON.stringify([record.resId, record.dirty, values]);
        if (question === asked) {
            return;
        }
        asked = question;
        browser.clearTimeout(timer);
        timer = browser.setTimeout(() => count(record.resId, values), PAUSE_MS);
    });
    onWillUnmount(() => browser.clearTimeout(timer));
    return state;
}
