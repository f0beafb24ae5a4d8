/** Two sections of the details: the doubtful places that are left, and what people highlighted. */

import { isDoubtful } from "../edits/patches.js";
import { fillSegment, hearItems, PagedList, setPart } from "./paged-list.js";
import { reasonsOf } from "../view/labels.js";

class SegmentsSection extends HTMLElement {
  start(page) {
    this.page = page;
    this.list = new PagedList(this, page.words, (element, row) => this.fill(element, row));
    hearItems(this, { visit: (key) => page.commands.visit({ key }), ...this.verbs() });
  }

  show() {
    const { state } = this.page.store;
    this.list.show([...state.segments].filter((row) => this.wants(row)));
  }

  act(edits) {
    this.page.act(edits);
    this.show();
  }

  fill(element, row) {
    fillSegment(element, row, this.page.store, this.page.words);
  }
}

class FlaggedSegments extends SegmentsSection {
  wants(row) {
    return isDoubtful(row);
  }

  verbs() {
    return { fine: (key) => this.fine(this.page.store.state.segments.get(key)) };
  }

  fill(element, row) {
    super.fill(element, row);
    setPart(element, "why", reasonsOf(row, this.page.words).join(" · "));
  }

  fine(row) {
    const open = row?.flags.filter((flag) => !flag.dismissed) ?? [];
    if (open.length) this.act(open.map(({ kind }) => ({ kind: "DismissFlag", segment: row.key, flag: kind })));
  }
}

class HighlightedSegments extends SegmentsSection {
  wants(row) {
    return row.highlighted;
  }

  verbs() {
    return { remove: (key) => this.act([{ kind: "Highlight", segment: key, on: false }]) };
  }

  show() {
    super.show();
    const { length } = this.list.items;
    setPart(this.closest("[data-section]"), "count", length ? this.page.words.number.format(length) : "");
  }
}

customElements.define("flagged-segments", FlaggedSegments);
customElements.define("highlighted-segments", HighlightedSegments);
