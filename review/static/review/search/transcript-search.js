/** Searching in the file: hits are found as one types, marked in the text, and stay right while it is edited.
 *
 * It says "looked" when it has brought a hit into view. Room is left for replacing: `hits.hit` is the current one.
 */

import { caretIn, placeCaret, unitsOf } from "../view/caret.js";
import { HitHighlights } from "./hit-highlights.js";
import { Hits } from "./hits.js";
import { Query } from "./query.js";

const SLICE_MS = 8; // of looking, before the browser has its turn
const MOST_TAKEN = 200; // characters of a selection that are taken as the query
const DRAWN_MS = 50; // until a row may have been drawn that a hit is in
const BESIDE = 8; // px between the bar and what lies below it
const AROUND = 60; // characters on each side of a hit that are read aloud

class TranscriptSearch extends HTMLElement {
  start(list, store, words) {
    Object.assign(this, { list, store, words });
    this.field = this.querySelector("[type=search]");
    this.highlights = new HitHighlights(list);
    this.hits = null;
    this.addEventListener("keydown", (event) => this.press(event));
    this.addEventListener("click", ({ target }) => this.do(target.closest("[data-do]")?.dataset.do));
    this.addEventListener("input", () => this.search());
    for (const happening of ["scroll", "resize"]) addEventListener(happening, () => this.plan(), { passive: true });
  }

  get isOpen() {
    return !this.hidden;
  }

  // Coming and going -------------------------------------------------------------------------------

  open() {
    const selected = this.selected();
    if (!this.contains(document.activeElement)) this.remember();
    this.turn(true);
    if (selected) this.field.value = selected;
    this.field.focus();
    this.field.select();
    this.search();
  }

  /** What is marked in a segment is what somebody looks for. */
  selected() {
    const text = getSelection().toString();
    const isOne = this.list.contains(getSelection().anchorNode) && !text.includes("\n");
    return isOne && text.trim() && text.length <= MOST_TAKEN ? text : "";
  }

  /** Where to come back to, and from where on to look: the caret, or the top of the window. */
  remember() {
    const key = this.list.editing;
    const caret = key && caretIn(this.list.saidOf(key));
    this.origin = { element: document.activeElement, key, caret };
    const { segments } = this.store.state;
    const row = segments.get(key) ?? segments.at(this.highlights.firstInSight(segments)) ?? segments.at(0);
    this.anchor = row && { row, at: caret ? unitsOf(row.text, caret.from) : 0 };
  }

  close() {
    this.turn(false);
    const { element, key, caret } = this.origin;
    const said = key && this.store.state.segments.has(key) ? this.list.edit(key) : null;
    if (said && caret) placeCaret(said, caret.from);
    else if (!said) (element?.isConnected && element !== document.body ? element : this.list.stop)?.focus({ preventScroll: true });
  }

  /** Write where the current hit is. */
  edit() {
    const { hit } = this.hits ?? {};
    if (!hit) return;
    this.turn(false);
    const node = this.list.edit(hit.key)?.firstChild;
    if (node) getSelection().setBaseAndExtent(node, hit.from, node, Math.min(hit.to, node.data.length));
  }

  /** Show or hide the bar; what sticks to the top must not lie behind it. A rule in the style sheet that asks whether the
   * bar is open would have twelve thousand rows styled anew. */
  turn(isOn) {
    if (!isOn) this.stop();
    this.hidden = !isOn;
    for (const side of document.querySelectorAll(".side")) side.style.top = isOn ? `${this.offsetHeight + BESIDE}px` : "";
  }

  stop() {
    clearTimeout(this.alarm);
    this.anchor = this.hits?.anchor ?? this.anchor;
    this.hits = null;
    this.highlights.clear();
    this.mark(null);
  }

  // Listening --------------------------------------------------------------------------------------

  press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const does = event.key === "Escape" ? "close" : event.target === this.field ? this.doneBy(event) : null;
    if (!does) return;
    event.preventDefault();
    event.stopPropagation(); // Escape would play, too
    this.do(does);
  }

  doneBy({ key, altKey, shiftKey }) {
    if (key !== "Enter") return null;
    if (altKey) return "edit";
    return shiftKey ? "previous" : "next";
  }

  do(name) {
    const all = { next: () => this.go(1), previous: () => this.go(-1), edit: () => this.edit(), close: () => this.close() };
    all[name]?.();
  }

  go(direction) {
    if (!this.hits) return;
    this.hits.step(direction);
    this.showCurrent();
    this.show();
  }

  // Looking ----------------------------------------------------------------------------------------

  search() {
    this.stop();
    const isOn = (name) => this.querySelector(`[name=${name}]`).checked;
    const query = new Query(this.field.value, { isExact: isOn("exact"), isWhole: isOn("whole") });
    this.hits = new Hits(this.store.state.segments, query, this.anchor);
    this.sweep(query.isEmpty ? [].values() : this.hits.sweep());
  }

  /** Look on, a slice at a time, so that the next letter is heard. */
  sweep(rows) {
    const end = performance.now() + SLICE_MS;
    let isDone = false;
    while (!isDone && performance.now() < end) isDone = rows.next().done;
    const had = this.hits.current;
    this.hits.chooseFirst();
    if (!had && this.hits.current) this.showCurrent();
    if (!isDone) this.alarm = setTimeout(() => this.sweep(rows));
    this.show(isDone);
  }

  /** These segments look different now. */
  update(keys) {
    if (!this.hits || this.hits.query.isEmpty) return;
    for (const key of keys) this.hits.look(key);
    this.show();
  }

  // Showing ----------------------------------------------------------------------------------------

  show(isDone = true) {
    this.plan();
    if (isDone) this.say(this.placeInWords(), this.hits.hit ? this.contextOf(this.hits.hit) : "");
    for (const name of ["next", "previous", "edit"]) this.querySelector(`[data-do=${name}]`).disabled = !this.hits.count;
    this.field.setAttribute("aria-invalid", String(isDone && !this.hits.count && !this.hits.query.isEmpty));
  }

  placeInWords() {
    const { count, number, query } = this.hits;
    const { format } = this.words.number;
    if (query.isEmpty) return "";
    if (!count) return this.words.say("hits-none");
    return number ? this.words.say("hits-place", { n: format(number), count: format(count) }) : this.words.count("hits", count);
  }

  say(place, context) {
    for (const [name, text] of Object.entries({ place, context })) {
      const part = this.querySelector(`[data-field=${name}]`);
      if (part.textContent !== text) part.textContent = text;
    }
  }

  contextOf({ key, from, to }) {
    const { text } = this.store.state.segments.get(key);
    return text.slice(Math.max(0, from - AROUND), to + AROUND);
  }

  /** Mark the hits in sight before the browser paints again. */
  plan() {
    if (!this.hits) return;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.hits) this.highlights.show(this.hits);
      this.mark(this.hits?.hit?.key);
    });
  }

  /** The row of the current hit has a sign of its own, for who cannot see the marks. */
  mark(key) {
    this.marked?.classList.remove("is-found");
    this.marked = this.list.rows.get(key);
    this.marked?.classList.add("is-found");
  }

  /** Bring the current hit into the middle of the window, if it is not in sight. */
  showCurrent() {
    const { hit } = this.hits ?? {};
    const node = hit && this.list.saidOf(hit.key)?.firstChild;
    if (hit && !node && this.list.isDrawing) setTimeout(() => this.showCurrent(), DRAWN_MS);
    if (!node) return;
    this.list.makeCurrent(hit.key);
    const range = document.createRange();
    range.setStart(node, Math.min(hit.from, node.data.length));
    if (!this.isInSight(range)) this.list.rows.get(hit.key).scrollIntoView({ block: "center", behavior: "instant" });
    if (!this.isInSight(range)) scrollBy({ top: range.getBoundingClientRect().top - innerHeight / 2, behavior: "instant" });
    this.dispatchEvent(new CustomEvent("looked", { bubbles: true }));
  }

  /** Between this bar and the player. */
  isInSight(range) {
    const { top, bottom } = range.getBoundingClientRect();
    const foot = document.querySelector("transcript-player").getBoundingClientRect().top;
    return top > this.getBoundingClientRect().bottom && bottom < foot;
  }
}

customElements.define("transcript-search", TranscriptSearch);
