/** When the pages ask again. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { served } from "../served.js";

const { isActive, isActiveInput, nextPause } = await served("jobs/polling.js");

test("a session is active while anything runs or waits", () => {
  const totals = { running: 0, waiting: 0, complete: 9, failed: 1 };
  assert.equal(isActive({ totals }), false);
  assert.equal(isActive({ totals: { ...totals, running: 1 } }), true);
  assert.equal(isActive({ totals: { ...totals, waiting: 1 } }), true);
});

test("a file is active until it has ended", () => {
  const statuses = ["queued", "dispatching", "running", "complete", "failed", "canceled"];
  assert.deepEqual(statuses.filter((status) => isActiveInput({ status })), ["queued", "dispatching", "running"]);
});

test("who looks at something that runs is told often, everybody else seldom", () => {
  const seen = { active: true, hidden: false, failures: 0 };
  assert.equal(nextPause(seen), 2000);
  assert.equal(nextPause({ ...seen, hidden: true }), 10_000);
  assert.equal(nextPause({ ...seen, active: false }), 10_000);
});

test("after failures it waits twice as long each time, but never longer than when nothing happens", () => {
  const pauses = [1, 2, 3, 4, 50].map((failures) => nextPause({ active: true, hidden: false, failures }));
  assert.deepEqual(pauses, [2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(nextPause({ active: false, hidden: true, failures: 1 }), 2000, "what failed once is tried soon");
});
