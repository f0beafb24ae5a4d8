/** Two sections of the details: the doubtful places that are left, and what people highlighted. */

import { isDoubtful } from "../edits/patches.js";
import { fillPlace, hearItems, PlaceList, setPart } from "./place-list.js";
import { reasonsOf } from "../view/segment-list.js";

class PlacesSection extends HTMLElement {
  start(page) {
    this.page = page;
    this.places = new PlaceList(this, page.words, (element, row) => this.fill(element, row));
    hearItems(this, { visit: (key) => page.commands.visit({ key }), ...this.verbs() });
  }

  show() {
    const { state } = this.page.store;
    this.places.show([...state.segments].filter((row) => this.wants(row)));
  }

  act(edits) {
    this.page.act(edits);
    this.show();
  }

  fill(element, row) {
    fillPlace(element, row, this.page.store, this.page.words);
  }
}

class DoubtfulPlaces extends PlacesSection {
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

class HighlightedPlaces extends PlacesSection {
  wants(row) {
    return row.highlighted;
  }

  verbs() {
    return { remove: (key) => this.act([{ kind: "Highlight", segment: key, on: false }]) };
  }

  show() {
    super.show();
    const { length } = this.places.items;
    setPart(this.closest("[data-section]"), "count", length ? this.page.words.number.format(length) : "");
  }
}

customElements.define("doubtful-places", DoubtfulPlaces);
customElements.define("highlighted-places", HighlightedPlaces);
