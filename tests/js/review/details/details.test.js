/** What the details of the review page reckon: word differences, times as written, comparisons, steps of the server. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { aspectsOf, comparisonOf } from "../../../../review/static/review/details/version-comparison.js";
import { placeBehind, problemOf, readTime, writeTime } from "../../../../review/static/review/details/segment-times.js";
import { Store } from "../../../../review/static/review/store/store.js";
import { tokensOf } from "../../../../review/static/review/edits/tokens.js";
import { differencesOf } from "../../../../review/static/review/details/word-diff.js";
import { Chance, plain, stateOf, transcript, uuid } from "../../support.js";

const told = (old, fresh) => differencesOf(old, fresh).map(({ kind, text }) => `${{ same: "=", gone: "-", fresh: "+" }[kind]}${text}`);

test("a difference is told word by word", () => {
  const cases = [
    ["So the mill closed", "So the mill closed", ["=So the mill closed"]],
    ["So the mill closed", "So the old mill closed", ["=So the ", "+old ", "=mill closed"]],
    ["So the mill closed", "So the mill", ["=So the mill", "-closed"]],
    ["a b c", "a x c", ["=a ", "-b ", "+x ", "=c"]],
    ["", "fresh text", ["+fresh text"]],
    ["gone text", "", ["-gone text"]],
    ["two  spaces", "two spaces", ["-two  spaces", "+two spaces"]],
    ["磨坊在春天关闭", "磨坊在夏天关闭", ["=磨坊在", "-春", "+夏", "=天关闭"]],
    ["<b>no</b> tag", "<i>no</i> tag", ["-<b>no</b> ", "+<i>no</i> ", "=tag"]],
    ["  a b", "  a c", ["=  a ", "-b", "+c"]],
    ["🎙 one", "🎙 two", ["=🎙 ", "-one", "+two"]],
  ];
  for (const [old, fresh, expected] of cases) assert.deepEqual(told(old, fresh), expected, `${old} → ${fresh}`);
});

test("no word is lost in a difference, whatever the texts", () => {
  const chance = new Chance(3);
  const text = () => Array.from({ length: chance.below(12) }, () => chance.of(["a", "b", "c", "磨", "🎙", "x,"]) + chance.of([" ", " ", "  ", "\n", ""])).join("");
  const wordsOf = (whole) => tokensOf(whole).map((token) => token.text);
  for (let round = 0; round < 2_000; round += 1) {
    const [old, fresh] = [text(), text()];
    const pieces = differencesOf(old, fresh);
    const joined = (kind) => pieces.filter((piece) => piece.kind !== kind).map((piece) => piece.text).join("");
    assert.equal(joined("gone"), fresh, JSON.stringify([old, fresh]));
    assert.deepEqual(wordsOf(joined("fresh")).join(""), wordsOf(old).join(""), JSON.stringify([old, fresh]));
  }
});

test("times are written as exact as they are and read as people write them", () => {
  const written = [[0, "0:00.0"], [12, "0:12.0"], [75.25, "1:15.25"], [12.347, "0:12.347"], [3675.5, "1:01:15.5"], [59.9996, "1:00.0"]];
  for (const [seconds, text] of written) assert.equal(writeTime(seconds), text);
  const read = [["12", 12], ["12.5", 12.5], ["1:15,25", 75.25], [" 1:01:15.5 ", 3675.5], ["90:00", 5400], ["75.1234", 75.123]];
  for (const [text, seconds] of read) assert.equal(readTime(text), seconds, text);
  for (const text of ["", "soon", "-1", "1:75", "1:75:00", "1:2:3:4", "0x10", "1e3", "٣"]) assert.equal(readTime(text), null, text);
});

test("what is wrong with times is said at the field that is wrong", () => {
  const cases = [
    [{ start: 1, end: 2 }, "start", null],
    [{ start: 2, end: 2 }, "start", null],
    [{ start: null, end: 2 }, "end", { at: "start", word: "time-unread" }],
    [{ start: 1, end: 61 }, "start", { at: "end", word: "time-beyond" }],
    [{ start: 3, end: 2 }, "start", { at: "start", word: "time-start-late" }],
    [{ start: 3, end: 2 }, "end", { at: "end", word: "time-end-early" }],
  ];
  for (const [times, last, expected] of cases) assert.deepEqual(problemOf(times, 60, last), expected);
});

test("a new segment lies in the pause behind, over the next one where there is none, and inside the recording", () => {
  const row = { start: 5, end: 10 };
  assert.deepEqual(placeBehind(row, { start: 60 }, 100), { start: 10, end: 12 });
  assert.deepEqual(placeBehind(row, { start: 11.2 }, 100), { start: 10, end: 11.2 });
  assert.deepEqual(placeBehind(row, { start: 10 }, 100), { start: 10, end: 11 });
  assert.deepEqual(placeBehind(row, null, 10), { start: 9, end: 10 });
  assert.deepEqual(placeBehind({ start: 12, end: 14 }, null, 10), { start: 10, end: 10 });
});

test("a comparison says what is new, gone and different, in the order of the text", () => {
  const then = transcript(["one", "two", "three", "four"]);
  const state = stateOf(structuredClone(then));
  state.segments.put({ ...state.segments.get(uuid(1)), text: "two!", start: 11 });
  state.segments.put({ ...state.segments.get(uuid(2)), version: 9 });
  state.segments.remove(uuid(3));
  state.segments.put({ ...state.segments.get(uuid(0)), key: uuid(50), rank: "bm" });
  state.speakers.set(uuid(100), { ...state.speakers.get(uuid(100)), name: "Anna", colour: 7 });
  state.speakers.set(uuid(101), { ...state.speakers.get(uuid(101)), colour: 8 });
  const { segments, speakers, transcript: whole } = comparisonOf(then, state);
  assert.deepEqual(segments.map(({ key, was, is }) => [key, Boolean(was), Boolean(is)]), [
    [uuid(50), false, true],
    [uuid(1), true, true],
    [uuid(3), true, false],
  ]);
  assert.deepEqual(aspectsOf(segments[1]), ["text", "times"]);
  assert.deepEqual(speakers.map(({ key }) => key), [uuid(100)]);
  assert.equal(whole, null);
});

test("what the server did for a person is undone at once, and done again", () => {
  let number = 0;
  const store = new Store(transcript(["one", "two"]), { client: uuid(7), person: "Ida", newId: () => uuid((number += 1) + 500) });
  store.act([{ kind: "SetText", segment: uuid(1), text: "two, mine" }]);
  store.acknowledge(store.pending[0].step.id, { version: 2, segments: [{ ...store.state.segments.get(uuid(1)), version: 2 }] });
  const before = store.snapshot();
  const then = plain(store.state);
  const [first, second] = [...store.state.segments];
  const back = { ...second, text: "two", version: 3 };
  const fresh = { ...first, key: uuid(60), rank: "bm", text: "was deleted", version: 3 };
  const answer = { version: 3, segments: [back, fresh], removed: [uuid(0)], speakers: [], transcript: { reviewStatus: "done", reviewer: "Ida", doubtful: 0 } };
  const changed = store.takeOwn("RestoreRevision", before, answer);
  assert.deepEqual(new Set(changed.segments), new Set([uuid(0), uuid(1), uuid(60)]));
  const after = plain(store.state);
  store.undo();
  assert.deepEqual(plain(store.state), then);
  store.redo();
  assert.deepEqual(plain(store.state), after);
});

test("a step of the server is one step: Undo goes on with what was before it", () => {
  let number = 0;
  const store = new Store(transcript(["one"]), { client: uuid(7), newId: () => uuid((number += 1) + 500) });
  store.act([{ kind: "SetText", segment: uuid(0), text: "one, mine" }]);
  const mine = { ...store.state.segments.get(uuid(0)), version: 2 };
  store.acknowledge(store.pending[0].step.id, { version: 2, segments: [mine] });
  const before = store.snapshot();
  const back = { version: 3, segments: [{ ...mine, speaker: null, version: 3 }] };
  store.takeChanges(back); // it came this way first
  store.takeOwn("RestoreRevision", before, back);
  store.undo();
  assert.equal(store.state.segments.get(uuid(0)).speaker, uuid(100));
  assert.equal(store.state.segments.get(uuid(0)).text, "one, mine");
  store.undo();
  assert.equal(store.state.segments.get(uuid(0)).text, "one");
});

test("times are read back as they are written", () => {
  const chance = new Chance(13);
  for (let round = 0; round < 500; round += 1) {
    const seconds = chance.below(36_000_000) / 1000;
    assert.equal(readTime(writeTime(seconds)), seconds, writeTime(seconds));
  }
});

test("a negative time is written as the start, and a long recording keeps its hours", () => {
  assert.deepEqual([writeTime(-3), writeTime(359_999.999)], ["0:00.0", "99:59:59.999"]);
  assert.deepEqual([readTime("100:00:00"), readTime("7:05"), readTime("07:05,5")], [360_000, 425, 425.5]);
});

test("the first field that cannot be read is the one that is told, and being outside comes before the order", () => {
  assert.deepEqual(problemOf({ start: null, end: null }, 60, "end"), { at: "start", word: "time-unread" });
  assert.deepEqual(problemOf({ start: 70, end: 65 }, 60, "end"), { at: "start", word: "time-beyond" });
  assert.equal(problemOf({ start: 60, end: 60 }, 60, "end"), null, "the very end is inside");
});

test("nothing differs between a version and itself, whatever the server counted since", () => {
  const then = transcript(["one", "two"]);
  const state = stateOf(structuredClone(then));
  state.segments.put({ ...state.segments.get(uuid(0)), version: 44, rank: "bb" });
  assert.deepEqual(comparisonOf(then, state), { segments: [], speakers: [], transcript: null });
});

test("a status, a speaker who is gone and one who is new are told", () => {
  const then = transcript(["one"], { reviewStatus: "new" });
  const state = stateOf(structuredClone(transcript(["one"], { reviewStatus: "done" })));
  state.speakers.set(uuid(100), { ...state.speakers.get(uuid(100)), removed: true });
  state.speakers.set(uuid(109), { ...state.speakers.get(uuid(101)), key: uuid(109), name: "Jonas" });
  const { speakers, transcript: whole } = comparisonOf(then, state);
  assert.deepEqual(speakers.map(({ key, was, is }) => [key, was?.removed ?? null, is?.removed ?? null]), [
    [uuid(100), false, true],
    [uuid(109), null, false],
  ]);
  assert.deepEqual([whole.was.reviewStatus, whole.is.reviewStatus], ["new", "done"]);
});

test("what differs in a segment is named: text, times, speaker, marks", () => {
  const [was] = transcript(["one"]).segments;
  const differs = (fields) => aspectsOf({ was, is: { ...was, ...fields } });
  assert.deepEqual(differs({}), []);
  assert.deepEqual(differs({ end: 9, speaker: null }), ["times", "speaker"]);
  for (const fields of [{ highlighted: true }, { checked: true }, { flags: [{ kind: "music", score: 1 }] }]) assert.deepEqual(differs(fields), ["marks"]);
  assert.deepEqual(differs({ words: [], rank: "z", machineText: "" }), [], "that is nothing to read");
});

test("differences in right-to-left text are told in the order of reading", () => {
  assert.deepEqual(told("שלום לכולם", "שלום עולם"), ["=שלום ", "-לכולם", "+עולם"]);
});
