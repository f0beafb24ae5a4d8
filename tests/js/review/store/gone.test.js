/** Somebody deletes a segment while this page writes in it: what was written is shown, and can come back. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeBrowser } from "./fake_browser.js";
import { uuid } from "../../support.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody. My aunt."];
const setText = (number, text) => ({ kind: "SetText", segment: uuid(number), text });
const texts = ({ segments }) => [...segments].map((row) => row.text);

/** Two computers at one transcript; `theirs` has deleted the second segment, which `mine` does not know yet. */
async function desks() {
  const browser = new FakeBrowser(TEXTS);
  const other = new FakeBrowser(TEXTS, { server: browser.server, timer: browser.timer, name: "other" });
  const [mine, theirs] = [await browser.open(), await other.open()];
  theirs.copy.act([{ kind: "Delete", segment: uuid(1) }]);
  await browser.timer.pass(500);
  return { browser, mine };
}

test("both sides of a deleted segment are told, whichever comes first: the answer or the changes", async () => {
  for (const isTold of [false, true]) {
    const { browser, mine } = await desks();
    mine.copy.act([setText(1, "And who kept it?")]);
    if (isTold) mine.copy.takeChanges(browser.server.changes(1));
    await browser.timer.pass(500);
    const [{ rows }] = mine.copy.store.clashes;
    assert.deepEqual(rows.map((row) => [row.mine.text, row.theirs]), [["And who kept it?", null]]);
  }
});

test("mine: the segment is there again, at its place and with its speaker, and what was done to it", async () => {
  const { browser, mine } = await desks();
  mine.copy.act([setText(1, "And who kept it?")]);
  mine.copy.act([{ kind: "Split", segment: uuid(1), at: 7, newKey: uuid(9) }]);
  mine.copy.act([{ kind: "Highlight", segment: uuid(1), on: true }]);
  await browser.timer.pass(500);
  await mine.copy.decide(mine.copy.store.clashes[0].id, "mine");
  const wanted = [TEXTS[0], "And who", "kept it?", TEXTS[2]];
  assert.deepEqual(texts(mine.copy.store.state), wanted);
  await browser.timer.pass(1000);
  const { state } = browser.server;
  assert.deepEqual([texts(state), mine.state().name, browser.disk.steps], [wanted, "saved", []]);
  const row = state.segments.get(uuid(1));
  assert.deepEqual([row.start, row.speaker, row.highlighted], [10, uuid(101), true]);
});

test("theirs: it stays deleted, and nothing waits any more", async () => {
  const { browser, mine } = await desks();
  mine.copy.act([setText(1, "And who kept it?")]);
  await browser.timer.pass(500);
  await mine.copy.decide(mine.copy.store.clashes[0].id, "theirs");
  await browser.timer.pass(500);
  assert.deepEqual([texts(mine.copy.store.state), mine.state().name], [[TEXTS[0], TEXTS[2]], "saved"]);
});

test("after a reload the text is still shown, and comes back at the end", async () => {
  const { browser, mine } = await desks();
  await mine.copy.act([setText(1, "And who kept it?")]);
  browser.crash(mine);
  const again = await browser.open();
  await browser.timer.pass(1000);
  const [{ id, rows }] = again.copy.store.clashes;
  assert.equal(rows[0].mine.text, "And who kept it?");
  await again.copy.decide(id, "mine");
  await browser.timer.pass(1000);
  assert.deepEqual(texts(browser.server.state), [TEXTS[0], TEXTS[2], "And who kept it?"]);
  assert.equal(again.state().name, "saved");
});

test("a segment that both deleted is no matter for a decision", async () => {
  const { browser, mine } = await desks();
  mine.copy.act([{ kind: "Delete", segment: uuid(1) }]);
  await browser.timer.pass(500);
  await mine.copy.decide(mine.copy.store.clashes[0].id, "mine");
  await browser.timer.pass(1000);
  assert.deepEqual([texts(browser.server.state), mine.state().name], [[TEXTS[0], TEXTS[2]], "saved"]);
});
