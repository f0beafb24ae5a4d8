/** JSON over HTTP: every failure is an HttpProblem that says what it was. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { served } from "../served.js";

const { csrfToken, getJson, HttpProblem, postJson, problemOf } = await served("bulktranscribe/http.js");

let asked = [];
const page = { cookie: "theme=dark; csrftoken=fresh", querySelector: () => ({ content: "old" }) };
globalThis.document = page;

/** From now on the server gives this answer; a function is called instead. */
function answer(status, body = "", headers = {}) {
  globalThis.fetch = async (url, options) => {
    asked.push({ url, ...options });
    return new Response([204, 304].includes(status) ? null : body, { status, headers });
  };
}

const realFetch = globalThis.fetch;
afterEach(() => {
  asked = [];
  page.cookie = "theme=dark; csrftoken=fresh";
  globalThis.fetch = realFetch;
});

const problem = (expected) => (found) => {
  assert.ok(found instanceof HttpProblem);
  for (const [name, value] of Object.entries(expected)) assert.equal(found[name], value, name);
  return true;
};

test("what is asked for comes with its stamp, and is asked for anew with that", async () => {
  answer(200, '{"files": 3}', { ETag: '"one"' });
  assert.deepEqual(await getJson("/state"), { body: { files: 3 }, etag: '"one"' });
  assert.equal("If-None-Match" in asked[0].headers, false);
  answer(304);
  assert.deepEqual(await getJson("/state", '"one"'), { body: null, etag: '"one"' });
  assert.equal(asked[1].headers["If-None-Match"], '"one"');
  assert.deepEqual([asked[1].credentials, asked[1].redirect], ["same-origin", "error"], "a sign-in page is no answer");
});

test("an answer without a stamp has an empty one", async () => {
  answer(200, "[]");
  assert.deepEqual(await getJson("/list"), { body: [], etag: "" });
});

test("what is written carries the token of now, and may have no answer", async () => {
  answer(204);
  assert.equal(await postJson("/jobs/1", {}, "DELETE"), null);
  assert.deepEqual([asked[0].method, asked[0].headers["X-CSRFToken"], asked[0].body], ["DELETE", "fresh", "{}"]);
  answer(200, '{"id": 7}');
  assert.deepEqual(await postJson("/jobs", { name: "Mill" }), { id: 7 });
  assert.deepEqual([asked[1].method, asked[1].body], ["POST", '{"name":"Mill"}']);
});

test("without a cookie the token is the page's", () => {
  page.cookie = "xcsrftoken=another; theme=dark";
  assert.equal(csrfToken(), "old");
  page.cookie = "csrftoken=first";
  assert.equal(csrfToken(), "first");
});

test("a refusal says its code, its sentence and the field that is wrong", async () => {
  answer(422, '{"error": {"code": "INVALID_FIELD", "message": "Give a name.", "field": "name"}}');
  const expected = { status: 422, code: "INVALID_FIELD", message: "Give a name.", field: "name", isOffline: false, isSignedOut: false };
  await assert.rejects(postJson("/jobs"), problem(expected));
});

test("nobody signed in, nobody there, and something else in between are told apart", async () => {
  answer(401, '{"error": {"code": "SIGNED_OUT"}}');
  await assert.rejects(getJson("/state"), problem({ status: 401, isSignedOut: true, isOffline: false }));
  for (const status of [502, 503, 504]) {
    answer(status, "<html>");
    await assert.rejects(getJson("/state"), problem({ status, isOffline: true, message: "" }));
  }
  answer(500, "<html>");
  await assert.rejects(getJson("/state"), problem({ status: 500, isOffline: false }));
});

test("no answer at all is status 0, also where it breaks off in the middle", async () => {
  globalThis.fetch = async () => {
    throw new TypeError("Failed to fetch");
  };
  await assert.rejects(getJson("/state"), problem({ status: 0, isOffline: true }));
  globalThis.fetch = async () => ({ ok: true, status: 200, headers: new Headers(), text: () => Promise.reject(new TypeError("lost")) });
  await assert.rejects(getJson("/state"), problem({ status: 0 }));
});

test("what is no JSON is a problem, never a value", async () => {
  answer(200, "<html>A proxy's page</html>");
  await assert.rejects(getJson("/state"), problem({ status: 200 }));
});

test("any body of a refusal is understood, or left aside", () => {
  const body = '{"error": {"code": "TOO_LARGE", "message": "Too large."}}';
  assert.deepEqual([problemOf(413, body).code, problemOf(413, body).message], ["TOO_LARGE", "Too large."]);
  for (const odd of ["", "<html>", "null", "{}", '{"error": null}']) {
    const { status, code, message } = problemOf(413, odd);
    assert.deepEqual([status, code, message], [413, "", ""], odd);
  }
});
