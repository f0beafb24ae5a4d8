import assert from "node:assert/strict";
import { test } from "node:test";

import { folded, Query } from "../../../../review/static/review/search/query.js";
import { Chance } from "../../support.js";

const MAN_WOMAN = "👨\u200d👩\u200d👧";

/** What is marked in a text, as it is written there. */
function marked(query, text, options) {
  return new Query(query, options).hitsIn(text).map(({ from, to }) => text.slice(from, to));
}

test("case and accents do not count, and what is marked is what is written", () => {
  const cases = [
    ["mill", "The MILL, the mill", ["MILL", "mill"]],
    ["cafe", "Café, CAFE\u0301, cafe", ["Café", "CAFE\u0301", "cafe"]],
    ["Café", "a cafe", ["cafe"]],
    ["istanbul", "İstanbul, I\u0307STANBUL, ıstanbul", ["İstanbul", "I\u0307STANBUL", "ıstanbul"]],
    ["İ", "i I ı", ["i", "I", "ı"]],
    ["strasse", "Straße STRASSE STRAẞE", ["Straße", "STRASSE", "STRAẞE"]],
    ["straße", "strasse", ["strasse"]],
    ["stras", "Straße", ["Straß"]],
    ["fin", "ﬁn de siècle", ["ﬁn"]],
    ["ΟΔΟΣ", "οδός οδόσ", ["οδός", "οδόσ"]],
    ["lodz", "Łódź", ["Łódź"]],
    ["don't", "Don’t don't", ["Don’t", "don't"]],
    ["a b", "a\u00a0b a\nb", ["a\u00a0b", "a\nb"]],
    ["abc", "ＡＢＣ", ["ＡＢＣ"]],
    ["cooperate", "co\u00adoperate", ["co\u00adoperate"]],
  ];
  for (const [query, text, expected] of cases) assert.deepEqual(marked(query, text), expected, `${query} in ${text}`);
});

test("a hit ends behind the marks of its last letter", () => {
  assert.deepEqual(new Query("e").hitsIn("e\u0301\u0323x"), [{ from: 0, to: 3 }]);
  assert.deepEqual(new Query("x").hitsIn("e\u0301\u0323x"), [{ from: 3, to: 4 }]);
});

test("Arabic and Hebrew are found without their vowel points, tatweel and hamza", () => {
  assert.deepEqual(marked("محمد", "مُحَمَّد قال محـمد"), ["مُحَمَّد", "محـمد"]);
  assert.deepEqual(marked("احمد", "أحمد"), ["أحمد"]);
  assert.deepEqual(marked("שלום", "שָׁלוֹם"), ["שָׁלוֹם"]);
  assert.deepEqual(marked("می\u200cخواهم", "میخواهم"), ["میخواهم"]);
});

test("marks that are letters of their script count", () => {
  assert.deepEqual(marked("か", "が か"), ["か"]);
  assert.deepEqual(marked("か", "か\u3099"), []);
  assert.deepEqual(marked("が", "か\u3099 ｶﾞ"), ["か\u3099"]);
  assert.deepEqual(marked("कि", "का कि"), ["कि"]);
});

test("a syllable of Hangul is found whole, however it is encoded", () => {
  assert.deepEqual(marked("가", "각 가"), ["가"]);
  assert.deepEqual(marked("가", "각".normalize("NFD")), []);
  assert.deepEqual(marked("각", "각".normalize("NFD")), ["각".normalize("NFD")]);
});

test("Chinese is found character by character, also as a whole word", () => {
  assert.deepEqual(marked("大学", "北京大学的大学生"), ["大学", "大学"]);
  assert.deepEqual(marked("大学", "北京大学的大学生", { isWhole: true }), ["大学", "大学"]);
});

test("emoji are found with what belongs to them, and never in halves", () => {
  assert.deepEqual(marked("👍", "ok 👍🏽 👍"), ["👍🏽", "👍"]);
  assert.deepEqual(marked("❤", "❤\ufe0f"), ["❤\ufe0f"]);
  assert.deepEqual(marked(MAN_WOMAN, `a ${MAN_WOMAN} b`), [MAN_WOMAN]);
  assert.deepEqual(marked("👧", MAN_WOMAN), []);
  assert.deepEqual(marked("🇪🇺", "🇩🇪🇺🇸"), []);
  assert.deepEqual(marked("\ud83d", "👍"), []);
  assert.deepEqual(marked("\udc4d", "👍"), []);
  assert.deepEqual(marked("👍", "\ud83d 👍 \udc4d"), ["👍"]);
});

test("exactly, case and accents count, and encodings still do not", () => {
  const isExact = true;
  assert.deepEqual(marked("Mill", "mill Mill", { isExact }), ["Mill"]);
  assert.deepEqual(marked("cafe", "café cafe cafe\u0301", { isExact }), ["cafe"]);
  assert.deepEqual(marked("café", "cafe\u0301 café", { isExact }), ["cafe\u0301", "café"]);
  assert.deepEqual(marked("ss", "ß", { isExact }), []);
  assert.deepEqual(marked("q", "q\u0303", { isExact }), []);
  assert.deepEqual(marked("👍", "👍🏽", { isExact }), []);
});

test("whole words end where no letter goes on", () => {
  const isWhole = true;
  assert.deepEqual(marked("mill", "miller, mill; Sawmill. _mill mill_ mill's", { isWhole }), ["mill", "mill"]);
  assert.deepEqual(marked("el", "él elé él", { isWhole }), ["él", "él"]);
  assert.deepEqual(marked("a", "𝒜a a", { isWhole }), ["a"], "a letter of two units goes on too");
  assert.deepEqual(marked("...", "so...what", { isWhole }), ["..."]);
  assert.deepEqual(marked("mill mill", "mill mill mill", { isWhole }), ["mill mill"]);
  assert.deepEqual(marked("aa", "aaa aa", { isWhole }), ["aa"]);
});

test("hits do not overlap, and nothing is found of nothing", () => {
  assert.deepEqual(new Query("aa").hitsIn("aaaaa"), [{ from: 0, to: 2 }, { from: 2, to: 4 }]);
  assert.deepEqual(marked("s", "ß"), ["ß"], "half of it is the whole of it, once");
  for (const query of ["", "\u0301", "\u200b\u200d"]) {
    assert.ok(new Query(query).isEmpty);
    assert.deepEqual(marked(query, "all e\u0301 \u200b"), []);
  }
  assert.deepEqual(marked("a", ""), []);
});

test("letters that are signs for patterns are letters here", () => {
  assert.deepEqual(marked("a.*[b]", "a.*[b] axx"), ["a.*[b]"]);
  assert.deepEqual(marked("\\d", "7 \\d"), ["\\d"]);
  assert.deepEqual(marked("<b>", "<b>&lt;b&gt;"), ["<b>"]);
});

test("a word of a hundred thousand characters is searched in one go; squared, this would not end", () => {
  const long = "aé".repeat(50_000);
  assert.equal(new Query("ae").hitsIn(long).length, 50_000);
  assert.equal(new Query("a", { isWhole: true }).hitsIn(long).length, 0);
  assert.equal(new Query("b").hitsIn(`${long}b`).length, 1);
  assert.equal(new Query("e").hitsIn(`e${"\u0301".repeat(100_000)}`)[0].to, 100_001);
  assert.equal(new Query("a").hitsIn("a\u200d".repeat(50_000)).length, 50_000);
  assert.equal(new Query("👍").hitsIn("👍\u200d".repeat(50_000)).length, 1, "one cluster");
});

test("whatever the text, hits lie inside it, in order, on whole characters, and are found again by themselves", () => {
  const letters = [..."aAeßﬁ İıкЙё가각かがक大'_-.", "e\u0301", "\u0301", "\u200d", "👍🏽", "\ud83d", "\udc4d", "مُ", "\u0640", "ﷺ"];
  const chance = new Chance(17);
  const text = (most) => Array.from({ length: chance.below(most) }, () => chance.of(letters)).join("");
  for (let round = 0; round < 3_000; round += 1) {
    const [said, query] = [text(30), text(4)];
    const options = { isExact: chance.maybe(), isWhole: chance.maybe() };
    let last = 0;
    for (const { from, to } of new Query(query, options).hitsIn(said)) {
      assert.ok(last <= from && from < to && to <= said.length, JSON.stringify([said, query, options]));
      const isHalf = (at) => /[\ud800-\udbff]/.test(said[at - 1] ?? "") && /[\udc00-\udfff]/.test(said[at] ?? "");
      assert.ok(!isHalf(from) && !isHalf(to), JSON.stringify([said, query, options]));
      const [hit, needle] = [said.slice(from, to), folded(query, options.isExact).text];
      assert.ok(folded(hit, options.isExact).text.startsWith(needle), JSON.stringify([hit, query, options]));
      last = to;
    }
  }
});

test("every part of a text is found in it", () => {
  const chance = new Chance(4);
  const words = ["Straße", "Café", "مُحَمَّد", "大学", "각하", "İstanbul", "e\u0301te\u0301", "👍🏽", "mill"];
  for (let round = 0; round < 500; round += 1) {
    const part = Array.from({ length: 1 + chance.below(3) }, () => chance.of(words)).join(" ");
    const said = `${chance.of(words)} ${part} ${chance.of(words)}`;
    assert.ok(marked(part, said).length >= 1, JSON.stringify([part, said]));
    assert.ok(marked(part, said, { isExact: true, isWhole: true }).length >= 1, JSON.stringify([part, said]));
    assert.ok(marked(part.toUpperCase(), said).length >= 1, JSON.stringify([part, said]));
  }
});
