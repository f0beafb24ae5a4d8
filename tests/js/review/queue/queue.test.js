import assert from "node:assert/strict";
import { test } from "node:test";

import { secondsLeft, totalsOf, withPresent } from "../../../../review/static/review/queue/queue-totals.js";

const file = (id, more = {}) => ({ id, reviewStatus: "new", doubtful: 2, secondsLeft: 60, isOlder: false, ...more });

test("totals are of the work that is left", () => {
  const files = [
    file("a"),
    file("b", { reviewStatus: "done", doubtful: 9, secondsLeft: 0 }),
    file("c", { isOlder: true, reviewStatus: "in_review" }),
  ];
  const { statuses, ...totals } = totalsOf(files);
  assert.deepEqual(totals, { files: 2, done: 1, doubtful: 2, seconds: 60 });
  assert.deepEqual([...statuses], [["new", 1], ["done", 1], ["in_review", 1]]);
});

test("the present file is as its page knows it; the others are as they were", () => {
  const files = [file("a"), file("b")];
  const own = { reviewStatus: "in_review", doubtful: 1, secondsLeft: 30, reviewer: "anna" };
  const [one, other] = withPresent(files, "b", own);
  assert.equal(one, files[0]);
  assert.deepEqual(other, { ...files[1], ...own });
  assert.equal(withPresent(files, "b", { ...own, reviewStatus: "done" })[1].secondsLeft, 0);
});

test("what nobody has checked is left", () => {
  const segments = [{ start: 0, end: 1.1, checked: false }, { start: 2, end: 9, checked: true }, { start: 9, end: 9.2, checked: false }];
  assert.equal(secondsLeft(segments), 1.3);
  assert.equal(secondsLeft([]), 0);
});
