/** What is shown of a drop after a reload, and what others send into the session. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { served } from "../../served.js";
import { settled } from "./fake_tus.js";

Object.assign(globalThis, { addEventListener: () => {}, location: { href: "https://example.org/sessions/5/" } });
const { followOthers, keep, restored } = await served("jobs/uploads/transfer-storage.js");
const { newTransfer } = await served("jobs/uploads/upload-queue.js");

const ENDPOINT = "/api/sessions/5/incoming";
let kept, server, fails;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  [kept, fails] = [new Map(), new Set()];
  server = { [ENDPOINT]: [] }; // by address: what is unfinished in the session, or what became of one
  globalThis.sessionStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  globalThis.fetch = async (url) => {
    if (fails.has(url)) return new Response("", { status: 503 });
    return server[url] ? new Response(JSON.stringify({ incoming: server[url] })) : new Response("", { status: 404 });
  };
});

afterEach(() => mock.timers.reset());

const transfer = (id, more = {}) => newTransfer({ key: `k${id}`, name: `${id}.wav`, folder: "", size: 100, url: `/incoming/${id}`, ...more });
const unfinished = (id, more = {}) => ({ id: String(id), name: `${id}.wav`, folder: "", sizeBytes: 100, offsetBytes: 30, isArriving: false, ...more });
const seen = (transfers) => transfers.map(({ name, status, sent }) => [name, status, sent]);

test("what has ended is shown again as it was", async () => {
  keep(ENDPOINT, [transfer(1, { status: "done", upload: { id: 1 }, sent: 100 }), transfer(2, { status: "refused", error: "Too large." })]);
  const back = await restored(ENDPOINT);
  assert.deepEqual(back.map(({ key, status, error }) => [key, status, error]), [["k1", "done", ""], ["k2", "refused", "Too large."]]);
  assert.deepEqual(back[0].upload, { id: 1 });
});

test("what was under way is broken off, as far as it has come", async () => {
  keep(ENDPOINT, [transfer(1, { status: "sending", sent: 50 })]);
  server[ENDPOINT] = [unfinished(1)];
  assert.deepEqual(seen(await restored(ENDPOINT)), [["1.wav", "broken", 30]]);
});

test("what arrived while the page was away is done", async () => {
  keep(ENDPOINT, [transfer(1, { status: "sending", sent: 90 })]);
  server["/incoming/1"] = { offsetBytes: 100, upload: { id: 7, sound: null }, duplicateOf: null };
  assert.deepEqual(seen(await restored(ENDPOINT)), [["1.wav", "done", 100]]);
});

test("what the server has forgotten begins from the start", async () => {
  keep(ENDPOINT, [transfer(1, { status: "sending", sent: 90 }), transfer(2, { status: "queued", url: "" })]);
  const back = await restored(ENDPOINT);
  assert.deepEqual(seen(back), [["1.wav", "lost", 0], ["2.wav", "lost", 0]]);
  assert.deepEqual(back.map(({ url }) => url), ["", ""]);
});

test("what others send is shown too, at its own address, and what is one's own is not shown twice", async () => {
  keep(ENDPOINT, [transfer(1, { status: "sending" })]);
  server[ENDPOINT] = [unfinished(1), unfinished(2, { isArriving: true }), unfinished(3, { folder: "valley" })];
  const back = await restored(ENDPOINT);
  assert.deepEqual(seen(back), [["1.wav", "broken", 30], ["2.wav", "elsewhere", 30], ["3.wav", "broken", 30]]);
  assert.deepEqual([back[1].url, back[2].folder], ["https://example.org/api/incoming/2", "valley"]);
});

test("an empty list leaves nothing behind, and a browser that keeps nothing is no trouble", async () => {
  keep(ENDPOINT, [transfer(1)]);
  keep(ENDPOINT, []);
  assert.equal(kept.size, 0);
  kept.set(ENDPOINT, "{ half written");
  assert.deepEqual(await restored(ENDPOINT), []);
  globalThis.sessionStorage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  keep(ENDPOINT, [transfer(1)]);
});

test("others are followed until nothing of theirs is left", async () => {
  server[ENDPOINT] = [unfinished(1, { isArriving: true }), unfinished(2)];
  const queue = {
    transfers: await restored(ENDPOINT),
    change: (one, changes) => Object.assign(one, changes),
    forget: (one) => (queue.transfers = queue.transfers.filter((other) => other !== one)),
  };
  let hasEnded = false;
  followOthers(ENDPOINT, queue).then(() => (hasEnded = true));
  const pass = async () => {
    mock.timers.tick(5_000);
    await settled();
  };
  server[ENDPOINT] = [unfinished(1, { offsetBytes: 80 })];
  fails.add(ENDPOINT);
  await pass();
  assert.deepEqual(seen(queue.transfers), [["1.wav", "elsewhere", 30], ["2.wav", "broken", 30]], "no answer is no news");
  fails.clear();
  await pass();
  assert.deepEqual(seen(queue.transfers), [["1.wav", "broken", 80]]);
  server[ENDPOINT] = [];
  await pass();
  assert.deepEqual([queue.transfers, hasEnded], [[], true]);
});
