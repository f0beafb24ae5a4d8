import assert from "node:assert/strict";
import { test } from "node:test";

import { Hits } from "../../../../review/static/review/search/hits.js";
import { OrderedSegments } from "../../../../review/static/review/store/ordered-segments.js";
import { Query } from "../../../../review/static/review/search/query.js";
import { Chance, longTranscript, segment, uuid } from "../../support.js";

const TEXTS = ["the mill", "and the other, the old one", "no", "The end"];

function rowsOf(texts) {
  return new OrderedSegments(texts.map((text, number) => segment(number, text)));
}

function search(rows, query, anchor = null) {
  const hits = new Hits(rows, new Query(query), anchor);
  for (const _row of hits.sweep());
  return hits;
}

/** Which hit is the current: the number of its segment, its offset, its number of all. */
function at(hits) {
  const { hit } = hits;
  return hit && [Number(hit.key.slice(-2)), hit.from, hits.number, hits.count];
}

test("the first hit from where a person is becomes the current, and the others follow in order and round the end", () => {
  const rows = rowsOf(TEXTS);
  assert.deepEqual(at(search(rows, "the")), [0, 0, 1, 5]);
  const hits = search(rows, "the", { row: rows.at(1), at: 5 });
  const seen = [at(hits)];
  for (let step = 0; step < 5; step += 1) {
    hits.step(1);
    seen.push(at(hits));
  }
  assert.deepEqual(seen, [[1, 9, 3, 5], [1, 15, 4, 5], [3, 0, 5, 5], [0, 0, 1, 5], [1, 4, 2, 5], [1, 9, 3, 5]]);
  hits.step(-1);
  assert.deepEqual(at(hits), [1, 4, 2, 5]);
});

test("behind the last hit the first is the current, also in the same segment", () => {
  const rows = rowsOf(["no the no"]);
  assert.deepEqual(at(search(rows, "the", { row: rows.at(0), at: 8 })), [0, 3, 1, 1]);
});

test("nothing found is nothing to go to", () => {
  for (const hits of [search(rowsOf(TEXTS), "mule"), search(rowsOf([]), "the"), search(rowsOf(TEXTS), "")]) {
    for (const direction of [1, -1]) hits.step(direction);
    assert.deepEqual([hits.hit, hits.number, hits.count], [null, 0, 0]);
  }
});

test("while rows are still looked at, the current hit is the first of all from there on", () => {
  const rows = rowsOf(TEXTS);
  const hits = new Hits(rows, new Query("the"), { row: rows.at(1), at: 16 });
  const sweep = hits.sweep();
  sweep.next();
  hits.chooseFirst();
  assert.equal(hits.hit, null, "those before the anchor are the last");
  for (let row = 0; row < 2; row += 1) sweep.next();
  hits.chooseFirst();
  assert.equal(at(hits)[0], 3);
  for (const _row of sweep);
  assert.deepEqual(at(hits), [3, 0, 5, 5]);
});

test("what is typed before the current hit moves it, what is typed over it leaves the next one", () => {
  const rows = rowsOf(TEXTS);
  const hits = search(rows, "the", { row: rows.at(1), at: 9 });
  write(rows, hits, 1, "and then the other, the old one");
  assert.deepEqual(at(hits), [1, 14, 4, 6]);
  write(rows, hits, 1, "and then x other, the old one");
  assert.deepEqual(at(hits), [1, 12, 3, 5]);
  write(rows, hits, 1, "and then x oxer, the old one");
  assert.deepEqual(at(hits), [1, 17, 3, 4]);
  write(rows, hits, 1, "nothing");
  assert.deepEqual(at(hits), null);
  hits.step(1);
  assert.deepEqual(at(hits), [3, 0, 2, 2]);
  write(rows, hits, 0, "the the mill");
  assert.deepEqual(at(hits), [3, 0, 3, 3]);
});

test("where the current hit is gone, the one before is found too", () => {
  const rows = rowsOf(TEXTS);
  const hits = search(rows, "the", { row: rows.at(3), at: 0 });
  rows.remove(uuid(3));
  hits.look(uuid(3));
  assert.deepEqual(at(hits), null);
  hits.step(-1);
  assert.deepEqual(at(hits), [1, 15, 4, 4]);
});

test("whatever is changed, the hits are those of a new search", () => {
  const chance = new Chance(8);
  for (let round = 0; round < 200; round += 1) {
    const rows = rowsOf(Array.from({ length: chance.below(8) }, () => textOf(chance)));
    const hits = search(rows, "a", rows.size ? { row: rows.at(chance.below(rows.size)), at: chance.below(5) } : null);
    for (let step = 0; step < 20; step += 1) {
      changeOne(rows, hits, chance);
      if (chance.maybe()) hits.step(chance.maybe() ? 1 : -1);
      const all = allOf(rows);
      assert.equal(hits.count, all.length);
      if (!hits.hit) continue;
      assert.deepEqual(all[hits.number - 1], [hits.hit.key, hits.hit.from]);
    }
  }
});

test("in twelve thousand segments a letter typed costs one look, and each hit is reached", () => {
  const rows = new OrderedSegments(longTranscript(12_000).segments);
  const hits = search(rows, "long day");
  assert.equal(hits.count, 12_000);
  let looks = 0;
  hits.query.hitsIn = (...given) => ((looks += 1), Query.prototype.hitsIn.apply(hits.query, given));
  hits.step(-1);
  assert.equal(hits.number, 12_000);
  write(rows, hits, 5, "no more");
  assert.deepEqual([hits.number, hits.count, looks], [11_999, 11_999, 1]);
});

function write(rows, hits, number, text) {
  const row = rows.at(number);
  rows.put({ ...row, text });
  hits.look(row.key);
}

function textOf(chance) {
  return Array.from({ length: chance.below(6) }, () => chance.of(["a", "b", "Á", " "])).join("");
}

function changeOne(rows, hits, chance) {
  const at = chance.below(rows.size);
  const row = rows.at(at);
  if (!row || chance.below(4) === 0) {
    const rank = (row?.rank ?? "n") + String.fromCharCode(98 + chance.below(20));
    const made = segment(chance.below(50), textOf(chance), { key: uuid(100 + chance.below(1_000_000)), rank });
    rows.put(made);
    return hits.look(made.key);
  }
  if (chance.below(3) === 0) {
    rows.remove(row.key);
    return hits.look(row.key);
  }
  return write(rows, hits, at, textOf(chance));
}

function allOf(rows) {
  return [...rows].flatMap((row) => new Query("a").hitsIn(row.text).map(({ from }) => [row.key, from]));
}
