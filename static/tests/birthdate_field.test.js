import {parseJalali, toGregorian} from "@customer_segmentation/birthdate_field/jalali";
import {describe, expect, test} from "@odoo/hoot";

describe.current.tags("headless");

describe("Solar Hijri dates", () => {
    // The same rule as in tools/jalali.py.
    test("days at the ends of months and leap years", () => {
        for (const [jalali, gregorian] of [
            [[1300, 1, 1], "1921-3-21"],
            [[1368, 5, 12], "1989-8-3"],
            [[1370, 2, 31], "1991-5-21"],
            [[1399, 12, 30], "2021-3-20"],
            [[1400, 1, 1], "2021-3-21"],
            [[1403, 12, 30], "2025-3-20"],
            [[1404, 7, 1], "2025-9-23"],
        ]) {
            const {year, month, day} = toGregorian(...jalali);
            expect(`${year}-${month}-${day}`).toBe(gregorian);
        }
    });

    test("impossible days are none", () => {
        for (const jalali of [
            [1400, 12, 30],
            [1400, 13, 1],
            [1400, 7, 31],
            [1299, 1, 1],
            [1989, 8, 3],
        ]) {
            expect(toGregorian(...jalali)).toBe(null);
        }
    });

    test("typed in either order, with digits of any kind", () => {
        for (const text of ["1368/5/12", "۱۳۶۸/۰۵/۱۲", "١٣٦٨-٥-١٢", "12.5.1368"]) {
            expect(parseJalali(text)).toEqual({year: 1989, month: 8, day: 3});
        }
        for (const text of ["", "1989-08-03", "03/08/1989", "13680512", "soon"]) {
            expect(parseJalali(text)).toBe(null);
        }
    });
});
