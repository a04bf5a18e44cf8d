/** The tablet page: joins screen, courier and store. */

import {Courier} from "./courier.js";
import {isPlausible, toLocal} from "./digits.js";
import {Screen} from "./screen.js";
import {Store} from "./store.js";
import {LANGUAGES, refusal, wordsOf} from "./words.js";

/** A visitor waits no longer than this; the answer may come after. */
const PATIENCE_MS = 4000;
/** What a visitor left half typed is cleared after this. */
const IDLE_MS = 60000;
const TICK_MS = 1000;
const REFRESH_MS = 3600000;
const DATABASE = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const PERSIAN = /[\u0600-\u06ff]/;

class Kiosk {
    constructor(store) {
        this.store = store;
        this.courier = new Courier(store);
        this.courier.onRefused = (code) => this.tellRefused(code);
        this.screen = new Screen({
            submit: (text, digit) => this.submit(text, digit),
            language: () => this.switchLanguage(),
            later: () => this.goOn(true),
            code: () => this.goOn(false),
        });
        this.goesOn = false;
        this.isSignedIn = false;
        this.mustReload = false;
        this.lastTouch = Date.now();
        store.onChange = () => this.renderSoon();
    }

    async start() {
        await this.readAddress();
        await this.render();
        for (const name of ["pointerdown", "keydown"]) {
            document.addEventListener(name, () => (this.lastTouch = Date.now()));
        }
        window.addEventListener("online", () => this.comeBack());
        document.addEventListener("visibilitychange", () => this.lookAround());
        setInterval(() => this.tick(), TICK_MS);
        if (navigator.storage && navigator.storage.persist) {
            navigator.storage.persist().catch(() => {});
        }
        await this.startServiceWorker();
        await this.lookAround();
        const state = await this.store.read();
        if (state.token) {
            await this.courier.fetchConfig();
        }
    }

    /** `?db=name` says which database to name to a host that serves several. */
    async readAddress() {
        const asked = new URLSearchParams(location.search).get("db") || "";
        if (!DATABASE.test(asked)) {
            return;
        }
        await this.store.update((state) => {
            // A link must not carry a connected tablet to another club.
            if (!state.token || !state.database) {
                state.database = asked;
            }
        });
    }

    // === SHOWING === //

    renderSoon() {
        this.rendering = (this.rendering || Promise.resolve()).then(() =>
            this.render()
        );
    }

    async render() {
        const state = await this.store.read();
        const {own, other} = await this.store.count(state.deviceId);
        this.state = state;
        const wished = state.lang || (state.config || {}).locale || navigator.language;
        this.lang = LANGUAGES.find((lang) => wished.startsWith(lang)) || "en";
        this.courier.lang = this.lang;
        const wasPaired = Boolean(state.config);
        if (state.token) {
            this.goesOn = false;
        }
        const isDesk = state.token ? wasPaired : wasPaired && this.goesOn;
        this.screen.show({
            lang: this.lang,
            mode: isDesk ? "desk" : "code",
            config: state.config,
            canGoOn: wasPaired,
            waiting: own,
            notices: {
                state: this.stateNotice(state, isDesk, other),
                offline: window.isSecureContext ? "" : wordsOf(this.lang).noOffline,
                isSignedIn: this.isSignedIn,
            },
        });
    }

    stateNotice(state, isDesk, other) {
        const words = wordsOf(this.lang);
        if (!state.token) {
            if (isDesk) {
                return `${words.unpaired} ${words.enterCode}`;
            }
            return state.config ? words.unpaired : words.helpCode;
        }
        if (state.notice) {
            return words[state.notice];
        }
        return other ? words.otherDevice(other) : "";
    }

    async switchLanguage() {
        const next = LANGUAGES[(LANGUAGES.indexOf(this.lang) + 1) % LANGUAGES.length];
        await this.store.update((state) => (state.lang = next));
    }

    /** Without a connection the desk still takes numbers, to be sent after it. */
    goOn(goesOn) {
        if (!this.state.token) {
            this.goesOn = goesOn;
            this.renderSoon();
        }
    }

    // === WHAT A PERSON DOES === //

    async submit(text, digit) {
        const isCode = this.screen.mode === "code";
        const fault = isCode ? this.codeFault(text) : this.numberFault(text, digit);
        if (fault) {
            this.screen.complain(fault);
            return;
        }
        this.screen.busy(true);
        try {
            await (isCode ? this.pair(text) : this.checkIn(text, digit));
        } catch {
            // The browser's storage is full or gone: nothing was kept, so say so.
            this.screen.complain(wordsOf(this.lang).full);
        } finally {
            this.screen.busy(false);
        }
    }

    codeFault(text) {
        return text.length === 9 ? "" : wordsOf(this.lang).typeCode;
    }

    numberFault(text, digit) {
        const config = this.state.config;
        if (!text) {
            return wordsOf(this.lang).typeNumber;
        }
        if (!isPlausible(text, config.region)) {
            return refusal(this.lang, "E22");
        }
        if (config.tag_required && config.tags.length && digit === null) {
            return refusal(this.lang, "E28");
        }
        return "";
    }

    async pair(code) {
        const answer = await this.courier.pair(code);
        const words = wordsOf(this.lang);
        if (answer.verdict === "done") {
            await this.render();
        } else if (answer.name === "pairing-locked") {
            this.screen.complain(words.lockedFor(Math.ceil(answer.wait / 60) || 15));
        } else if (answer.ours) {
            this.screen.complain(refusal(this.lang, answer.body.code));
        } else {
            this.screen.complain(words.noServer);
        }
    }

    async checkIn(phone, digit) {
        const pressed = this.courier.press(phone, digit);
        const patience = new Promise((resolve) =>
            setTimeout(() => resolve({verdict: "later"}), PATIENCE_MS)
        );
        const answer = await Promise.race([pressed, patience]);
        if (answer.verdict === "done") {
            this.screen.thank(...this.thanksLines(answer.body));
        } else if (answer.verdict === "never") {
            this.screen.complain(refusal(this.lang, answer.body.code));
        } else {
            // Refused after all, when the visitor is gone.
            pressed.then(
                (late) => late.verdict === "never" && this.tellRefused(late.body.code),
                () => {}
            );
            const {own} = await this.store.count(this.state.deviceId);
            const words = wordsOf(this.lang);
            const line2 = toLocal(words.waiting(own), this.lang);
            this.screen.thank(words.saved, line2, "saved");
        }
    }

    /** The lines as the club sends them, unless it does not speak our language. */
    thanksLines({line1 = "", line2 = ""}) {
        if (!line1 || (this.lang === "fa" && !PERSIAN.test(line1))) {
            return [wordsOf(this.lang).thanks, ""];
        }
        return [line1, toLocal(line2, this.lang)];
    }

    tellRefused(code) {
        if (this.screen.isIdle) {
            this.screen.mention(wordsOf(this.lang).refusedLater(code));
        }
    }

    // === BY ITSELF === //

    async tick() {
        if (Date.now() - this.lastTouch > IDLE_MS && !this.screen.isIdle) {
            this.screen.clear();
        }
        if (this.mustReload && this.screen.isIdle) {
            location.reload();
            return;
        }
        if (this.isTicking) {
            return;
        }
        this.isTicking = true;
        try {
            const {token} = await this.store.read();
            if (token) {
                await this.courier.heartbeat();
                await this.courier.flush();
            }
        } finally {
            this.isTicking = false;
        }
    }

    /** The network is back: no reason to wait out the pause, unless we were asked to. */
    async comeBack() {
        await this.store.update((state) => {
            state.nextTry = 0;
            state.tries = 0;
            state.nextHeartbeat = 0;
        });
        await this.tick();
    }

    /** Warn when a back-end login exists here: a visitor could walk into Odoo. */
    async lookAround() {
        if (document.visibilityState !== "visible") {
            return;
        }
        try {
            const response = await fetch("/club/kiosk/session", {cache: "no-store"});
            const answer = response.ok ? await response.json() : {};
            this.isSignedIn = answer.signed_in === true;
        } catch {
            // Offline: what was known stays.
        }
        await this.render();
    }

    async startServiceWorker() {
        const workers = navigator.serviceWorker;
        if (!workers) {
            return;
        }
        const isStatic = location.pathname.endsWith("/kiosk.html");
        const script = isStatic ? "sw.js" : "/club/kiosk/sw.js";
        const scope = isStatic ? location.pathname : "/club/kiosk";
        workers.addEventListener("message", (event) => {
            this.mustReload = this.mustReload || event.data === "changed";
        });
        const refresh = () =>
            workers.ready.then(({active}) => active && active.postMessage("refresh"));
        try {
            await workers.register(script, {scope});
            refresh();
            setInterval(refresh, REFRESH_MS);
            setInterval(() => this.lookAround(), REFRESH_MS / 12);
        } catch {
            // Not served now, or not allowed: the page works, but only while it is open.
        }
    }
}

async function start() {
    if (window.top !== window.self) {
        document.body.textContent = wordsOf(navigator.language.slice(0, 2)).framed;
        return;
    }
    let store;
    try {
        store = await Store.open();
    } catch {
        document.body.textContent = wordsOf(navigator.language.slice(0, 2)).full;
        return;
    }
    await new Kiosk(store).start();
}

start();
