/** The history as a person reads it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { batchesOf } from "../../../../review/static/review/details/edit-batches.js";

const edit = (seq, version, kind, segments, more = {}) => ({ seq, version, kind, segments, who: "Ida", what: kind, at: "2026-11-24", undone: false, ...more });

test("edits of one kind in one batch are one, with each segment named once", () => {
  const batches = batchesOf([edit(9, 4, "DismissFlag", ["a"]), edit(8, 4, "DismissFlag", ["a", "b"]), edit(7, 3, "DismissFlag", ["c"])]);
  assert.deepEqual(batches.map(({ key, keys }) => [key, keys]), [[9, ["a", "b"]], [7, ["c"]]]);
});

test("edits of other kinds stay apart, also in one batch", () => {
  const batches = batchesOf([edit(9, 4, "Insert", ["a"]), edit(8, 4, "SetText", ["a"]), edit(7, 4, "Insert", ["b"])]);
  assert.deepEqual(batches.map(({ kind, keys }) => [kind, keys]), [["Insert", ["a"]], ["SetText", ["a"]], ["Insert", ["b"]]]);
});

test("a batch says who did what and when, and whether it was undone", () => {
  const [batch] = batchesOf([edit(9, 4, "SetStatus", [], { undone: true })]);
  assert.deepEqual(batch, { key: 9, version: 4, kind: "SetStatus", who: "Ida", what: "SetStatus", at: "2026-11-24", undone: true, keys: [] });
  assert.deepEqual(batchesOf([]), []);
});
