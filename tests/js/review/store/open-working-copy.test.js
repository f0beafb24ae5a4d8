/** The working copy with this browser's network: what it sends, and how each answer is understood. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { served } from "../../served.js";
import { transcript, uuid } from "../../support.js";
import { settled } from "./fake_browser.js";
import { FakeIndexedDB } from "./fake_indexeddb.js";

const happenings = new Map();
const listen = (name, work) => happenings.set(name, work);
globalThis.document = { cookie: "csrftoken=fresh", visibilityState: "visible", addEventListener: listen };
globalThis.addEventListener = listen;
Object.defineProperty(globalThis, "navigator", {
  value: { locks: { request: async (_name, ...more) => more.at(-1)({}) } },
  configurable: true,
});
const { openWorkingCopy } = await served("review/store/open-working-copy.js");

const TEXTS = ["So the mill closed", "Nobody."];
const setText = (number, text) => ({ kind: "SetText", segment: uuid(number), text });

/** Open a transcript; `answer(body)` is what the server says to a batch: `{ status, body }`, or nothing for no answer. */
async function open(answer, { indexedDB = new FakeIndexedDB() } = {}) {
  const [sent, told] = [[], []];
  globalThis.indexedDB = indexedDB;
  globalThis.fetch = async (url, options) => {
    sent.push({ url, ...options, body: JSON.parse(options.body) });
    const said = answer(sent.at(-1).body);
    if (!said) throw new TypeError("Failed to fetch");
    return new Response(said.body === undefined ? "<html>" : JSON.stringify(said.body), { status: said.status });
  };
  const show = () => {};
  const copy = await openWorkingCopy(transcript(TEXTS), { person: "Ida", url: "/edits", show, tell: (event) => told.push(event.kind) });
  return { copy, sent, told };
}

const accepted = () => ({ status: 200, body: { version: 2, segments: [], speakers: [], removed: [] } });

/** Have what waits sent at once, as when the page is left. */
async function flush(copy) {
  copy.outbox.flush();
  for (let turn = 0; turn < 5; turn += 1) await settled();
}

test("a batch is sent with who sends it, what it is based on and the token", async () => {
  const { copy, sent } = await open(accepted);
  await copy.act([setText(0, "Mine")]);
  await flush(copy);
  const [{ url, method, headers, credentials, redirect, keepalive, body }] = sent;
  assert.deepEqual([url, method, credentials, redirect, keepalive], ["/edits", "POST", "same-origin", "error", true]);
  assert.equal(headers["X-CSRFToken"], "fresh");
  assert.deepEqual([body.client, body.baseVersion, body.edits.map(({ text }) => text)], [copy.store.client, 1, ["Mine"]]);
  assert.equal(copy.outbox.state.name, "saved");
});

test("a batch that is too large to be sent on after the page is gone does not claim to be", async () => {
  const { copy, sent } = await open(accepted);
  await copy.act([setText(0, "水".repeat(25_000))]); // three bytes each
  await flush(copy);
  assert.equal(sent[0].keepalive, false);
});

test("no answer, and one that is no JSON, are a lost connection; what was done is kept", async () => {
  for (const answer of [() => null, () => ({ status: 200 })]) {
    const { copy } = await open(answer);
    await copy.act([setText(0, "Mine")]);
    await flush(copy);
    assert.deepEqual(copy.outbox.state, { name: "offline", count: 1, isKept: true });
  }
});

test("a sign-in that is over is told as such", async () => {
  const { copy } = await open(() => ({ status: 401, body: {} }));
  await copy.act([setText(0, "Mine")]);
  await flush(copy);
  assert.equal(copy.outbox.state.name, "signed-out");
});

test("a refusal is told, with the text as it was", async () => {
  const { copy, told } = await open(() => ({ status: 422, body: { error: { code: "INVALID_FIELD", message: "No." } } }));
  await copy.act([setText(0, "Refused")]);
  await flush(copy);
  assert.ok(told.includes("refused"));
  assert.deepEqual([copy.store.state.segments.get(uuid(0)).text, copy.outbox.state.name], [TEXTS[0], "saved"]);
});

test("what a tab left behind is taken in by the next", async () => {
  const indexedDB = new FakeIndexedDB();
  const first = await open(() => null, { indexedDB });
  await first.copy.act([setText(0, "Mine")]);
  const second = await open(accepted, { indexedDB });
  assert.equal(second.copy.store.state.segments.get(uuid(0)).text, "Mine");
  assert.equal(second.copy.store.client, first.copy.store.client);
});

test("without storage all goes on, and nothing is said to be kept", async () => {
  const indexedDB = Object.assign(new FakeIndexedDB(), { isBroken: true });
  const { copy } = await open(() => null, { indexedDB });
  await copy.act([setText(0, "Mine")]);
  assert.equal(copy.outbox.state.isKept, false);
  await flush(copy);
  assert.deepEqual(copy.outbox.state, { name: "offline", count: 1, isKept: false });
});

test("a page that is left or hidden hands over what waits", async () => {
  for (const [name, visibility] of [["pagehide", "visible"], ["visibilitychange", "hidden"]]) {
    const { copy, sent } = await open(accepted);
    await copy.act([setText(0, "Mine")]);
    document.visibilityState = visibility;
    happenings.get(name)();
    assert.equal(sent.length, 1, name);
    document.visibilityState = "visible";
    await flush(copy);
  }
});
