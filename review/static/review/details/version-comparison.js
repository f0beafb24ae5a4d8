/** What differs between a state that was kept and the one now. Pure. */

import { isSame } from "../edits/patches.js";

const MARKS = ["highlighted", "checked", "flags"];

/** Return `{ segments: [{ key, was, is }], speakers: [same], transcript: { was, is } | null }`, segments in their order;
 * `was` is null for what is new, `is` for what is gone. `then` is as the wire has a transcript, `now` as the store. */
export function comparisonOf(then, now) {
  const segments = pairsOf(then.segments, now.segments, (key) => now.segments.get(key)).filter(isOtherSegment);
  const speakers = pairsOf(then.speakers, now.speakers.values(), (key) => now.speakers.get(key)).filter(isOtherSpeaker);
  const isOther = then.reviewStatus !== now.transcript.reviewStatus;
  return { segments: segments.sort(byPlace), speakers, transcript: isOther ? { was: then, is: now.transcript } : null };
}

/** What of a segment that is in both differs: "text", "times", "speaker", "marks". */
export function aspectsOf({ was, is }) {
  return [
    ...(was.text !== is.text ? ["text"] : []),
    ...(was.start !== is.start || was.end !== is.end ? ["times"] : []),
    ...(was.speaker !== is.speaker ? ["speaker"] : []),
    ...(MARKS.some((mark) => !isSame(was[mark], is[mark])) ? ["marks"] : []),
  ];
}

function pairsOf(then, now, find) {
  const known = new Set(then.map(({ key }) => key));
  const fresh = [...now].filter(({ key }) => !known.has(key));
  return [...then.map((was) => ({ key: was.key, was, is: find(was.key) ?? null })), ...fresh.map((is) => ({ key: is.key, was: null, is }))];
}

function isOtherSegment(pair) {
  return !pair.was || !pair.is || aspectsOf(pair).length > 0;
}

/** Colours and digits are no difference that somebody reads. */
function isOtherSpeaker({ was, is }) {
  const nameOf = (row) => (row && !row.removed ? row.name || row.label : null);
  return nameOf(was) !== nameOf(is);
}

function byPlace(one, other) {
  const [left, right] = [one, other].map(({ was, is }) => (is ?? was).rank);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
