/** The segments of a transcript by key and in order. Rows are never changed, only replaced. */

export class OrderedSegments {
  /** `note(key, former)` hears of every change before it is made. */
  constructor(rows = [], note = () => {}) {
    this.note = note;
    this.byKey = new Map(rows.map((row) => [row.key, row]));
    this.order = [...this.byKey.values()].sort(byRank).map((row) => row.key);
  }

  get size() {
    return this.order.length;
  }

  get(key) {
    return this.byKey.get(key);
  }

  has(key) {
    return this.byKey.has(key);
  }

  at(index) {
    return this.byKey.get(this.order[index]);
  }

  /** The place of a row, by binary search; -1 where it is unknown. */
  indexOf(key) {
    const row = this.byKey.get(key);
    return row ? this.placeFor(row) : -1;
  }

  next(key) {
    return this.at(this.indexOf(key) + 1);
  }

  previous(key) {
    return this.at(this.indexOf(key) - 1);
  }

  /** Add a row, or put it in the place of the one with its key. */
  put(row) {
    const former = this.byKey.get(row.key);
    this.note(row.key, former);
    if (former?.rank !== row.rank) {
      if (former) this.order.splice(this.placeFor(former), 1);
      this.order.splice(this.placeFor(row), 0, row.key);
    }
    this.byKey.set(row.key, row);
  }

  remove(key) {
    const place = this.indexOf(key);
    if (place < 0) return;
    this.note(key, this.byKey.get(key));
    this.order.splice(place, 1);
    this.byKey.delete(key);
  }

  *[Symbol.iterator]() {
    for (const key of this.order) yield this.byKey.get(key);
  }

  /** Where this row is or would be: the number of rows before it. */
  placeFor(row) {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byRank(this.byKey.get(this.order[middle]), row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** By rank; two people who insert at one place at once may have the same, until the server says. */
export function byRank(one, other) {
  if (one.rank !== other.rank) return one.rank < other.rank ? -1 : 1;
  return one.key < other.key ? -1 : Number(one.key > other.key);
}

/** The index of the last segment that begins at `seconds` or before; segments lie in order of their start, but for edits. */
export function lastBegun(segments, seconds) {
  let low = 0;
  let high = segments.size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments.at(middle).start <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
