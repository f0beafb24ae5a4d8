/** What became of a drop's files: kinds, counts, order, facts. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Words } from "../../../../bulktranscribe/static/bulktranscribe/words.js";
import { captionOf, factsOf, inOrder, kindOf, verdictOf } from "../../../../jobs/static/jobs/uploads/verdicts.js";

const words = new Words({
  "files.one": "{n} file",
  "files.other": "{n} files",
  "verdict-accepted": "accepted",
  "verdict-looking": "being looked at",
  "verdict-duplicate": "same as {name}",
  "verdict-accepted-n": "{n} accepted",
  "verdict-looking-n": "{n} looked at",
  "verdict-duplicate-n": "{n} already here",
  "verdict-refused-n": "{n} rejected",
  "verdict-unreadable-n": "{n} unreadable",
  "verdict-silent-n": "{n} silent",
  mono: "mono",
  stereo: "stereo",
  "channels.other": "{n} channels",
});
const good = { seconds: 75, codec: "opus", channels: 2, problem: "", isSilent: false, text: "" };
const bad = { ...good, problem: "unreadable", text: "cannot be read" };
const silent = { ...good, isSilent: true, text: "nothing to hear" };
const drop = [
  { status: "done", sound: good },
  { status: "done", sound: null },
  { status: "refused", error: "empty" },
  { status: "done", sound: bad },
  { status: "duplicate", duplicateOf: "مقابلة.wav" },
  { status: "done", sound: silent },
  { status: "done", sound: good },
];

test("each file has a verdict", () => {
  assert.deepEqual(drop.map(kindOf), ["accepted", "looking", "refused", "unreadable", "duplicate", "silent", "accepted"]);
  assert.deepEqual(drop.map((one) => verdictOf(one, words)), [
    "accepted",
    "being looked at",
    "empty",
    "cannot be read",
    "same as \u2068مقابلة.wav\u2069",
    "nothing to hear",
    "accepted",
  ]);
});

test("what somebody may want to do something about stands first", () => {
  assert.deepEqual(inOrder(drop).map((one) => drop.indexOf(one)), [2, 3, 5, 4, 1, 0, 6]);
});

test("the caption counts what there is", () => {
  assert.equal(captionOf(drop, words), "7 files: 2 accepted, 1 looked at, 1 already here, 1 silent, 1 unreadable, 1 rejected");
  assert.equal(captionOf(drop.slice(0, 1), words), "1 file: 1 accepted");
});

test("length, codec and channels are told where they are known", () => {
  assert.deepEqual(factsOf({ sound: good }, words), { seconds: 75, made: "opus · stereo" });
  assert.deepEqual(factsOf({ sound: { ...good, channels: 6 } }, words), { seconds: 75, made: "opus · 6 channels" });
  for (const sound of [null, bad, { ...good, codec: "" }]) {
    assert.deepEqual(factsOf({ sound }, words), { seconds: null, made: "" });
  }
});
