/** Texts as tokens: lengths in code points, spaces of every kind, scripts with and without spaces. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  areAlike, cutAt, gapBetween, isUnspaced, joined, lengthOf, squeezed, tokensOf, trimEnd, trimStart,
} from "../../../../review/static/review/edits/tokens.js";

const texts = (text) => tokensOf(text).map((token) => token.text);

test("an empty text and one of spaces have no tokens", () => {
  for (const text of ["", " ", "\n\t", "\u00a0\u3000\u2009"]) assert.deepEqual(tokensOf(text), [], JSON.stringify(text));
});

test("a token says where it is in code points, and whether a space is before it", () => {
  assert.deepEqual(tokensOf(" 😀a  水車 b"), [
    { text: "😀a", at: 1, end: 3, gap: "" },
    { text: "水", at: 5, end: 6, gap: " " },
    { text: "車", at: 6, end: 7, gap: "" },
    { text: "b", at: 8, end: 9, gap: " " },
  ]);
});

test("spaces of every kind part tokens; a space that joins no word does not", () => {
  for (const space of [" ", "\t", "\n", "\u0085", "\u00a0", "\u2028", "\u3000"]) assert.deepEqual(texts(`a${space}b`), ["a", "b"], JSON.stringify(space));
  for (const none of ["\u200b", "\u200d", "\ufeff"]) assert.deepEqual(texts(`a${none}b`), [`a${none}b`], JSON.stringify(none));
});

test("languages with spaces keep their words, right-to-left ones too", () => {
  assert.deepEqual(texts("مرحبا، يا إيدا"), ["مرحبا،", "يا", "إيدا"]);
  assert.deepEqual(texts("שלום לכולם"), ["שלום", "לכולם"]);
  assert.deepEqual(texts("안녕하세요 여러분"), ["안녕하세요", "여러분"]);
  assert.deepEqual(texts("नमस्ते दुनिया"), ["नमस्ते", "दुनिया"]);
});

test("scripts without spaces have a token a character", () => {
  for (const text of ["水車", "ひらカタ", "ไทย", "မြန်", "ខ្មែ", "𠀀𠀁"]) assert.deepEqual(texts(text), [...text], text);
  assert.deepEqual(texts("ｶﾀﾅ"), ["ｶ", "ﾀ", "ﾅ"]);
});

test("a mixture is cut where the script changes", () => {
  assert.deepEqual(texts("Windows版を2つ"), ["Windows", "版", "を", "2", "つ"]);
});

test("what belongs to a script without spaces is known character by character", () => {
  assert.deepEqual(["水", "あ", "ア", "ก", "𠀀"].map(isUnspaced), Array(5).fill(true));
  assert.deepEqual(["a", "é", "ש", "한", "。", "1", "水車", ""].map(isUnspaced), Array(8).fill(false));
});

test("lengths count code points, whatever a person sees as one character", () => {
  const cases = [["", 0], ["abc", 3], ["😀", 1], ["é", 1], ["e\u0301", 2], ["👩‍👩‍👧", 5], ["\ud83d", 1]];
  for (const [text, length] of cases) assert.equal(lengthOf(text), length, text);
});

test("cutting never halves a surrogate pair", () => {
  assert.deepEqual(cutAt("😀b😀", 1), ["😀", "b😀"]);
  assert.deepEqual(cutAt("😀b😀", 0), ["", "😀b😀"]);
  assert.deepEqual(cutAt("😀b😀", 99), ["😀b😀", ""]);
});

test("trimming and squeezing take spaces only", () => {
  const text = "\u3000 So \n the\u00a0mill \u2003";
  assert.equal(trimStart(text), "So \n the\u00a0mill \u2003");
  assert.equal(trimEnd(text), "\u3000 So \n the\u00a0mill");
  assert.equal(squeezed(text), "Sothemill");
  assert.deepEqual(["", "   ", "\u200b"].map(trimEnd), ["", "", "\u200b"]);
});

test("trimming a long text with spaces inside takes no time worth telling", () => {
  const text = `a${" ".repeat(50_000)}b`;
  assert.equal(trimEnd(text), text);
  assert.equal(trimEnd(`${text}  `), text);
});

test("texts are joined with one space, or with none where a script has none", () => {
  const cases = [["So", "the", "So the"], ["So ", "  the", "So the"], ["水車", "は", "水車は"], ["水車", "Mill", "水車Mill"], ["Mill", "水車", "Mill水車"], ["。", "Mill", "。Mill"], ["", "a", "a"], [" ", "a", "a"], ["a", "", "a"], ["", "", ""], ["שלום", "עולם", "שלום עולם"]];
  for (const [left, right, whole] of cases) assert.equal(joined(left, right), whole, `${left}|${right}`);
  assert.equal(gapBetween("안녕", "여러분"), " ");
});

test("tokens are alike but for case and punctuation, in every script", () => {
  for (const [one, other] of [["Mill,", "mill"], ["«Да»", "да"], ["¿Qué?", "qué"], ["don't", "dont"], ["!", ""]]) assert.ok(areAlike(one, other), `${one} ${other}`);
  for (const [one, other] of [["mill", "mall"], ["qué", "que"], ["1", "2"], ["a", ""]]) assert.ok(!areAlike(one, other), `${one} ${other}`);
});
