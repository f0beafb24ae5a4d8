/** A list of places in the text: the first ones of however many, more on demand. It keeps its elements and the focus. */

import { showKeyed } from "../../bulktranscribe/keyed-list.js";
import { nameOf } from "../view/labels.js";
import { writeTime } from "./segment-times.js";

const AT_A_TIME = 200;
const MOST_LETTERS = 90;

export class PagedList {
  /** `root` holds a list, a template, "Show more" and what is said where there is nothing; `fill(element, item)`. */
  constructor(root, words, fill) {
    Object.assign(this, { root, words, fill, limit: AT_A_TIME, items: [] });
    [this.list, this.more, this.none] = ["list", "more", "none"].map((part) => root.querySelector(`[data-part=${part}]`));
    this.template = root.querySelector("template");
    this.more.addEventListener("click", () => this.showMore());
  }

  /** Show these items; each has a `key`. */
  show(items) {
    this.items = items;
    const held = this.held();
    const shown = items.slice(0, this.limit).map((item) => ({ ...item, id: String(item.key) }));
    showKeyed(this.list, shown, this.template, this.fill);
    this.more.hidden = items.length <= this.limit;
    if (!this.more.hidden) this.more.textContent = this.words.count("details-more", Math.min(AT_A_TIME, items.length - this.limit));
    this.none.hidden = items.length > 0;
    if (held && !held.element.isConnected) this.focusNear(held);
  }

  showMore() {
    const first = this.limit;
    this.limit += AT_A_TIME;
    this.show(this.items);
    this.list.children[first]?.querySelector("button")?.focus();
  }

  held() {
    const element = document.activeElement;
    const item = this.list.contains(element) && element.closest("[data-id]");
    return item ? { element, place: [...this.list.children].indexOf(item), does: element.dataset.do } : null;
  }

  /** What had the focus is gone: the same button of what stands there now has it. */
  focusNear({ place, does }) {
    const item = this.list.children[Math.min(place, this.list.children.length - 1)];
    const button = item?.querySelector(`[data-do="${does}"]:not([hidden])`) ?? item?.querySelector("button");
    (button ?? this.none).focus({ preventScroll: !button });
  }
}

/** Say where a row is and how it begins, in the parts of an element that have these names. */
export function fillSegment(element, row, { state }, words) {
  const speaker = state.speakers.get(row.speaker);
  setPart(element, "at", writeTime(row.start).replace(/\.\d+$/, ""));
  setPart(element, "who", speaker ? nameOf(speaker) : words.say("nobody"));
  setPart(element, "text", beginningOf(row.text) || words.say("details-no-text"));
}

export function setPart(element, name, text) {
  const part = element.querySelector(`[data-part="${name}"]`);
  if (part.textContent !== text) part.textContent = text;
}

/** The first words of a text; a character is never cut in two. */
function beginningOf(text) {
  const start = text.slice(0, MOST_LETTERS * 2).trim();
  const letters = [...start];
  return letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS).join("")}…` : start;
}

/** Call `does[name](key)` for a press on an element with this data-do, with the key of its item. */
export function hearItems(root, does) {
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-do]");
    const work = button && does[button.dataset.do];
    if (work) work(button.closest("[data-id]")?.dataset.id, button);
  });
}
