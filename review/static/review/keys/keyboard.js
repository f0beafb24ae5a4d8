/** The keyboard of the page: presses become commands, and the help is drawn from the same table. */

import { caretIn } from "../view/caret.js";
import { READING } from "./keymap.js";
import { bindingsOf, describe, KEPT_AS, keyFor, readChoice } from "./key-bindings.js";

const TAKES_KEYS = "button, a, summary, select, textarea, input, [contenteditable]";
const FIELDS = "input:not([type=range], [type=checkbox]), select, textarea"; // they undo and delete for themselves
const IN_FIELDS = ["toggle", "skip", "speed", "hold-to-play", "play-segment", "find", "find-step", "details"];
const ONCE = ["toggle", "hold-to-play", "file-done", "next-file"]; // a key held too long must not finish the next file too
export const isMac = /Mac/.test(navigator.platform);

/** From now on keys do what the table says; "keys-chosen" `{ choice }`, or a choice in another tab, changes it. */
export async function hearKeys(page) {
  const known = (choice) => bindingsOf(choice).filter(({ command }) => command in page.commands);
  let bindings = known(readChoice());
  document.addEventListener("keydown", (event) => press(page, bindings, event));
  document.addEventListener("keyup", (event) => letGo(page, bindings, event));
  const naming = { say: nameIn(page.words), layout: new Map() };
  const draw = () => drawHelp(page.querySelector("[data-list=keys]"), bindings, page.words, naming);
  const choose = (choice) => {
    bindings = known(choice);
    draw();
  };
  page.addEventListener("keys-chosen", ({ detail }) => choose(detail.choice));
  addEventListener("storage", ({ key }) => [KEPT_AS, null].includes(key) && choose(readChoice()));
  draw();
  naming.layout = await layoutOf();
  draw();
}

/** What this keyboard's keys have printed on them, where the browser says so. */
export async function layoutOf() {
  return (await navigator.keyboard?.getLayoutMap?.().catch(() => null)) ?? new Map();
}

/** How keys are named in the language of the page. */
export function nameIn(words) {
  return (name) => (words.knows(`keyname-${name}`) ? words.say(`keyname-${name}`) : name);
}

function press(page, bindings, event) {
  if (event.isComposing || pressSlider(page.player, event)) return; // an input method uses the keys now
  const binding = keyFor(event, contextOf(page, event), bindings);
  if (!binding || isLeft(event.target, binding) || page.querySelector("dialog[open]")) return;
  event.preventDefault();
  if (binding.where === READING && page.list.isTypedOn) return; // a letter is no command while somebody writes
  const isHeld = event.repeat && ONCE.includes(binding.command);
  if (!isHeld) page.commands[binding.command](binding);
}

/** Whether a key is left to a field; that for searching, pressed in there again, is left to the browser. */
function isLeft(target, { command }) {
  return target.matches?.(FIELDS) && (!IN_FIELDS.includes(command) || target.dataset.leaves === command);
}

/** The slider's own arrow keys would move a tenth of a second. */
function pressSlider(player, event) {
  const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2 }[event.key];
  if (event.target !== player.seek || !step || event.altKey || event.ctrlKey) return false;
  event.preventDefault();
  player.skip(event.shiftKey ? step * 5 : step);
  return true;
}

function letGo(page, bindings, event) {
  const isPedal = ({ command, code }) => command === "hold-to-play" && code === event.code;
  if (bindings.some(isPedal)) page.commands["let-go"]();
}

function contextOf(page, event) {
  const key = page.list.editing;
  const caret = key && caretIn(page.list.saidOf(key));
  return {
    isReading: !event.target.closest?.(TAKES_KEYS),
    isWriting: key !== null,
    isAtStart: Boolean(caret) && caret.from === 0 && caret.to === 0,
    isFinding: page.search.isOpen,
    isMac,
  };
}

/** One line a command: its keys, and what it does. */
function drawHelp(list, bindings, words, naming) {
  const byWords = new Map();
  for (const binding of bindings) byWords.set(binding.words, [...(byWords.get(binding.words) ?? []), binding]);
  const lines = [...byWords].flatMap(([key, some]) => {
    const term = document.createElement("dt");
    const isRow = some.length > 2 && some.every(({ code, digit }) => code === `Digit${digit}`);
    const shown = isRow ? [some[0], some.at(-1)] : some;
    term.append(...shown.flatMap((binding, index) => [index ? (isRow ? " … " : ", ") : "", ...keysOf(binding, naming)]));
    const meaning = document.createElement("dd");
    meaning.textContent = words.say(key);
    return [term, meaning];
  });
  list.replaceChildren(...lines);
}

/** The keys of a binding as elements. */
export function keysOf(binding, naming) {
  return describe(binding, naming).flatMap((name, index) => {
    const key = document.createElement("kbd");
    key.textContent = name;
    return index ? [" ", key] : [key];
  });
}
