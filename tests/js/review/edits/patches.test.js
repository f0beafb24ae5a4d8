/** Patches: what an edit changes, turned round and laid over a state. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  applyPatch, changeBetween, changed, deleted, differenceOf, doubtfulChange, inverse, isDoubtful, isSame, made,
} from "../../../../review/static/review/edits/patches.js";
import { plain, segment, speaker, stateOf, transcript, uuid } from "../../support.js";

const FLAG = { kind: "low_confidence", score: 0.4 };

test("a change holds what is other, and nothing where all is as before", () => {
  const row = segment(0, "So");
  assert.deepEqual(changed(row, { text: "No", checked: false }), { key: uuid(0), before: { text: "So" }, after: { text: "No" } });
  assert.equal(changed(row, { text: "So", words: structuredClone(row.words), flags: [] }), null);
  assert.equal(changed(row, {}), null);
});

test("what is made has no version, which is the server's; what is deleted keeps all", () => {
  const row = segment(0, "So", { version: 7 });
  assert.equal("version" in made(row).after, false);
  assert.equal(deleted(row).before, row);
});

test("between any two rows there is a change, and it leads from the one to the other", () => {
  const [was, is] = [segment(0, "So"), segment(0, "No", { version: 9, highlighted: true })];
  assert.deepEqual(changeBetween(was, is).after, { text: "No", words: is.words, highlighted: true, machineText: "No" });
  assert.deepEqual([changeBetween(was, null).after, changeBetween(null, is).before], [null, null]);
  assert.deepEqual([changeBetween(null, null), changeBetween(undefined, undefined)], [null, null]);
  assert.equal(changeBetween(was, { ...was, version: 9 }), null, "a version is no difference");
});

test("values are the same as JSON has them", () => {
  const same = [[1, 1], [NaN, NaN], ["a", "a"], [null, null], [[1, [2]], [1, [2]]], [{ a: 1, b: 2 }, { b: 2, a: 1 }], [undefined, undefined]];
  const other = [[1, "1"], [null, undefined], [null, {}], [[1], [1, 2]], [{ a: 1 }, { b: 1 }], [{ a: 1 }, { a: 1, b: undefined }], [0, false], ["", null]];
  for (const [one, two] of same) assert.ok(isSame(one, two), JSON.stringify([one, two]));
  for (const [one, two] of other) assert.ok(!isSame(one, two) && !isSame(two, one), JSON.stringify([one, two]));
});

test("a difference of fields names both sides", () => {
  assert.deepEqual(differenceOf({ a: 1, b: [2] }, { a: 1, b: [3], c: null }), { before: { b: [2], c: undefined }, after: { b: [3], c: null } });
  assert.equal(differenceOf({ a: 1 }, { a: 1 }), null);
});

test("the inverse of an inverse is the patch, changes in their order", () => {
  const patch = {
    segments: [changed(segment(0, "So"), { text: "No" }), deleted(segment(1, "the"))],
    speakers: [changed(speaker(0), { name: "Ida" })],
    transcript: { before: { reviewStatus: "new" }, after: { reviewStatus: "done" } },
  };
  const back = inverse(patch);
  assert.deepEqual(back.segments.map(({ key }) => key), [uuid(1), uuid(0)]);
  assert.deepEqual(inverse(back), patch);
  assert.equal(inverse({ segments: [], speakers: [], transcript: null }).transcript, null);
});

test("a patch makes, changes and deletes; rows are replaced, never written into", () => {
  const state = stateOf(transcript(["So", "the"]));
  const former = state.segments.get(uuid(0));
  applyPatch(state, {
    segments: [changed(former, { text: "No" }), deleted(state.segments.get(uuid(1))), made(segment(5, "mill"))],
    speakers: [changed(state.speakers.get(uuid(100)), { name: "Ida" }), { key: uuid(101), before: {}, after: null }],
    transcript: { before: {}, after: { reviewStatus: "done" } },
  });
  assert.deepEqual([...state.segments].map(({ text }) => text), ["No", "mill"]);
  assert.deepEqual([[...state.speakers.keys()], state.speakers.get(uuid(100)).name], [[uuid(100)], "Ida"]);
  assert.deepEqual([state.transcript.reviewStatus, state.transcript.reviewer], ["done", "Ida"]);
  assert.equal(former.text, "So");
});

test("a patch and its inverse leave the state as it was", () => {
  const state = stateOf(transcript(["So", "the"]));
  const start = plain(state);
  const patch = { segments: [deleted(state.segments.get(uuid(0))), made(segment(5, "mill"))], speakers: [], transcript: null };
  applyPatch(state, patch);
  applyPatch(state, inverse(patch));
  assert.deepEqual(plain(state), start);
});

test("a place is doubtful while a flag is open and nobody has checked it", () => {
  assert.equal(isDoubtful(segment(0, "So")), false);
  assert.equal(isDoubtful(segment(0, "So", { flags: [FLAG] })), true);
  assert.equal(isDoubtful(segment(0, "So", { flags: [{ ...FLAG, dismissed: true }] })), false);
  assert.equal(isDoubtful(segment(0, "So", { flags: [{ ...FLAG, dismissed: true }, FLAG] })), true);
  assert.equal(isDoubtful(segment(0, "So", { flags: [FLAG], checked: true })), false);
});

test("by how much a patch changes the number of doubtful places", () => {
  const flagged = segment(0, "So", { flags: [FLAG] });
  const { segments } = stateOf({ ...transcript([]), segments: [flagged, segment(1, "the")] });
  const change = (...changes) => doubtfulChange(segments, changes);
  assert.equal(change(changed(flagged, { checked: true })), -1);
  assert.equal(change(deleted(flagged)), -1);
  assert.equal(change(made(segment(5, "mill", { flags: [FLAG] }))), 1);
  assert.equal(change(changed(segments.get(uuid(1)), { flags: [FLAG] }), deleted(flagged)), 0);
  assert.equal(change(changed(flagged, { text: "No" })), 0);
  assert.equal(change(), 0);
});
