/** The caret counts code points, the browser UTF-16 units. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { caretIn, placeCaret, pointsOf, unitsOf } from "../../../../review/static/review/view/caret.js";
import { Chance } from "../../support.js";

test("units and points are the same but for characters beyond the first plane", () => {
  const text = "a😀é水👍z";
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 99].map((points) => unitsOf(text, points)), [0, 1, 3, 4, 5, 7, 8, 8]);
  assert.deepEqual([0, 1, 3, 4, 5, 7, 8, 99].map((units) => pointsOf(text, units)), [0, 1, 2, 3, 4, 5, 6, 6]);
  assert.deepEqual([unitsOf("", 3), pointsOf("", 3), unitsOf(text, -1)], [0, 0, 0]);
});

test("half of a pair counts as the character that it belongs to, or as one of its own", () => {
  assert.equal(pointsOf("😀", 1), 1);
  assert.equal(pointsOf("\ud83d!", 2), 2);
  assert.equal(unitsOf("\ud83d!", 1), 1);
});

test("there and back is where one was", () => {
  const chance = new Chance(5);
  for (let round = 0; round < 300; round += 1) {
    const characters = Array.from({ length: chance.below(20) }, () => chance.of(["a", "é", "😀", "水", "𠀀", "\u0301", "ש"]));
    const at = chance.below(characters.length + 1);
    const text = characters.join("");
    assert.equal(unitsOf(text, at), characters.slice(0, at).join("").length);
    assert.equal(pointsOf(text, unitsOf(text, at)), at);
  }
});

/** An element with one text, or none, and a selection from one unit to another. */
function workspace(text, range) {
  const node = text === null ? null : { data: text };
  const element = { firstChild: node, contains: (other) => other === node };
  const placed = [];
  globalThis.getSelection = () => ({
    rangeCount: range ? 1 : 0,
    getRangeAt: () => range(node),
    collapse: (place, units) => placed.push([place === element ? "element" : place.data, units]),
  });
  globalThis.document = {
    createRange: () => ({
      selectNodeContents() {},
      setEnd(container, units) {
        this.before = container.data.slice(0, units);
      },
      toString() {
        return this.before;
      },
    }),
  };
  return { element, placed };
}

test("a selection is told in code points, and only where both its ends are inside", () => {
  const within = (node) => ({ startContainer: node, startOffset: 3, endContainer: node, endOffset: 5 });
  assert.deepEqual(caretIn(workspace("a😀bc", within).element), { from: 2, to: 4 });
  const beyond = (node) => ({ startContainer: node, startOffset: 1, endContainer: { data: "elsewhere" }, endOffset: 2 });
  assert.equal(caretIn(workspace("a😀bc", beyond).element), null);
  assert.equal(caretIn(workspace("a", null).element), null, "nothing is selected");
});

test("a caret is put between characters, at the end where it is beyond it, and into an empty text", () => {
  const { element, placed } = workspace("a😀b", null);
  for (const at of [0, 2, Number.MAX_SAFE_INTEGER]) placeCaret(element, at);
  assert.deepEqual(placed, [["a😀b", 0], ["a😀b", 3], ["a😀b", 4]]);
  const empty = workspace(null, null);
  placeCaret(empty.element, 3);
  assert.deepEqual(empty.placed, [["element", 0]]);
});
