/**
 * Phone numbers as people type, paste and read them: digits of any of the three
 * scripts in, Latin digits to the server, Latin or Persian ones on the screen.
 */

const MOST = 20;
const PERSIAN_ZERO = 0x06f0;

/** Sizes of the groups in which a number that begins so is read. */
const SHAPES = [
    [/^\+98/, [3, 3, 3, 4]],
    [/^0098/, [4, 3, 3, 4]],
    [/^0/, [4, 3, 4]],
    [/^9/, [3, 3, 4]],
];

/** Persian, Arabic and fullwidth digits as Latin ones. */
export function toLatin(text) {
    return text
        .normalize("NFKC")
        .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => digit.charCodeAt(0) & 15);
}

/** The text with Persian digits where `lang` is Persian. */
export function toLocal(text, lang) {
    if (lang !== "fa") {
        return String(text);
    }
    return String(text).replace(/[0-9]/g, (digit) =>
        String.fromCharCode(PERSIAN_ZERO + Number(digit))
    );
}

/** What can be dialled in a text: Latin digits, and a plus before the first of them. */
export function dialled(text) {
    const latin = toLatin(text);
    const plus = /^[^+0-9]*\+/.test(latin) ? "+" : "";
    return plus + latin.replace(/[^0-9]/g, "").slice(0, MOST);
}

/** The number in groups that a person can compare: 0912 345 6789. */
export function grouped(number) {
    const [, sizes] = SHAPES.find(([start]) => start.test(number)) || [null, [3, 3]];
    const groups = [];
    let at = 0;
    for (const size of sizes) {
        groups.push(number.slice(at, at + size));
        at += size;
    }
    groups.push(number.slice(at));
    return groups.filter(Boolean).join(" ");
}

/** A code in groups of three. */
export function groupedCode(code) {
    return (code.match(/[0-9]{1,3}/g) || []).join(" ");
}

/**
 * Whether the server could take this number. It judges every number itself; this only
 * spares a visitor who stands at an offline tablet a slip that nobody would tell them.
 */
export function isPlausible(number, region) {
    const isForeign = /^(\+|00)(?!98)/.test(number);
    if (region === "IR" && !isForeign) {
        return /^(\+98|0098|98|0)?9[0-9]{9}$/.test(number);
    }
    return /^\+?[0-9]{7,17}$/.test(number);
}
