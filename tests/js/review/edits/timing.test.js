import assert from "node:assert/strict";
import { test } from "node:test";

import { between, spread } from "../../../../review/static/review/edits/fractional-index.js";
import { align, fit, machineOffset, rounded } from "../../../../review/static/review/edits/timing.js";
import { areAlike, joined, lengthOf, tokensOf } from "../../../../review/static/review/edits/tokens.js";
import { Chance, wordsOf } from "../../support.js";

const MILL = wordsOf("So the mill closed");
const texts = (text) => tokensOf(text).map((token) => token.text);
const times = (words) => words.map(([text, start, end, , estimated]) => [text, start, end, estimated]);

test("between any two ranks there is another, and it stays short", () => {
  const chance = new Chance(3);
  const ranks = [between(null, null)];
  for (let number = 0; number < 3000; number += 1) {
    const place = chance.below(ranks.length + 1);
    const rank = between(ranks[place - 1] ?? null, ranks[place] ?? null);
    assert.ok(place === 0 || ranks[place - 1] < rank);
    assert.ok(place === ranks.length || rank < ranks[place]);
    assert.doesNotMatch(rank, /0$/);
    ranks.splice(place, 0, rank);
  }
  assert.ok(Math.max(...ranks.map((rank) => rank.length)) < 20);
});

test("between ranks in the wrong order, or too close, there is no room", () => {
  for (const pair of [["b", "a"], ["a", "a"], ["a".padEnd(1001, "a"), `${"a".padEnd(1001, "a")}1`]]) {
    assert.throws(() => between(...pair), { code: "NO_ROOM" });
  }
});

test("machine rows have ranks of one width, in order", () => {
  for (const count of [0, 1, 35, 36, 12_000]) {
    const ranks = spread(count);
    assert.deepEqual([...ranks].sort(), ranks);
    assert.ok(new Set(ranks.map((rank) => rank.length)).size <= 1);
    assert.equal(new Set(ranks).size, count);
  }
});

test("a character of a script without spaces is a token of its own", () => {
  assert.deepEqual(texts("So, don't\u00a0go  水車。Mill"), ["So,", "don't", "go", "水", "車", "。Mill"]);
  assert.deepEqual(tokensOf(" 😀 a").map(({ at, end, gap }) => [at, end, gap]), [[1, 2, ""], [3, 4, " "]]);
  assert.equal(lengthOf("😀é"), 2);
});

test("tokens are alike but for case and punctuation", () => {
  assert.ok(areAlike("Mill,", "mill"));
  assert.ok(!areAlike("mill", "mall"));
});

test("texts are joined with a space, but not beside a script without spaces", () => {
  assert.deepEqual([joined("So ", " the"), joined("", "the"), joined("水", "車"), joined("水。", "Mill")],
    ["So the", "the", "水車", "水。Mill"]);
});

test("words that stay keep their times, new ones share what is between them", () => {
  assert.deepEqual(times(align(MILL, "So the old Mill closed early", 0, 8)), [
    ["So", 0, 0.4, 0], ["the", 0.5, 0.9, 0], ["old", 0.9, 1.157, 1], ["Mill", 1.157, 1.5, 1], ["closed", 1.5, 1.9, 0],
    ["early", 1.9, 8, 1],
  ]);
});

test("a change of case or punctuation keeps the time", () => {
  assert.deepEqual(times(align(MILL, "so the Mill, closed.", 0, 8)).map(([, start]) => start), [0, 0.5, 1, 1.5]);
});

test("no time runs backwards, whatever the words say", () => {
  const words = align([["one", 1, 2.5, 0.9, 0, ""], ["two", 2, 3, 0.9, 0, " "]], "one and two", 1, 3);
  assert.deepEqual(times(words)[1], ["and", 2.5, 2.5, 1]);
});

test("new times cut words off, or move them all", () => {
  const from = { start: 0, end: 8 };
  assert.deepEqual(times(fit(MILL, from, { start: 0.7, end: 8 }))[1], ["the", 0.7, 0.9, 1]);
  assert.deepEqual(times(fit(MILL, from, { start: 0, end: 4 })), times(MILL));
  assert.deepEqual(times(fit(MILL, from, { start: 10, end: 14 }))[2], ["mill", 10.5, 10.7, 1]);
});

test("the machine's text is cut where the present text is", () => {
  assert.equal(machineOffset("So the mill closed", 7, "So a mill closed"), 5);
  assert.equal(machineOffset("Quite other words", 6, ""), 0);
});

test("seconds are rounded as in Python: halves upwards", () => {
  assert.deepEqual([1.0005, 2.4995, 0.1 + 0.2].map(rounded), [1.001, 2.5, 0.3]);
});

test("a very long text of one word is aligned at once", () => {
  const text = "水".repeat(100_000);
  const words = align([["水".repeat(99_999), 0, 100, 0.9, 0, ""]], text, 0, 100);
  assert.equal(words.length, 100_000);
});
