import assert from "node:assert/strict";
import { test } from "node:test";

import { apply, applyAll, applyPatch, inverse, InvalidEdit, takeBack } from "../../../../review/static/review/edits/edits.js";
import { isDoubtful } from "../../../../review/static/review/edits/patches.js";
import { RandomEdits } from "./random_edits.js";
import { Chance, plain, segment, stateOf, transcript, uuid } from "../../support.js";

const TEXTS = ["So the mill closed in the spring", "And who kept the ledger?", "Nobody. My aunt, for a while."];
const refused = (code) => (problem) => problem instanceof InvalidEdit && problem.code === code;

function after(edit, texts = TEXTS, fields = {}) {
  const state = stateOf(transcript(texts, fields));
  applyAll(state, [edit]);
  return state;
}

test("a patch holds the changed fields only, and its inverse takes it back", () => {
  const state = stateOf(transcript(TEXTS));
  const start = plain(state);
  const patch = apply(state, { kind: "Highlight", segment: uuid(0), on: true });
  const change = { key: uuid(0), before: { highlighted: false }, after: { highlighted: true } };
  assert.deepEqual(patch, { segments: [change], speakers: [], transcript: null });
  applyPatch(state, patch);
  assert.notDeepEqual(plain(state), start);
  applyPatch(state, inverse(patch));
  assert.deepEqual(plain(state), start);
});

test("what changes nothing is an empty patch", () => {
  const state = stateOf(transcript(TEXTS));
  for (const edit of [
    { kind: "SetText", segment: uuid(0), text: TEXTS[0] },
    { kind: "SetSpeaker", segment: uuid(0), speaker: uuid(100), scope: "one" },
    { kind: "SetStatus", status: "in_review" },
  ]) {
    assert.deepEqual(apply(state, edit), { segments: [], speakers: [], transcript: null });
  }
});

test("a cut and a merge give the text, the words and the machine's text again", () => {
  const state = after({ kind: "Split", segment: uuid(1), at: 8, newKey: uuid(9) });
  const [, first, second] = state.segments;
  assert.deepEqual([first.text, second.text], ["And who", "kept the ledger?"]);
  assert.deepEqual([first.machineText, second.machineText], ["And who", "kept the ledger?"]);
  assert.deepEqual([first.end, second.start], [10.95, 10.95]); // in the middle of the pause between both words
  assert.ok(first.rank < second.rank && second.rank < state.segments.at(3).rank);
  applyAll(state, [{ kind: "Merge", segment: uuid(9), with: "previous" }]);
  assert.deepEqual(plain(state), plain(stateOf(transcript(TEXTS))));
});

test("a selection becomes a segment of its own, with the speaker that is given", () => {
  const edit = { kind: "SplitThreeWay", segment: uuid(0), from: 7, to: 18, newKeys: [uuid(8), uuid(9)] };
  const parts = [...after({ ...edit, speaker: uuid(101) }).segments].slice(0, 3);
  assert.deepEqual(parts.map((row) => row.text), ["So the", "mill closed", "in the spring"]);
  assert.deepEqual(parts.map((row) => row.speaker), [uuid(100), uuid(101), uuid(100)]);
});

test("offsets count characters as people see code points, not halves of surrogate pairs", () => {
  const texts = ["😀😀 mill 水車"];
  const state = after({ kind: "Split", segment: uuid(0), at: 2, newKey: uuid(9) }, texts);
  assert.deepEqual([...state.segments].map((row) => row.text), ["😀😀", "mill 水車"]);
});

test("texts without spaces are joined without one", () => {
  const state = after({ kind: "Merge", segment: uuid(0), with: "next" }, ["水車は", "閉まった。"]);
  assert.equal(state.segments.at(0).text, "水車は閉まった。");
});

test("a speaker is set here, to the end of the run, and everywhere", () => {
  const speakers = [100, 100, 101, 100].map(uuid);
  const segments = speakers.map((key, number) => segment(number, "Yes", { speaker: key }));
  const result = (scope) =>
    [...after({ kind: "SetSpeaker", segment: uuid(0), speaker: null, scope }, ["", "", "", ""], { segments }).segments]
      .map((row) => (row.speaker === null ? "-" : row.speaker.slice(-1)))
      .join("");
  assert.deepEqual(["one", "run", "everywhere"].map(result), ["-010", "--10", "--1-"]);
});

test("a digit is taken from whoever had it", () => {
  const state = after({ kind: "SetHotkey", speaker: uuid(101), hotkey: 1 });
  assert.deepEqual([...state.speakers.values()].map((row) => row.hotkey), [null, 1]);
});

test("merged speakers are one, and the other is gone", () => {
  const state = after({ kind: "MergeSpeakers", from: uuid(100), into: uuid(101) });
  assert.ok([...state.segments].every((row) => row.speaker === uuid(101)));
  assert.ok(state.speakers.get(uuid(100)).removed);
  const again = { kind: "SetSpeaker", segment: uuid(0), speaker: uuid(100), scope: "one" };
  assert.throws(() => apply(state, again), refused("UNKNOWN_SPEAKER"));
});

test("doubtful places are counted: flagged, not dismissed, not checked", () => {
  const flags = [{ kind: "low_confidence", score: 0.4 }];
  const segments = [0, 1, 2].map((number) => segment(number, TEXTS[number], { flags }));
  const fields = { segments, doubtful: 3 };
  const left = (edit) => after(edit, TEXTS, fields).transcript.doubtful;
  assert.equal(left({ kind: "Check", segment: uuid(0), on: true }), 2);
  assert.equal(left({ kind: "DismissFlag", segment: uuid(0), flag: "low_confidence" }), 2);
  assert.equal(left({ kind: "Delete", segment: uuid(0) }), 2);
  assert.equal(left({ kind: "Merge", segment: uuid(0), with: "next" }), 2);
  assert.equal(left({ kind: "Split", segment: uuid(0), at: 6, newKey: uuid(9) }), 3);
});

test("the first edit of a person opens the review in their name, and its undo gives it back", () => {
  const state = stateOf(transcript(TEXTS, { reviewStatus: "new", reviewer: null }));
  const start = plain(state);
  const patches = applyAll(state, [{ kind: "Check", segment: uuid(0), on: true }], "Jonas");
  assert.deepEqual([state.transcript.reviewStatus, state.transcript.reviewer], ["in_review", "Jonas"]);
  takeBack(state, patches);
  assert.deepEqual(plain(state), start);
});

test("what makes no sense is refused with a code", () => {
  const state = stateOf(transcript(TEXTS));
  const cases = [
    [{ kind: "Split", segment: uuid(0), at: 0, newKey: uuid(9) }, "INVALID_SPLIT"],
    [{ kind: "Split", segment: uuid(0), at: 999, newKey: uuid(9) }, "INVALID_SPLIT"],
    [{ kind: "Split", segment: uuid(0), at: 3, newKey: uuid(1) }, "KEY_TAKEN"],
    [{ kind: "SetText", segment: uuid(7), text: "" }, "UNKNOWN_SEGMENT"],
    [{ kind: "SetText", segment: uuid(0), text: "half of \ud83d" }, "INVALID_FIELD"],
    [{ kind: "SetTimes", segment: uuid(0), start: 5, end: 4 }, "INVALID_TIMES"],
    [{ kind: "SetTimes", segment: uuid(0), start: 0, end: 1e6 }, "INVALID_TIMES"],
    [{ kind: "Merge", segment: uuid(0), with: "previous" }, "NO_NEIGHBOUR"],
    [{ kind: "Undo" }, "UNKNOWN_KIND"],
    [{ kind: "constructor" }, "UNKNOWN_KIND"],
    [{ kind: "AddSpeaker", newKey: uuid(9), name: " " }, "INVALID_NAME"],
  ];
  for (const [edit, code] of cases) assert.throws(() => apply(state, edit), refused(code), JSON.stringify(edit));
});

test("of a batch all is applied or none", () => {
  const state = stateOf(transcript(TEXTS));
  const start = plain(state);
  const edits = [{ kind: "Delete", segment: uuid(0) }, { kind: "Delete", segment: uuid(0) }];
  assert.throws(() => applyAll(state, edits), refused("UNKNOWN_SEGMENT"));
  assert.deepEqual(plain(state), start);
});

test("random edits and then the inverses of all give the state of the start", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const chance = new Chance(seed);
    const flags = [{ kind: "low_confidence", score: 0.4 }];
    const segments = TEXTS.map((text, number) => segment(number, text, { flags: chance.maybe() ? flags : [] }));
    const doubtful = segments.filter(isDoubtful).length;
    const state = stateOf(transcript(TEXTS, { segments, doubtful }));
    const start = plain(state);
    const patches = randomPatches(state, new RandomEdits(chance), 80);
    assert.ok(patches.length > 20, `seed ${seed}: ${patches.length} edits made sense`);
    checkState(state, `seed ${seed}`);
    takeBack(state, patches);
    assert.deepEqual(plain(state), start, `seed ${seed}`);
  }
});

function randomPatches(state, edits, count) {
  const patches = [];
  for (let number = 0; number < count; number += 1) {
    const before = plain(state);
    try {
      patches.push(...applyAll(state, [edits.next(state)]));
    } catch (problem) {
      if (!(problem instanceof InvalidEdit)) throw problem;
      assert.deepEqual(plain(state), before);
    }
  }
  return patches;
}

/** What holds whatever was done. */
function checkState(state, seed) {
  const rows = [...state.segments];
  const ranks = rows.map((row) => row.rank);
  assert.deepEqual(ranks, [...new Set(ranks)].sort(), seed);
  assert.equal(state.transcript.doubtful, rows.filter(isDoubtful).length, seed);
  for (const row of rows) {
    assert.ok(row.start <= row.end, seed);
    assert.ok(!row.rank.endsWith("0"), seed);
  }
}
