/** Edits as they come: what is let in, in which form, and with which words the rest is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { keysOf, REVIEW_STATUSES, storable, validated } from "../../../../review/static/review/edits/edit-validation.js";
import { uuid } from "../../support.js";

const refused = (edit, message) => assert.throws(() => validated(edit), { code: "INVALID_FIELD", message }, JSON.stringify(edit));
const UPPER = "ABCDEF00-0000-4000-8000-0000000000FF";

test("a valid edit comes out with the fields of its kind and nothing else", () => {
  const edit = { id: "1", kind: "SetText", segment: uuid(1), text: "So", madeUp: true };
  assert.deepEqual(validated(edit), { kind: "SetText", segment: uuid(1), text: "So" });
  assert.deepEqual(validated({ kind: "Undo", segment: uuid(1) }), { kind: "Undo" });
});

test("no kind, an unknown one and one that every object has are refused", () => {
  for (const edit of [null, undefined, {}, { kind: "Explode" }, { kind: "toString" }, { kind: "__proto__" }]) {
    assert.throws(() => validated(edit), { code: "UNKNOWN_KIND" });
  }
});

test("keys are UUIDs, written small", () => {
  assert.equal(validated({ kind: "Delete", segment: UPPER }).segment, UPPER.toLowerCase());
  for (const segment of [undefined, null, 5, "", "7", `${uuid(1)}0`, ` ${uuid(1)}`, uuid(1).replaceAll("-", "")]) {
    refused({ kind: "Delete", segment }, "segment must be a UUID.");
  }
});

test("where a key may be missing it is null, not left out", () => {
  const insert = { kind: "Insert", after: null, newKey: uuid(9), start: 0, end: 1, text: "", speaker: null };
  assert.equal(validated(insert).after, null);
  const { after: _after, ...without } = insert;
  refused(without, "after must be a UUID.");
});

test("a speaker that is left out of a split stays, null is nobody", () => {
  const split = { kind: "SplitThreeWay", segment: uuid(0), from: 1, to: 2, newKeys: [uuid(8), UPPER] };
  assert.deepEqual(validated(split), { ...split, newKeys: [uuid(8), UPPER.toLowerCase()] });
  assert.equal(validated({ ...split, speaker: null }).speaker, null);
  for (const newKeys of [null, [], [uuid(8)], [uuid(7), uuid(8), uuid(9)]]) refused({ ...split, newKeys }, "newKeys must be two UUIDs.");
});

test("text may be empty, in any script and direction, but no half of a character and no NUL", () => {
  const setText = (text) => validated({ kind: "SetText", segment: uuid(0), text }).text;
  for (const text of ["", " ", "\n", "\u202bمرحبا\u202c", "שלום", "👩‍👩‍👧", "e\u0301", "\ud83d\ude00"]) assert.equal(setText(text), text);
  for (const text of ["\ud83d", "\ude00\ud83d", "a\0b"]) refused({ kind: "SetText", segment: uuid(0), text }, "text must be Unicode text without NUL.");
  for (const text of [null, 5, ["So"], undefined]) refused({ kind: "SetText", segment: uuid(0), text }, "text must be text.");
});

test("lengths are counted in code points", () => {
  const setText = (text) => validated({ kind: "SetText", segment: uuid(0), text });
  assert.equal(setText("😀".repeat(200_000)).text.length, 400_000);
  assert.throws(() => setText("😀".repeat(200_001)), { message: "text must have at most 200000 characters." });
  assert.throws(() => setText("a".repeat(200_001)), { code: "INVALID_FIELD" });
});

test("times are finite numbers, rounded to thousandths", () => {
  const setTimes = (start, end = 5) => validated({ kind: "SetTimes", segment: uuid(0), start, end });
  assert.deepEqual([setTimes(1.23456).start, setTimes(-0.0004).start, setTimes(0).start], [1.235, 0, 0]);
  for (const start of ["1", null, NaN, Infinity, 1e9, -1e9, undefined]) {
    refused({ kind: "SetTimes", segment: uuid(0), start, end: 5 }, "start must be a number of seconds.");
  }
});

test("offsets are whole numbers from 0", () => {
  const split = (at) => ({ kind: "Split", segment: uuid(0), at, newKey: uuid(9) });
  assert.equal(validated(split(0)).at, 0);
  for (const at of [-1, 1.5, "3", null, 200_001]) refused(split(at), "at must be an offset into the text.");
});

test("yes and no are true and false, nothing that looks like it", () => {
  for (const kind of ["Highlight", "Check"]) {
    assert.equal(validated({ kind, segment: uuid(0), on: false }).on, false);
    for (const on of [0, 1, "yes", null, undefined]) refused({ kind, segment: uuid(0), on }, "on must be true or false.");
  }
});

test("colours and digits are from 1 to 9, and a digit may be given back", () => {
  assert.equal(validated({ kind: "RecolourSpeaker", speaker: uuid(1), colour: 9 }).colour, 9);
  assert.equal(validated({ kind: "SetHotkey", speaker: uuid(1), hotkey: null }).hotkey, null);
  for (const colour of [0, 10, 1.5, "1", null]) refused({ kind: "RecolourSpeaker", speaker: uuid(1), colour }, "colour must be a number from 1 to 9.");
  refused({ kind: "SetHotkey", speaker: uuid(1), hotkey: 0 }, "hotkey must be a number from 1 to 9.");
});

test("names lose outer and double spaces, of every kind", () => {
  const name = (written) => validated({ kind: "RenameSpeaker", speaker: uuid(1), name: written }).name;
  const cases = [["  Ida  Bell ", "Ida Bell"], ["Ida\n\tBell", "Ida Bell"], ["\u3000伊田\u00a0", "伊田"], ["\u0085Ida\u001c", "Ida"], ["   ", ""]];
  for (const [written, expected] of cases) assert.equal(name(written), expected, JSON.stringify(written));
  assert.throws(() => name("x".repeat(201)), { code: "INVALID_FIELD" });
});

test("a reviewer without a name is nobody", () => {
  const reviewer = (value) => validated({ kind: "SetReviewer", reviewer: value }).reviewer;
  assert.deepEqual([null, "", "  ", " Ida "].map(reviewer), [null, null, null, "Ida"]);
  refused({ kind: "SetReviewer", reviewer: 5 }, "reviewer must be text.");
});

test("what has a few choices names them", () => {
  for (const status of REVIEW_STATUSES) assert.equal(validated({ kind: "SetStatus", status }).status, status);
  refused({ kind: "SetStatus", status: "finished" }, "status must be one of new, in_review, second_look, done.");
  refused({ kind: "Merge", segment: uuid(0), with: "both" }, "with must be one of previous, next.");
  refused({ kind: "SetSpeaker", segment: uuid(0), speaker: null, scope: "two" }, "scope must be one of one, run, everywhere.");
});

test("what is taken back is all, or a list without doubles", () => {
  assert.equal(validated({ kind: "Restore", segments: "all" }).segments, "all");
  assert.deepEqual(validated({ kind: "Restore", segments: [uuid(1), uuid(2), uuid(1)] }).segments, [uuid(1), uuid(2)]);
  for (const segments of [[], "some", null, { 0: uuid(1) }]) refused({ kind: "Restore", segments }, 'segments must be a list of UUIDs or "all".');
  refused({ kind: "Restore", segments: [uuid(1), "7"] }, "segments must be a UUID.");
});

test("an edit names its keys; which an undo is about only the server knows", () => {
  assert.deepEqual(keysOf({ kind: "Split", segment: uuid(0), at: 3, newKey: uuid(9) }), [uuid(0), uuid(9)]);
  assert.deepEqual(keysOf({ kind: "SplitThreeWay", segment: uuid(0), from: 1, to: 4, newKeys: [uuid(8), uuid(9)] }), [uuid(0), uuid(8), uuid(9)]);
  assert.deepEqual(keysOf({ kind: "MergeSpeakers", from: uuid(100), into: uuid(101) }), [uuid(100), uuid(101)]);
  assert.deepEqual(keysOf({ kind: "Restore", segments: [uuid(1)] }), [uuid(1)]);
  assert.deepEqual(keysOf({ kind: "SetStatus", status: "done" }), []);
  for (const edit of [{ kind: "Undo" }, { kind: "Redo" }, { kind: "Restore", segments: "all" }]) assert.equal(keysOf(edit), null);
});

test("what is typed or pasted becomes what can be stored", () => {
  const cases = [["a\0b", "ab"], ["half \ud83d of", "half  of"], ["\ude00x", "x"], ["😀", "😀"], ["", ""], ["שלום", "שלום"]];
  for (const [typed, stored] of cases) assert.equal(storable(typed), stored, JSON.stringify(typed));
});
