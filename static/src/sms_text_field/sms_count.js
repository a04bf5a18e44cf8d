/**
 * What an SMS text costs: the twin of tools/sms_text.py, for the live counter.
 * Change both together; their tests share the same vectors.
 */

// Source: 3GPP TS 23.038 §6.2.1 and §6.2.1.1.
const GSM7_BASIC = new Set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
);
const GSM7_EXTENSION = new Set("\f^{}\\[~]|€");

// [alone, per part when joined]. Source: 3GPP TS 23.040 §9.2.3.24.1.
const GSM7_LIMITS = [160, 153];
const UCS2_LIMITS = [70, 67];

const PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹";
const ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩";
const PLACEHOLDER = /\{\{.+?(?:\|\|\|\s*(.*?))?\}\}/g;

/**
 * Count exactly this text, suffix included by the caller. A character of two
 * units never straddles two parts, so parts are filled one by one.
 *
 * @param {string} text
 * @returns {{characters: number, units: number, encoding: "gsm7"|"ucs2",
 *      parts: number, remaining: number}} units are septets or UTF-16 code units,
 *      remaining is the number of units free in the last part
 */
export function count(text) {
    const characters = [...(text || "")];
    const isGsm7 = characters.every((c) => GSM7_BASIC.has(c) || GSM7_EXTENSION.has(c));
    const [single, joined] = isGsm7 ? GSM7_LIMITS : UCS2_LIMITS;
    const weights = characters.map((c) =>
        isGsm7 ? (GSM7_EXTENSION.has(c) ? 2 : 1) : c.length
    );
    const units = weights.reduce((sum, weight) => sum + weight, 0);
    let parts = units ? 1 : 0;
    let remaining = single - units;
    if (units > single) {
        let used = 0;
        for (const weight of weights) {
            if (used + weight > joined) {
                parts += 1;
                used = 0;
            }
            used += weight;
        }
        remaining = joined - used;
    }
    return {
        characters: characters.length,
        units,
        encoding: isGsm7 ? "gsm7" : "ucs2",
        parts,
        remaining,
    };
}

/**
 * The text ending with the opt-out suffix, once, on its own last line. Any
 * spelling of it that ends the text or stands alone on a line is that suffix.
 *
 * @param {string} text empty means "no SMS" and stays empty
 * @param {string} suffix the line's suffix, empty for none
 * @returns {string}
 */
export function withSuffix(text, suffix) {
    if (!text?.trim()) {
        return "";
    }
    suffix = (suffix || "").trim();
    if (!suffix) {
        return text;
    }
    const gap = "[^\\S\\n]*\\u200c?[^\\S\\n]*";
    const spelling = [...suffix.replace(/[\s\u200c]/gu, "")].map(spellings).join(gap);
    const alone = new RegExp(
        `^[^\\S\\n]*${spelling}[^\\S\\n]*(?:\\n|$(?![^]))`,
        "gimu"
    );
    const trailing = new RegExp(`(?<![\\p{L}\\p{N}_])${spelling}[^\\S\\n]*$`, "iu");
    let body = text.replace(alone, "").trimEnd();
    let longer;
    do {
        longer = body;
        body = body.replace(trailing, "").trimEnd();
    } while (body !== longer);
    return body ? `${body}\n${suffix}` : suffix;
}

/** A character class of the ways people type one character. */
function spellings(character) {
    for (const digits of ["0123456789", PERSIAN_DIGITS, ARABIC_DIGITS]) {
        const value = digits.indexOf(character);
        if (value >= 0) {
            return `[${value}${PERSIAN_DIGITS[value]}${ARABIC_DIGITS[value]}]`;
        }
    }
    for (const letters of ["یيى", "کك"]) {
        if (letters.includes(character)) {
            return `[${letters}]`;
        }
    }
    return character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
}

/**
 * Replace placeholders by their fallbacks, so that what is counted is what a
 * contact without any data would get.
 *
 * @param {string} text
 * @returns {{text: string, hasPlaceholders: boolean}}
 */
export function withoutPlaceholders(text) {
    const result = (text || "").replace(
        PLACEHOLDER,
        (match, fallback) => fallback || ""
    );
    return {text: result, hasPlaceholders: result !== (text || "")};
}
