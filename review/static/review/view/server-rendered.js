/** The first rows as the server drew them: to read, to play and to write in until the state of the transcript is there. */

import { storable } from "../edits/edit-validation.js";
import { keyOf, makeEditable, makePlain, pastePlain } from "./segment-list.js";

export class ServerRendered {
  /** `play(seconds)` is called where somebody wants to listen. */
  constructor(list, play) {
    this.texts = new Map(); // key → what somebody wrote
    this.watch = new AbortController();
    this.hear(list, "pointerdown", ({ target }) => makeEditable(target.closest(".said")));
    this.hear(list, "focusout", ({ target }) => makePlain(target));
    this.hear(list, "input", ({ target }) => this.texts.set(keyOf(target), storable(target.textContent)));
    this.hear(list, "paste", pastePlain);
    this.hear(list, "drop", (event) => event.preventDefault());
    this.hear(list, "keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // splitting has to wait
    });
    this.hear(list, "click", ({ target }) => {
      if (target.closest(".time")) play(Number(target.closest(".segment").dataset.start));
    });
  }

  hear(list, happening, listen) {
    list.addEventListener(happening, listen, { signal: this.watch.signal });
  }

  /** Leave the rows to the page; return what was written as edits. */
  end() {
    this.watch.abort();
    return [...this.texts].map(([segment, text]) => ({ kind: "SetText", segment, text }));
  }
}
