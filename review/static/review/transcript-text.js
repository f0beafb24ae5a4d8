/** The text: it tints what is spoken, and says "chosen" with the seconds where somebody wants to listen. */

import { lastBefore, spokenAt } from "./spoken.js";

class TranscriptText extends HTMLElement {
  start() {
    this.words = [...this.querySelectorAll(".transcript .word")];
    this.segments = [...this.querySelectorAll(".segment")];
    this.times = timesOf(this.words);
    this.segmentStarts = timesOf(this.segments).starts;
    this.places = new Map(this.words.map((word, index) => [word, index]));
    this.spoken = this.current = null;
    this.querySelector("[data-field=legend]").hidden = !this.querySelector(".transcript .is-low");
    if (this.words.length) this.makeStop(this.words[0]);
    this.addEventListener("click", (event) => this.choose(event));
    this.addEventListener("keydown", (event) => this.walk(event));
  }

  /** Tint the word and mark the passage at `seconds`; return the passage where it is another one now. */
  show(seconds) {
    this.spoken = moveClass(this.spoken, this.words[spokenAt(this.times, seconds)], "is-spoken");
    const before = this.current;
    this.current = moveClass(before, this.segments[lastBefore(this.segmentStarts, seconds)], "is-current");
    return this.current === before ? null : this.current;
  }

  choose(event) {
    const word = event.target.closest(".word");
    if (word && this.places.has(word) && document.getSelection().isCollapsed) {
      this.makeStop(word);
      this.say(word);
    } else if (event.target.closest(".time")) {
      this.say(event.target.closest(".segment"));
    }
  }

  /** One word is the tab stop; arrows go from there. Enter plays. */
  walk(event) {
    if (!this.places.has(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter") this.say(event.target);
    const next = this.wordAfter(event.target, event.key);
    if (next) {
      this.makeStop(next);
      next.focus();
    }
    if (next || event.key === "Enter") event.preventDefault();
  }

  wordAfter(word, key) {
    const forward = getComputedStyle(word).direction === "rtl" ? -1 : 1;
    const steps = { ArrowRight: forward, ArrowLeft: -forward };
    if (key in steps) return this.words[this.places.get(word) + steps[key]];
    const segment = word.closest(".segment");
    const inside = (row) => row?.querySelectorAll(".word") ?? [];
    if (key === "Home") return inside(segment)[0];
    if (key === "End") return [...inside(segment)].at(-1);
    if (key === "ArrowDown") return inside(this.segmentFrom(segment, 1))[0];
    if (key === "ArrowUp") return inside(this.segmentFrom(segment, -1))[0];
    return undefined;
  }

  /** The next passage in this direction that has words. */
  segmentFrom(segment, step) {
    let index = this.segments.indexOf(segment) + step;
    while (this.segments[index] && !this.segments[index].querySelector(".word")) index += step;
    return this.segments[index];
  }

  makeStop(word) {
    for (const name of ["tabindex", "role", "aria-describedby"]) this.stop?.removeAttribute(name);
    this.stop = word;
    word.tabIndex = 0;
    word.setAttribute("role", "link");
    word.setAttribute("aria-describedby", "word-help");
  }

  say(element) {
    this.dispatchEvent(new CustomEvent("chosen", { bubbles: true, detail: Number(element.dataset.start) }));
  }
}

/** Starts and ends in seconds. Starts never fall, whatever a model says: the search needs it. */
function timesOf(elements) {
  const starts = new Float64Array(elements.length);
  const ends = new Float64Array(elements.length);
  elements.forEach((element, index) => {
    starts[index] = Math.max(Number(element.dataset.start), index ? starts[index - 1] : 0);
    ends[index] = Number(element.dataset.end);
  });
  return { starts, ends };
}

function moveClass(from, to, name) {
  if (from !== to) {
    from?.classList.remove(name);
    to?.classList.add(name);
  }
  return to;
}

customElements.define("transcript-text", TranscriptText);
