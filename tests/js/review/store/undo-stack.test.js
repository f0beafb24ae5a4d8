/** What Undo and Redo are about, and what they do in a state that others have changed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Entry, UndoStack } from "../../../../review/static/review/store/undo-stack.js";
import { plain, segment, stateOf, transcript, uuid } from "../../support.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody."];
let ids = 0;
const entryOf = (...edits) => new Entry({ id: `edit-${(ids += 1)}`, edits });
const setText = (number, text) => entryOf({ kind: "SetText", segment: uuid(number), text });

/** Do entries one after the other, with a stack that remembers them. */
function doing(state, stack, ...entries) {
  for (const entry of entries) {
    stack.add(entry);
    entry.do(state, null);
  }
  return entries.at(-1);
}

function workspace(fields = {}) {
  return { state: stateOf(transcript(TEXTS, fields)), stack: new UndoStack() };
}

const texts = (state) => [...state.segments].map(({ text }) => text);

test("an undo is about the last step, a redo about the last undo", () => {
  const { state, stack } = workspace();
  const [first, second] = [setText(0, "First"), setText(1, "Second")];
  doing(state, stack, first, second);
  const undo = doing(state, stack, entryOf({ kind: "Undo" }));
  assert.deepEqual([undo.target, texts(state)], [second, ["First", TEXTS[1], TEXTS[2]]]);
  assert.equal(doing(state, stack, entryOf({ kind: "Undo" })).target, first);
  assert.deepEqual(texts(state), TEXTS);
  assert.equal(doing(state, stack, entryOf({ kind: "Redo" })).target, first);
  assert.equal(doing(state, stack, entryOf({ kind: "Redo" })).target, second);
  assert.deepEqual(texts(state), ["First", "Second", TEXTS[2]]);
});

test("with nothing to undo an undo changes nothing", () => {
  const { state, stack } = workspace();
  const undo = doing(state, stack, entryOf({ kind: "Undo" }));
  assert.deepEqual([undo.target, undo.patches, undo.hasEffect, texts(state)], [null, [], false, TEXTS]);
});

test("a new step ends what could be redone", () => {
  const { state, stack } = workspace();
  doing(state, stack, setText(0, "First"), entryOf({ kind: "Undo" }), setText(1, "Other"));
  assert.equal(doing(state, stack, entryOf({ kind: "Redo" })).target, null);
});

test("steps without effect are passed over", () => {
  const { state, stack } = workspace();
  const real = setText(0, "Real");
  doing(state, stack, real, setText(1, TEXTS[1]));
  assert.equal(doing(state, stack, entryOf({ kind: "Undo" })).target, real);
});

test("undo after a merge gives back both segments, with words, flags and ranks", () => {
  const flags = [{ kind: "low_confidence", score: 0.4 }];
  const segments = TEXTS.map((text, number) => segment(number, text, { flags: number === 1 ? flags : [] }));
  const { state, stack } = workspace({ segments, doubtful: 1 });
  const start = plain(state);
  doing(state, stack, entryOf({ kind: "Merge", segment: uuid(0), with: "next" }));
  assert.equal(state.segments.size, 2);
  doing(state, stack, entryOf({ kind: "Undo" }));
  assert.deepEqual(plain(state), start);
});

test("undo after a split in three gives back the one segment", () => {
  const { state, stack } = workspace();
  const start = plain(state);
  doing(state, stack, entryOf({ kind: "SplitThreeWay", segment: uuid(0), from: 3, to: 6, newKeys: [uuid(8), uuid(9)], speaker: null }));
  assert.equal(state.segments.size, 5);
  doing(state, stack, entryOf({ kind: "Undo" }));
  assert.deepEqual(plain(state), start);
});

test("an undo leaves alone what others did elsewhere, and in other fields", () => {
  const { state, stack } = workspace();
  doing(state, stack, setText(0, "Mine"));
  state.segments.put({ ...state.segments.get(uuid(0)), highlighted: true });
  state.segments.put({ ...state.segments.get(uuid(1)), text: "Theirs" });
  doing(state, stack, entryOf({ kind: "Undo" }));
  assert.deepEqual([texts(state), state.segments.get(uuid(0)).highlighted], [[TEXTS[0], "Theirs", TEXTS[2]], true]);
});

test("an undo in a segment that somebody deleted has no sense any more", () => {
  const { state, stack } = workspace();
  doing(state, stack, setText(0, "Mine"));
  state.segments.remove(uuid(0));
  const undo = doing(state, stack, entryOf({ kind: "Undo" }));
  assert.deepEqual([undo.hasEffect, texts(state)], [false, TEXTS.slice(1)]);
});

test("an undo of a delete brings the segment back; one that somebody brought back first is what it was", () => {
  for (const isThere of [false, true]) {
    const { state, stack } = workspace();
    doing(state, stack, entryOf({ kind: "Delete", segment: uuid(1) }));
    if (isThere) state.segments.put(segment(1, "Brought back"));
    doing(state, stack, entryOf({ kind: "Undo" }));
    assert.deepEqual(texts(state), TEXTS);
  }
});

test("the sum of doubtful places goes with each step, also out of order", () => {
  const flags = [{ kind: "low_confidence", score: 0.4 }];
  const segments = TEXTS.map((text, number) => segment(number, text, { flags }));
  const { state, stack } = workspace({ segments, doubtful: 3 });
  const [one, other] = [0, 1].map((number) => entryOf({ kind: "Check", segment: uuid(number), on: true }));
  doing(state, stack, one, other);
  assert.equal(state.transcript.doubtful, 1);
  one.takeBack(state);
  assert.equal(state.transcript.doubtful, 2);
  other.takeBack(state);
  other.takeBack(state);
  assert.equal(state.transcript.doubtful, 3, "taken back once");
});

test("a step that makes no sense changes nothing and throws", () => {
  const { state } = workspace();
  const start = plain(state);
  const step = entryOf({ kind: "SetText", segment: uuid(0), text: "Mine" }, { kind: "Delete", segment: uuid(7) });
  assert.throws(() => step.do(state, null), { code: "UNKNOWN_SEGMENT" });
  assert.deepEqual([plain(state), step.isApplied, step.patches], [start, false, null]);
});

test("an entry names the rows it changes and those that it is about", () => {
  const { state } = workspace();
  const merge = entryOf({ kind: "Merge", segment: uuid(0), with: "next" });
  assert.deepEqual(merge.keys, [uuid(0)], "before it is done, what it names");
  merge.do(state, null);
  assert.deepEqual(new Set(merge.keys), new Set([uuid(0), uuid(1)]));
  const status = entryOf({ kind: "SetStatus", status: "done" });
  status.do(state, null);
  assert.deepEqual(status.touched(), ["transcript"]);
});

test("a step that was refused is forgotten; what its undo took back is done again", () => {
  const { state, stack } = workspace();
  const step = setText(0, "Mine");
  doing(state, stack, step);
  const undo = doing(state, stack, entryOf({ kind: "Undo" }));
  stack.forget(undo);
  assert.deepEqual([stack.done, stack.undone], [[step], []]);
  stack.forget(step);
  assert.deepEqual([stack.done, stack.undone], [[], []]);
});

test("typing on is one step: the later takes the place of the earlier", () => {
  const { state, stack } = workspace();
  const [typed, more] = [setText(0, "S"), setText(0, "So")];
  doing(state, stack, typed);
  stack.replace(typed, more);
  assert.deepEqual(stack.done, [more]);
});
