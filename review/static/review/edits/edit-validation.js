/** What a person may ask for: the fields of every kind of edit, read strictly. Pure, as review/edits/edit_validation.py. */

import { InvalidEdit } from "./patches.js";
import { rounded } from "./timing.js";
import { lengthOf } from "./tokens.js";

export const REVIEW_STATUSES = ["new", "in_review", "second_look", "done"];
const MAX_TEXT = 200_000; // code points; an offset is no larger either
const MAX_NAME = 200;
const MAX_KEYS = 30_000;
const MAX_DIGIT = 9; // colours and hotkeys
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const SPACE_IN_NAMES = /[\s\u0085\u001c-\u001f]+/u;

const KINDS = {
  SetText: { segment: key, text },
  SetTimes: { segment: key, start: seconds, end: seconds },
  SetSpeaker: { segment: key, speaker: orNull(key), scope: oneOf("one", "run", "everywhere") },
  Split: { segment: key, at: offset, newKey: key },
  SplitThreeWay: { segment: key, from: offset, to: offset, newKeys: twoKeys, speaker: optional(orNull(key)) },
  Merge: { segment: key, with: oneOf("previous", "next") },
  Insert: { after: orNull(key), newKey: key, start: seconds, end: seconds, text, speaker: orNull(key) },
  Delete: { segment: key },
  Highlight: { segment: key, on: flag },
  Check: { segment: key, on: flag },
  DismissFlag: { segment: key, flag: shortText },
  AddSpeaker: { newKey: key, name },
  RenameSpeaker: { speaker: key, name },
  RecolourSpeaker: { speaker: key, colour: digit },
  SetHotkey: { speaker: key, hotkey: orNull(digit) },
  MergeSpeakers: { from: key, into: key },
  SetStatus: { status: oneOf(...REVIEW_STATUSES) },
  SetReviewer: { reviewer: (value, field) => (value === null ? null : name(value, field) || null) },
  Restore: { segments: keysOrAll },
  Undo: {},
  Redo: {},
};

/** Return the edit with `kind` and the fields of its kind; throw InvalidEdit. */
export function validated(edit) {
  const isKnown = Object.hasOwn(KINDS, edit?.kind ?? "");
  if (!isKnown) throw new InvalidEdit("UNKNOWN_KIND", "There is no such kind of edit.");
  const valid = { kind: edit.kind };
  for (const [field, readField] of Object.entries(KINDS[edit.kind])) {
    const value = readField(edit[field], field);
    if (value !== undefined) valid[field] = value;
  }
  return valid;
}

/** Return the keys that an edit names, old and new; null where only the server knows them (Undo, Redo, all). */
export function keysOf(edit) {
  if (edit.kind === "Undo" || edit.kind === "Redo" || edit.segments === "all") return null;
  const names = ["segment", "newKey", "after", "speaker", "from", "into"];
  const keys = [...names.map((field) => edit[field]), ...(edit.newKeys ?? []), ...(edit.segments ?? [])];
  return keys.filter((value) => typeof value === "string");
}

function wrong(field, why) {
  return new InvalidEdit("INVALID_FIELD", `${field} ${why}.`);
}

function check(isRight, field, why) {
  if (!isRight) throw wrong(field, why);
}

function orNull(readField) {
  return (value, field) => (value === null ? null : readField(value, field));
}

function optional(readField) {
  return (value, field) => (value === undefined ? undefined : readField(value, field));
}

function oneOf(...choices) {
  return (value, field) => {
    check(choices.includes(value), field, `must be one of ${choices.join(", ")}`);
    return value;
  };
}

function key(value, field) {
  const written = typeof value === "string" ? value.toLowerCase() : "";
  check(UUID.test(written), field, "must be a UUID");
  return written;
}

function twoKeys(value, field) {
  check(Array.isArray(value) && value.length === 2, field, "must be two UUIDs");
  return value.map((each) => key(each, field));
}

function keysOrAll(value, field) {
  if (value === "all") return value;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MAX_KEYS;
  check(isList, field, 'must be a list of UUIDs or "all"');
  return [...new Set(value.map((each) => key(each, field)))];
}

function limitedText(value, field, limit) {
  check(typeof value === "string", field, "must be text");
  check(value.length <= limit || lengthOf(value) <= limit, field, `must have at most ${limit} characters`);
  check(!value.includes("\0") && isWellFormed(value), field, "must be Unicode text without NUL");
  return value;
}

/** Half of a surrogate pair is no character, and no database takes it. */
function isWellFormed(value) {
  return !/\p{Cs}/u.test(value);
}

/** What can be stored of a text that was typed or pasted. */
export function storable(text) {
  return text.replaceAll("\0", "").replaceAll(/\p{Cs}/gu, "");
}

function text(value, field) {
  return limitedText(value, field, MAX_TEXT);
}

function shortText(value, field) {
  return limitedText(value, field, MAX_NAME);
}

function name(value, field) {
  return limitedText(value, field, MAX_NAME).split(SPACE_IN_NAMES).filter(Boolean).join(" ");
}

function seconds(value, field) {
  check(Number.isFinite(value) && Math.abs(value) < 1e9, field, "must be a number of seconds");
  return rounded(value);
}

function offset(value, field) {
  check(Number.isInteger(value) && value >= 0 && value <= MAX_TEXT, field, "must be an offset into the text");
  return value;
}

function flag(value, field) {
  check(typeof value === "boolean", field, "must be true or false");
  return value;
}

function digit(value, field) {
  check(Number.isInteger(value) && value >= 1 && value <= MAX_DIGIT, field, `must be a number from 1 to ${MAX_DIGIT}`);
  return value;
}
