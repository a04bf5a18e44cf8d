/** Solar Hijri dates as Gregorian ones: the rule of tools/jalali.py. */

const FIRST_YEAR = 1300;
const LAST_YEAR = 1498;
const FIRST_NOWRUZ = Date.UTC(1921, 2, 21);
const DAY = 86400000;

const isLeap = (year) => (25 * year + 11) % 33 < 8;

/**
 * @param {number} year
 * @param {number} month
 * @param {number} day
 * @returns {{year: number, month: number, day: number} | null} null: no such day
 */
export function toGregorian(year, month, day) {
    if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12) {
        return null;
    }
    const lastOfEsfand = isLeap(year) ? 30 : 29;
    const length = month <= 6 ? 31 : month < 12 ? 30 : lastOfEsfand;
    if (day < 1 || day > length) {
        return null;
    }
    let days = month <= 7 ? 31 * (month - 1) : 186 + 30 * (month - 7);
    for (let past = FIRST_YEAR; past < year; past++) {
        days += isLeap(past) ? 366 : 365;
    }
    const found = new Date(FIRST_NOWRUZ + (days + day - 1) * DAY);
    return {
        year: found.getUTCFullYear(),
        month: found.getUTCMonth() + 1,
        day: found.getUTCDate(),
    };
}

/**
 * Read a date with a Solar Hijri year, year first or last, digits of any kind.
 *
 * @param {string} text
 * @returns {{year: number, month: number, day: number} | null} null: something else
 */
export function parseJalali(text) {
    const latin = text.replace(/[۰-۹٠-٩]/g, (digit) => digit.charCodeAt(0) & 0xf);
    const parts = latin.trim().match(/^(\d{1,4})[/.\-\s](\d{1,2})[/.\-\s](\d{1,4})$/);
    if (!parts) {
        return null;
    }
    const [first, second, third] = parts.slice(1).map(Number);
    return first > 31
        ? toGregorian(first, second, third)
        : toGregorian(third, second, first);
}
