/** Marks in the text that are no elements, so that it stays plain text to edit: the word that is spoken, and words
 * that the model was not sure of. Where a browser has no custom highlights the text is simply unmarked. */

import { offsetsOf, wordSpokenAt } from "./word-offsets.js";

const canMark = "highlights" in CSS;

export class WordHighlights {
  constructor() {
    this.spoken = this.register("spoken");
    this.doubtful = this.register("doubtful");
    this.ofRow = new Map(); // key → the ranges of its doubtful words
    this.threshold = 0.5;
  }

  register(name) {
    if (!canMark) return null;
    const highlight = new Highlight();
    CSS.highlights.set(name, highlight);
    return highlight;
  }

  /** Underline the doubtful words of a row anew; `node` is its text, null where the row is gone. */
  show(key, row, node) {
    if (!canMark) return;
    for (const range of this.ofRow.get(key) ?? []) this.doubtful.delete(range);
    const ranges = row && node && !row.checked ? doubtfulRanges(row, node, this.threshold) : [];
    for (const range of ranges) this.doubtful.add(range);
    if (ranges.length) this.ofRow.set(key, ranges);
    else this.ofRow.delete(key);
  }

  /** Tint the word of this row that is spoken at `seconds`. */
  speak(row, node, seconds) {
    if (!canMark) return;
    const place = row && node ? wordSpokenAt(offsetsOf(row), seconds) : null;
    const isSame = place && place.from === this.place?.from && node === this.node;
    if (isSame) return;
    this.spoken.clear();
    [this.place, this.node] = [place, node];
    if (place && place.to <= node.data.length) this.spoken.add(rangeOf(node, place));
  }
}

function doubtfulRanges(row, node, threshold) {
  const isDoubtful = ({ probability, isEstimated, to }) => !isEstimated && probability < threshold && to <= node.data.length;
  return offsetsOf(row).filter(isDoubtful).map((place) => rangeOf(node, place));
}

export function rangeOf(node, { from, to }) {
  return new StaticRange({ startContainer: node, startOffset: from, endContainer: node, endOffset: to });
}
