import assert from "node:assert/strict";
import { test } from "node:test";

import { Words } from "../../../../bulktranscribe/static/bulktranscribe/words.js";
import { endedSince, lastEnd, outcomeOf, titleOf } from "../../../../jobs/static/jobs/jobs/notifications.js";

const words = new Words({
  percent: "{percent} %",
  summary: "{complete} of {files} transcribed, {failed} failed",
  "files.other": "{n} files",
  "all-transcribed.one": "{n} file transcribed",
  "all-transcribed.other": "All {n} files transcribed",
});

function end(id, status, endedAt) {
  return { id, status, endedAt };
}

const ids = (jobs) => jobs.map(({ id }) => id);

test("a job is news when it ends, and again when it ends again", () => {
  const before = { ends: [end("z", "complete", "11:00")] };
  const ended = { ends: [end("a", "failed", "12:00"), ...before.ends] };
  const again = { ends: [end("a", "complete", "12:05"), ...before.ends] };
  assert.deepEqual(ids(endedSince(lastEnd(before), ended)), ["a"]);
  assert.deepEqual(endedSince(lastEnd(ended), ended), []);
  assert.deepEqual(ids(endedSince(lastEnd(ended), again)), ["a"], "between two looks");
});

test("the first job that ends is news, a canceled one is not, nor an older one that comes into sight", () => {
  const after = { ends: [end("b", "complete", "12:00"), end("c", "canceled", "12:00")] };
  assert.deepEqual(ids(endedSince(lastEnd({ ends: [] }), after)), ["b"]);
  const older = { ends: [...after.ends, end("y", "complete", "09:00")] };
  assert.deepEqual(endedSince(lastEnd(after), older), []);
});

test("the outcome is said in one sentence", () => {
  assert.equal(outcomeOf({ files: 1, complete: 1, failed: 0 }, words), "1 file transcribed");
  assert.equal(outcomeOf({ files: 2, complete: 2, failed: 0 }, words), "All 2 files transcribed");
  assert.equal(outcomeOf({ files: 2, complete: 1, failed: 1 }, words), "1 of 2 files transcribed, 1 failed");
});

test("the title says how far what runs is, where something runs", () => {
  assert.equal(titleOf(62.9, "Valley", words), "62 % · Valley");
  assert.equal(titleOf(0, "Valley", words), "0 % · Valley");
  assert.equal(titleOf(null, "Valley", words), "Valley");
});
