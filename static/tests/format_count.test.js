import {formatCount} from "@customer_segmentation/counting/format_count";
import {describe, expect, test} from "@odoo/hoot";
import {patchWithCleanup} from "@web/../tests/web_test_helpers";
import {user} from "@web/core/user";

describe.current.tags("headless");

// As tools/placeholder.py writes them.
test("numbers of a sentence are Persian in Persian", () => {
    patchWithCleanup(user, {lang: "fa-IR"});
    expect(formatCount(0)).toBe("۰");
    expect(formatCount(1234567)).toBe("۱٬۲۳۴٬۵۶۷");
});
