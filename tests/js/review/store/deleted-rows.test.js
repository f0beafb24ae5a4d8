/** Segments that somebody else deleted: what this page made of them, and how they come back. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { DeletedRows } from "../../../../review/static/review/store/deleted-rows.js";
import { segment, stateOf, transcript, uuid } from "../../support.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody."];
const stepOf = (edit) => ({ step: { edits: [edit] } });

/** A state in which the second segment was deleted after this page had written into it. */
function deleted() {
  const state = stateOf(transcript(TEXTS));
  const rows = new DeletedRows();
  const below = state.segments.get(uuid(1));
  rows.note([[uuid(1), { ...below, text: "Mine" }]], state.segments);
  state.segments.remove(uuid(1));
  return { rows, state };
}

test("what this page shows of a row is kept, with what lies below its own steps", () => {
  const { rows, state } = deleted();
  assert.equal(rows.mine(uuid(1), []).text, "Mine");
  assert.equal(rows.insertOf(uuid(1), state).text, TEXTS[1], "the steps on top of it are done again");
});

test("a row comes back at its place, with its times and its speaker", () => {
  const { rows, state } = deleted();
  assert.deepEqual(rows.insertOf(uuid(1), state), {
    ...{ kind: "Insert", after: uuid(0), newKey: uuid(1), start: 10, end: 18, text: TEXTS[1], speaker: uuid(101) },
  });
});

test("the first one comes back before all others", () => {
  const state = stateOf(transcript(TEXTS));
  const rows = new DeletedRows();
  rows.note([[uuid(0), state.segments.get(uuid(0))]], state.segments);
  state.segments.remove(uuid(0));
  assert.equal(rows.insertOf(uuid(0), state).after, null);
});

test("a speaker who is gone meanwhile is nobody", () => {
  for (const leave of [(speakers) => speakers.delete(uuid(101)), (speakers) => speakers.set(uuid(101), { ...speakers.get(uuid(101)), removed: true })]) {
    const { rows, state } = deleted();
    leave(state.speakers);
    assert.equal(rows.insertOf(uuid(1), state).speaker, null);
  }
});

test("of a row from before a reload at least what was typed is known, and it comes back at the end", () => {
  const rows = new DeletedRows();
  const state = stateOf(transcript(TEXTS));
  const entries = [stepOf({ kind: "SetText", segment: uuid(7), text: "First" }), stepOf({ kind: "SetText", segment: uuid(7), text: "Then" })];
  assert.deepEqual(rows.mine(uuid(7), entries), { key: uuid(7), text: "Then" });
  assert.deepEqual(rows.insertOf(uuid(7), state), {
    ...{ kind: "Insert", after: uuid(2), newKey: uuid(7), start: 28, end: 28, text: "", speaker: null },
  });
  assert.equal(rows.mine(uuid(8), entries), null, "nobody wrote into that one");
});

test("in an empty transcript it is the first and only one", () => {
  const insert = new DeletedRows().insertOf(uuid(7), stateOf(transcript([])));
  assert.deepEqual([insert.after, insert.start, insert.end], [null, 0, 0]);
});

test("a row that was made here and is not known below is no row that somebody deleted", () => {
  const rows = new DeletedRows();
  const state = stateOf(transcript(TEXTS));
  rows.note([[uuid(9), segment(9, "Only here")]], state.segments);
  assert.equal(rows.mine(uuid(9), []), null);
});
