/** What is on the tablet's screen. It knows no server and no storage. */

import {dialled, grouped, groupedCode, toLatin, toLocal} from "./digits.js";
import {wordsOf} from "./words.js";

const THANKS_MS = 2000;
const CODE_LENGTH = 9;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "erase"];

const byId = (id) => document.getElementById(id);

export class Screen {
    /**
     * @param {Object} on what a person does: submit(text, digit), language(), later(),
     *   code()
     */
    constructor(on) {
        this.on = on;
        this.lang = "en";
        this.mode = "desk";
        this.config = null;
        this.text = "";
        this.digit = null;
        this.isBusy = false;
        this.number = byId("number");
        this._buildKeypad();
        this._listen();
    }

    get words() {
        return wordsOf(this.lang);
    }

    /** Nothing typed, nothing chosen, nothing running: the page may change under it. */
    get isIdle() {
        return (
            !this.text && this.digit === null && !this.isBusy && byId("thanks").hidden
        );
    }

    // === SHOWING === //

    /** Show the state: language, mode, configuration, what waits, what is wrong. */
    show({lang, mode, config, canGoOn, waiting, notices}) {
        this.config = config;
        if (mode !== this.mode) {
            this.mode = mode;
            this._empty();
        }
        if (lang !== this.lang) {
            this.lang = lang;
            byId("hint").textContent = "";
        }
        const words = this.words;
        document.documentElement.lang = lang;
        document.documentElement.dir = lang === "fa" ? "rtl" : "ltr";
        document.body.dataset.mode = mode;
        const title =
            mode === "code" ? words.connect : (config || {}).club || words.title;
        document.title = title;
        byId("club").textContent = title;
        byId("language").textContent = words.language;
        byId("prompt").textContent = mode === "code" ? words.promptCode : words.prompt;
        byId("send").textContent = mode === "code" ? words.sendCode : words.send;
        byId("later").textContent = words.goOn;
        byId("later").hidden = mode !== "code" || !canGoOn;
        byId("waiting").hidden = !waiting;
        byId("waiting").textContent = toLocal(words.waiting(waiting), lang);
        this._showNotices(notices);
        this._showKeypad();
        this._showTags();
        this._showText();
        byId("desk").hidden = false;
    }

    _showNotices({state, offline, isSignedIn}) {
        byId("notice-state").hidden = !state;
        byId("notice-state").textContent = toLocal(state || "", this.lang);
        byId("notice-offline").hidden = !offline;
        byId("notice-offline").textContent = offline || "";
        const login = byId("notice-login");
        login.hidden = !isSignedIn;
        login.querySelector("span").textContent = this.words.signedIn;
        login.querySelector("a").textContent = this.words.signOut;
    }

    /** Two lines for two seconds, then everything empty for the next visitor. */
    thank(line1, line2, kind = "done") {
        this._empty();
        byId("thanks-1").textContent = line1;
        byId("thanks-2").textContent = line2;
        byId("thanks").dataset.kind = kind;
        byId("thanks").hidden = false;
        clearTimeout(this.thanksTimer);
        this.thanksTimer = setTimeout(() => this.endThanks(), THANKS_MS);
    }

    endThanks() {
        clearTimeout(this.thanksTimer);
        byId("thanks").hidden = true;
        byId("thanks-1").textContent = byId("thanks-2").textContent = "";
        this.number.focus({preventScroll: true});
    }

    /** Shake the field and say what is wrong; the number stays to be put right. */
    complain(text) {
        byId("hint").textContent = toLocal(text, this.lang);
        // Without animation the words alone must do.
        this.number.classList.remove("shake");
        void this.number.offsetWidth;
        this.number.classList.add("shake");
    }

    /** Say something in passing, in the place of the hint. */
    mention(text) {
        byId("hint").textContent = toLocal(text, this.lang);
    }

    busy(isBusy) {
        this.isBusy = isBusy;
        byId("send").disabled = isBusy;
        document.body.classList.toggle("busy", isBusy);
    }

    /** Clear what a visitor left behind. */
    clear() {
        if (!this.isBusy) {
            this._empty();
        }
    }

    // === INNER === //

    _empty() {
        this.text = "";
        this.digit = null;
        byId("hint").textContent = "";
        this.number.classList.remove("shake");
        this._showText();
        this._showTags();
    }

    _format(text) {
        return toLocal(
            this.mode === "code" ? groupedCode(text) : grouped(text),
            this.lang
        );
    }

    _showText(caret = null) {
        const shown = this._format(this.text);
        if (this.number.value !== shown) {
            this.number.value = shown;
        }
        if (caret !== null) {
            // The caret stays behind the same digit, wherever the groups moved it.
            let at = 0;
            for (let left = caret; left > 0 && at < shown.length; at++) {
                left -= shown[at] === " " ? 0 : 1;
            }
            this.number.setSelectionRange(at, at);
        }
    }

    _setText(text, caret = null) {
        const read =
            this.mode === "code" ? toLatin(text).replace(/[^0-9]/g, "") : dialled(text);
        this.text = this.mode === "code" ? read.slice(0, CODE_LENGTH) : read;
        byId("hint").textContent = "";
        this._showText(caret);
    }

    _press(key) {
        if (this.isBusy) {
            return;
        }
        this.endThanks();
        if (key === "clear") {
            this._empty();
        } else if (key === "erase") {
            this._setText(this.text.slice(0, -1), this.text.length - 1);
        } else {
            this._setText(this.text + key, this.text.length + 1);
        }
    }

    _buildKeypad() {
        for (const key of KEYS) {
            const button = document.createElement("button");
            button.type = "button";
            button.dataset.key = key;
            button.addEventListener("click", () => this._press(key));
            byId("keypad").append(button);
        }
    }

    _showKeypad() {
        for (const button of byId("keypad").children) {
            const {key} = button.dataset;
            if (key === "clear" || key === "erase") {
                button.textContent = key === "clear" ? "C" : "⌫";
                button.setAttribute("aria-label", this.words[key]);
            } else {
                button.textContent = toLocal(key, this.lang);
            }
        }
    }

    _showTags() {
        const box = byId("tags");
        const tags = (this.mode === "desk" && this.config && this.config.tags) || [];
        const key = JSON.stringify([tags, this.lang]);
        if (key !== this.tagsShown) {
            // A digit may mean something else now: what was chosen is asked again.
            const before = this.tagsShown && JSON.parse(this.tagsShown)[0];
            if (before && JSON.stringify(before) !== JSON.stringify(tags)) {
                this.digit = null;
            }
            this.tagsShown = key;
            box.replaceChildren(...tags.map((tag) => this._tagButton(tag)));
        }
        box.hidden = !tags.length;
        box.setAttribute("aria-label", this.words.tags);
        for (const button of box.children) {
            const isChosen = Number(button.dataset.digit) === this.digit;
            button.setAttribute("aria-pressed", String(isChosen));
        }
        box.classList.toggle("chosen", this.digit !== null);
    }

    _tagButton({digit, label, color}) {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.digit = digit;
        button.style.setProperty("--color", color);
        button.style.setProperty("--ink", inkOn(color));
        const number = document.createElement("b");
        number.textContent = toLocal(digit, this.lang);
        const text = document.createElement("span");
        text.dir = "auto";
        text.textContent = label;
        button.append(number, text);
        button.addEventListener("click", () => {
            if (!this.isBusy) {
                this.digit = this.digit === digit ? null : digit;
                byId("hint").textContent = "";
                this._showTags();
            }
        });
        return button;
    }

    _listen() {
        byId("form").addEventListener("submit", (event) => {
            event.preventDefault();
            if (!this.isBusy) {
                this.on.submit(this.text, this.digit);
            }
        });
        byId("language").addEventListener("click", () => this.on.language());
        byId("later").addEventListener("click", () => this.on.later());
        byId("notice-state").addEventListener("click", () => this.on.code());
        byId("thanks").addEventListener("click", () => this.endThanks());
        this.number.addEventListener("input", () => this._readField());
        this.number.addEventListener("paste", (event) => {
            const pasted = event.clipboardData.getData("text");
            if (pasted && !this.isBusy) {
                event.preventDefault();
                this._setText(pasted, Infinity);
            }
        });
        document.addEventListener("keydown", (event) => this._key(event));
        document.addEventListener("contextmenu", (event) => event.preventDefault());
    }

    _readField() {
        if (this.isBusy) {
            this._showText();
            return;
        }
        const before = this.number.value.slice(0, this.number.selectionStart);
        const caret = toLatin(before).replace(/[^+0-9]/g, "").length;
        this._setText(this.number.value, caret);
    }

    /** A keyboard works wherever the focus is. */
    _key(event) {
        if (event.key === "Escape") {
            this._press("clear");
            return;
        }
        if (event.ctrlKey || event.altKey || event.metaKey) {
            return;
        }
        this.endThanksOnKey(event);
        if (event.target === this.number) {
            return;
        }
        const key = toLatin(event.key);
        if (/^[0-9]$/.test(key)) {
            event.preventDefault();
            this._press(key);
            this.number.focus({preventScroll: true});
        } else if (event.key === "Backspace") {
            this._press("erase");
        }
    }

    endThanksOnKey(event) {
        if (!byId("thanks").hidden && event.key.length === 1) {
            this.endThanks();
        }
    }
}

/** Black or white, whichever can be read on a colour (WCAG relative luminance). */
export function inkOn(color) {
    const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
    const [red, green, blue] = parts.map((part) =>
        part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179
        ? "#000000"
        : "#ffffff";
}
