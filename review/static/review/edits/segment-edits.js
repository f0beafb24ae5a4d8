/** Edits of segments. Pure: each function takes the state and what is asked, and returns the changes of rows. */

import { around, halves, union } from "./split-merge.js";
import { changed, deleted, InvalidEdit, made } from "./patches.js";
import { between } from "./fractional-index.js";
import { speakerOf } from "./speaker-edits.js";
import { align, fit } from "./timing.js";

export const KINDS = {
  SetText: setText,
  SetTimes: setTimes,
  SetSpeaker: setSpeaker,
  Split: split,
  SplitThreeWay: splitThreeWay,
  Merge: merge,
  Insert: insert,
  Delete: (state, { segment }) => ({ segments: [deleted(segmentOf(state, segment))] }),
  Highlight: (state, { segment, on }) => set(state, segment, { highlighted: on }),
  Check: (state, { segment, on }) => set(state, segment, { checked: on }),
  DismissFlag: dismissFlag,
  Restore: restore,
};

function segmentOf(state, key) {
  const row = state.segments.get(key);
  if (!row) throw new InvalidEdit("UNKNOWN_SEGMENT", "There is no such segment.");
  return row;
}

function set(state, key, fields) {
  return { segments: [changed(segmentOf(state, key), fields)] };
}

function setText(state, { segment, text }) {
  const row = segmentOf(state, segment);
  return row.text === text ? {} : { segments: [withText(row, text)] };
}

function withText(row, text) {
  return changed(row, { text, words: align(row.words, text, row.start, row.end) });
}

function setTimes(state, { segment, start, end }) {
  const row = segmentOf(state, segment);
  checkTimes(start, end, Math.max(state.transcript.duration, row.end));
  return { segments: [changed(row, { start, end, words: fit(row.words, row, { start, end }) })] };
}

function setSpeaker(state, { segment, speaker, scope }) {
  const row = segmentOf(state, segment);
  checkSpeaker(state, speaker);
  const rows = { one: () => [row], run: () => runFrom(state, row), everywhere: () => allOf(state, row.speaker) };
  return { segments: rows[scope]().map((each) => changed(each, { speaker })) };
}

/** This segment and those behind it while they have its speaker. */
function runFrom(state, row) {
  const run = [];
  let index = state.segments.indexOf(row.key);
  for (let each = row; each && each.speaker === row.speaker; each = state.segments.at((index += 1))) run.push(each);
  return run;
}

function allOf(state, speaker) {
  return [...state.segments].filter((row) => row.speaker === speaker);
}

function split(state, { segment, at, newKey }) {
  const row = segmentOf(state, segment);
  checkNewKeys(state, [newKey]);
  return { segments: inParts(state, row, halves(row, at), [newKey]) };
}

function splitThreeWay(state, { segment, from, to, newKeys, speaker }) {
  const row = segmentOf(state, segment);
  checkNewKeys(state, newKeys);
  const { parts, chosen } = around(row, from, to);
  if (speaker !== undefined) {
    checkSpeaker(state, speaker);
    parts[chosen] = { ...parts[chosen], speaker };
  }
  return { segments: inParts(state, row, parts, newKeys) };
}

/** The first part stays the row; the others are new ones behind it. */
function inParts(state, row, parts, newKeys) {
  const next = state.segments.next(row.key)?.rank ?? null;
  let rank = row.rank;
  const others = parts.slice(1).map((part, index) => {
    rank = between(rank, next);
    return made({ ...part, key: newKeys[index], rank });
  });
  return [changed(row, parts[0]), ...others];
}

function merge(state, { segment, with: side }) {
  const row = segmentOf(state, segment);
  const isNext = side === "next";
  const other = isNext ? state.segments.next(segment) : state.segments.previous(segment);
  if (!other) throw new InvalidEdit("NO_NEIGHBOUR", "There is no segment to merge with.");
  const [earlier, later] = isNext ? [row, other] : [other, row];
  return { segments: [changed(earlier, union(earlier, later)), deleted(later)] };
}

function insert(state, { after, newKey, start, end, text, speaker }) {
  checkNewKeys(state, [newKey]);
  checkTimes(start, end, state.transcript.duration);
  const previous = after === null ? null : segmentOf(state, after);
  const next = previous ? state.segments.next(after) : state.segments.at(0);
  checkSpeaker(state, speaker);
  const row = {
    key: newKey,
    rank: between(previous?.rank ?? null, next?.rank ?? null),
    start,
    end,
    text,
    words: align([], text, start, end),
    speaker,
    flags: [],
    highlighted: false,
    checked: false,
    machineText: "",
  };
  return { segments: [made(row)] };
}

function dismissFlag(state, { segment, flag }) {
  const row = segmentOf(state, segment);
  if (!row.flags.some(({ kind }) => kind === flag)) {
    throw new InvalidEdit("UNKNOWN_FLAG", "This segment has no such flag.");
  }
  const flags = row.flags.map((each) => (each.kind === flag ? { ...each, dismissed: true } : each));
  return { segments: [changed(row, { flags })] };
}

/** The machine's text again. The words here are a guess: the server has the machine's own and answers with them. */
function restore(state, { segments }) {
  const rows = segments === "all" ? [...state.segments] : segments.map((key) => segmentOf(state, key));
  const wanted = rows.filter((row) => row.machineText && row.machineText !== row.text);
  return { segments: wanted.map((row) => withText(row, row.machineText)) };
}

function checkSpeaker(state, key) {
  if (key !== null) speakerOf(state, key);
}

function checkTimes(start, end, limit) {
  if (0 <= start && start <= end && end <= limit) return;
  throw new InvalidEdit("INVALID_TIMES", "The end must follow the start, both inside the recording.");
}

function checkNewKeys(state, keys) {
  if (new Set(keys).size === keys.length && !keys.some((key) => state.segments.has(key))) return;
  throw new InvalidEdit("KEY_TAKEN", "This key is taken already.");
}
