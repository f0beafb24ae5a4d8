import assert from "node:assert/strict";
import { test } from "node:test";

import { coloursOf, heightsOf } from "../../../../review/static/review/player/wave-columns.js";

test("a column is as high as the loudest of its levels, and the loudest of all is full", () => {
  assert.deepEqual([...heightsOf([0, 50, 100, 25], 2)], [0.5, 1]);
  assert.deepEqual([...heightsOf([100, 50], 4)], [1, 1, 0.5, 0.5]);
  assert.deepEqual([...heightsOf([0, 0], 2)], [0, 0]);
});

test("every level is in some column, however the numbers divide", () => {
  for (const count of [1, 3, 7, 1000]) {
    const levels = new Uint8Array(8192);
    levels[8191] = 200;
    assert.equal(heightsOf(levels, count).at(-1), 1);
  }
});

test("columns have the colour of who speaks in them, the shortest answer too", () => {
  const segments = [
    { start: 0, end: 5, speaker: "a" },
    { start: 7, end: 7.001, speaker: "b" },
    { start: 9, end: 20, speaker: null },
  ];
  const colours = { a: 1, b: 2 };
  const found = coloursOf(segments, (key) => colours[key] ?? 0, 10, 10);
  assert.deepEqual([...found], [1, 1, 1, 1, 1, 0, 0, 2, 0, 0]);
  assert.deepEqual([...coloursOf(segments, () => 1, 0, 3)], [0, 0, 0]);
});
