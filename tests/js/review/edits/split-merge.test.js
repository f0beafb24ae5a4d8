/** Segments cut and joined: their text, words, flags and marks. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { around, halves, union } from "../../../../review/static/review/edits/split-merge.js";
import { segment, wordsOf } from "../../support.js";

const row = (text, fields = {}) => segment(0, text, fields);
const textsOf = (rows) => rows.map(({ text }) => text);
const wordTexts = ({ words }) => words.map(([text]) => text);
const flag = (kind, score, more = {}) => ({ kind, score, ...more });
const REFUSED = { code: "INVALID_SPLIT" };

test("a cut drops the space at it, and each half has its words", () => {
  const [first, second] = halves(row("So the mill  closed"), 11);
  assert.deepEqual([first.text, second.text], ["So the mill", "closed"]);
  assert.deepEqual([wordTexts(first), wordTexts(second)], [["So", "the", "mill"], ["closed"]]);
  assert.equal(second.words[0][5], "", "nothing stands before the first word");
  assert.ok(first.end === second.start && first.start === 0 && second.end === 8);
});

test("a cut inside a word shares its time, and both parts are estimated", () => {
  const [first, second] = halves(row("mill", { words: [["mill", 1, 3, 0.9, 0, ""]] }), 1);
  assert.deepEqual(first.words, [["m", 1, 1.5, 0.9, 1, ""]]);
  assert.deepEqual(second.words, [["ill", 1.5, 3, 0.9, 1, ""]]);
  assert.equal(first.end, 1.5);
});

test("a cut needs text on both sides: spaces are none", () => {
  for (const at of [0, 1, 5, 6, 99]) assert.throws(() => halves(row(" mill "), at), REFUSED, String(at));
  for (const text of ["", "   ", "a"]) assert.throws(() => halves(row(text), 1), REFUSED, JSON.stringify(text));
});

test("characters beyond the first plane and of scripts without spaces are cut between, never inside", () => {
  assert.deepEqual(textsOf(halves(row("😀😀水車"), 1)), ["😀", "😀水車"]);
  assert.deepEqual(textsOf(halves(row("😀😀水車"), 3)), ["😀😀水", "車"]);
  assert.deepEqual(textsOf(halves(row("שלום לכולם"), 4)), ["שלום", "לכולם"]);
});

test("a segment without words is cut in time by its characters", () => {
  const [first, second] = halves(row("abcd ef", { words: [], start: 0, end: 6 }), 4);
  assert.deepEqual([first.end, second.start, first.words, second.words], [4, 4, [], []]);
});

test("words that are not the text any more are aligned before they are cut", () => {
  const [first, second] = halves(row("So the mill shut", { words: wordsOf("So the mill closed") }), 11);
  assert.deepEqual([wordTexts(first), wordTexts(second)], [["So", "the", "mill"], ["shut"]]);
});

test("flags go to the longer half, to the first of two alike", () => {
  const flags = [flag("low_confidence", 0.4)];
  const given = (text, at) => halves(row(text, { flags }), at).map((half) => half.flags.length);
  assert.deepEqual([given("So closed", 2), given("closed So", 6), given("abc def", 3)], [[0, 1], [1, 0], [1, 0]]);
});

test("marks of a person go with both halves", () => {
  for (const half of halves(row("So the mill", { highlighted: true, checked: true }), 6)) {
    assert.deepEqual([half.highlighted, half.checked], [true, true]);
  }
});

test("a selection in the middle makes three, at an end two", () => {
  const cut = (from, to) => {
    const { parts, chosen } = around(row("So the mill closed"), from, to);
    return [textsOf(parts), chosen];
  };
  assert.deepEqual(cut(7, 11), [["So the", "mill", "closed"], 1]);
  assert.deepEqual(cut(0, 6), [["So the", "mill closed"], 0]);
  assert.deepEqual(cut(12, 18), [["So the mill", "closed"], 1]);
  assert.deepEqual(cut(6, 12), [["So the", "mill", "closed"], 1], "with the spaces around it");
});

test("a selection of nothing, of spaces, of all or beyond the end is refused with a sentence", () => {
  const sentences = [[3, 3], [2, 3], [5, 3], [0, 19], [12, 99]].map(([from, to]) => {
    try {
      return textsOf(around(row("So the mill closed"), from, to).parts);
    } catch (problem) {
      return problem.message;
    }
  });
  assert.deepEqual(sentences, Array(5).fill("Select some words of the segment."));
  assert.throws(() => around(row("So the mill"), 0, 11), { message: "The selection is the whole segment." });
  assert.throws(() => around(row(" mill "), 1, 5), { message: "The selection is the whole segment." });
});

test("offsets of a selection count code points", () => {
  assert.deepEqual(textsOf(around(row("😀 mill 😀"), 2, 6).parts), ["😀", "mill", "😀"]);
});

test("joined segments have the time of both, and a space between them", () => {
  const [earlier, later] = [row("So the"), segment(1, "mill closed")];
  const whole = union(earlier, later);
  assert.deepEqual([whole.text, whole.start, whole.end, whole.machineText], ["So the mill closed", 0, 18, "So the mill closed"]);
  assert.deepEqual(whole.words.map((word) => word[5] + word[0]).join(""), whole.text);
});

test("segments that lie over each other have the time from the first to the last", () => {
  const whole = union(row("So", { start: 2, end: 9 }), row("the", { start: 1, end: 5 }));
  assert.deepEqual([whole.start, whole.end], [1, 9]);
});

test("an empty segment adds no space, whichever side it is on", () => {
  assert.equal(union(row(""), row("mill")).text, "mill");
  assert.equal(union(row("mill"), row("  ")).text, "mill");
  assert.deepEqual(union(row("", { words: [] }), row("", { words: [] })).words, []);
});

test("where only one side has words the other side's are estimated", () => {
  const whole = union(row("So the", { words: [] }), row("mill"));
  assert.deepEqual(whole.words.map(([text, , , , estimated]) => [text, estimated]), [["So", 1], ["the", 1], ["mill", 0]]);
});

test("of flags of one kind the higher score counts, dismissed only where both were", () => {
  const earlier = [flag("low_confidence", 0.4, { dismissed: true }), flag("too_fast", 9)];
  const later = [flag("low_confidence", 0.7), flag("music", 1, { dismissed: true })];
  assert.deepEqual(union(row("So", { flags: earlier }), row("the", { flags: later })).flags, [
    flag("low_confidence", 0.7), flag("too_fast", 9), flag("music", 1, { dismissed: true }),
  ]);
  const both = later.map((each) => ({ ...each, dismissed: true }));
  assert.equal(union(row("So", { flags: earlier }), row("the", { flags: both })).flags[0].dismissed, true);
});

test("one highlight is enough, both have to be checked", () => {
  const whole = (one, other) => {
    const { highlighted, checked } = union(row("So", one), row("the", other));
    return [highlighted, checked];
  };
  const [on, off] = [{ highlighted: true, checked: true }, { highlighted: false, checked: false }];
  assert.deepEqual([whole(on, on), whole(on, off), whole(off, off)], [[true, true], [true, false], [false, false]]);
});

test("what was cut and is joined again is what it was", () => {
  for (const text of ["So the mill closed", "水車は閉まった", "😀 one 😀", "שלום לכולם"]) {
    const whole = row(text);
    const length = [...text].length;
    for (let at = 1; at < length; at += 1) {
      const [first, second] = halves(whole, at);
      const joined = union(first, second);
      const isInside = /\S/.test([...text][at - 1]) && /\S/.test([...text][at]) && !text.includes("水");
      if (!isInside) assert.equal(joined.text, text, `${text} at ${at}`);
      assert.deepEqual([joined.start, joined.end], [whole.start, whole.end]);
    }
  }
});
