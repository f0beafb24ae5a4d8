/** Which tokens of two texts are the same. That they are Python's is in test_js.py; here is what they must be. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { matchingBlocks } from "../../../../review/static/review/edits/matching-blocks.js";
import { Chance } from "../../support.js";

const blocks = (old, fresh) => matchingBlocks([...old], [...fresh]).map((block) => [block.old, block.fresh, block.size]);

test("equal texts are one block, texts with nothing in common have none", () => {
  assert.deepEqual(blocks("abc", "abc"), [[0, 0, 3]]);
  assert.deepEqual([blocks("abc", "xyz"), blocks("", "abc"), blocks("abc", ""), blocks("", "")], [[], [], [], []]);
});

test("what both begin and end with is kept", () => {
  assert.deepEqual(blocks("abXcd", "abYYcd"), [[0, 0, 2], [3, 4, 2]]);
  assert.deepEqual(blocks("aa", "aaa"), [[0, 0, 2]], "the head comes first");
});

test("in the middle the longest blocks are kept, of equal ones the earliest", () => {
  assert.deepEqual(blocks("1abcd2", "3abcd4"), [[1, 1, 4]]);
  assert.deepEqual(blocks("1ab2ab3", "4ab5"), [[1, 1, 2]]);
  assert.deepEqual(blocks("xab", "aby"), [[1, 0, 2]]);
});

test("neighbours are told as one block", () => {
  assert.deepEqual(blocks("abcdef", "abcdef1"), [[0, 0, 6]]);
});

test("a long middle of equal tokens counts as new instead of taking seconds", () => {
  const [old, fresh] = [["start", ...Array(300).fill("la"), "x", "end"], ["start", ...Array(300).fill("la"), "y", "la", "end"]];
  const found = matchingBlocks(old, fresh);
  assert.deepEqual(found[0], { old: 0, fresh: 0, size: 301 });
  const [bad, worse] = [["a", ...Array(300).fill("la"), "b"], ["c", ...Array(300).fill("la"), "d"]];
  assert.deepEqual(matchingBlocks(bad, worse), []);
});

test("blocks ascend on both sides, and what is in them is equal", () => {
  const chance = new Chance(7);
  const text = () => Array.from({ length: chance.below(40) }, () => chance.of([..."abcd"]));
  for (let round = 0; round < 500; round += 1) {
    const [old, fresh] = [text(), text()];
    let [i, j] = [0, 0];
    for (const block of matchingBlocks(old, fresh)) {
      assert.ok(block.old >= i && block.fresh >= j && block.size > 0);
      [i, j] = [block.old + block.size, block.fresh + block.size];
      assert.deepEqual(old.slice(block.old, i), fresh.slice(block.fresh, j));
    }
    assert.ok(i <= old.length && j <= fresh.length);
  }
});
