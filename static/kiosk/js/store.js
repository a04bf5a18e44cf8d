/**
 * What the tablet remembers, in IndexedDB: one state and one queue for all tabs.
 *
 * A check-in is claimed before it is sent, in one transaction, so that two tabs never
 * send the same; a claim that its tab did not live to release runs out. (Web Locks would
 * do the same, but only where the page came over https.)
 */

const NAME = "club-kiosk";
const CLAIM_MS = 20000;

const EMPTY = {
    serial: "",
    database: "",
    lang: "",
    token: "",
    deviceId: "",
    config: null,
    etag: "",
    tries: 0,
    nextTry: 0, // when the queue is sent again
    holdUntil: 0, // the server asked for silence until then
    nextHeartbeat: 0,
    notice: "", // name of the problem that stops this device
};

export class Store {
    constructor(db) {
        this.db = db;
        this.tab = randomId();
        this.channel = new BroadcastChannel(NAME);
        this.onChange = () => {};
        this.channel.onmessage = () => this.onChange();
    }

    static async open() {
        const request = indexedDB.open(NAME, 1);
        request.onupgradeneeded = () => {
            request.result.createObjectStore("state");
            request.result.createObjectStore("queue", {
                keyPath: "seq",
                autoIncrement: true,
            });
        };
        const store = new Store(await done(request));
        await store.update((state) => {
            state.serial =
                state.serial || `KIOSK-${randomId().slice(0, 8).toUpperCase()}`;
        });
        return store;
    }

    // === STATE === //

    async read() {
        const saved = await done(this._objects("state", "readonly").get("device"));
        return {...EMPTY, ...saved};
    }

    /** Change the state in one transaction; `change` must not wait for anything. */
    async update(change) {
        const objects = this._objects("state", "readwrite");
        const state = {...EMPTY, ...(await done(objects.get("device")))};
        change(state);
        await done(objects.put(state, "device"));
        this._tell();
        return state;
    }

    // === QUEUE === //

    /** Save a check-in, claimed by this tab, before its first try. */
    async add(item) {
        const claimed = {...item, ...this._claim()};
        const objects = this._objects("queue", "readwrite");
        claimed.seq = await finished(objects, objects.add(claimed));
        this._tell();
        return claimed;
    }

    /** Claim the oldest check-ins of a device that nobody else is sending. */
    async claim(deviceId, most) {
        const objects = this._objects("queue", "readwrite");
        const items = (await done(objects.getAll()))
            .filter((item) => item.deviceId === deviceId && !isClaimed(item))
            .slice(0, most);
        for (const item of items) {
            objects.put(Object.assign(item, this._claim()));
        }
        return items;
    }

    /** Give check-ins back, or keep the claim on them a little longer. */
    async release(items, claim = {claimedUntil: 0, claimedBy: ""}) {
        const objects = this._objects("queue", "readwrite");
        for (const item of items) {
            const saved = await done(objects.get(item.seq));
            // Deleted or, after a long sleep of this tab, claimed by another.
            if (saved && saved.claimedBy === this.tab) {
                await done(objects.put({...saved, ...claim}));
            }
        }
        this._tell();
    }

    async renew(items) {
        await this.release(items, this._claim());
    }

    /** Forget a check-in that was judged: its number leaves this browser. */
    async remove(item) {
        const objects = this._objects("queue", "readwrite");
        await finished(objects, objects.delete(item.seq));
        this._tell();
    }

    /** How many wait: for this device, and for another one this browser once was. */
    async count(deviceId) {
        const items = await done(this._objects("queue", "readonly").getAll());
        const own = items.filter((item) => item.deviceId === deviceId).length;
        return {own, other: items.length - own};
    }

    /** Forget what another device left here longer ago than it would be accepted. */
    async purge(deviceId, now) {
        const objects = this._objects("queue", "readwrite");
        for (const item of await done(objects.getAll())) {
            if (item.deviceId !== deviceId && item.keepUntil < now) {
                objects.delete(item.seq);
            }
        }
    }

    // === INNER === //

    _objects(name, mode) {
        return this.db.transaction(name, mode).objectStore(name);
    }

    _claim() {
        return {claimedUntil: Date.now() + CLAIM_MS, claimedBy: this.tab};
    }

    _tell() {
        this.channel.postMessage("changed");
        this.onChange();
    }
}

/** 128 random bits; crypto.randomUUID does not exist without https. */
export function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isClaimed(item) {
    const left = item.claimedUntil - Date.now();
    // A clock that was set back must not lock a check-in for years.
    return left > 0 && left <= CLAIM_MS;
}

function done(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

/** Wait until the transaction is on disk, not only until the request was taken. */
function finished(objects, request) {
    return new Promise((resolve, reject) => {
        objects.transaction.oncomplete = () => resolve(request.result);
        objects.transaction.onabort = () => reject(objects.transaction.error);
        objects.transaction.onerror = () => reject(objects.transaction.error);
    });
}
