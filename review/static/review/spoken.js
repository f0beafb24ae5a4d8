/** What is spoken at a moment. Pure: arrays of seconds in, an index out; O(log n). */

const LINGER_SECONDS = 0.6; // a word stays tinted over the short gaps between words

/** Return the index of the last of `starts` (ascending) that is not after `time`, or -1. */
export function lastBefore(starts, time) {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Return the index of the word that is spoken at `time`, or -1 in silence. */
export function spokenAt({ starts, ends }, time) {
  const index = lastBefore(starts, time);
  return index >= 0 && time < ends[index] + LINGER_SECONDS ? index : -1;
}
