/** Steps in the browser's storage: in their order, for one person and transcript, through whatever the browser does. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { openStepStorage } from "../../../../review/static/review/store/step-storage.js";
import { FakeIndexedDB } from "./fake_indexeddb.js";

const PLACE = "transcript/ida";
let indexedDB, time;

beforeEach(() => {
  indexedDB = new FakeIndexedDB();
  time = 1000;
});

const open = (place = PLACE) => openStepStorage(place, { indexedDB, now: () => time });
const step = (id) => ({ id, client: "tab", edits: [{ id, kind: "Undo" }] });
const ids = async (storage) => (await storage.all()).map(({ id }) => id);

test("steps come back in the order in which they were done, also within one millisecond", async () => {
  const storage = await open();
  for (const id of ["c", "a", "b"]) await storage.put(step(id));
  assert.deepEqual(await ids(await open()), ["c", "a", "b"]);
  assert.deepEqual((await storage.all())[0], step("c"), "as they were");
});

test("a clock that is set back does not change the order", async () => {
  const before = await open();
  await before.put(step("first"));
  time = 10;
  const after = await open();
  await after.put(step("second"));
  assert.deepEqual(await ids(after), ["first", "second"]);
});

test("a step that takes in another has its place", async () => {
  const storage = await open();
  for (const id of ["typed", "other"]) await storage.put(step(id));
  await storage.put(step("typed on"), "typed");
  assert.deepEqual(await ids(storage), ["typed on", "other"]);
  await storage.put(step("new"), "never stored");
  assert.deepEqual(await ids(storage), ["typed on", "other", "new"]);
});

test("a step that is stored again keeps its place", async () => {
  const storage = await open();
  for (const id of ["a", "b"]) await storage.put(step(id));
  await storage.put({ ...step("a"), client: "another" });
  assert.deepEqual((await storage.all()).map(({ id, client }) => [id, client]), [["a", "another"], ["b", "tab"]]);
});

test("what is acknowledged goes, and may go twice", async () => {
  const storage = await open();
  for (const id of ["a", "b"]) await storage.put(step(id));
  await storage.remove("a");
  await storage.remove("a");
  assert.deepEqual(await ids(storage), ["b"]);
});

test("another person and another transcript have steps of their own", async () => {
  const [mine, theirs] = [await open(), await open("transcript/jonas")];
  await mine.put(step("mine"));
  await theirs.put(step("theirs"));
  assert.deepEqual([await ids(mine), await ids(theirs)], [["mine"], ["theirs"]]);
});

test("a step is on the disk when it says so, not in the memory of the system", async () => {
  await (await open()).put(step("a"));
  assert.deepEqual(indexedDB.durabilities, ["strict"]);
});

test("a full disk is told, and nothing that was there is lost", async () => {
  const storage = await open();
  await storage.put(step("a"));
  indexedDB.isFull = true;
  await assert.rejects(storage.put(step("b")), { name: "QuotaExceededError" });
  await assert.rejects(storage.remove("a"), { name: "QuotaExceededError" });
  indexedDB.isFull = false;
  assert.deepEqual(await ids(storage), ["a"]);
});

test("a browser without storage says so when it is opened, and may have one later", async () => {
  indexedDB.isBroken = true;
  await assert.rejects(open(), { name: "SecurityError" });
  indexedDB.isBroken = false;
  assert.deepEqual(await ids(await open()), []);
});

test("a database that is closed from outside is opened once more, and has again what this tab put there", async () => {
  for (const close of [(connection) => connection.onversionchange(), (connection) => (connection.close(), connection.onclose())]) {
    indexedDB = new FakeIndexedDB();
    const storage = await open();
    await storage.put(step("a"));
    close(indexedDB.opened[0]);
    indexedDB.rows = new Map(); // somebody cleared what the browser keeps
    await storage.put(step("b"));
    assert.equal(indexedDB.opened.length, 2);
    assert.deepEqual(await ids(storage), ["a", "b"]);
  }
});

test("what was removed does not come back with it", async () => {
  const storage = await open();
  for (const id of ["a", "b"]) await storage.put(step(id));
  await storage.put(step("b2"), "b");
  await storage.remove("a");
  indexedDB.opened[0].onversionchange();
  indexedDB.rows = new Map();
  assert.deepEqual(await ids(storage), ["b2"]);
});
