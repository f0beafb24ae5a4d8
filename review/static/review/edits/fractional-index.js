/** The order of segments: strings that sort like fractions, so that between any two there is room. Pure. */

import { InvalidEdit } from "./patches.js";

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"; // in byte order; a rank never ends in "0"
const BASE = DIGITS.length;
const LONGEST = 1000; // characters; five cuts at one and the same place cost about one

/** Return a rank between two; null is an end of the transcript. Throws InvalidEdit where there is no room. */
export function between(low, high) {
  const floor = low ?? "";
  if (high === null || floor < high) {
    const rank = middle(floor, high);
    if (rank.length <= LONGEST) return rank;
  }
  throw new InvalidEdit("NO_ROOM", "There is no room for a segment at this place.");
}

function middle(low, high) {
  let rank = "";
  let isBelow = high === null; // what follows only has to be above `low`
  for (let place = 0; place < LONGEST; place += 1) {
    const floor = digitAt(low, place);
    const ceiling = isBelow ? BASE : digitAt(high, place);
    if (ceiling - floor > 1) return rank + DIGITS[(floor + ceiling) >> 1];
    rank += DIGITS[floor];
    isBelow ||= ceiling > floor;
  }
  return rank + DIGITS[0];
}

/** A rank reads as if it had zeros without end. */
function digitAt(rank, place) {
  return place < rank.length ? DIGITS.indexOf(rank[place]) : 0;
}

/** Return `count` equally spaced ranks of one width, as a new machine transcript has them. */
export function spread(count) {
  let width = 1;
  while (BASE ** width <= count) width += 1;
  const step = Math.floor(BASE ** width / (count + 1));
  const written = (number) => number.toString(BASE).padStart(width, "0") + DIGITS[BASE / 2];
  return Array.from({ length: count }, (_, index) => written((index + 1) * step));
}
