/*
 * Lets the page open without a network. It keeps the page's own files and nothing
 * else: no request of the device API passes through here.
 *
 * The kept copy is served at once. The page asks for a refresh; the new files replace
 * the old ones together, and only if every one of them is ours: a hotel's login page or
 * an error page never takes their place.
 */
const CACHE = `club-kiosk:${self.registration.scope}`;
const ROOT = "/customer_segmentation/static/kiosk/";
const FILES = [
    "kiosk.css",
    "kiosk.webmanifest",
    "icon-192.png",
    "js/api.js",
    "js/courier.js",
    "js/digits.js",
    "js/kiosk.js",
    "js/screen.js",
    "js/store.js",
    "js/words.js",
].map((name) => ROOT + name);
const TYPES = {
    css: "text/css",
    js: "javascript",
    png: "image/png",
    html: "text/html",
};

/** The page's own address, without what follows the question mark. */
function pageUrl() {
    const scope = new URL(self.registration.scope).pathname;
    return scope.startsWith(ROOT) ? `${ROOT}kiosk.html` : scope;
}

async function fetchOwn(url) {
    const response = await fetch(url, {cache: "no-cache", redirect: "error"});
    const name = url === pageUrl() ? "html" : url.split(".").pop();
    const type = response.headers.get("Content-Type") || "";
    if (response.status !== 200 || !type.includes(TYPES[name] || "")) {
        throw new Error(`${url} is not ours`);
    }
    const text = name === "png" ? "" : await response.clone().text();
    if (name === "html" && !text.includes('name="club-kiosk"')) {
        throw new Error(`${url} is not ours`);
    }
    return {url, response, text};
}

/** Fetch all files, then keep them.
 *
 * @returns {Promise<boolean>} whether anything differs from what was kept
 */
async function refresh() {
    const fresh = await Promise.all([pageUrl(), ...FILES].map(fetchOwn));
    const cache = await caches.open(CACHE);
    let changed = false;
    for (const {url, text} of fresh) {
        const kept = await cache.match(url);
        changed = changed || !kept || (text && (await kept.text()) !== text);
    }
    if (changed) {
        await Promise.all(fresh.map(({url, response}) => cache.put(url, response)));
    }
    return changed;
}

self.addEventListener("install", (event) => {
    event.waitUntil(refresh().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
    event.waitUntil(self.clients.claim());
});

self.addEventListener("message", (event) => {
    if (event.data !== "refresh") {
        return;
    }
    event.waitUntil(
        refresh().then(
            (changed) => changed && event.source && event.source.postMessage("changed"),
            () => {}
        )
    );
});

self.addEventListener("fetch", (event) => {
    const {request} = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== self.location.origin) {
        return;
    }
    const isPage =
        request.mode === "navigate" && url.pathname.replace(/\/$/, "") === pageUrl();
    const key = isPage ? pageUrl() : url.pathname;
    if (isPage || FILES.includes(key)) {
        event.respondWith(
            caches
                .open(CACHE)
                .then((cache) => cache.match(key))
                .then((kept) => kept || fetch(request))
        );
    }
});
