/** JSON over HTTP with the session's cookie. Every failure is an HttpProblem. */

/** What went wrong: `status` 0 means that no answer came; `code`, `message`, `field` are the server's. */
export class HttpProblem extends Error {
  constructor(status, { code = "", message = "", field = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  get isOffline() {
    return this.status === 0 || [502, 503, 504].includes(this.status);
  }

  get isSignedOut() {
    return this.status === 401;
  }
}

/** The token of now: who signs in again in another tab gets a new cookie, which the page's own token does not fit. */
export function csrfToken() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return cookie ? cookie[1] : document.querySelector("meta[name=csrf-token]").content;
}

/** Return `{ body, etag }`, or `{ body: null, etag }` where the server says that nothing has changed. */
export async function getJson(url, etag = "") {
  const headers = { Accept: "application/json", ...(etag && { "If-None-Match": etag }) };
  const response = await answered(url, { headers, cache: "no-store" });
  if (response.status === 304) return { body: null, etag };
  return { body: await readJson(response), etag: response.headers.get("ETag") ?? "" };
}

export async function postJson(url, body = {}, method = "POST") {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  return readJson(await answered(url, { method, headers, body: JSON.stringify(body) }));
}

/** Return the problem that an answer other than 2xx stands for; its body may be anything. */
export function problemOf(status, text) {
  try {
    return new HttpProblem(status, JSON.parse(text).error);
  } catch {
    return new HttpProblem(status);
  }
}

async function answered(url, options) {
  const limit = { signal: AbortSignal.timeout(30_000) };
  try {
    return await fetch(url, { credentials: "same-origin", redirect: "error", ...limit, ...options });
  } catch {
    throw new HttpProblem(0);
  }
}

async function readJson(response) {
  const text = await response.text().catch(() => {
    throw new HttpProblem(0);
  });
  if (!response.ok) throw problemOf(response.status, text);
  if (response.status === 204) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(response.status);
  }
}
