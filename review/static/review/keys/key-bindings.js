/** Which key does what. Pure; matched on physical codes, so that every keyboard layout has them. */

import { COMMANDS, EVERYWHERE, PRESETS, READING, WRITING } from "./keymap.js";

export { COMMANDS, EVERYWHERE, PRESETS, READING, WRITING };

export const KEPT_AS = "review.keys";
const MODIFIERS = ["Ctrl", "Alt", "Shift"];
// What browsers keep for themselves, what a keyboard cannot do without, and what writing needs.
const TAKEN = ["Ctrl+KeyW", "Ctrl+KeyT", "Ctrl+KeyN", "Ctrl+Shift+KeyN", "Ctrl+Shift+KeyT", "Ctrl+Shift+KeyW", "Tab"];
const NEEDED = ["Ctrl+KeyA", "Ctrl+KeyC", "Ctrl+KeyV", "Ctrl+KeyX"];
const MOVES = /^(Arrow.+|Home|End|PageUp|PageDown|Enter|Backspace|Delete)$/;
const SIGNS = "Minus|Equal|Semicolon|Quote|Backquote|Backslash|Comma|Period|Slash|Space";
const TYPED = new RegExp(`^(Key.|Digit\\d|Numpad.+|Bracket.+|Intl.+|${SIGNS})$`);
const NAMES = {
  ...{ ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Minus: "−", Equal: "=" },
  ...{ BracketLeft: "[", BracketRight: "]", Slash: "/", Semicolon: ";", Quote: "'", Comma: ",", Period: "." },
};

/** Return one binding for each command and key: `{ id, command, where, words, code, ctrl, alt, shift, … }`.
 * `choice` is `{ preset, own: { id: [keys] } }`: a preset, and what a person changed. */
export function bindingsOf({ preset = "default", own = {} } = {}) {
  const keys = { ...PRESETS[preset], ...own };
  return COMMANDS.flatMap(({ keys: defaults, ...command }) =>
    (keys[command.id] ?? defaults).map((written) => ({ ...command, ...parsed(written) })),
  );
}

/** `Ctrl+Alt+KeyN` → `{ code: "KeyN", ctrl: true, alt: true, shift: false }`. A character alone is matched as typed. */
export function parsed(written) {
  const parts = written.split("+");
  const code = parts.pop();
  const [ctrl, alt, shift] = MODIFIERS.map((modifier) => parts.includes(modifier));
  return { code, ctrl, alt, shift };
}

export function written({ code, ctrl, alt, shift }) {
  return [ctrl && "Ctrl", alt && "Alt", shift && "Shift", code].filter(Boolean).join("+");
}

/** The keys of an event, as they are written in a choice; empty where only a modifier is down. On a Mac the command key
 * counts as Ctrl. */
export function writtenOf({ code, key, ctrlKey, altKey, shiftKey, metaKey }, { isMac = false } = {}) {
  if (["Control", "Alt", "Shift", "Meta", "AltGraph"].includes(key)) return "";
  return written({ code, ctrl: ctrlKey || (isMac && metaKey), alt: altKey, shift: shiftKey });
}

/** Return the binding of a key press, or undefined. `context` is `{ isReading, isWriting, isAtStart, isFinding, isMac }`;
 * reading: focus is on nothing that uses keys. On a Mac the command key counts as Ctrl. */
export function keyFor(event, context, bindings) {
  if (event.metaKey && !context.isMac) return undefined;
  return bindings.find((binding) => isPressed(binding, event) && isHeard(binding, context));
}

function isHeard({ where, onlyAtStart, onlyWhileFinding, ctrl, alt }, { isReading, isWriting, isAtStart, isFinding }) {
  if (onlyWhileFinding && !isFinding) return false;
  if (onlyAtStart && !isAtStart && !ctrl && !alt) return false;
  return where === EVERYWHERE || (where === READING ? isReading : isWriting);
}

function isPressed({ code, ctrl, alt, shift }, { code: pressed, key, ctrlKey, altKey, shiftKey, metaKey }) {
  const is = (wanted, down) => Boolean(wanted) === Boolean(down);
  if (!is(ctrl, ctrlKey || metaKey) || !is(alt, altKey)) return false;
  if (code.length === 1) return code === key; // a character, wherever the layout has it
  return code === pressed && is(shift, shiftKey);
}

/** Return pairs of bindings of different commands that one key press could mean. */
export function conflicts(bindings) {
  const byKeys = new Map();
  const found = [];
  for (const binding of bindings) {
    const others = byKeys.get(written(binding)) ?? [];
    for (const other of others) if (other.id !== binding.id && overlap(other, binding)) found.push([other, binding]);
    byKeys.set(written(binding), [...others, binding]);
  }
  return found;
}

function overlap(one, other) {
  return one.where === other.where || [one.where, other.where].includes(EVERYWHERE);
}

/** Say why these keys cannot be bound there: "taken" by the browser, "needed" for writing, "typed" as text, "nameless"
 * where the browser does not say which key it was, or "" where they can. */
export function problemWith({ where, ...keys }) {
  if (["", "Unidentified"].includes(keys.code)) return "nameless";
  if (TAKEN.includes(written(keys)) || TAKEN.includes(keys.code)) return "taken";
  if (NEEDED.includes(written(keys))) return "needed";
  if (keys.ctrl || keys.alt) return "";
  if (where !== READING && TYPED.test(keys.code)) return "typed";
  return where === EVERYWHERE && !keys.shift && MOVES.test(keys.code) ? "needed" : "";
}

/** Return the names of the keys, in order: `["Ctrl", "→"]`. `layout` maps codes to this keyboard's characters
 * (navigator.keyboard.getLayoutMap), `say` translates a name. */
export function describe({ code, ctrl, alt, shift }, { layout = new Map(), say = (name) => name } = {}) {
  const plain = NAMES[code] ?? code.replace(/^(Key|Digit)/, "").replace(/^Numpad/, "Num ");
  const letter = layout.get(code)?.toUpperCase() ?? "";
  const key = (letter.length > 1 ? layout.get(code) : letter) || plain; // a large ß would be two letters
  return [ctrl && "Ctrl", alt && "Alt", shift && "Shift", key].filter(Boolean).map((name) => say(name));
}

/** Return the choice that this browser keeps; what is not understood is left out. */
export function readChoice(storage = localStorage) {
  try {
    const { preset, own } = JSON.parse(storage.getItem(KEPT_AS));
    const isKeys = (keys) => Array.isArray(keys) && keys.every((each) => typeof each === "string" && each);
    const isCommand = (id) => COMMANDS.some((command) => command.id === id);
    const known = Object.entries(own ?? {}).filter(([id, keys]) => isCommand(id) && isKeys(keys));
    return { preset: Object.hasOwn(PRESETS, preset) ? preset : "default", own: Object.fromEntries(known) };
  } catch {
    return { preset: "default", own: {} };
  }
}

export function keepChoice(choice, storage = localStorage) {
  storage.setItem(KEPT_AS, JSON.stringify(choice));
}
