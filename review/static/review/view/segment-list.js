/** The text: one row a segment, drawn from the store and edited in place. It draws again only what has changed.
 *
 * It says "typed" `{ key, text }`, "chosen" `{ seconds }` where somebody wants to listen, "entered" `{ key }` when the
 * caret comes into a segment, "current" `{ key, isSpoken }` when another one is worked on or spoken.
 */

import { clock } from "../../bulktranscribe/words.js";
import { placeCaret, unitsAtPoint } from "./caret.js";
import { WordHighlights } from "./word-highlights.js";
import { storable } from "../edits/edit-validation.js";
import { isDoubtful } from "../edits/patches.js";
import { lastBegun } from "../store/ordered-segments.js";
import { nameOf, reasonsOf } from "./labels.js";
import { VirtualBlocks } from "./virtual-blocks.js";
import { offsetsOf, wordAt } from "./word-offsets.js";

const AT_ONCE = 200; // rows of the first paint
const AT_A_TIME = 250; // rows of each later one, with the browser let in between
const TYPING_ON = 1_000; // ms between keys that belong together

class SegmentList extends HTMLElement {
  start(store, words) {
    Object.assign(this, { store, words });
    this.list = this.querySelector(".transcript");
    this.template = this.querySelector("template");
    this.rows = new Map(); // key → element
    this.last = this.adopted(); // the last row drawn so far, null: none or all
    this.highlights = new WordHighlights();
    this.current = null; // the key where playing or working is
    this.takenAt = -Infinity; // when the segment went in which somebody was writing
    this.blocks = new VirtualBlocks(this.list, (rows) => rows.forEach((element) => this.mark(element)));
    this.isDrawing = true;
    this.drawSome(AT_ONCE - this.rows.size);
    this.refresh([...this.rows.keys()]);
    this.makeStop(this.store.state.segments.at(0)?.key);
    this.enter(document.activeElement);
    this.list.addEventListener("keydown", (event) => this.open(event));
    this.list.addEventListener("pointerdown", (event) => makeEditable(event.target.closest?.(".said")));
    this.list.addEventListener("focusin", (event) => this.enter(event.target));
    this.list.addEventListener("focusout", (event) => this.leave(event.target));
    this.list.addEventListener("input", (event) => this.hear(event));
    this.list.addEventListener("click", (event) => this.choose(event));
    this.list.addEventListener("paste", (event) => pastePlain(event));
    this.list.addEventListener("drop", (event) => event.preventDefault());
  }

  // Drawing ----------------------------------------------------------------------------------------

  /** Keep the rows that the server drew, with the caret that may be in one; return the last. Nobody has changed which
   * there are meanwhile, or they are all drawn again. */
  adopted() {
    const { segments } = this.store.state;
    const elements = [...this.list.querySelectorAll(".segment")];
    const areSame = elements.every((element, index) => element.dataset.key === segments.at(index)?.key);
    if (!areSame) this.list.replaceChildren();
    if (!areSame || !elements.length) return null;
    for (const element of elements) this.rows.set(element.dataset.key, element);
    return segments.at(elements.length - 1);
  }

  /** Draw on from the last row drawn, wherever edits have moved it meanwhile. */
  drawSome(count) {
    const { segments } = this.store.state;
    const start = this.last ? segments.placeFor(this.last) + Number(segments.has(this.last.key)) : 0;
    const end = Math.min(segments.size, start + count);
    for (let at = start; at < end; at += 1) this.blocks.append(this.make(segments.at(at)));
    if (end > start) this.last = segments.at(end - 1);
    this.isDrawing = end < segments.size;
    if (this.isDrawing) setTimeout(() => this.drawSome(AT_A_TIME));
  }

  /** Whether a row's turn to be drawn is still to come. */
  isAhead(row) {
    const { segments } = this.store.state;
    return this.isDrawing && row.key !== this.last.key && segments.placeFor(row) >= segments.placeFor(this.last);
  }

  make(row) {
    const element = this.template.content.firstElementChild.cloneNode(true);
    element.dataset.key = row.key;
    this.rows.set(row.key, element);
    this.fill(element, row);
    return element;
  }

  /** Draw these segments again, and those behind them, whose speaker's name may show or hide now. */
  update(keys) {
    const { segments } = this.store.state;
    const also = new Set(keys);
    for (const key of keys) {
      const row = segments.get(key);
      if (row && this.isAhead(row)) continue;
      if (row) this.put(row);
      else this.drop(key);
      const next = row && segments.next(key);
      if (next) also.add(next.key);
    }
    for (const key of also) if (segments.has(key) && this.rows.has(key)) this.fill(this.rows.get(key), segments.get(key));
  }

  put(row) {
    this.blocks.putBehind(this.formerOf(row.key), this.rows.get(row.key) ?? this.make(row));
  }

  /** The element of the last segment before this one that is drawn already. */
  formerOf(key) {
    const { segments } = this.store.state;
    for (let index = segments.indexOf(key) - 1; index >= 0; index -= 1) {
      const element = this.rows.get(segments.at(index).key);
      if (element?.parentNode) return element;
    }
    return null;
  }

  drop(key) {
    if (this.editing === key) this.takenAt = performance.now();
    this.highlights.show(key, null, null);
    if (this.rows.has(key)) this.blocks.remove(this.rows.get(key));
    this.rows.delete(key);
  }

  /** Draw every row again: a speaker was renamed, the threshold moved. */
  refresh(keys = this.rows.keys()) {
    for (const key of keys) this.fill(this.rows.get(key), this.store.state.segments.get(key));
  }

  fill(element, row) {
    const speaker = this.store.state.speakers.get(row.speaker);
    const previous = this.store.state.segments.previous(row.key);
    const isTurn = !previous || previous.speaker !== row.speaker;
    const [time, name, said, marks] = element.children;
    setText(time, clock(row.start));
    time.title = this.words.say("play-from", { time: clock(row.start) });
    setText(name, speaker ? nameOf(speaker) : this.words.say("nobody"));
    element.dataset.colour = speaker?.colour ?? "";
    element.classList.toggle("is-turn", isTurn);
    element.classList.toggle("is-highlighted", row.highlighted);
    element.classList.toggle("is-doubtful", isDoubtful(row));
    if (storable(said.textContent) !== row.text) said.textContent = row.text; // half a character may be on its way
    said.ariaLabel = speaker ? this.words.say("said-by", { name: nameOf(speaker), time: clock(row.start) }) : clock(row.start);
    setText(marks, this.marksOf(row).join(" · "));
    this.mark(element);
  }

  /** Underline the doubtful words of a row, where it is near the window: marks far from it make every frame slow. */
  mark(element) {
    const { key } = element.dataset;
    const node = this.blocks.isNear(element) ? element.children[2].firstChild : null;
    this.highlights.show(key, this.store.state.segments.get(key) ?? null, node);
  }

  marksOf(row) {
    return [...(row.checked ? [] : reasonsOf(row, this.words)), ...(row.highlighted ? [this.words.say("highlighted")] : []), ...(row.checked ? [this.words.say("checked")] : [])];
  }

  // Listening --------------------------------------------------------------------------------------

  /** Mark what is spoken at `seconds`; return the row's element where it is another one now. Of rows that lie over
   * each other the one that somebody chose stays, until it plays. */
  speak(seconds, { isPlaying = true } = {}) {
    const { segments } = this.store.state;
    const chosen = isPlaying ? null : segments.get(this.current);
    const isWithin = chosen && chosen.start <= seconds && seconds <= chosen.end;
    const row = isWithin ? chosen : segments.at(lastBegun(segments, seconds));
    this.highlights.speak(row, row && this.saidOf(row.key)?.firstChild, seconds);
    return row && row.key !== this.current ? this.makeCurrent(row.key, { isSpoken: true }) : null;
  }

  makeCurrent(key, { isSpoken = false } = {}) {
    this.rows.get(this.current)?.classList.remove("is-current");
    const isOther = this.current !== key;
    this.current = key;
    const element = this.rows.get(key);
    element?.classList.add("is-current");
    this.makeStop(key);
    if (isOther) this.say("current", { key, isSpoken });
    return element ?? null;
  }

  /** Tab leads to one segment, where work was last; keys go on from there. */
  makeStop(key) {
    const said = this.saidOf(key);
    if (!said) return;
    if (this.stop) this.stop.tabIndex = -1;
    this.stop = said;
    said.tabIndex = 0;
  }

  open(event) {
    const key = event.key === "Enter" && !event.target.isContentEditable && event.target.matches(".said") ? keyOf(event.target) : null;
    if (!key || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // it opens the segment; it does not split it
    placeCaret(this.edit(key), 0);
  }

  choose(event) {
    const element = event.target.closest(".segment");
    const row = element && this.store.state.segments.get(element.dataset.key);
    if (!row) return;
    if (event.target.closest(".time")) this.say("chosen", { seconds: row.start, key: row.key, plays: true });
    else if (event.target.closest(".said") && getSelection().isCollapsed) this.chooseWord(event, element, row);
  }

  chooseWord(event, element, row) {
    const said = element.querySelector(".said");
    const units = unitsAtPoint(said, event.clientX, event.clientY);
    const word = units === null ? null : wordAt(offsetsOf(row), units);
    if (word) this.say("chosen", { seconds: word.start, key: row.key, plays: false });
  }

  // Editing ----------------------------------------------------------------------------------------

  edit(key) {
    const said = this.saidOf(key);
    if (said && !said.isContentEditable && document.activeElement === said) said.blur(); // a caret comes with the focus only
    makeEditable(said);
    said?.focus();
    return said ?? null;
  }

  enter(target) {
    const key = keyOf(target);
    if (!key || !target.isContentEditable) return;
    this.takenAt = -Infinity; // letters have a segment again
    this.makeCurrent(key);
    this.say("entered", { key });
  }

  leave(target) {
    if (!target.isContentEditable) return;
    makePlain(target);
    target.normalize();
    const row = this.store.state.segments.get(keyOf(target));
    if (row && target.textContent !== row.text) target.textContent = row.text;
  }

  hear({ target: said, isComposing }) {
    if (!isComposing) said.normalize(); // marks and the caret count in one text node
    const key = keyOf(said);
    if (key) this.say("typed", { key, text: said.textContent });
  }

  /** Whether keys are still meant for a segment that somebody took away. */
  get isTypedOn() {
    const isSoon = performance.now() - this.takenAt < TYPING_ON;
    if (isSoon) this.takenAt = performance.now();
    return isSoon;
  }

  /** The key of the segment that has the caret, or null. */
  get editing() {
    const active = document.activeElement;
    return active?.isContentEditable && this.contains(active) ? keyOf(active) : null;
  }

  saidOf(key) {
    return this.rows.get(key)?.querySelector(".said");
  }

  bringIntoView(key) {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.rows.get(key)?.scrollIntoView({ block: "center", behavior: isCalm ? "instant" : "smooth" });
  }

  say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }
}

/** One segment is editable at a time: the one that was pointed at, or that a key opened. */
export function makeEditable(said) {
  if (!said || said.isContentEditable) return;
  said.contentEditable = "plaintext-only";
  said.role = "textbox";
  said.ariaMultiLine = "true";
}

export function makePlain(said) {
  for (const name of ["contenteditable", "role", "aria-multiline"]) said.removeAttribute(name);
}

export function keyOf(element) {
  return element?.closest?.(".segment")?.dataset.key ?? null;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What is pasted comes as its plain text, on one line. */
export function pastePlain(event) {
  event.preventDefault();
  const text = event.clipboardData.getData("text/plain").replaceAll(/\0/g, "").replaceAll(/\s*[\r\n]+\s*/g, " ");
  document.execCommand("insertText", false, text);
}

customElements.define("segment-list", SegmentList);
