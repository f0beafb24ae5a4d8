/** Edits of speakers: names, colours, digits, and two who are one. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyAll } from "../../../../review/static/review/edits/edits.js";
import { speaker, stateOf, transcript, uuid } from "../../support.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody."];

function workspace(speakers = [speaker(0), speaker(1)]) {
  const state = stateOf(transcript(TEXTS, { speakers }));
  const act = (...edits) => applyAll(state, edits);
  return { state, act, hotkeys: () => [...state.speakers.values()].map(({ hotkey }) => hotkey) };
}

const add = (number, name = "Jonas") => ({ kind: "AddSpeaker", newKey: uuid(number), name });

test("a new speaker has the next colour and the smallest digit that is free", () => {
  const { state, act } = workspace([speaker(0, { hotkey: 1 }), speaker(1, { hotkey: 3 })]);
  act(add(9));
  const { name, colour, hotkey, label, removed } = state.speakers.get(uuid(9));
  assert.deepEqual([name, colour, hotkey, label, removed], ["Jonas", 3, 2, "", false]);
});

test("the tenth speaker has the first colour again, and no digit", () => {
  const { state, act } = workspace(Array.from({ length: 9 }, (_, number) => speaker(number)));
  act(add(9));
  assert.deepEqual([state.speakers.get(uuid(9)).colour, state.speakers.get(uuid(9)).hotkey], [1, null]);
});

test("a key is given once, and a speaker without a label needs a name", () => {
  const { act } = workspace();
  assert.throws(() => act(add(100)), { code: "KEY_TAKEN" });
  assert.throws(() => act(add(9, "  ")), { code: "INVALID_NAME" });
  act(add(9));
  assert.throws(() => act({ kind: "RenameSpeaker", speaker: uuid(9), name: "" }), { code: "INVALID_NAME" });
});

test("a name that is taken away leaves the label", () => {
  const { state, act } = workspace([speaker(0, { name: "Ida" })]);
  act({ kind: "RenameSpeaker", speaker: uuid(100), name: " " });
  assert.equal(state.speakers.get(uuid(100)).name, "");
  assert.equal(state.speakers.get(uuid(100)).label, "SPEAKER_00");
});

test("two speakers may have one name: they are told apart by their keys", () => {
  const { state, act } = workspace();
  act({ kind: "RenameSpeaker", speaker: uuid(100), name: "Ida" }, { kind: "RenameSpeaker", speaker: uuid(101), name: "Ida" });
  assert.deepEqual([...state.speakers.values()].map(({ name }) => name), ["Ida", "Ida"]);
});

test("a digit goes over to whoever gets it, and may go to nobody", () => {
  const { act, hotkeys } = workspace();
  act({ kind: "SetHotkey", speaker: uuid(101), hotkey: 1 });
  assert.deepEqual(hotkeys(), [null, 1]);
  act({ kind: "SetHotkey", speaker: uuid(101), hotkey: 1 });
  assert.deepEqual(hotkeys(), [null, 1]);
  act({ kind: "SetHotkey", speaker: uuid(101), hotkey: null });
  assert.deepEqual(hotkeys(), [null, null]);
  act({ kind: "SetHotkey", speaker: uuid(100), hotkey: null });
  assert.deepEqual(hotkeys(), [null, null], "nobody's digit is taken from nobody");
});

test("of merged speakers all segments go to the one, and the other's digit is free", () => {
  const { state, act } = workspace();
  act({ kind: "MergeSpeakers", from: uuid(101), into: uuid(100) });
  assert.deepEqual([...state.segments].map((row) => row.speaker), Array(3).fill(uuid(100)));
  assert.deepEqual([state.speakers.get(uuid(101)).removed, state.speakers.get(uuid(101)).hotkey], [true, null]);
  act(add(9));
  assert.equal(state.speakers.get(uuid(9)).hotkey, 2);
});

test("nobody is merged with themselves, nor with somebody who is gone", () => {
  const { act } = workspace();
  assert.throws(() => act({ kind: "MergeSpeakers", from: uuid(100), into: uuid(100) }), { code: "SAME_SPEAKER" });
  act({ kind: "MergeSpeakers", from: uuid(101), into: uuid(100) });
  for (const [from, into] of [[uuid(101), uuid(100)], [uuid(100), uuid(101)], [uuid(100), uuid(77)]]) {
    assert.throws(() => act({ kind: "MergeSpeakers", from, into }), { code: "UNKNOWN_SPEAKER" });
  }
});

test("who was merged away can be neither named nor coloured nor given a digit", () => {
  const { act } = workspace();
  act({ kind: "MergeSpeakers", from: uuid(101), into: uuid(100) });
  for (const edit of [{ kind: "RenameSpeaker", name: "Ida" }, { kind: "RecolourSpeaker", colour: 3 }, { kind: "SetHotkey", hotkey: 3 }]) {
    assert.throws(() => act({ ...edit, speaker: uuid(101) }), { code: "UNKNOWN_SPEAKER" }, edit.kind);
  }
});
