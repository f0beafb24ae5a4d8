/** Files on their way: whose turn it is, and what becomes of each after whatever broke it off. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { served } from "../../served.js";
import { fakeFile, FakeTus, settled } from "./fake_tus.js";

const happenings = new Map();
globalThis.addEventListener = (name, listen) => happenings.set(name, listen);
const { newTransfer, UploadQueue } = await served("jobs/uploads/upload-queue.js");

let tus, queue, uploaded, incoming;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  tus = new FakeTus();
  uploaded = [];
  incoming = {}; // what the server answers for an address
  globalThis.fetch = async (url) => new Response(JSON.stringify({ incoming: incoming[url] }), { status: 200 });
  queue = new UploadQueue(tus, "/api/incoming", {
    onChange: () => {},
    onUploaded: (upload) => uploaded.push(upload.id),
    explain: ({ status, message }) => message || `status ${status}`,
  });
});

afterEach(() => mock.timers.reset());

const add = (...names) => queue.add(names.map((name) => ({ file: fakeFile(name, 100), folder: "" })));
const statuses = () => queue.transfers.map(({ status }) => status);

/** All of a file has arrived; this is what the server says of it. */
async function arrive(upload, said) {
  upload.place(`/incoming/${upload.file.name}`);
  incoming[upload.url] = { offsetBytes: upload.file.size, upload: null, duplicateOf: null, ...said };
  upload.succeed();
  await settled();
}

const asUpload = (id) => ({ upload: { id, sound: null } });

test("four go at once, and the next when one has arrived", async () => {
  add("a", "b", "c", "d", "e", "f");
  assert.deepEqual(tus.begun.map(({ file }) => file.name), ["a", "b", "c", "d"]);
  await arrive(tus.begun[1], asUpload(7));
  assert.deepEqual(tus.begun.map(({ file }) => file.name), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(statuses(), ["sending", "done", "sending", "sending", "sending", "queued"]);
  assert.deepEqual(uploaded, [7]);
});

test("a file is sent with its name and the folder where it lay", () => {
  queue.add([{ file: fakeFile("a.wav", 5), folder: "valley/2019" }, { file: fakeFile("b.wav", 5), folder: "" }]);
  assert.deepEqual(tus.begun.map(({ options }) => options.metadata), [
    { filename: "a.wav", relativePath: "valley/2019/a.wav" },
    { filename: "b.wav", relativePath: "b.wav" },
  ]);
});

test("what the server has already is a duplicate, and counts as ended", async () => {
  add("a");
  await arrive(tus.last, { duplicateOf: { name: "same.wav" } });
  assert.deepEqual([queue.transfers[0].status, queue.transfers[0].duplicateOf, uploaded], ["duplicate", "same.wav", []]);
  assert.equal(queue.isBusy(), false);
});

test("what cannot be read is refused at once, and the others are sent", () => {
  queue.add([{ name: "lost", folder: "valley", problem: { message: "Cannot be read" } }, { file: fakeFile("a", 5), folder: "" }]);
  assert.deepEqual(queue.transfers.map(({ name, status, error }) => [name, status, error]), [["lost", "refused", "Cannot be read"], ["a", "sending", ""]]);
});

test("a lost connection is waited for, longer each time, and then it goes on where it was", async () => {
  add("a");
  tus.last.place("/incoming/a");
  for (const seconds of [1, 2, 4]) {
    tus.last.progress(40);
    tus.last.fail(0);
    await settled();
    assert.deepEqual([statuses(), queue.transfers[0].sent], [["waiting"], 40]);
    const before = tus.begun.length;
    mock.timers.tick(1000 * seconds - 1);
    assert.equal(tus.begun.length, before, `not before ${seconds} s`);
    mock.timers.tick(1);
    assert.equal(tus.begun.length, before + 1);
    assert.equal(tus.last.options.uploadUrl, "/incoming/a");
  }
});

test("a piece that arrives whole makes the next pause a short one again", async () => {
  add("a");
  tus.last.fail(503);
  await settled();
  mock.timers.tick(1000);
  tus.last.piece(10);
  assert.equal(queue.transfers[0].failures, 0);
  assert.deepEqual(queue.pace, { sent: 10, breaks: 1 });
});

test("when the connection is back nobody waits any longer", async () => {
  add("a", "b");
  for (const upload of [...tus.begun]) upload.fail(0);
  await settled();
  assert.deepEqual(statuses(), ["waiting", "waiting"]);
  happenings.get("online")();
  assert.deepEqual(statuses(), ["sending", "sending"]);
});

test("after each kind of answer it does what helps", async () => {
  const cases = [
    [404, "waiting", { url: "", sent: 0 }], // the server has forgotten it: from the start
    [410, "waiting", { url: "", sent: 0 }],
    [423, "waiting", { isElsewhere: true }], // another tab sends it
    [401, "failed", { error: "status 401" }],
    [413, "refused", { error: "status 413" }],
    [507, "refused", { error: "status 507" }],
  ];
  for (const [status, expected, more] of cases) {
    queue.transfers = [];
    add("a");
    tus.last.place("/incoming/a");
    tus.last.progress(30);
    tus.last.fail(status);
    await settled();
    const [transfer] = queue.transfers;
    assert.equal(transfer.status, expected, String(status));
    for (const [name, value] of Object.entries(more)) assert.equal(transfer[name], value, `${status} ${name}`);
  }
});

test("the server's own sentence is what a refusal says", async () => {
  add("a");
  tus.last.fail(415, '{"error": {"code": "NO_AUDIO", "message": "This file has no audio."}}');
  await settled();
  assert.equal(queue.transfers[0].error, "This file has no audio.");
});

test("a file that was taken away while it was sent is not waited for", async () => {
  queue.add([{ file: fakeFile("a", 100, { isGone: true }), folder: "" }]);
  tus.last.fail(0);
  await settled();
  assert.deepEqual(statuses(), ["failed"]);
});

test("a break by another tab makes no smaller pieces", async () => {
  add("a");
  tus.last.fail(423);
  await settled();
  assert.equal(queue.pace.breaks, 0);
});

test("a pause stops what is sent and gives the turn to nobody until it is continued", async () => {
  add("a", "b", "c", "d", "e");
  queue.pause([queue.transfers[0]]);
  assert.deepEqual(statuses(), ["paused", "sending", "sending", "sending", "sending"]);
  assert.equal(tus.begun[0].isAborted, true);
  queue.pause(queue.transfers);
  assert.deepEqual(statuses(), Array(5).fill("paused"));
  assert.equal(queue.isBusy(), true, "somebody means to go on");
  queue.again(queue.of("paused"));
  assert.deepEqual(statuses(), ["sending", "sending", "sending", "sending", "queued"]);
});

test("one that waits for the connection can be paused, and does not wake by itself", async () => {
  add("a");
  tus.last.fail(0);
  await settled();
  queue.pause(queue.transfers);
  mock.timers.tick(60_000);
  assert.deepEqual([statuses(), tus.begun.length], [["paused"], 1]);
});

test("what is taken out is forgotten on both sides, unless it has arrived", async () => {
  add("a", "b");
  tus.begun[0].place("/incoming/a");
  queue.remove(queue.transfers[0]);
  assert.deepEqual([queue.transfers.map(({ name }) => name), tus.terminated.map(({ url }) => url)], [["b"], ["/incoming/a"]]);
  await arrive(tus.begun[1], asUpload(1));
  queue.remove(queue.transfers[0]);
  assert.deepEqual([queue.transfers, tus.terminated.length], [[], 1]);
});

test("a file that was deleted on the server as it arrived is sent anew", async () => {
  add("a");
  await arrive(tus.last, {});
  assert.deepEqual([statuses(), queue.transfers[0].url], [["waiting"], ""]);
  mock.timers.tick(1000);
  assert.equal(tus.last.options.uploadUrl, undefined);
  assert.equal(tus.last.options.endpoint, "/api/incoming");
});

test("after a reload a chosen file goes on where it broke off, and nothing is sent twice", () => {
  const broken = { name: "a", folder: "", size: 100, sent: 60, url: "/incoming/a", modified: 1 };
  queue.transfers = [newTransfer({ ...broken, status: "broken" }), newTransfer({ ...broken, name: "b", sent: 100, url: "/incoming/b", status: "done" })];
  add("a", "b");
  assert.deepEqual(tus.begun.map(({ options }) => options.uploadUrl), ["/incoming/a"]);
  assert.deepEqual(queue.transfers.map(({ name, status, sent }) => [name, status, sent]), [["a", "sending", 60], ["b", "done", 100]]);
});

test("a new drop clears the table of the last one, but not while something is on its way", async () => {
  add("a");
  await arrive(tus.last, asUpload(1));
  add("b");
  assert.deepEqual(queue.transfers.map(({ name }) => name), ["b"]);
  add("c");
  assert.deepEqual(queue.transfers.map(({ name }) => name), ["b", "c"]);
  await arrive(tus.begun[1], asUpload(2));
  queue.clear();
  assert.deepEqual(queue.transfers.map(({ name }) => name), ["c"]);
});
