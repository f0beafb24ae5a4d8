/** Times of a segment as a person writes them: `1:02:03.4`, `2:03.45`, `123.4`. Pure. */

import { rounded } from "../edits/timing.js";

const TIME = /^(?:(?:(\d+):)?(\d{1,3}):)?(\d+)(?:[.,](\d{1,6}))?$/;
const LONGEST_NEW = 2; // seconds of an empty segment, where nothing else bounds it
const SHORTEST_NEW = 1;
const SHORTEST_PAUSE = 0.5; // that a new segment is put into; else it lies over the next

/** `75.25` → `1:15.25`, `12` → `0:12.0`: as exact as it is, with a tenth at least. */
export function writeTime(seconds) {
  const thousandths = Math.round(Math.max(0, seconds) * 1000);
  const [hours, minutes, rest] = [Math.floor(thousandths / 3_600_000), Math.floor(thousandths / 60_000) % 60, thousandths % 60_000];
  const fraction = String(rest % 1000).padStart(3, "0").replace(/0{1,2}$/, "");
  const two = (number) => String(number).padStart(2, "0");
  const clock = hours ? `${hours}:${two(minutes)}` : String(minutes);
  return `${clock}:${two(Math.floor(rest / 1000))}.${fraction}`;
}

/** Return the seconds, or null where this is no time. */
export function readTime(written) {
  const [isTime, hours, minutes, seconds, fraction = "0"] = written.trim().match(TIME) ?? [];
  if (!isTime) return null;
  const isTooMuch = (minutes && Number(seconds) > 59) || (hours && Number(minutes) > 59);
  if (isTooMuch) return null;
  return rounded(Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(`${seconds}.${fraction}`));
}

/** Return the word for what is wrong with these times, and the field it stands at: `{ at, word }`, or null.
 * `last` is the field that was written; `limit` how long the recording is, in seconds. */
export function problemOf({ start, end }, limit, last) {
  const unread = start === null ? "start" : end === null ? "end" : null;
  if (unread) return { at: unread, word: "time-unread" };
  if (start > limit) return { at: "start", word: "time-beyond" };
  if (end > limit) return { at: "end", word: "time-beyond" };
  if (start > end) return { at: last, word: last === "start" ? "time-start-late" : "time-end-early" };
  return null;
}

/** Return `{ start, end }` of a new segment behind `row`: in the pause there, or over the next one where there is none. */
export function placeBehind(row, next, duration) {
  const free = next ? next.start - row.end : Infinity;
  const length = free < SHORTEST_PAUSE ? SHORTEST_NEW : Math.min(free, LONGEST_NEW);
  const end = Math.min(duration, row.end + length);
  return { start: rounded(Math.min(row.end, end, Math.max(row.start, end - SHORTEST_NEW))), end: rounded(end) };
}
