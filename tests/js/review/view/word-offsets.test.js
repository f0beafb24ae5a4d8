/** Where the words of a segment are in its text, whatever somebody typed into it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { offsetsOf, wordAt, wordSpokenAt } from "../../../../review/static/review/view/word-offsets.js";
import { wordsOf } from "../../support.js";

const spans = (text, words) => offsetsOf({ text, words }).map(({ from, to }) => text.slice(from, to));

test("each word is found behind the one before it", () => {
  assert.deepEqual(spans("the mill, the mill", wordsOf("the mill, the mill")), ["the", "mill,", "the", "mill"]);
  assert.deepEqual(offsetsOf({ text: "a a", words: wordsOf("a a") }).map(({ from }) => from), [0, 2]);
});

test("offsets are those of the DOM: a character beyond the first plane has two", () => {
  const [first, second] = offsetsOf({ text: "😀 水車", words: wordsOf("😀 水車") });
  assert.deepEqual([first.from, first.to, second.from, second.to], [0, 2, 3, 5]);
});

test("words in right-to-left scripts lie in the order in which they are said", () => {
  assert.deepEqual(spans("שלום לכולם", wordsOf("שלום לכולם")), ["שלום", "לכולם"]);
});

test("a word that was typed over is left out, the others are found", () => {
  assert.deepEqual(spans("So the old house", wordsOf("So the mill house")), ["So", "the", "house"]);
  assert.deepEqual(spans("", wordsOf("So the")), []);
  assert.deepEqual(spans("So the", []), []);
});

test("an empty word is none", () => {
  assert.deepEqual(spans("So", [["", 0, 1, 1, 0, ""], ["So", 1, 2, 1, 0, ""]]), ["So"]);
});

test("a place knows its time, how sure the model was, and whether it is a guess", () => {
  const [place] = offsetsOf({ text: "mill", words: [["mill", 1.5, 2, 0.25, 1, ""]] });
  assert.deepEqual(place, { from: 0, to: 4, start: 1.5, end: 2, probability: 0.25, isEstimated: true });
});

test("a click means the word around it, else the one before, else the first", () => {
  const text = "  So the mill";
  const at = (offset) => {
    const word = wordAt(offsetsOf({ text, words: wordsOf("So the mill") }), offset);
    return text.slice(word.from, word.to);
  };
  assert.deepEqual([0, 2, 4, 5, 8, 99].map(at), ["So", "So", "So", "the", "the", "mill"]);
  assert.equal(wordAt([], 3), null);
});

test("a word lingers over a short gap, but not over a pause", () => {
  const places = offsetsOf({ text: "So the", words: [["So", 1, 2, 1, 0, ""], ["the", 5, 6, 1, 0, " "]] });
  const said = (seconds) => wordSpokenAt(places, seconds)?.from ?? null;
  assert.deepEqual([0.5, 1, 2.5, 2.6, 4.9, 5, 6.59, 6.6].map(said), [null, 0, 0, null, null, 3, 3, null]);
  assert.equal(wordSpokenAt(places, 2.1, 0), null);
  assert.equal(wordSpokenAt([], 1), null);
});
