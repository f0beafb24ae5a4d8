/** The review page as commands see it: a real working copy, and a text, a player and panels that note what they are told. */

import { FakeBrowser } from "../store/fake_browser.js";
import { uuid } from "../../support.js";

/** Open a page at the segment with this number; `caret` is `{ from, to }` where somebody writes in it. */
export async function openPage(texts, { current = 0, caret = null, prepare = () => {} } = {}) {
  const browser = new FakeBrowser(texts);
  prepare(browser.server.state);
  const { copy } = await browser.open();
  return new FakePage(copy, { current: current === null ? null : uuid(current), caret });
}

class FakePage {
  constructor(copy, { current, caret }) {
    this.copy = copy;
    this.told = []; // what was asked of player and panels
    this.list = new FakeList(copy.store, { current, caret });
    const note = (name) => (...values) => this.told.push([name, ...values]);
    const notes = (...names) => Object.fromEntries(names.map((name) => [name, note(name)]));
    this.player = { ...notes("toggle", "skip", "changeSpeed", "playFrom"), play: note("play"), pause: note("pause") };
    this.queue = notes("goOn");
    this.details = { toggle: note("details") };
    this.search = { open: note("find"), go: note("find-step"), isOpen: false };
    this.help = { open: false, scrollIntoView: note("help in sight") };
    this.play = note("listen");
    this.refused = [];
  }

  act(edits) {
    return this.keep(() => this.copy.act(edits));
  }

  keep(change) {
    try {
      change();
      return true;
    } catch (problem) {
      this.refused.push(problem.code);
      return false;
    }
  }

  type({ key, text }) {
    this.act([{ kind: "SetText", segment: key, text }]);
  }

  part(name) {
    return { keys: this.help }[name];
  }

  get segments() {
    return this.copy.store.state.segments;
  }

  get texts() {
    return [...this.segments].map(({ text }) => text);
  }
}

/** One text node a segment, and a caret in at most one of them. */
class FakeList {
  constructor(store, { current, caret }) {
    Object.assign(this, { store, current, caret, editing: caret ? current : null, shown: null });
    const range = () => ({ startContainer: this.editing, startOffset: this.caret.from, endContainer: this.editing, endOffset: this.caret.to });
    const points = (text, units) => [...text.slice(0, units)].length;
    const collapse = (node, units) => (this.caret = { from: points(node.data, units), to: points(node.data, units) });
    globalThis.getSelection = () => ({ rangeCount: this.caret ? 1 : 0, getRangeAt: range, collapse });
    globalThis.document = { createRange: () => new FakeRange() };
  }

  makeCurrent(key) {
    this.current = key;
  }

  bringIntoView(key) {
    this.shown = key;
  }

  edit(key) {
    if (!this.store.state.segments.has(key)) return null;
    this.editing = key;
    return this.saidOf(key);
  }

  saidOf(key) {
    const row = this.store.state.segments.get(key);
    if (!row) return undefined;
    const list = this;
    return {
      textContent: row.text,
      get firstChild() {
        return { data: this.textContent };
      },
      contains: (node) => node === key,
      focus: () => (list.focused = key),
    };
  }
}

/** The text before a place; offsets here are code points already. */
class FakeRange {
  selectNodeContents() {}

  setEnd(_container, offset) {
    this.before = "x".repeat(offset);
  }

  toString() {
    return this.before;
  }
}
