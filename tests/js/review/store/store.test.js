import assert from "node:assert/strict";
import { test } from "node:test";

import { InvalidEdit } from "../../../../review/static/review/edits/edits.js";
import { isDoubtful } from "../../../../review/static/review/edits/patches.js";
import { Store } from "../../../../review/static/review/store/store.js";
import { FakeServer } from "./fake_server.js";
import { RandomEdits } from "../edits/random_edits.js";
import { Chance, longTranscript, plain, segment, transcript, uuid } from "../../support.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody. My aunt."];
let ids = 0;

function pages(count, wire = transcript(TEXTS)) {
  const server = new FakeServer(wire);
  const newId = () => `edit-${(ids += 1)}`;
  const stores = Array.from({ length: count }, (_, n) => new Store(server.transcript, { client: `tab-${n}`, newId }));
  return { server, stores };
}

const setText = (number, text) => ({ kind: "SetText", segment: uuid(number), text });
const textOf = (store, number) => store.state.segments.get(uuid(number))?.text;

/** Send a page's oldest step and give it the answer. */
function send(server, store, step = store.pending[0].step) {
  store.markSent(step.id);
  const { status, body } = server.post(step);
  if (status === 200) return store.acknowledge(step.id, body);
  return status === 409 ? store.takeClash(step.id, body) : store.refuse(step.id).changed;
}

test("an edit shows at once, and its answer changes nothing any more", () => {
  const { server, stores: [store] } = pages(1);
  const { changed } = store.act([setText(0, "So the old mill closed")]);
  assert.deepEqual(changed, { segments: [uuid(0)], speakers: [], transcript: false });
  assert.deepEqual(send(server, store), { segments: [], speakers: [], transcript: false });
  assert.deepEqual([store.version, store.pending.length], [2, 0]);
});

test("typing on in a segment is one step until it is sent", () => {
  const { stores: [store] } = pages(1);
  const first = store.act([setText(0, "S")]).step;
  const second = store.act([setText(0, "So")]);
  assert.deepEqual([second.replaces, store.pending.length], [first.id, 1]);
  assert.notEqual(second.step.id, first.id); // the first may be known to the server after all
  store.markSent(second.step.id);
  assert.equal(store.act([setText(0, "So t")]).replaces, null);
  assert.equal(store.act([setText(1, "And")]).replaces, null);
  assert.equal(store.act([setText(1, "And w")], { canCoalesce: false }).replaces, null);
  store.undo();
  assert.equal(textOf(store, 1), "And");
});

test("what makes no sense is refused, and nothing has changed", () => {
  const { stores: [store] } = pages(1);
  store.act([setText(0, "S")]);
  const before = plain(store.state);
  assert.throws(() => store.act([setText(0, "half \ud83d")]), InvalidEdit);
  assert.throws(() => store.act([{ kind: "Merge", segment: uuid(0), with: "previous" }]), InvalidEdit);
  assert.deepEqual([plain(store.state), store.pending.length], [before, 1]);
});

test("what changes nothing is no step, and an undo passes over it", () => {
  const { server, stores: [store] } = pages(1);
  store.act([setText(0, "Mine")], { canCoalesce: false });
  assert.equal(store.act([setText(1, TEXTS[1])]).step, null);
  store.act([setText(2, "Theirs")], { canCoalesce: false });
  store.act([setText(2, TEXTS[2])]); // typed back before it was sent
  store.undo();
  assert.deepEqual([textOf(store, 0), store.pending.length], [TEXTS[0], 3]);
  while (store.pending.length) send(server, store);
  assert.deepEqual(plain(store.state).segments, plain(server.state).segments);
});

test("a step has no more edits than a batch", () => {
  const { stores: [store] } = pages(1);
  const edits = Array.from({ length: 201 }, () => setText(0, "Mine"));
  assert.throws(() => store.act(edits), { code: "TOO_LARGE" });
});

test("others' edits come below what is on its way", () => {
  const { server, stores: [mine, theirs] } = pages(2);
  theirs.act([setText(1, "Who kept it?")]);
  send(server, theirs);
  mine.act([setText(0, "Mine")]);
  mine.act([{ kind: "Split", segment: uuid(2), at: 7, newKey: uuid(9) }]);
  const changed = mine.takeChanges(server.changes(mine.version));
  assert.deepEqual(changed, { segments: [uuid(1)], speakers: [], transcript: false });
  assert.deepEqual([0, 1, 9].map((n) => textOf(mine, n)), ["Mine", "Who kept it?", "My aunt."]);
  send(server, mine);
  send(server, mine);
  assert.deepEqual(plain(mine.state).segments, plain(server.state).segments);
});

test("an answer that jumps over somebody's edit says that there is more to fetch", () => {
  const { server, stores: [mine, theirs] } = pages(2);
  theirs.act([setText(1, "Who?")]);
  send(server, theirs);
  mine.act([setText(0, "Mine")]);
  send(server, mine);
  assert.deepEqual([mine.isBehind, mine.version], [true, 1]);
  mine.takeChanges(server.changes(mine.version));
  assert.deepEqual([mine.isBehind, mine.version, textOf(mine, 1)], [false, 3, "Who?"]);
});

test("an answer that was overtaken does not bring back old rows", () => {
  const { server, stores: [mine, theirs] } = pages(2);
  mine.act([setText(0, "Mine")]);
  const { body } = server.post(mine.pending[0].step);
  theirs.takeChanges(server.changes(1));
  theirs.act([setText(0, "Theirs later")]);
  send(server, theirs);
  mine.takeChanges(server.changes(1));
  mine.acknowledge(mine.pending[0].step.id, body);
  assert.equal(textOf(mine, 0), "Theirs later");
});

function clash() {
  const { server, stores: [mine, theirs] } = pages(2);
  theirs.act([setText(0, "Theirs")]);
  send(server, theirs);
  mine.act([setText(0, "Mine")], { canCoalesce: false });
  send(server, mine);
  return { server, mine };
}

test("of two texts for one segment both are kept until a person decides", () => {
  const { mine } = clash();
  const [{ rows }] = mine.clashes;
  assert.deepEqual(rows.map(({ mine: own, theirs }) => [own.text, theirs.text]), [["Mine", "Theirs"]]);
  assert.equal(textOf(mine, 0), "Mine");
});

test("mine: the step is sent again, with what was typed since", () => {
  const { server, mine } = clash();
  mine.act([setText(0, "Mine, and more")]);
  const { replaced } = mine.decide(mine.clashes[0].id, "mine");
  assert.deepEqual(replaced.map(({ step }) => step.baseVersion), [2, 2]);
  send(server, mine);
  send(server, mine);
  assert.equal(server.state.segments.get(uuid(0)).text, "Mine, and more");
  assert.deepEqual([mine.clashes, mine.pending], [[], []]);
});

test("theirs: what was typed in that segment is dropped, nothing else", () => {
  const { server, mine } = clash();
  mine.act([setText(0, "Mine, and more"), setText(1, "Kept")]);
  mine.act([setText(0, "Mine, and still more")], { canCoalesce: false });
  mine.undo();
  const [{ id }] = mine.clashes;
  const { changed, replaced } = mine.decide(id, "theirs");
  assert.deepEqual([textOf(mine, 0), textOf(mine, 1)], ["Theirs", "Kept"]);
  assert.deepEqual(changed.segments, [uuid(0)]);
  assert.deepEqual(replaced.map(({ step }) => step?.edits.length ?? 0).sort(), [0, 0, 0, 1]);
  send(server, mine);
  assert.deepEqual([server.state.segments.get(uuid(1)).text, mine.pending.length], ["Kept", 0]);
});

test("theirs: a merge goes that clashed with a segment it does not name", () => {
  const { server, stores: [mine, theirs] } = pages(2);
  theirs.act([setText(1, "Theirs")]);
  send(server, theirs);
  const { step } = mine.act([{ kind: "Merge", segment: uuid(0), with: "next" }]);
  mine.takeClash(step.id, server.answer(new Set([uuid(1)])));
  mine.decide(step.id, "theirs");
  assert.deepEqual([0, 1].map((n) => textOf(mine, n)), [TEXTS[0], "Theirs"]);
  assert.deepEqual([mine.pending, mine.clashes], [[], []]);
});

test("a clash that names no rows ends with either decision", () => {
  for (const [choice, left] of [["mine", 1], ["theirs", 0]]) {
    const { stores: [store] } = pages(1);
    const { step } = store.act([{ kind: "MergeSpeakers", from: uuid(100), into: uuid(101) }]);
    store.takeClash(step.id, { version: 1, segments: [], removed: [], speakers: [] });
    store.decide(step.id, choice);
    assert.deepEqual([store.pending.length, store.clashes], [left, []]);
  }
});

test("a speaker whose making was undone goes when the answer says so", () => {
  const { server, stores: [store] } = pages(1);
  store.act([{ kind: "AddSpeaker", newKey: uuid(9), name: "Jonas" }]);
  send(server, store);
  const { step } = store.undo();
  const { body } = server.post(step);
  store.acknowledge(step.id, body);
  assert.equal(store.state.speakers.has(uuid(9)), false);
});

test("a segment that somebody deleted meanwhile clashes with nothing on their side", () => {
  const { server, stores: [mine, theirs] } = pages(2);
  theirs.act([{ kind: "Delete", segment: uuid(0) }]);
  send(server, theirs);
  mine.act([setText(0, "Mine")]);
  send(server, mine);
  const [{ id, rows }] = mine.clashes;
  assert.equal(rows[0].theirs, null);
  mine.decide(id, "theirs");
  assert.deepEqual([textOf(mine, 0), mine.pending.length], [undefined, 0]);
});

test("undo and redo show at once, and the server agrees", () => {
  const { server, stores: [store] } = pages(1);
  const start = plain(store.state);
  store.act([setText(0, "Mine")]);
  store.act([{ kind: "Merge", segment: uuid(0), with: "next" }]);
  const done = plain(store.state);
  store.undo();
  send(server, store);
  send(server, store);
  store.undo();
  assert.deepEqual(plain(store.state), start);
  store.redo();
  store.redo();
  assert.deepEqual(plain(store.state), done);
  while (store.pending.length) send(server, store);
  assert.deepEqual(plain(store.state), plain(server.state));
});

test("an undo of what this page has not seen waits for the server", () => {
  const { server, stores: [store] } = pages(1);
  store.act([setText(0, "Mine")]);
  send(server, store);
  const reloaded = new Store(server.transcript, { client: "tab-0", newId: () => `again-${(ids += 1)}` });
  assert.deepEqual(reloaded.undo().changed.segments, []);
  assert.deepEqual(send(server, reloaded).segments, [uuid(0)]);
  assert.equal(textOf(reloaded, 0), TEXTS[0]);
});

test("a step that is refused goes, and its undo with it", () => {
  const { stores: [store] } = pages(1);
  const start = plain(store.state);
  store.act([setText(0, "Earlier")], { canCoalesce: false });
  const { step } = store.act([setText(0, "Mine")], { canCoalesce: false });
  const undone = store.undo().step;
  assert.deepEqual(store.refuse(step.id).dropped, [step.id, undone.id]);
  assert.equal(textOf(store, 0), "Earlier");
  store.undo();
  assert.deepEqual(plain(store.state), start);
});

test("steps that were kept are taken in after a reload", () => {
  const { server, stores: [store] } = pages(1);
  store.act([setText(0, "Mine")], { canCoalesce: false });
  store.act([{ kind: "Split", segment: uuid(1), at: 7, newKey: uuid(9) }]);
  const kept = structuredClone(store.pending.map(({ step }) => step));
  const reloaded = new Store(server.transcript, { client: "tab-0", newId: () => `again-${(ids += 1)}` });
  assert.deepEqual(reloaded.takeIn(kept).segments.sort(), [uuid(0), uuid(1), uuid(9)].sort());
  assert.deepEqual(plain(reloaded.state), plain(store.state));
  assert.equal(reloaded.act([setText(0, "Mine too")]).replaces, null);
});

test("pages that edit at once, by chance, end with what the server has", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const chance = new Chance(seed);
    const flags = [{ kind: "low_confidence", score: 0.4 }];
    const segments = TEXTS.map((text, number) => segment(number, text, { flags: chance.maybe() ? flags : [] }));
    const { server, stores } = pages(3, transcript(TEXTS, { segments, doubtful: segments.filter(isDoubtful).length }));
    const edits = stores.map((_, n) => new RandomEdits(chance, 1000 * (n + 1)));
    for (let number = 0; number < 120; number += 1) happen(chance, server, chance.below(3), stores, edits);
    for (const store of stores) settle(server, store);
    for (const store of stores) {
      store.takeChanges(server.changes(store.version));
      assert.deepEqual(plain(store.state).segments, plain(server.state).segments, `seed ${seed}`);
      assert.deepEqual(plain(store.state).speakers, plain(server.state).speakers, `seed ${seed}`);
      assert.equal(store.state.transcript.doubtful, server.state.transcript.doubtful, `seed ${seed}`);
    }
  }
});

function happen(chance, server, number, stores, edits) {
  const store = stores[number];
  const what = chance.below(10);
  if (what < 5) actIfSensible(store, [edits[number].next(store.state)]);
  else if (what === 5) store.act([{ kind: chance.of(["Undo", "Redo"]) }]);
  else if (what === 6) store.takeChanges(server.changes(store.version));
  else if (store.pending.some((entry) => !entry.clash)) sendNext(chance, server, store);
}

function sendNext(chance, server, store) {
  if (store.clashes.length) store.decide(store.clashes[0].id, chance.of(["mine", "theirs"]));
  if (store.pending.length) send(server, store);
}

function actIfSensible(store, edits) {
  try {
    store.act(edits);
  } catch (problem) {
    if (!(problem instanceof InvalidEdit)) throw problem;
  }
}

function settle(server, store) {
  for (let round = 0; store.pending.length; round += 1) {
    assert.ok(round < 2000, "it ends");
    if (store.clashes.length) store.decide(store.clashes[0].id, "theirs");
    else send(server, store);
  }
}

test("an edit costs about the same in a short transcript and in one of 12,000 segments", () => {
  const { server, stores: [store] } = pages(1, longTranscript(12_000));
  let looked = 0;
  const { get } = store.state.segments.byKey;
  store.state.segments.byKey.get = function counted(key) {
    looked += 1;
    return get.call(this, key);
  };
  store.act([setText(6000, "Other words of a long day")]);
  store.act([{ kind: "Split", segment: uuid(6000), at: 5, newKey: uuid(20_000) }]);
  store.act([{ kind: "Merge", segment: uuid(6000), with: "next" }]);
  store.undo();
  while (store.pending.length) send(server, store);
  assert.ok(looked < 1500, `${looked} rows were looked at`);
});
