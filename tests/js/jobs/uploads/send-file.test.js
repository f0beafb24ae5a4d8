/** One file over tus: what is told meanwhile, how it ends, and that a dead connection is noticed. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, mock, test } from "node:test";

import { served } from "../../served.js";
import { fakeFile, FakeTus, settled } from "./fake_tus.js";

globalThis.document = { cookie: "csrftoken=fresh" };
const { giveUp, sendFile } = await served("jobs/uploads/send-file.js");

let tus, told, sizes;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  tus = new FakeTus();
  told = [];
  sizes = [16, 4];
});

afterEach(() => mock.timers.reset());

function send(more = {}) {
  return sendFile(tus, { file: fakeFile("a.wav", 100), url: "", metadata: { filename: "a.wav" }, endpoint: "/api/incoming", ...more }, {
    pieceSize: () => sizes.shift() ?? 1,
    onUrl: (url) => told.push(["url", url]),
    onProgress: (sent) => told.push(["progress", sent]),
    onPiece: (size) => told.push(["piece", size]),
  });
}

/** What becomes of a promise: "waits", "done", or the status of its problem. */
async function outcome(promise) {
  const waits = settled().then(() => "waits");
  return Promise.race([promise.then(() => "done", ({ status }) => status), waits]);
}

test("all that happens is told, and all that has arrived ends it", async () => {
  const { done } = send();
  tus.last.place("/incoming/1");
  tus.last.progress(10);
  tus.last.piece(16);
  assert.deepEqual(told, [["url", "/incoming/1"], ["progress", 10], ["piece", 16]]);
  assert.equal(await outcome(done), "waits");
  tus.last.succeed();
  assert.equal(await outcome(done), "done");
});

test("the size of each piece is asked for before it", () => {
  send();
  assert.equal(tus.last.options.chunkSize, 16);
  tus.last.piece(16);
  assert.equal(tus.last.options.chunkSize, 4);
});

test("a new file is begun at the endpoint, one that was broken off goes on at its address", () => {
  send();
  assert.deepEqual([tus.last.options.endpoint, tus.last.options.uploadUrl], ["/api/incoming", undefined]);
  send({ url: "/incoming/1" });
  assert.deepEqual([tus.last.options.endpoint, tus.last.options.uploadUrl], [undefined, "/incoming/1"]);
  assert.deepEqual([tus.last.options.retryDelays, tus.last.options.storeFingerprintForResuming], [null, false], "both are ours");
});

test("a refusal ends it with what the server said", async () => {
  const { done } = send();
  tus.last.fail(413, '{"error": {"code": "TOO_LARGE", "message": "Too large."}}');
  await assert.rejects(done, { status: 413, code: "TOO_LARGE", message: "Too large." });
});

test("a connection on which nothing moves for two minutes is dead", async () => {
  const { done } = send();
  await tus.last.options.onBeforeRequest(requestOf("POST"));
  mock.timers.tick(119_000);
  tus.last.progress(10);
  mock.timers.tick(119_000);
  assert.equal(await outcome(done), "waits", "it moved");
  mock.timers.tick(1_000);
  assert.equal(await outcome(done), 0);
  assert.equal(tus.last.isAborted, true);
});

test("what was stopped neither ends nor is given up later", async () => {
  const { done, stop } = send();
  await tus.last.options.onBeforeRequest(requestOf("POST"));
  stop();
  mock.timers.tick(600_000);
  assert.deepEqual([tus.last.isAborted, await outcome(done)], [true, "waits"]);
});

function requestOf(method) {
  const headers = {};
  return { headers, getMethod: () => method, setHeader: (name, value) => (headers[name] = value) };
}

test("each write carries the token, and a piece its digest", async () => {
  const bytes = new TextEncoder().encode("a piece of sound");
  send({ file: { name: "a.wav", size: bytes.length, slice: (start, end) => new Blob([bytes.slice(start, end)]) } });
  const begin = requestOf("POST");
  await tus.last.options.onBeforeRequest(begin);
  assert.deepEqual(begin.headers, { "X-CSRFToken": "fresh" });
  const source = await tus.last.options.fileReader.openFile();
  assert.deepEqual([(await source.slice(0, 7)).done, (await source.slice(7, 16)).done], [false, true]);
  const piece = requestOf("PATCH");
  await tus.last.options.onBeforeRequest(piece);
  assert.equal(piece.headers["Upload-Checksum"], `sha1 ${createHash("sha1").update(bytes.slice(7)).digest("base64")}`);
});

test("giving up tells the server, with the token, and again while it still reads", async () => {
  await giveUp(tus, "/incoming/1");
  const [{ url, options }] = tus.terminated;
  const request = requestOf("DELETE");
  options.onBeforeRequest(request);
  assert.deepEqual([url, request.headers, options.retryDelays.length], ["/incoming/1", { "X-CSRFToken": "fresh" }, 3]);
});
