/** Hits as marks in the text, in the rows that are in sight: a browser goes through all its marks whenever the page changes,
 * so a hundred thousand of them would make typing slow. The current hit is a mark of its own.
 */

import { rangeOf } from "../view/word-highlights.js";

const MOST = 2_000; // marks at once; one row may have more than a window shows
const canMark = "highlights" in CSS;

export class HitHighlights {
  constructor(list) {
    this.list = list;
    this.found = register("found", 1);
    this.current = register("found-current", 2);
  }

  clear() {
    this.found?.clear();
    this.current?.clear();
  }

  /** Mark the hits in sight, and the current one. */
  show(hits) {
    if (!canMark) return;
    this.clear();
    const { hit } = hits;
    for (const key of this.keysInSight(hits.rows)) {
      const node = this.list.saidOf(key)?.firstChild;
      for (const each of hits.hitsOf(key)) {
        if (!node || this.found.size >= MOST) break;
        if (each.to <= node.data.length && !(hit?.key === key && hit.from === each.from)) this.found.add(rangeOf(node, each));
      }
    }
    const node = hit && this.list.saidOf(hit.key)?.firstChild;
    if (node && hit.to <= node.data.length) this.current.add(rangeOf(node, hit));
  }

  /** The keys of the rows in the window, in order. */
  *keysInSight(rows) {
    for (let index = this.firstInSight(rows); index < rows.size; index += 1) {
      const { key } = rows.at(index);
      const box = this.list.rows.get(key)?.getBoundingClientRect();
      if (!box || box.top > innerHeight) return;
      yield key;
    }
  }

  /** The index of the first row that reaches into the window; rows that are not drawn yet will lie below it. */
  firstInSight(rows) {
    let low = 0;
    let high = rows.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      const box = this.list.rows.get(rows.at(middle).key)?.getBoundingClientRect();
      if (box && box.bottom < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function register(name, priority) {
  if (!canMark) return null;
  const highlight = new Highlight();
  highlight.priority = priority;
  CSS.highlights.set(name, highlight);
  return highlight;
}
