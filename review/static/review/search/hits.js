/** The hits of a query in all segments: how many, which one is the current, which is next. Pure.
 *
 * Rows are looked at one by one (`sweep`), so that the page can let the browser in between; then only rows that change
 * are looked at again (`look`). `anchor` is `{ row, at }`, where a person is: the first hit from there on is the current.
 */

import { byRank } from "../store/ordered-segments.js";
import { folded } from "./query.js";

const FOLDED = { exact: new WeakMap(), loose: new WeakMap() }; // rows are never changed, only replaced

export class Hits {
  constructor(rows, query, anchor) {
    Object.assign(this, { rows, query, anchor });
    this.found = new Map(); // key → { row, hits }
    this.count = 0;
    this.current = null; // { key, index }
    this.before = 0; // hits in the segments before the current one's
    this.isWhole = false; // all rows have been looked at
  }

  /** Look at every row, from the anchor on; each step of the generator is one row. */
  *sweep() {
    const keys = [...this.rows.order];
    const start = this.anchor ? this.rows.placeFor(this.anchor.row) : 0;
    for (let looked = 0; looked < keys.length; looked += 1) {
      this.look(keys[(start + looked) % keys.length]);
      yield;
    }
    this.isWhole = true;
    this.chooseFirst();
    if (this.current) this.before = this.countBefore(this.current.key);
  }

  /** Look at a row anew: it was changed, is new or is gone. */
  look(key) {
    const row = this.rows.get(key);
    const former = this.found.get(key);
    if (former && former.row === row) return;
    const hits = row ? this.query.hitsIn(row.text, this.foldedOf(row)) : [];
    if (hits.length) this.found.set(key, { row, hits });
    else this.found.delete(key);
    const more = hits.length - (former?.hits.length ?? 0);
    this.count += more;
    if (this.current?.key === key) this.settle(former, hits, row);
    else if (more && this.current && this.isWhole && byRank(row ?? former.row, this.anchor.row) < 0) this.before += more;
  }

  foldedOf(row) {
    const kept = FOLDED[this.query.isExact ? "exact" : "loose"];
    if (!kept.has(row)) kept.set(row, folded(row.text, this.query.isExact));
    return kept.get(row);
  }

  /** The segment of the current hit was changed: the hit stays the same one, or becomes the next in there, or none. */
  settle(former, hits, row) {
    const { from } = former.hits[this.current.index];
    const at = row ? movedTo(from, former.row.text, row.text) : from;
    const next = hits.findIndex((hit) => hit.from >= at);
    const index = next >= 0 ? next : hits.length - 1;
    this.anchor = { row: row ?? former.row, at: hits[index]?.from ?? at };
    this.current = index >= 0 ? { key: row.key, index } : null;
  }

  /** Make the first hit from the anchor on the current one; before all rows are known, only if none can come between. */
  chooseFirst() {
    if (this.current || !this.found.size) return;
    const { row, at } = this.anchor ?? { row: this.rows.at(0), at: 0 };
    const index = this.hitsOf(row.key).findIndex(({ from }) => from >= at);
    if (index >= 0) this.choose(row.key, index);
    else this.chooseIn(this.walk(this.rows.placeFor(row) + Number(this.rows.has(row.key)), 1, this.isWhole), 0);
  }

  /** Go to the next hit (1) or the one before (-1), round the end too. */
  step(direction) {
    if (!this.current) return direction > 0 ? this.chooseFirst() : this.chooseBefore();
    const { key, index } = this.current;
    if (this.hitsOf(key)[index + direction]) return this.choose(key, index + direction);
    return this.chooseIn(this.walk(this.rows.indexOf(key) + direction, direction, true), direction > 0 ? 0 : -1);
  }

  chooseBefore() {
    if (!this.found.size) return;
    const { row, at } = this.anchor ?? { row: this.rows.at(0), at: 0 };
    const index = this.hitsOf(row.key).findLastIndex(({ from }) => from < at);
    if (index >= 0) this.choose(row.key, index);
    else this.chooseIn(this.walk(this.rows.placeFor(row) - 1, -1, true), -1);
  }

  /** The key of the first row with hits from a place on; null where there is none. */
  walk(place, direction, isRound) {
    const { size } = this.rows;
    for (let looked = 0; looked < size; looked += 1) {
      const at = place + looked * direction;
      if (!isRound && (at < 0 || at >= size)) return null;
      const { key } = this.rows.at(((at % size) + size) % size);
      if (this.found.has(key)) return key;
    }
    return null;
  }

  chooseIn(key, index) {
    if (key !== null) this.choose(key, index < 0 ? this.hitsOf(key).length + index : index);
  }

  choose(key, index) {
    if (this.current?.key !== key) this.before = this.countBefore(key);
    this.current = { key, index };
    this.anchor = { row: this.rows.get(key), at: this.hitsOf(key)[index].from };
  }

  countBefore(key) {
    let count = 0;
    for (const other of this.rows.order) {
      if (other === key) break;
      count += this.hitsOf(other).length;
    }
    return count;
  }

  hitsOf(key) {
    return this.found.get(key)?.hits ?? [];
  }

  /** The current hit: `{ key, from, to }`, or null. */
  get hit() {
    return this.current && { key: this.current.key, ...this.hitsOf(this.current.key)[this.current.index] };
  }

  /** The number of the current hit, from 1; 0 where none is. */
  get number() {
    return this.current ? this.before + this.current.index + 1 : 0;
  }
}

/** Where an offset is after one stretch of a text was changed; inside of that it is the start of it. */
function movedTo(offset, before, after) {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  if (offset < head) return offset;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return offset >= before.length - tail ? offset + after.length - before.length : head;
}
