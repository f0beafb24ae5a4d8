/** How files, jobs and sessions stand, in words. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { served } from "../served.js";

globalThis.document = { documentElement: { lang: "en-US" } };
const { detailOf, outlookOf, priceOf, summaryOf, totalsOf } = await served("jobs/status-text.js");
const { Words } = await served("bulktranscribe/words.js");

const words = new Words({
  "ahead.one": "{n} ahead",
  "ahead.other": "{n} ahead",
  next: "next",
  left: "{time} left",
  seconds: "{s} s",
  minutes: "{m} min",
  hours: "{h} h {m} min",
  position: "{at} of {length}",
  percent: "{percent} %",
  speed: "{speed}x",
  worker: "on {name}",
  try: "attempt {n}",
  "try-of": "attempt {n} of {of}",
  silent: "silent from {since} to {until}",
  unreached: "no answer",
  "files.one": "{n} file",
  "files.other": "{n} files",
  summary: "{complete} of {files}, {failed} failed",
  audio: "{length} of audio",
  complete: "{n} complete",
  running: "{n} running",
  waiting: "{n} waiting",
  failed: "{n} failed",
  canceled: "{n} canceled",
});
const queued = { status: "queued", filesAhead: 0, etaSeconds: null, attempt: 0, attempts: 3, worker: "" };
const running = {
  ...{ status: "running", stage: "transcribe", percent: 0, audioSeconds: 0, audioDuration: 600, speed: null, etaSeconds: null },
  ...{ attempt: 1, attempts: 3, worker: "box-2", unreachableSince: null, givenUpAt: null, remote: null },
};
const said = (input, more = {}) => detailOf({ ...input, ...more }, words);

test("a file that has ended has nothing more to say", () => {
  for (const status of ["complete", "failed", "canceled"]) assert.equal(said(running, { status }), "");
});

test("a file in the queue says how many are ahead, and how long it will take where that is known", () => {
  assert.equal(said(queued), "next");
  assert.equal(said(queued, { filesAhead: 1, etaSeconds: 90 }), "1 ahead · 2 min left");
  assert.equal(said(queued, { filesAhead: 1200 }), "1,200 ahead");
  for (const filesAhead of [null, undefined]) assert.equal(said(queued, { filesAhead, etaSeconds: 90 }), "", "its place is not known");
});

test("a second attempt is told, with how many there may be", () => {
  assert.equal(said(queued, { attempt: 2 }), "next · attempt 2 of 3");
  assert.equal(said(queued, { attempt: 2, attempts: 1 }), "next · attempt 2");
  assert.equal(said(queued, { attempt: 4, attempts: 3 }), "next · attempt 4", "somebody asked for one more");
  assert.equal(said(running), "on box-2");
});

test("a running file says where it is, or how much of it is done", () => {
  assert.equal(said(running, { audioSeconds: 75, speed: 3.26, etaSeconds: 161 }), "1:15 of 10:00 · 3.3x · 3 min left · on box-2");
  assert.equal(said(running, { percent: 12.9 }), "12 % · on box-2");
  assert.equal(said(running, { percent: 12.9, stage: "queued" }), "on box-2", "the worker has not begun");
  assert.equal(said(running, { percent: 0.9 }), "on box-2");
  assert.equal(said(running, { audioSeconds: 75, audioDuration: null, percent: 40 }), "40 % · on box-2");
  assert.equal(said(running, { speed: 27.6 }), "28x · on box-2");
});

test("a worker is named as soon as it has the file, not before", () => {
  assert.equal(said({ ...running, status: "dispatching" }), "on box-2");
  assert.equal(said(queued, { worker: "box-2" }), "next");
});

test("a worker that does not answer is told with both times, or with the last trouble", () => {
  const silence = { unreachableSince: "2026-11-24T14:02:00+00:00", givenUpAt: "2026-11-24T14:03:30+00:00" };
  assert.match(said(running, silence), /^on box-2 · silent from \S+:02:00\s.M to \S+:03:30\s.M$/);
  const remote = { lastError: { code: "X", message: "" } };
  assert.equal(said(running, { remote }), "on box-2 · no answer");
  assert.equal(said(running, { unreachableSince: silence.unreachableSince, remote }), "on box-2 · no answer", "no end is known");
  assert.equal(said(queued, { remote }), "next", "nobody waits for an answer");
});

test("the summary for screen readers is empty where there are no files", () => {
  assert.equal(summaryOf({ files: 0, complete: 0, failed: 0 }, words), "");
  assert.equal(summaryOf({ files: 3, complete: 1, failed: 1 }, words), "1 of 3 files, 1 failed");
});

test("the totals name what there is, and hide the rest", () => {
  const totals = { files: 2, seconds: 4320, cost: 1.9, etaSeconds: 40, complete: 1, running: 0, waiting: 1, failed: 0, canceled: 0 };
  assert.deepEqual(totalsOf(totals, "USD", words), {
    ...{ files: "2 files", seconds: "1 h 12 min of audio", cost: "≈ $1.90", eta: "40 s left" },
    ...{ complete: "1 complete", running: "", waiting: "1 waiting", failed: "", canceled: "" },
  });
  const nothing = totalsOf({ files: 1, seconds: 0, cost: 0, etaSeconds: null }, "USD", words);
  assert.deepEqual(Object.values(nothing).filter(Boolean), ["1 file"]);
});

test("a job says how many files it has, how long still and at what price", () => {
  assert.equal(outlookOf({ files: 1, etaSeconds: null, cost: null }, "EUR", words), "1 file");
  assert.equal(outlookOf({ files: 5, etaSeconds: 7200, cost: 0.126 }, "EUR", words), "5 files · 2 h 0 min left · ≈ €0.13");
});

test("a price in a currency that nobody knows is written all the same", () => {
  assert.equal(priceOf(1.5, "EUR"), "≈ €1.50");
  assert.equal(priceOf(1.5, "cowries"), "≈ 1.50 cowries");
});
