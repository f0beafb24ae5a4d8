/** Where people change keys: a dialog with every command, its keys, and what is wrong with them.
 *
 * It says "keys-chosen" `{ choice }` for each change; the choice is kept in this browser, for every transcript.
 */

import { isMac, keysOf, layoutOf, nameIn } from "./keyboard.js";
import {
  bindingsOf, COMMANDS, conflicts, describe, KEPT_AS, keepChoice, parsed, problemWith, readChoice, written, writtenOf,
} from "./key-bindings.js";

class KeySettings extends HTMLElement {
  /** `commands` are those that the page has. */
  start(words, commands) {
    this.words = words;
    this.entries = COMMANDS.filter(({ command }) => command in commands);
    this.dialog = this.querySelector("dialog");
    this.preset = this.querySelector("[name=preset]");
    this.naming = { say: nameIn(words), layout: new Map() };
    this.recording = null; // the id of a command that gets the next key
    this.problems = new Map(); // id → what was wrong with the key that was pressed for it
    this.listen();
  }

  listen() {
    this.addEventListener("click", ({ target }) => this.do(target.closest("[data-do]")));
    this.preset.addEventListener("change", () => this.choose({ ...this.choice, preset: this.preset.value }));
    this.dialog.addEventListener("keydown", (event) => this.hear(event), { capture: true });
    this.dialog.addEventListener("keyup", (event) => this.hearUp(event), { capture: true });
    this.dialog.addEventListener("focusout", ({ target }) => target.dataset.do === "record" && this.endRecording());
    addEventListener("storage", ({ key }) => [KEPT_AS, null].includes(key) && this.dialog.open && this.take(readChoice()));
  }

  async open() {
    this.naming.layout = await layoutOf();
    this.rows ??= this.draw();
    this.problems.clear();
    this.take(readChoice());
    this.dialog.showModal();
  }

  // What a person does -----------------------------------------------------------------------------

  do(button) {
    const id = button?.closest("li")?.dataset.id;
    const all = {
      open: () => this.open(),
      close: () => this.dialog.close(),
      forget: () => this.forget(),
      record: () => this.record(id),
      remove: () => this.remove(id, button.dataset.keys),
      reset: () => this.reset(id),
    };
    all[button?.dataset.do]?.();
  }

  record(id) {
    this.focusOn(id); // Safari does not focus what is clicked
    this.recording = id;
    this.problems.delete(id);
    this.show();
    this.say("keys-recording", { what: this.nameOf(id) });
  }

  endRecording() {
    if (this.recording === null) return;
    this.recording = null;
    this.show();
    this.say("keys-ended");
  }

  /** The next key is recorded: but Tab goes on as ever, and Escape ends it. */
  hear(event) {
    if (this.recording === null || event.isComposing || event.code === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    const keys = writtenOf(event, { isMac });
    if (event.repeat || !keys) return; // the press that began it, or a modifier that waits for its key
    this.pressed = event.code;
    if (keys === "Escape") this.endRecording();
    else this.add(this.recording, keys, event.metaKey && !isMac);
  }

  /** Space would press the button when it is let go. */
  hearUp(event) {
    if (event.code === this.pressed) event.preventDefault();
    this.pressed = null;
  }

  add(id, keys, isOfSystem) {
    const { where } = this.entryOf(id);
    const problem = isOfSystem ? "taken" : problemWith({ where, ...parsed(keys) });
    const named = this.named(keys);
    this.problems.delete(id);
    if (problem) {
      this.problems.set(id, this.words.say(`keys-${problem}`, { keys: named }));
      this.show();
      return this.tell(this.problems.get(id));
    }
    this.recording = null;
    this.give(id, [...this.keysOf(id).filter((each) => each !== keys), keys]);
    return this.tell([this.words.say("keys-added", { keys: named, what: this.nameOf(id) }), ...this.clashesOf(id)].join(" "));
  }

  remove(id, keys) {
    this.problems.delete(id);
    this.give(id, this.keysOf(id).filter((each) => each !== keys));
    this.focusOn(id);
    this.say("keys-removed", { keys: this.named(keys), what: this.nameOf(id) });
  }

  reset(id) {
    const { [id]: _former, ...own } = this.choice.own;
    this.problems.delete(id);
    this.focusOn(id);
    this.choose({ ...this.choice, own });
    this.say("keys-restored", { what: this.nameOf(id) });
  }

  forget() {
    this.preset.focus();
    this.problems.clear();
    this.choose({ ...this.choice, own: {} });
  }

  give(id, keys) {
    this.choose({ ...this.choice, own: { ...this.choice.own, [id]: keys } });
  }

  /** Keep a choice, and let it be valid from now on. */
  choose(choice) {
    this.take(choice);
    this.dispatchEvent(new CustomEvent("keys-chosen", { bubbles: true, detail: { choice } }));
    try {
      keepChoice(choice);
    } catch {
      this.part("note").textContent = this.words.say("keys-unkept");
    }
  }

  take(choice) {
    this.choice = choice;
    this.bindings = bindingsOf(choice).filter(({ id }) => this.entryOf(id));
    this.clashes = conflicts(this.bindings);
    this.preset.value = choice.preset;
    this.part("note").textContent = this.words.say(`keys-note-${choice.preset}`);
    const count = Object.keys(choice.own).length;
    this.part("own").hidden = !count;
    this.part("count").textContent = this.words.count("keys-own", count);
    this.show();
  }

  // Drawing ----------------------------------------------------------------------------------------

  /** Make the rows, once; return them by the id of their command. */
  draw() {
    const rows = new Map(this.entries.map(({ id }) => [id, this.make("row")]));
    for (const group of new Set(this.entries.map((entry) => entry.group))) {
      const section = this.make("group");
      section.open = group !== "speakers"; // nine times four
      section.querySelector("summary").textContent = this.words.say(`keys-${group}`);
      section.querySelector("ul").append(...this.entries.filter((entry) => entry.group === group).map(({ id }) => rows.get(id)));
      this.querySelector("[data-list=groups]").append(section);
    }
    for (const [id, row] of rows) this.name(row, id);
    return rows;
  }

  make(name) {
    return this.querySelector(`[data-template=${name}]`).content.firstElementChild.cloneNode(true);
  }

  name(row, id) {
    const what = this.nameOf(id);
    row.dataset.id = id;
    row.querySelector("[role=group]").ariaLabel = what;
    row.querySelector(".key-what").textContent = what;
    row.querySelector("[data-do=record]").ariaLabel = this.words.say("keys-add-to", { what });
    row.querySelector("[data-do=reset]").ariaLabel = this.words.say("keys-reset", { what });
  }

  show() {
    for (const [id, row] of this.rows) this.fill(row, id);
  }

  fill(row, id) {
    const keys = this.keysOf(id);
    const list = row.querySelector(".key-list");
    if (list.dataset.shown !== keys.join(" ") || !list.firstChild) {
      list.dataset.shown = keys.join(" ");
      list.replaceChildren(...(keys.length ? keys.map((each) => this.chip(each, id)) : [this.words.say("keys-none")]));
    }
    const record = row.querySelector("[data-do=record]");
    record.textContent = this.words.say(this.recording === id ? "keys-press" : "keys-add");
    record.ariaPressed = String(this.recording === id);
    row.querySelector("[data-do=reset]").hidden = !Object.hasOwn(this.choice.own, id);
    const problems = [this.problems.get(id) ?? "", ...this.clashesOf(id)].filter(Boolean);
    row.querySelector("[data-field=problem]").textContent = problems.join(" ");
    if (problems.length) row.closest("details").open = true;
  }

  chip(keys, id) {
    const chip = document.createElement("span");
    const remove = document.createElement("button");
    chip.className = "key-chip";
    Object.assign(remove, { className: "button is-quiet", type: "button", textContent: this.words.say("keys-remove") });
    Object.assign(remove.dataset, { do: "remove", keys });
    remove.ariaLabel = this.words.say("keys-remove-from", { keys: this.named(keys), what: this.nameOf(id) });
    chip.append(...keysOf(parsed(keys), this.naming), remove);
    return chip;
  }

  focusOn(id) {
    this.rows.get(id).querySelector("[data-do=record]").focus();
  }

  // What is said -----------------------------------------------------------------------------------

  say(key, values) {
    this.tell(this.words.say(key, values));
  }

  tell(sentence) {
    this.part("said").textContent = sentence;
  }

  entryOf(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  nameOf(id) {
    const { words, digit } = this.entryOf(id);
    const what = this.words.say(words);
    return digit ? this.words.say("keys-of-speaker", { what, n: digit }) : what;
  }

  named(keys) {
    return describe(parsed(keys), this.naming).join("+");
  }

  keysOf(id) {
    return this.bindings.filter((binding) => binding.id === id).map(written);
  }

  /** A sentence for each key of a command that another has too. */
  clashesOf(id) {
    const pairs = this.clashes.filter((pair) => pair.some((binding) => binding.id === id));
    return pairs.map((pair) => {
      const other = pair.find((binding) => binding.id !== id);
      return this.words.say("keys-clash", { keys: this.named(written(other)), other: this.nameOf(other.id) });
    });
  }

  part(name) {
    return this.querySelector(`[data-field=${name}]`);
  }
}

customElements.define("key-settings", KeySettings);
