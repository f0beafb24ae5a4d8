/** What the commands do, with a real transcript: where they lead, what they change, and what they leave alone. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { commandsOf } from "../../../../review/static/review/keys/commands.js";
import { COMMANDS } from "../../../../review/static/review/keys/keymap.js";
import { uuid } from "../../support.js";
import { openPage } from "./fake_page.js";

const TEXTS = ["So the mill closed", "And who kept the ledger?", "Nobody.", "My aunt."];
const FLAG = { kind: "low_confidence", score: 0.4 };

async function workspace(options = {}, texts = TEXTS) {
  const page = await openPage(texts, options);
  return { page, commands: commandsOf(page) };
}

/** Flags for some of the segments. */
const flagged = (...numbers) => ({ segments }) => {
  for (const number of numbers) segments.put({ ...segments.get(uuid(number)), flags: [FLAG] });
};
const caret = (from, to = from) => ({ from, to });
const rowOf = (page, number) => page.segments.get(uuid(number));

test("every key of the keymap has a command, but for one that is still to come", async () => {
  const { commands } = await workspace();
  const missing = new Set(COMMANDS.map(({ command }) => command).filter((command) => !(command in commands)));
  assert.deepEqual([...missing], ["replace"]);
});

test("the player and the panels hear what is meant for them", async () => {
  const { page, commands } = await workspace();
  commands.toggle();
  commands["hold-to-play"]();
  commands["let-go"]();
  commands.skip({ seconds: -2 });
  commands.speed({ step: 1 });
  commands.find();
  commands["find-step"]({ step: -1 });
  commands["file-done"]();
  commands["next-file"]();
  commands.details({ code: "KeyI" });
  commands.details({});
  assert.deepEqual(page.told, [
    ["toggle"], ["play"], ["pause"], ["skip", -2], ["changeSpeed", 1], ["find"], ["find-step", -1],
    ["goOn", { isDone: true }], ["goOn"], ["details", { byKey: true }], ["details", { byKey: false }],
  ]);
});

test("help opens and closes, and comes into sight when it opens", async () => {
  const { page, commands } = await workspace();
  commands.help();
  commands.help();
  assert.deepEqual([page.help.open, page.told.length], [false, 1]);
});

test("one goes to the neighbours, and no further than the ends", async () => {
  const { page, commands } = await workspace({ current: 2 });
  commands["go-segment"]({ step: 1 });
  assert.deepEqual([page.list.current, page.list.shown, page.list.editing], [uuid(3), uuid(3), null]);
  commands["go-segment"]({ step: 1 });
  assert.equal(page.list.current, uuid(3));
  commands["go-segment"]({ step: -1 });
  assert.equal(page.list.current, uuid(2));
});

test("playing the neighbour plays from its start", async () => {
  const { page, commands } = await workspace({ current: 1 });
  commands["play-segment"]({ step: 1 });
  assert.deepEqual(page.told, [["playFrom", 20]]);
});

test("whoever was writing writes on where they go, from the start", async () => {
  const { page, commands } = await workspace({ current: 1, caret: caret(5) });
  commands["go-segment"]({ step: 1 });
  assert.deepEqual([page.list.editing, page.list.caret], [uuid(2), caret(0)]);
});

test("where nothing is current yet the first segment is meant", async () => {
  const { page, commands } = await workspace({ current: null });
  commands["go-segment"]({ step: 1 });
  assert.equal(page.list.current, uuid(1));
});

test("a current segment that somebody deleted is current no more", async () => {
  const { page, commands } = await workspace({ current: 2 });
  page.act([{ kind: "Delete", segment: uuid(2) }]);
  commands.highlight();
  assert.equal(rowOf(page, 0).highlighted, true);
});

test("doubtful places come one after the other, round the end, and back", async () => {
  const { page, commands } = await workspace({ current: 0, prepare: flagged(1, 3) });
  const seen = [1, 1, 1, -1, -1].map((step) => {
    commands["go-doubtful"]({ step });
    return page.list.current;
  });
  assert.deepEqual(seen, [1, 3, 1, 3, 1].map(uuid));
});

test("without doubtful places one stays where one is", async () => {
  const { page, commands } = await workspace({ current: 2 });
  commands["go-doubtful"]({ step: 1 });
  assert.deepEqual([page.list.current, page.list.shown], [uuid(2), null]);
});

test("a place in a list is shown, has the focus and is what would play", async () => {
  const { page, commands } = await workspace();
  commands.visit({ key: uuid(2) });
  assert.deepEqual(page.told, [["listen", { seconds: 20, key: uuid(2), plays: false }]]);
  assert.deepEqual([page.list.focused, page.list.shown], [uuid(2), uuid(2)]);
  commands.visit({ key: uuid(3), seeks: false });
  assert.deepEqual([page.list.current, page.told.length], [uuid(3), 1]);
  commands.visit({ key: uuid(77) });
  assert.equal(page.list.focused, uuid(3), "that one is gone");
});

test("writing begins at the end of the current segment", async () => {
  const { page, commands } = await workspace({ current: 2 });
  commands.edit();
  assert.deepEqual([page.list.editing, page.list.caret], [uuid(2), caret(7)]);
});

test("a split leaves the caret at the start of the second half", async () => {
  const { page, commands } = await workspace({ current: 0, caret: caret(6) });
  commands.split();
  assert.deepEqual(page.texts.slice(0, 2), ["So the", "mill closed"]);
  assert.deepEqual([page.list.editing, page.list.caret], [page.segments.at(1).key, caret(0)]);
});

test("a split of a selection makes it a segment of its own", async () => {
  const { page, commands } = await workspace({ current: 0, caret: caret(7, 11) });
  commands.split();
  assert.deepEqual(page.texts.slice(0, 3), ["So the", "mill", "closed"]);
  assert.equal(page.list.editing, uuid(0));
});

test("a split that makes no sense is told, and the caret stays", async () => {
  const { page, commands } = await workspace({ current: 0, caret: caret(0) });
  commands.split();
  assert.deepEqual([page.refused, page.texts, page.list.caret], [["INVALID_SPLIT"], TEXTS, caret(0)]);
});

test("nothing is split, merged or broken where nobody writes", async () => {
  const { page, commands } = await workspace({ current: 1 });
  for (const name of ["split", "new-line", "merge-up"]) commands[name]();
  assert.deepEqual([page.texts, page.refused], [TEXTS, []]);
});

test("a new line is put where the caret is, in place of what is selected", async () => {
  const { page, commands } = await workspace({ current: 0, caret: caret(1, 3) }, ["😀 😀b"]);
  commands["new-line"]();
  assert.deepEqual([page.texts, page.list.caret], [["😀\nb"], caret(2)]);
});

test("a merge leaves the caret at the seam, in scripts with and without spaces", async () => {
  for (const [texts, whole, at] of [[["So the", "mill"], "So the mill", 7], [["水車は", "閉まった"], "水車は閉まった", 3], [["", "mill"], "mill", 0]]) {
    const { page, commands } = await workspace({ current: 1, caret: caret(0) }, texts);
    commands["merge-up"]();
    assert.deepEqual([page.texts, page.list.editing, page.list.caret], [[whole], uuid(0), caret(at)]);
  }
});

test("the first segment has nothing above to be merged with", async () => {
  const { page, commands } = await workspace({ current: 0, caret: caret(0) });
  commands["merge-up"]();
  assert.deepEqual([page.texts, page.refused], [TEXTS, []]);
});

test("undo after a merge gives back both, and redo the one", async () => {
  const { page, commands } = await workspace({ current: 1, caret: caret(0) });
  commands["merge-up"]();
  commands.undo();
  assert.deepEqual(page.texts, TEXTS);
  commands.redo();
  assert.equal(page.texts[0], `${TEXTS[0]} ${TEXTS[1]}`);
});

test("what is deleted leaves the next segment current, the last one the one before", async () => {
  const { page, commands } = await workspace({ current: 1 });
  commands.delete();
  assert.equal(page.list.current, uuid(2));
  page.list.makeCurrent(uuid(3));
  commands.delete();
  assert.deepEqual([page.list.current, page.texts], [uuid(2), [TEXTS[0], TEXTS[2]]]);
});

test("the only segment can be deleted, and then nothing more happens", async () => {
  const { page, commands } = await workspace({ current: 0 }, ["So"]);
  for (const name of ["delete", "delete", "highlight", "segment-done", "fine"]) commands[name]();
  assert.deepEqual([page.texts, page.refused], [[], []]);
});

test("a digit assigns the segment, or the run, to the speaker who has it", async () => {
  const { page, commands } = await workspace({ current: 0 });
  const speakers = () => [...page.segments].map(({ speaker }) => Number(speaker.slice(-3)));
  commands.speaker({ digit: 2, scope: "one" });
  assert.deepEqual(speakers(), [101, 101, 100, 101]);
  commands.speaker({ digit: 1, scope: "run" });
  assert.deepEqual(speakers(), [100, 100, 100, 101]);
  commands.speaker({ digit: 9, scope: "one" });
  assert.deepEqual([speakers(), page.refused], [[100, 100, 100, 101], []], "nobody has it");
  commands["give-to"]({ key: uuid(101) });
  assert.deepEqual(speakers(), [101, 100, 100, 101]);
});

test("who was merged away has no digit any more", async () => {
  const { page, commands } = await workspace({ current: 0 });
  page.act([{ kind: "MergeSpeakers", from: uuid(101), into: uuid(100) }]);
  commands.speaker({ digit: 2, scope: "one" });
  assert.deepEqual([rowOf(page, 0).speaker, page.refused], [uuid(100), []]);
});

test("a highlight is put on and taken off", async () => {
  const { page, commands } = await workspace({ current: 1 });
  commands.highlight();
  assert.equal(rowOf(page, 1).highlighted, true);
  commands.highlight();
  assert.equal(rowOf(page, 1).highlighted, false);
});

test("a place that is fine loses all its open flags, and the next doubtful one is current", async () => {
  const many = ({ segments }) => {
    flagged(1, 3)({ segments });
    segments.put({ ...segments.get(uuid(1)), flags: [FLAG, { kind: "too_fast", score: 9 }, { kind: "music", score: 1, dismissed: true }] });
  };
  const { page, commands } = await workspace({ current: 1, prepare: many });
  commands.fine();
  assert.ok(rowOf(page, 1).flags.every(({ dismissed }) => dismissed));
  assert.equal(page.list.current, uuid(3));
  commands.undo();
  assert.deepEqual(rowOf(page, 1).flags.map(({ dismissed }) => Boolean(dismissed)), [false, false, true], "all in one step");
});

test("a segment that is done is checked once, and the next is current", async () => {
  const { page, commands } = await workspace({ current: 2 });
  commands["segment-done"]();
  assert.deepEqual([rowOf(page, 2).checked, page.list.current], [true, uuid(3)]);
  page.list.makeCurrent(uuid(2));
  const { length } = page.copy.store.pending;
  commands["segment-done"]();
  assert.deepEqual([rowOf(page, 2).checked, page.copy.store.pending.length], [true, length]);
});
