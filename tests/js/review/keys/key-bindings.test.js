import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bindingsOf, COMMANDS, conflicts, describe, keepChoice, keyFor, parsed, PRESETS, problemWith,
  readChoice, written, writtenOf,
} from "../../../../review/static/review/keys/key-bindings.js";

const DEFAULTS = bindingsOf();
const READING = { isReading: true };
const WRITING = { isWriting: true };

/** What a press means, written as in `Ctrl+KeyZ`. */
function meaning(keys, context, bindings = DEFAULTS, more = {}) {
  const { code, ctrl, alt, shift } = parsed(keys);
  const event = { code, ctrlKey: ctrl, altKey: alt, shiftKey: shift, ...more };
  return keyFor(event, context, bindings)?.id;
}

test("the table has no two meanings for one press, with any preset", () => {
  for (const preset of Object.keys(PRESETS)) {
    const found = conflicts(bindingsOf({ preset })).map((pair) => pair.map(({ id }) => id));
    assert.deepEqual(found, [], preset);
  }
});

test("no key of the table is one that the browser keeps or that types", () => {
  for (const preset of Object.keys(PRESETS)) {
    const bad = bindingsOf({ preset }).filter((binding) => problemWith(binding));
    assert.deepEqual(bad.map((binding) => [binding.id, written(binding)]), [], preset);
  }
});

test("every command has an id of its own, and presets name commands that exist", () => {
  const ids = COMMANDS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const preset of Object.values(PRESETS)) for (const id of Object.keys(preset)) assert.ok(ids.includes(id), id);
});

test("keys mean what the design says, where it says", () => {
  const cases = [
    ["Ctrl+Space", WRITING, "toggle"], ["Escape", WRITING, "toggle"], ["Space", READING, "toggle-reading"],
    ["Space", WRITING, undefined], ["Space", {}, undefined], ["Alt+ArrowLeft", WRITING, "skip-back"],
    ["Alt+Shift+ArrowRight", {}, "skip-far-forward"], ["Alt+ArrowDown", WRITING, "play-next"],
    ["Alt+Equal", WRITING, "faster"], ["Digit3", READING, "speaker-3"], ["Digit3", WRITING, undefined],
    ["Alt+Digit3", WRITING, "speaker-writing-3"], ["Alt+Shift+Digit3", WRITING, "speaker-run-writing-3"],
    ["Shift+Digit3", READING, "speaker-run-3"], ["KeyE", READING, "edit"], ["KeyE", WRITING, undefined],
    ["Enter", WRITING, "split"], ["Enter", {}, undefined], ["Shift+Enter", WRITING, "new-line"],
    ["Backspace", WRITING, undefined], ["Backspace", { isWriting: true, isAtStart: true }, "merge-up"],
    ["Ctrl+KeyZ", WRITING, "undo"], ["Ctrl+Shift+KeyZ", WRITING, "redo"], ["Ctrl+KeyY", READING, "redo"],
    ["Ctrl+KeyF", {}, "find"], ["F3", { isFinding: true }, "find-next"], ["F3", WRITING, undefined],
    ["Ctrl+Shift+KeyG", { isWriting: true, isFinding: true }, "find-previous"], ["Ctrl+KeyH", {}, "replace"], ["Alt+KeyN", WRITING, "next-doubtful"],
    ["Alt+Shift+KeyN", WRITING, "previous-doubtful"], ["Alt+KeyM", READING, "fine"], ["KeyH", READING, "highlight"],
    ["Alt+KeyI", WRITING, "details"], ["Alt+KeyI", {}, "details"],
    ["Delete", READING, "delete"], ["Delete", WRITING, undefined], ["Ctrl+Enter", WRITING, "segment-done"],
    ["Ctrl+Shift+Enter", READING, "file-done"], ["Alt+PageDown", WRITING, "next-file"], ["BracketLeft", READING, "previous-segment"],
    ["F14", WRITING, "hold-to-play"],
  ];
  for (const [keys, context, expected] of cases) {
    assert.equal(meaning(keys, context), expected, `${keys} ${JSON.stringify(context)}`);
  }
});

test("the question mark is found wherever the layout has it", () => {
  assert.equal(meaning("Shift+Minus", READING, DEFAULTS, { key: "?" }), "help");
  assert.equal(meaning("Shift+Slash", READING, DEFAULTS, { key: "_" }), "help");
});

test("the command key is Ctrl on a Mac, and nothing elsewhere", () => {
  assert.equal(meaning("KeyZ", { ...WRITING, isMac: true }, DEFAULTS, { metaKey: true }), "undo");
  assert.equal(meaning("KeyZ", WRITING, DEFAULTS, { metaKey: true }), undefined);
});

test("a press brings what its command needs, and a key that is somebody's own is left to them", () => {
  assert.equal(meaning("Space", READING), "toggle-reading");
  assert.equal(meaning("Space", {}), undefined, "a button has the focus");
  assert.equal(keyFor({ code: "ArrowLeft", altKey: true }, {}, DEFAULTS).seconds, -2);
});

test("a person binds a key anew, and a clash is said", () => {
  const bindings = bindingsOf({ preset: "otranscribe", own: { edit: ["KeyH"], fine: ["F16"] } });
  assert.equal(meaning("F1", WRITING, bindings), "skip-back");
  assert.equal(meaning("F16", WRITING, bindings), "fine");
  assert.equal(meaning("Alt+KeyM", WRITING, bindings), undefined);
  assert.deepEqual(conflicts(bindings).map((pair) => pair.map(({ id }) => id)), [["edit", "highlight"]]);
});

test("the presets have the keys of those programs", () => {
  const otranscribe = bindingsOf({ preset: "otranscribe" });
  for (const [keys, id] of [
    ["Escape", "toggle"], ["F1", "skip-back"], ["Ctrl+Digit1", "skip-back"], ["F2", "skip-forward"],
    ["Ctrl+Digit2", "skip-forward"], ["F3", "slower"], ["Ctrl+Digit3", "slower"], ["F4", "faster"], ["Ctrl+Digit4", "faster"],
  ]) assert.equal(meaning(keys, { isWriting: true, isFinding: true }, otranscribe), id, keys);
  const subtitleEdit = bindingsOf({ preset: "subtitle-edit" });
  for (const [keys, id] of [
    ["Ctrl+KeyP", "toggle"], ["Ctrl+Space", "toggle"], ["Alt+ArrowLeft", "skip-back"], ["F7", "skip-back"],
    ["Alt+ArrowRight", "skip-forward"], ["Alt+ArrowUp", "play-previous"], ["Alt+ArrowDown", "play-next"],
    ["Shift+Enter", "play-next"], ["Enter", "new-line"], ["Ctrl+Alt+KeyV", "split"], ["Ctrl+Shift+KeyM", "merge-up"],
    ["Ctrl+KeyZ", "undo"], ["Ctrl+KeyY", "redo"], ["Ctrl+KeyF", "find"], ["Ctrl+KeyH", "replace"], ["F3", "find-next"],
    ["Shift+F3", "find-previous"], ["F8", "next-doubtful"], ["Shift+F8", "previous-doubtful"],
  ]) assert.equal(meaning(keys, { isWriting: true, isFinding: true }, subtitleEdit), id, keys);
});

test("keys in fields that would write, and the browser's own, cannot be bound", () => {
  assert.equal(problemWith({ where: "everywhere", ...parsed("KeyA") }), "typed");
  assert.equal(problemWith({ where: "reading", ...parsed("KeyA") }), "");
  assert.equal(problemWith({ where: "everywhere", ...parsed("F17") }), "");
  assert.equal(problemWith({ where: "reading", ...parsed("Ctrl+KeyW") }), "taken");
  for (const keys of ["Tab", "Shift+Tab"]) assert.equal(problemWith({ where: "reading", ...parsed(keys) }), "taken", keys);
  for (const keys of ["Ctrl+KeyC", "Ctrl+KeyV", "ArrowLeft", "Backspace", "Home"]) {
    assert.equal(problemWith({ where: "everywhere", ...parsed(keys) }), "needed", keys);
  }
  assert.equal(problemWith({ where: "writing", ...parsed("Backspace") }), "");
  assert.equal(problemWith({ where: "reading", ...parsed("ArrowLeft") }), "");
  assert.equal(problemWith({ where: "reading", code: "" }), "nameless");
});

test("a choice is kept in the browser; what is not understood is left out", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  assert.deepEqual(readChoice(storage), { preset: "default", own: {} });
  keepChoice({ preset: "otranscribe", own: { edit: ["KeyI"], gone: ["KeyG"], fine: "no list" } }, storage);
  assert.deepEqual(readChoice(storage), { preset: "otranscribe", own: { edit: ["KeyI"] } });
  storage.setItem("review.keys", "{");
  assert.deepEqual(readChoice(storage), { preset: "default", own: {} });
});

test("keys are named as the keyboard names them", () => {
  assert.deepEqual(describe(parsed("Ctrl+Shift+KeyZ")), ["Ctrl", "Shift", "Z"]);
  assert.deepEqual(describe(parsed("Alt+ArrowLeft")), ["Alt", "←"]);
  assert.deepEqual(describe(parsed("BracketLeft"), { layout: new Map([["BracketLeft", "ü"]]) }), ["Ü"]);
  assert.deepEqual(describe(parsed("Alt+Minus"), { layout: new Map([["Minus", "ß"]]) }), ["Alt", "ß"]);
  const say = (name) => ({ Ctrl: "Strg", Shift: "Umschalt" })[name] ?? name;
  assert.deepEqual(describe(parsed("Ctrl+Enter"), { say }), ["Strg", "Enter"]);
});

test("a press is written as it is bound; a modifier alone is none", () => {
  assert.equal(writtenOf({ code: "KeyN", key: "n", altKey: true, shiftKey: true }), "Alt+Shift+KeyN");
  assert.equal(writtenOf({ code: "ShiftLeft", key: "Shift", shiftKey: true }), "");
  assert.equal(writtenOf({ code: "KeyK", key: "k", metaKey: true }, { isMac: true }), "Ctrl+KeyK");
  assert.equal(writtenOf({ code: "F17", key: "F17" }), "F17");
});
