/** Segments in order: found by key and by place, whatever is put in and taken out. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { byRank, lastBegun, OrderedSegments } from "../../../../review/static/review/store/ordered-segments.js";
import { Chance, segment, uuid } from "../../support.js";

const ranked = (...ranks) => new OrderedSegments(ranks.map((rank, number) => segment(number, rank, { rank })));
const texts = (segments) => [...segments].map(({ text }) => text).join("");

test("rows lie in the order of their ranks, however they came", () => {
  const segments = ranked("m", "b", "z", "c");
  assert.deepEqual([texts(segments), segments.size], ["bcmz", 4]);
  assert.deepEqual([segments.at(0).text, segments.at(3).text, segments.at(4), segments.at(-1)], ["b", "z", undefined, undefined]);
});

test("ranks compare as bytes do, not as people sort", () => {
  assert.equal(texts(ranked("a1", "a", "9", "az", "b")), "9aa1azb");
  assert.ok(byRank({ rank: "z", key: "1" }, { rank: "za", key: "0" }) < 0);
});

test("of one rank the keys decide, the same way on every side", () => {
  const [one, other] = [segment(1, "one", { rank: "m" }), segment(2, "two", { rank: "m" })];
  assert.equal(texts(new OrderedSegments([other, one])), "onetwo");
  assert.deepEqual([byRank(one, other), byRank(other, one), byRank(one, one)], [-1, 1, 0]);
});

test("neighbours are those in the text; at its ends there are none", () => {
  const segments = ranked("b", "m", "z");
  assert.deepEqual([segments.next(uuid(0)).text, segments.previous(uuid(2)).text], ["m", "m"]);
  assert.deepEqual([segments.previous(uuid(0)), segments.next(uuid(2))], [undefined, undefined]);
  assert.equal(segments.indexOf(uuid(9)), -1);
});

test("a row is replaced in its place, and moves where its rank says so", () => {
  const segments = ranked("b", "m", "z");
  segments.put({ ...segments.get(uuid(1)), text: "M" });
  assert.equal(texts(segments), "bMz");
  segments.put({ ...segments.get(uuid(1)), rank: "zz" });
  assert.deepEqual([texts(segments), segments.indexOf(uuid(1)), segments.size], ["bzM", 2, 3]);
});

test("what is gone is gone from the order too, and may be taken away twice", () => {
  const segments = ranked("b", "m", "z");
  segments.remove(uuid(1));
  segments.remove(uuid(1));
  assert.deepEqual([texts(segments), segments.has(uuid(1)), segments.get(uuid(1)), segments.size], ["bz", false, undefined, 2]);
});

test("each change is told with what was there before", () => {
  const told = [];
  const segments = new OrderedSegments([segment(0, "old")], (key, former) => told.push([key, former?.text]));
  segments.put({ ...segments.get(uuid(0)), text: "new" });
  segments.put(segment(1, "more"));
  segments.remove(uuid(0));
  segments.remove(uuid(7));
  assert.deepEqual(told, [[uuid(0), "old"], [uuid(1), undefined], [uuid(0), "new"]]);
});

test("the place of a row that is not there is where it would be", () => {
  const segments = ranked("b", "m", "z");
  assert.deepEqual(["a", "c", "n", "zz"].map((rank) => segments.placeFor({ rank, key: uuid(9) })), [0, 1, 2, 3]);
});

test("whatever is put and taken by chance, the order is that of the ranks", () => {
  const chance = new Chance(11);
  const segments = new OrderedSegments();
  const known = new Map();
  for (let round = 0; round < 2000; round += 1) {
    const number = chance.below(60);
    if (chance.below(3)) {
      const row = segment(number, "", { rank: `${chance.of([..."bcdefg"])}${chance.below(40)}i` });
      segments.put(row);
      known.set(row.key, row);
    } else {
      segments.remove(uuid(number));
      known.delete(uuid(number));
    }
  }
  assert.deepEqual([...segments], [...known.values()].sort(byRank));
  for (const [index, { key }] of [...segments].entries()) assert.equal(segments.indexOf(key), index);
});

test("the segment that is spoken is the last that has begun", () => {
  const segments = new OrderedSegments([0, 1, 2].map((number) => segment(number, ""))); // at 0, 10 and 20 seconds
  assert.deepEqual([0, 9.99, 10, 25, 1e6].map((seconds) => lastBegun(segments, seconds)), [0, 0, 1, 2, 2]);
  const late = new OrderedSegments([segment(3, "")]);
  assert.equal(lastBegun(late, 29.9), -1, "nobody has spoken yet");
  assert.equal(lastBegun(new OrderedSegments(), 5), -1);
});
