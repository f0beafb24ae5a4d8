/** The keyboard of the page: presses become commands, and the help is drawn from the same table. */

import { caretIn } from "./caret.js";
import { READING } from "./key-table.js";
import { bindingsOf, describe, keyFor, readChoice } from "./keys.js";

const TAKES_KEYS = "button, a, summary, select, textarea, input, [contenteditable]";
const FIELDS = "input:not([type=range], [type=checkbox]), select, textarea"; // they undo and delete for themselves
const IN_FIELDS_TOO = ["toggle", "skip", "speed", "hold-to-play", "play-segment", "details"];
const ONCE = ["toggle", "hold-to-play", "file-done", "next-file"]; // a key held too long must not finish the next file too
const isMac = /Mac/.test(navigator.platform);

/** From now on keys do what the table says. */
export function hearKeys(page) {
  const bindings = bindingsOf(readChoice());
  document.addEventListener("keydown", (event) => press(page, bindings, event));
  document.addEventListener("keyup", (event) => letGo(page, bindings, event));
  drawHelp(page.querySelector("[data-list=keys]"), bindings, page.words);
}

function press(page, bindings, event) {
  if (event.isComposing || pressSlider(page.player, event)) return; // an input method uses the keys now
  const binding = keyFor(event, contextOf(page, event), bindings);
  const command = binding && page.commands[binding.command];
  if (!command || (event.target.matches?.(FIELDS) && !IN_FIELDS_TOO.includes(binding.command))) return;
  event.preventDefault();
  if (binding.where === READING && page.list.isTypedOn) return; // a letter is no command while somebody writes
  const isHeld = event.repeat && ONCE.includes(binding.command);
  if (!isHeld) command(binding);
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
    isMac,
  };
}

/** One line a command: its keys, and what it does. */
function drawHelp(list, bindings, words) {
  const byWords = new Map();
  for (const binding of bindings) byWords.set(binding.words, [...(byWords.get(binding.words) ?? []), binding]);
  for (const [key, some] of byWords) {
    if (!words.knows(key)) continue; // a command that this page does not have
    const term = document.createElement("dt");
    const shown = some.length > 4 ? [some[0], some.at(-1)] : some;
    term.append(...shown.flatMap((binding, index) => [...(index ? [index && some.length > 4 ? " … " : ", "] : []), ...keysOf(binding, words)]));
    const meaning = document.createElement("dd");
    meaning.textContent = words.say(key);
    list.append(term, meaning);
  }
}

function keysOf(binding, words) {
  const say = (name) => (words.knows(`keyname-${name}`) ? words.say(`keyname-${name}`) : name);
  return describe(binding, { say }).flatMap((name, index) => {
    const key = document.createElement("kbd");
    key.textContent = name;
    return index ? [" ", key] : [key];
  });
}
