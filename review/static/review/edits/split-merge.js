/** Segments cut in two or three and joined again, as rows of the wire. Pure. */

import { InvalidEdit } from "./patches.js";
import { align, machineOffset, splitWords } from "./timing.js";
import { cutAt, gapBetween, joined, lengthOf, squeezed, trimEnd, trimStart } from "./tokens.js";

/** Return both halves of a segment cut at an offset of its text; the second still has the first's key.
 *
 * The space at the cut goes; flags go to the half with more characters, to the first where both have as many.
 */
export function halves(row, at) {
  const [before, behind] = cutAt(row.text, at);
  const [inkBefore, inkBehind] = [before, behind].map((text) => lengthOf(squeezed(text)));
  if (!inkBefore || !inkBehind) throw new InvalidEdit("INVALID_SPLIT", "Both parts need text.");
  const { left, right, middle } = splitWords(row, at);
  const machine = cutAt(row.machineText, machineOffset(row.text, at, row.machineText));
  const flags = inkBefore >= inkBehind ? [row.flags, []] : [[], row.flags];
  const first = { end: middle, text: trimEnd(before), words: left, flags: flags[0], machineText: trimEnd(machine[0]) };
  const second = {
    start: middle,
    text: trimStart(behind),
    words: right,
    flags: flags[1],
    machineText: trimStart(machine[1]),
  };
  return [
    { ...row, ...first },
    { ...row, ...second },
  ];
}

/** Cut a selection out of a segment. Return `{ parts, chosen }`: two or three rows, and which is the selection. */
export function around(row, begin, end) {
  const ink = (from, to) => squeezed([...row.text].slice(from, to).join(""));
  if (end > lengthOf(row.text) || begin >= end || !ink(begin, end)) {
    throw new InvalidEdit("INVALID_SPLIT", "Select some words of the segment.");
  }
  const [hasBefore, hasBehind] = [ink(0, begin), ink(end)];
  if (!hasBefore && !hasBehind) throw new InvalidEdit("INVALID_SPLIT", "The selection is the whole segment.");
  if (!hasBefore) return { parts: halves(row, end), chosen: 0 };
  const [before, rest] = halves(row, begin);
  if (!hasBehind) return { parts: [before, rest], chosen: 1 };
  const shift = lengthOf(row.text) - lengthOf(rest.text);
  return { parts: [before, ...halves(rest, end - shift)], chosen: 1 };
}

/** Return the fields that the earlier of two segments has once the later is joined to it. */
export function union(earlier, later) {
  return {
    start: Math.min(earlier.start, later.start),
    end: Math.max(earlier.end, later.end),
    text: joined(earlier.text, later.text),
    words: joinedWords(earlier, later),
    flags: joinedFlags(earlier.flags, later.flags),
    highlighted: earlier.highlighted || later.highlighted,
    checked: earlier.checked && later.checked,
    machineText: joined(earlier.machineText, later.machineText),
  };
}

function joinedWords(earlier, later) {
  if (!earlier.words.length && !later.words.length) return [];
  const timed = ({ words, text, start, end }) => (words.length ? words : align([], text, start, end));
  const [left, right] = [timed(earlier), timed(later)];
  if (!left.length || !right.length) return [...left, ...right];
  const gap = gapBetween(trimEnd(earlier.text), trimStart(later.text));
  return [...left, [...right[0].slice(0, 5), gap], ...right.slice(1)];
}

/** One flag of a kind: the higher score, dismissed only where both were. */
function joinedFlags(earlier, later) {
  const found = new Map(earlier.map((flag) => [flag.kind, flag]));
  for (const flag of later) {
    const known = found.get(flag.kind);
    found.set(flag.kind, known ? joinedFlag(known, flag) : flag);
  }
  return [...found.values()];
}

function joinedFlag(one, other) {
  const flag = { kind: one.kind, score: Math.max(one.score, other.score) };
  return one.dismissed && other.dismissed ? { ...flag, dismissed: true } : flag;
}
