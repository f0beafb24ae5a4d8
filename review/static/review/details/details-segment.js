/** A section of the details: times and speaker of the current segment; a new one behind it, and taking it away.
 *
 * While somebody points at it or has the focus in it, it stays with its segment, wherever the player goes on to.
 */

import { placeBehind, problemOf, readTime, writeTime } from "./segment-times.js";
import { fillSegment, hearItems, setPart } from "./paged-list.js";
import { nameOf } from "../view/labels.js";
import { newId } from "../store/new-id.js";
import { rounded } from "../edits/timing.js";

const STEPPING_MS = 500; // several steps in a row are one edit
const FIELDS = ["start", "end"];

class SegmentDetails extends HTMLElement {
  start(page) {
    this.page = page;
    this.key = null;
    this.isPointedAt = false;
    page.addEventListener("current", ({ detail }) => this.follow(detail));
    this.fields = new Map(FIELDS.map((name) => [name, this.querySelector(`[data-time=${name}] input`)]));
    this.speaker = this.querySelector("select");
    this.speaker.addEventListener("change", () => this.act({ kind: "SetSpeaker", segment: this.key, speaker: this.speaker.value || null, scope: "one" }));
    for (const [name, field] of this.fields) this.listen(name, field);
    this.addEventListener("pointerenter", () => (this.isPointedAt = true));
    this.addEventListener("pointerleave", () => this.letGo());
    this.addEventListener("focusout", ({ relatedTarget }) => !this.contains(relatedTarget) && this.letGo());
    hearItems(this, {
      earlier: (_key, button) => this.step(fieldOf(button), -0.1),
      later: (_key, button) => this.step(fieldOf(button), 0.1),
      now: (_key, button) => this.write(fieldOf(button), this.page.player.time),
      insert: () => this.insert(),
      highlight: () => this.act({ kind: "Highlight", segment: this.key, on: !this.row.highlighted }),
      take: () => this.act({ kind: "Restore", segments: [this.key] }),
      remove: () => this.remove(),
    });
  }

  listen(name, field) {
    field.addEventListener("input", () => this.keep(field, name));
    field.addEventListener("change", () => this.commit(name));
    field.addEventListener("keydown", (event) => this.press(event, name));
  }

  get row() {
    return this.page.store.state.segments.get(this.key);
  }

  // What is shown --------------------------------------------------------------------------------------

  follow({ key, isSpoken }) {
    const isBusy = this.isPointedAt || this.contains(document.activeElement) || this.page.list.editing === this.key;
    const isHeld = isSpoken && this.row && isBusy;
    if (!isHeld) this.turnTo(key);
  }

  turnTo(key) {
    if (key === this.key) return;
    this.endStepping();
    this.key = key;
    for (const name of FIELDS) this.clear(name);
    if (this.checkVisibility()) this.show();
  }

  show() {
    const { list, store } = this.page;
    if (!this.row) this.turnTo(store.state.segments.has(list.current) ? list.current : (store.state.segments.at(0)?.key ?? null));
    const { row } = this;
    this.querySelector("[data-part=segment]").hidden = !row;
    this.querySelector("[data-part=none]").hidden = Boolean(row);
    if (row) this.fill(row);
  }

  fill(row) {
    fillSegment(this, row, this.page.store, this.page.words);
    for (const [name, field] of this.fields) {
      const written = writeTime(row[name]);
      if (!field.dataset.written && field.value !== written) field.value = written;
      field.ariaValueNow = row[name];
      field.ariaValueText = written;
    }
    this.showSpeakers(row);
    this.querySelector("[data-do=highlight]").ariaPressed = String(row.highlighted);
    this.querySelector("[data-do=take]").hidden = !row.machineText || row.machineText === row.text;
  }

  showSpeakers(row) {
    const speakers = [...this.page.store.state.speakers.values()].filter(({ removed }) => !removed);
    const wanted = speakers.map((speaker) => `${speaker.key} ${nameOf(speaker)}`).join("\n");
    if (this.speaker.dataset.shown !== wanted) {
      this.speaker.dataset.shown = wanted;
      this.speaker.replaceChildren(this.speaker.options[0], ...speakers.map((speaker) => new Option(nameOf(speaker), speaker.key)));
    }
    this.speaker.value = row.speaker ?? "";
  }

  // Times ------------------------------------------------------------------------------------------------

  press(event, name) {
    const step = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (event.key === "Enter") this.commit(name);
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.step(name, event.shiftKey ? step * 10 : step);
  }

  step(name, seconds) {
    if (!this.row) return;
    const field = this.fields.get(name);
    field.value = writeTime(Math.max(0, (readTime(field.value) ?? this.row[name]) + seconds));
    field.dataset.written = "yes";
    clearTimeout(this.stepping);
    this.stepped = name;
    this.stepping = setTimeout(() => this.endStepping(), STEPPING_MS);
  }

  endStepping() {
    clearTimeout(this.stepping);
    if (this.stepped) this.commit(this.stepped);
  }

  write(name, seconds) {
    this.fields.get(name).value = writeTime(rounded(seconds));
    this.commit(name);
  }

  /** What is half written stays, whatever is shown anew meanwhile. */
  keep(field, name) {
    if (!this.row || field.value === writeTime(this.row[name])) delete field.dataset.written;
    else field.dataset.written = "yes";
  }

  /** Take both times as they are written; what is wrong is said at its field and stays there. */
  commit(name) {
    this.stepped = null;
    const { row } = this;
    if (!row) return;
    const times = Object.fromEntries([...this.fields].map(([each, field]) => [each, this.timeIn(field, row[each])]));
    const limit = Math.max(this.page.store.state.transcript.duration, row.end); // as the server has it
    const problem = problemOf(times, limit, name);
    for (const each of FIELDS) if (problem?.at !== each) this.mark(each, "");
    if (problem) {
      this.mark(problem.at, this.page.words.say(problem.word, { start: writeTime(times.start ?? 0), end: writeTime(times.end ?? 0), limit: writeTime(limit) }));
      for (const field of this.fields.values()) field.dataset.written = "yes";
      return;
    }
    for (const each of FIELDS) this.clear(each);
    if (times.start !== row.start || times.end !== row.end) this.act({ kind: "SetTimes", segment: this.key, ...times });
    else this.fill(row);
  }

  /** What nobody wrote over stays as exact as it is. */
  timeIn(field, known) {
    return field.value === writeTime(known) ? known : readTime(field.value);
  }

  mark(name, sentence) {
    this.fields.get(name).ariaInvalid = String(Boolean(sentence));
    setPart(this.querySelector(`[data-time=${name}]`), "wrong", sentence);
  }

  clear(name) {
    this.mark(name, "");
    delete this.fields.get(name).dataset.written;
  }

  letGo() {
    this.isPointedAt = this.matches(":hover");
    this.endStepping();
    const isLeft = !this.isPointedAt && !this.contains(document.activeElement);
    if (isLeft && this.page.list.current !== null) this.turnTo(this.page.list.current);
  }

  // The segment itself -----------------------------------------------------------------------------------

  act(edit) {
    if (this.row) this.page.act([edit]);
    this.show();
  }

  insert() {
    const { row, page } = this;
    const { segments, transcript } = page.store.state;
    const at = Math.min(rounded(page.player.time), transcript.duration);
    const times = row ? placeBehind(row, segments.next(row.key), transcript.duration) : placeBehind({ start: at, end: at }, null, transcript.duration);
    const edit = { kind: "Insert", after: row?.key ?? null, newKey: newId(), ...times, text: "", speaker: row?.speaker ?? null };
    if (!page.act([edit])) return;
    page.list.bringIntoView(edit.newKey);
    page.list.edit(edit.newKey); // the caret is where somebody will write
  }

  remove() {
    const { segments } = this.page.store.state;
    const next = segments.next(this.key) ?? segments.previous(this.key);
    if (!this.page.act([{ kind: "Delete", segment: this.key }])) return;
    if (next) this.page.commands.visit({ key: next.key, seeks: false });
    this.show();
  }
}

function fieldOf(button) {
  return button.closest("[data-time]").dataset.time;
}

customElements.define("segment-details", SegmentDetails);
