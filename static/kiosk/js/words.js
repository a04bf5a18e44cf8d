/** Everything the page itself says. Labels, the club's name and thanks come from the server. */

const WORDS = {
    en: {
        title: "Customer Club",
        language: "فارسی",
        prompt: "Your mobile number",
        send: "OK",
        erase: "Delete last digit",
        clear: "Clear",
        tags: "Tags",
        waiting: (count) => `${count} waiting`,
        saved: "Saved",
        thanks: "Thank you",
        typeNumber: "Type your mobile number",
        refusedLater: (code) => `A saved number was refused (${code})`,
        full: "This browser cannot store check-ins",
        connect: "Connect this tablet",
        promptCode: "Pairing code",
        helpCode:
            "The manager presses Connect on the device in Odoo and reads 9 digits out.",
        sendCode: "Connect",
        goOn: "Go on without connection",
        typeCode: "Type all nine digits",
        noServer: "No answer from the club",
        lockedFor: (minutes) => `Wait ${minutes} minutes, then retry`,
        unpaired: "This tablet must be connected again.",
        enterCode: "Enter the code",
        "device-inactive":
            "This tablet is suspended. Check-ins are kept. Please tell the manager.",
        "club-closed": "The club is closed for now. Check-ins are kept.",
        otherDevice: (count) =>
            `${count} check-ins belong to another device. Connect that one to send them.`,
        noOffline:
            "Without https this page cannot be reopened offline. Do not close it.",
        signedIn: "Somebody is signed in to Odoo in this browser.",
        signOut: "Sign out",
        framed: "This page does not work inside another page.",
        codes: {
            E22: "Check the number",
            E23: "Enter a mobile number",
            E24: "Foreign numbers are not accepted",
            E25: "Choose a tag",
            E27: "This check-in is too old",
            E28: "Choose a tag first",
            E30: "This device is suspended",
            E31: "The club is closed now",
            E70: "Wrong or expired code",
        },
        notAccepted: (code) => `Not accepted (${code})`,
    },
    fa: {
        title: "باشگاه مشتریان",
        language: "English",
        prompt: "شمارهٔ همراه شما",
        send: "ثبت",
        erase: "پاک کردن رقم آخر",
        clear: "پاک کردن همه",
        tags: "برچسب‌ها",
        waiting: (count) => `${count} در انتظار ارسال`,
        saved: "ثبت شد",
        thanks: "سپاسگزاریم",
        typeNumber: "شمارهٔ همراه را وارد کنید",
        refusedLater: (code) => `یک شمارهٔ ثبت‌شده پذیرفته نشد (${code})`,
        full: "این مرورگر نمی‌تواند مراجعه‌ها را نگه دارد",
        connect: "اتصال این تبلت",
        promptCode: "کد اتصال",
        helpCode:
            "مدیر در اودو روی دستگاه دکمهٔ «اتصال» را می‌زند و کد ۹ رقمی را می‌خواند.",
        sendCode: "اتصال",
        goOn: "ادامه بدون اتصال",
        typeCode: "هر نُه رقم را وارد کنید",
        noServer: "پاسخی از باشگاه نرسید",
        lockedFor: (minutes) => `${minutes} دقیقه صبر کنید`,
        unpaired: "این تبلت باید دوباره متصل شود.",
        enterCode: "وارد کردن کد",
        "device-inactive":
            "این تبلت معلق است. مراجعه‌ها نگه داشته می‌شوند. لطفاً به مدیر بگویید.",
        "club-closed": "باشگاه فعلاً بسته است. مراجعه‌ها نگه داشته می‌شوند.",
        otherDevice: (count) =>
            `${count} مراجعه مربوط به دستگاه دیگری است. برای ارسال، همان دستگاه را متصل کنید.`,
        noOffline:
            "بدون https این صفحه در حالت آفلاین دوباره باز نمی‌شود. آن را نبندید.",
        signedIn: "کسی در این مرورگر وارد اودو شده است.",
        signOut: "خروج",
        framed: "این صفحه درون صفحهٔ دیگری کار نمی‌کند.",
        codes: {
            E22: "شماره را بررسی کنید",
            E23: "شمارهٔ همراه وارد کنید",
            E24: "شمارهٔ خارجی پذیرفته نمی‌شود",
            E25: "یک برچسب انتخاب کنید",
            E27: "این مراجعه خیلی قدیمی است",
            E28: "اول یک برچسب انتخاب کنید",
            E30: "این دستگاه معلق است",
            E31: "باشگاه فعلاً بسته است",
            E70: "کد اشتباه یا منقضی است",
        },
        notAccepted: (code) => `پذیرفته نشد (${code})`,
    },
};

export const LANGUAGES = Object.keys(WORDS);

/** The words of a language, English for one we do not speak. */
export function wordsOf(lang) {
    return WORDS[lang] || WORDS.en;
}

/** What to say about a refusal, in a few words. */
export function refusal(lang, code) {
    const words = wordsOf(lang);
    return words.codes[code] || words.notAccepted(code || "?");
}
