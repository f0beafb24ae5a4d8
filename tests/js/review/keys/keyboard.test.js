/** Presses as the page hears them: which become commands, and which are left to the field, the slider or the browser. */

import assert from "node:assert/strict";
import { test } from "node:test";

const happenings = new Map();
Object.defineProperty(globalThis, "navigator", { value: { platform: "Linux x86_64" }, configurable: true });
globalThis.document = { addEventListener: (name, listen) => happenings.set(name, listen) };
globalThis.addEventListener = (name, listen) => happenings.set(name, listen);

const { hearKeys } = await import("../../../../review/static/review/keys/keyboard.js");
const kept = new Map();
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
Object.assign(globalThis.document, {
  createElement: (tag) => ({ tag, children: [], append(...children) { this.children.push(...children); } }),
});

const IDS = ["toggle", "hold-to-play", "let-go", "skip", "edit", "split", "merge-up", "file-done", "find", "undo"];

/** A page with some of the commands, which notes what is done. */
async function openPage({ isTypedOn = false, hasDialog = false } = {}) {
  const done = [];
  const lines = [];
  const page = {
    commands: Object.fromEntries(IDS.map((id) => [id, (binding) => done.push(binding ? binding.command : id)])),
    words: { knows: () => false, say: (key) => key },
    list: { editing: null, isTypedOn },
    search: { isOpen: false },
    player: { seek: { tagName: "INPUT" }, skip: (seconds) => done.push(`skip ${seconds}`) },
    querySelector: (selector) => (selector === "dialog[open]" ? hasDialog || null : { replaceChildren: (...all) => lines.splice(0, lines.length, ...all) }),
    addEventListener: (name, listen) => happenings.set(name, listen),
  };
  await hearKeys(page);
  return { page, done, lines };
}

const nowhere = { closest: () => null, matches: () => false, dataset: {} };
const inField = { closest: () => ({}), matches: () => true, dataset: {} };
const onButton = { closest: () => ({}), matches: () => false, dataset: {} };

/** Press a key; return whether the page took it. */
function press(code, { target = nowhere, type = "keydown", ...more } = {}) {
  let isTaken = false;
  const event = { code, key: code, target, repeat: false, isComposing: false, preventDefault: () => (isTaken = true), ...more };
  happenings.get(type)(event);
  return isTaken;
}

test("a key of the table is a command, any other is the browser's", async () => {
  const { done } = await openPage();
  assert.deepEqual([press("Space"), press("KeyE"), press("KeyQ")], [true, true, false]);
  assert.deepEqual(done, ["toggle", "edit"]);
});

test("commands that the page does not have have no keys", async () => {
  const { done } = await openPage();
  assert.deepEqual([press("KeyH", { ctrlKey: true }), done], [false, []]);
});

test("letters are commands where nothing takes them: on a button Space presses it", async () => {
  const { done } = await openPage();
  assert.deepEqual([press("Space", { target: onButton }), press("KeyE", { target: inField }), done], [false, false, []]);
});

test("a field keeps its own undo and typing; playing and finding go on from there", async () => {
  const { done } = await openPage();
  assert.equal(press("KeyZ", { ctrlKey: true, target: inField }), false);
  press("Space", { ctrlKey: true, target: inField });
  press("KeyF", { ctrlKey: true, target: inField });
  assert.deepEqual(done, ["toggle", "find"]);
});

test("pressed in the field for searching the key of searching is the browser's", async () => {
  const { done } = await openPage();
  assert.equal(press("KeyF", { ctrlKey: true, target: { ...inField, dataset: { leaves: "find" } } }), false);
  assert.deepEqual(done, []);
});

test("an input method uses the keys for itself", async () => {
  const { done } = await openPage();
  assert.deepEqual([press("Escape", { isComposing: true }), done], [false, []]);
});

test("behind a dialog no key does anything", async () => {
  const { done } = await openPage({ hasDialog: true });
  assert.deepEqual([press("Escape"), press("KeyE"), done], [false, false, []]);
});

test("letters for a segment that somebody took away are swallowed, other keys work", async () => {
  const { done } = await openPage({ isTypedOn: true });
  assert.equal(press("KeyE"), true);
  assert.deepEqual(done, []);
  press("Escape");
  assert.deepEqual(done, ["toggle"]);
});

test("a key that is held plays once; one that moves goes on", async () => {
  const { done } = await openPage();
  for (const repeat of [false, true, true]) press("Escape", { repeat });
  for (const repeat of [false, true]) press("ArrowRight", { altKey: true, repeat });
  for (const repeat of [false, true]) press("Enter", { ctrlKey: true, shiftKey: true, repeat });
  assert.deepEqual(done, ["toggle", "skip", "skip", "file-done"]);
});

test("a pedal plays as long as it is down", async () => {
  const { done } = await openPage();
  press("F14");
  press("F14", { repeat: true });
  press("F14", { type: "keyup" });
  press("Space", { type: "keyup" });
  assert.deepEqual(done, ["hold-to-play", "let-go"]);
});

test("the slider moves by seconds, ten with Shift; with other modifiers the key is what it is elsewhere", async () => {
  const { page, done } = await openPage();
  const target = Object.assign(page.player.seek, nowhere);
  press("ArrowLeft", { target });
  press("ArrowUp", { target, shiftKey: true });
  press("ArrowRight", { target, altKey: true });
  assert.deepEqual(done, ["skip -2", "skip 10", "skip"]);
});

test("somebody who chooses other keys has them at once, here and in other tabs", async () => {
  const { done } = await openPage();
  happenings.get("keys-chosen")({ detail: { choice: { preset: "default", own: { edit: ["KeyQ"] } } } });
  assert.deepEqual([press("KeyE"), press("KeyQ"), done], [false, true, ["edit"]]);
  kept.set("review.keys", JSON.stringify({ preset: "default", own: { edit: ["KeyW"] } }));
  happenings.get("storage")({ key: "review.keys" });
  assert.deepEqual([press("KeyQ"), press("KeyW")], [false, true]);
  happenings.get("storage")({ key: "theme" });
  assert.equal(press("KeyW"), true);
  kept.clear();
});

test("the help has a line for each command, with all of its keys", async () => {
  const { lines } = await openPage();
  const [term, meaning] = lines;
  const said = term.children.map((child) => (typeof child === "string" ? child : child.textContent)).join("");
  assert.deepEqual([said, meaning.textContent], ["Ctrl Space, Esc", "key.toggle"]);
  assert.equal(lines.length % 2, 0);
});
