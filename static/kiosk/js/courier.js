/** Takes check-ins to the club: pairing, key presses, the queue, the heartbeat. */

import {call, judgeProblem} from "./api.js";
import {randomId} from "./store.js";

export const FIRMWARE = "kiosk-1.0";
const MODEL = "browser";
const HEARTBEAT_S = 300;
const BATCH_MAX = 50;
const MAX_BACKOFF_S = 300;
/** So many seconds let a good part of a batch through, instead of one item each time. */
const QUOTA_PAUSE_S = 15;
/** A clock before this was never set (2025-01-01). */
const CLOCK_SET_MS = 1735689600000;
const STOPPED = ["device-inactive", "club-closed"];

export class Courier {
    constructor(store) {
        this.store = store;
        this.page = randomId();
        this.isFlushing = false;
        this.lang = "en";
        this.onRefused = () => {};
    }

    // === CONNECTING === //

    /** Exchange a pairing code for a token, then fetch the configuration. */
    async pair(code) {
        const state = await this.store.read();
        const answer = await this._call({...state, token: ""}, "POST", "/pair", {
            code,
            serial: state.serial,
            model: MODEL,
            fw: FIRMWARE,
        });
        if (answer.verdict !== "done" || !answer.body.token) {
            return {
                ...answer,
                verdict: answer.verdict === "done" ? "later" : answer.verdict,
            };
        }
        await this.store.update((fresh) => {
            Object.assign(fresh, {
                token: answer.body.token,
                deviceId: answer.body.device_id,
                etag: "",
                tries: 0,
                nextTry: 0,
                holdUntil: 0,
                nextHeartbeat: 0,
                notice: "",
            });
        });
        await this.fetchConfig();
        return answer;
    }

    /** Fetch the configuration if it has changed. */
    async fetchConfig() {
        const state = await this.store.read();
        const headers = state.etag ? {"If-None-Match": state.etag} : {};
        const answer = await this._call(state, "GET", "/config", null, headers);
        if (answer.verdict === "done" && (answer.unchanged || answer.body.rev)) {
            await this.store.update((fresh) => {
                if (!answer.unchanged && fresh.deviceId === state.deviceId) {
                    fresh.config = answer.body;
                    fresh.etag = answer.etag;
                }
                if (fresh.notice === "device-inactive") {
                    fresh.notice = "";
                }
            });
        } else {
            await this._heed(answer, state);
        }
    }

    /** Say that we live; learn whether configuration or token must change. */
    async heartbeat() {
        const now = Date.now();
        let mine = false;
        const state = await this.store.update((fresh) => {
            const period =
                ((fresh.config && fresh.config.heartbeat_s) || HEARTBEAT_S) * 1000;
            // Set ahead by more than a period: the clock was set back since.
            const isDue =
                now >= fresh.nextHeartbeat || fresh.nextHeartbeat - now > period;
            mine = isDue && !isHeld(fresh, now);
            if (mine) {
                fresh.nextHeartbeat = now + period;
            }
        });
        if (!mine) {
            return;
        }
        await this.store.purge(state.deviceId, now);
        const {own} = await this.store.count(state.deviceId);
        const answer = await this._call(state, "POST", "/heartbeat", {
            fw: FIRMWARE,
            uptime_s: Math.floor(performance.now() / 1000),
            queue: own,
            clock: Math.floor(now / 1000),
        });
        if (answer.verdict !== "done") {
            await this._heed(answer, state);
            return;
        }
        const rev = state.config && state.config.rev;
        if (answer.body.config_rev !== rev || state.notice === "device-inactive") {
            await this.fetchConfig();
        }
        if (answer.body.token_rotate === true) {
            await this._rotate();
        }
    }

    /** Change the token; it is saved before its first use ends the old one. */
    async _rotate() {
        const state = await this.store.read();
        const answer = await this._call(state, "POST", "/token/rotate", {});
        if (answer.verdict === "done" && answer.body.token) {
            await this.store.update((fresh) => {
                if (fresh.token === state.token) {
                    fresh.token = answer.body.token;
                }
            });
        }
    }

    // === CHECK-INS === //

    /**
     * A key press: saved first, then tried at once, else kept.
     *
     * @returns {Promise<import("./api.js").Answer>} "later" when it waits here
     */
    async press(phone, tag) {
        const now = Date.now();
        const state = await this.store.read();
        const config = state.config || {};
        const item = await this.store.add({
            eventId: randomId(),
            deviceId: state.deviceId,
            phone,
            tag,
            rev: config.rev,
            pressedAt: now,
            page: this.page,
            pageMs: performance.now(),
            keepUntil: now + (config.offline_max_h || 720) * 3600000,
        });
        if (!state.token || isHeld(state, now)) {
            await this.store.release([item]);
            return {verdict: "later", body: {}, wait: 0};
        }
        const answer = await this._call(
            state,
            "POST",
            "/checkins",
            this._payload(item, config)
        );
        if (!(await this._settle(item, answer))) {
            await this._heed(answer, state);
            await this._postpone(answer);
            await this.store.release([item]);
            return {...answer, verdict: "later"};
        }
        return answer;
    }

    /** Send what waits, batch after batch, until nothing is left or somebody says stop. */
    async flush() {
        if (this.isFlushing) {
            return;
        }
        this.isFlushing = true;
        try {
            while (await this._sendBatch()) {
                // on to the next
            }
        } finally {
            this.isFlushing = false;
        }
    }

    /** @returns {Promise<boolean>} whether to go on at once */
    async _sendBatch() {
        const state = await this.store.read();
        const now = Date.now();
        const config = state.config || {};
        if (!state.token || isHeld(state, now) || isAhead(state.nextTry, now)) {
            return false;
        }
        const most = Math.min(config.batch_max || BATCH_MAX, BATCH_MAX);
        const items = await this.store.claim(state.deviceId, most);
        if (!items.length) {
            return false;
        }
        const answer = await this._call(state, "POST", "/checkins/batch", {
            items: items.map((item) => this._payload(item, config)),
        });
        let judged = false;
        if (answer.verdict === "never") {
            // The envelope is at fault, not the items.
            judged = await this._sendSingly(items, state);
        } else if (answer.verdict === "done") {
            judged = await this._settleBatch(items, answer);
        } else {
            await this._heed(answer, state);
            await this._postpone(answer);
        }
        await this.store.release(items);
        return judged;
    }

    async _sendSingly(items, state) {
        for (const item of items) {
            await this.store.renew(items);
            const payload = this._payload(item, state.config || {});
            const answer = await this._call(state, "POST", "/checkins", payload);
            if (!(await this._settle(item, answer, true))) {
                await this._heed(answer, state);
                await this._postpone(answer);
                return false;
            }
        }
        return true;
    }

    async _settleBatch(items, answer) {
        const results = Array.isArray(answer.body.results) ? answer.body.results : [];
        const byEvent = new Map(results.map((result) => [result.event_id, result]));
        let wait = answer.wait;
        let pause = 0;
        let kept = 0;
        for (const item of items) {
            const result = byEvent.get(item.eventId) || {};
            const isAccepted = [200, 201].includes(result.status) && !result.problem;
            const judged = isAccepted
                ? {verdict: "done", body: result, wait: 0}
                : judgeProblem(result.problem || {});
            wait = Math.max(wait, judged.wait);
            pause = judged.name === "quota-exceeded" ? QUOTA_PAUSE_S : pause;
            kept += (await this._settle(item, judged, true)) ? 0 : 1;
        }
        if (kept) {
            await this._postpone({wait}, pause);
        }
        return !kept;
    }

    /** A saved check-in as it is sent: its age grows with every try. */
    _payload(item, config) {
        const payload = {event_id: item.eventId, phone: item.phone, tag: item.tag};
        if (item.rev !== undefined) {
            payload.config_rev = item.rev;
        }
        const age = this._age(item, config);
        if (age !== null) {
            payload.age_s = age;
        }
        return payload;
    }

    _age(item, config) {
        const byClock = Date.now() - item.pressedAt;
        const isOdd = byClock < 0 || byClock > (config.offline_max_h || 720) * 3600000;
        if (isOdd && item.page === this.page) {
            // The tablet's clock was set meanwhile; the page's own clock was not.
            return Math.floor((performance.now() - item.pageMs) / 1000);
        }
        if (item.pressedAt < CLOCK_SET_MS) {
            return null;
        }
        return Math.max(0, Math.floor(byClock / 1000));
    }

    /** Forget a check-in that the club has judged.
     *
     * @returns {Promise<boolean>} whether it has
     */
    async _settle(item, answer, isLate = false) {
        if (answer.verdict === "never") {
            await this.store.remove(item);
            if (isLate) {
                this.onRefused(answer.body.code);
            }
        } else if (answer.verdict === "done" && answer.body.event_id === item.eventId) {
            await this.store.remove(item);
        } else {
            return false;
        }
        await this.store.update((fresh) => {
            fresh.tries = 0;
            fresh.nextTry = 0;
            if (answer.verdict === "done") {
                fresh.notice = "";
            }
        });
        return true;
    }

    /** Back off: 1, 2, 4 … 300 s and a quarter of jitter, or what is asked for. */
    async _postpone(answer, least = 0) {
        const now = Date.now();
        await this.store.update((fresh) => {
            const grown = Math.min(MAX_BACKOFF_S, 2 ** Math.min(fresh.tries, 9));
            const seconds = Math.max(least, grown);
            fresh.tries += 1;
            fresh.nextTry = now + seconds * (1 + Math.random() / 4) * 1000;
            if (answer.wait) {
                fresh.holdUntil = now + answer.wait * 1000;
                fresh.nextTry = Math.max(fresh.nextTry, fresh.holdUntil);
            }
        });
    }

    _call(state, ...request) {
        const {database, token} = state;
        return call({database, token, lang: this.lang}, ...request);
    }

    /** Remember what an answer says about this device. */
    async _heed(answer, state) {
        await this.store.update((fresh) => {
            // Another tab may have connected or changed the token in the meantime.
            if (answer.verdict === "pair" && fresh.token === state.token) {
                fresh.token = "";
                fresh.notice = "";
            } else if (STOPPED.includes(answer.name)) {
                fresh.notice = answer.name;
            }
        });
    }
}

function isHeld(state, now) {
    return isAhead(state.holdUntil, now, 3600000);
}

/** Whether a moment is still to come; one too far ahead is a clock that was set back. */
function isAhead(moment, now, most = MAX_BACKOFF_S * 1000 * 4) {
    return moment > now && moment - now <= most;
}
