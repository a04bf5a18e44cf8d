/**
 * The club's device API, version 1, as docs/device-api.md has it: one call, judged by
 * the one rule. Keep and retry on ANY answer that is not our own problem+json with
 * `retry: "never"`.
 */

const PREFIX = "/club/device/v1";
const PROBLEM = "application/problem+json";
const PROBLEM_TYPE = "urn:problem-type:club-device:";
const TIMEOUT_MS = 10000;

/**
 * @typedef {Object} Answer
 * @property {"done"|"never"|"later"|"pair"} verdict
 * @property {Object} body the answer or the problem, empty when it is not ours
 * @property {number} wait seconds before which nothing may be sent
 * @property {boolean} ours whether it came from the club at all
 */

/** Send one request.
 *
 * @param {{database: string, token: string, lang: string}} sender
 * @returns {Promise<Answer>}
 */
export async function call(sender, method, path, body, headers = {}) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
    try {
        const response = await fetch(PREFIX + path, {
            method,
            body: body && JSON.stringify(body),
            headers: {...headersOf(sender, body), ...headers},
            // A back-end session must neither choose the database nor lend its rights.
            credentials: "omit",
            cache: "no-store",
            redirect: "error",
            referrerPolicy: "no-referrer",
            signal: controller.signal,
        });
        return await judge(response);
    } catch {
        return {verdict: "later", body: {}, wait: 0, ours: false};
    } finally {
        clearTimeout(timer);
    }
}

function headersOf(sender, body) {
    const headers = {"Accept-Language": sender.lang};
    if (body) {
        headers["Content-Type"] = "application/json";
    }
    if (sender.database) {
        headers["X-Odoo-Database"] = sender.database;
    }
    if (sender.token) {
        headers.Authorization = `Bearer ${sender.token}`;
    }
    return headers;
}

async function judge(response) {
    const wait = Number(response.headers.get("Retry-After")) || 0;
    const etag = response.headers.get("ETag") || "";
    if (response.status === 304) {
        return {verdict: "done", body: {}, wait, etag, unchanged: true, ours: true};
    }
    const type = (response.headers.get("Content-Type") || "").split(";")[0].trim();
    let body = null;
    if (type === "application/json" || type === PROBLEM) {
        body = await response.json();
    }
    if (body && typeof body === "object" && !Array.isArray(body)) {
        if (type === PROBLEM) {
            return judgeProblem(body, wait);
        }
        if (response.status === 200 || response.status === 201) {
            return {verdict: "done", body, wait, etag, ours: true};
        }
    }
    return {verdict: "later", body: {}, wait, ours: false};
}

/** Judge a problem document, a whole answer or that of one batch item.
 *
 * @returns {Answer}
 */
export function judgeProblem(problem, wait = 0) {
    if (!String(problem.type).startsWith(PROBLEM_TYPE)) {
        return {verdict: "later", body: {}, wait, ours: false};
    }
    const verdict = ["never", "pair"].includes(problem.retry) ? problem.retry : "later";
    return {
        verdict,
        body: problem,
        name: problem.type.slice(PROBLEM_TYPE.length),
        wait: Math.max(wait, Number(problem.retry_after) || 0),
        ours: true,
    };
}
