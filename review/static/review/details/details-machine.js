/** A section of the details: where the text is not the machine's any more, and the way back for one segment or all. */

import { fillSegment, hearItems, PagedList, setPart } from "./paged-list.js";
import { drawDifferences } from "./word-diff.js";

class MachineText extends HTMLElement {
  start(page) {
    this.page = page;
    this.list = new PagedList(this, page.words, (element, row) => this.fill(element, row));
    this.everywhere = this.querySelector("[data-do=everywhere]");
    hearItems(this, {
      visit: (key) => page.commands.visit({ key }),
      take: (key) => this.take([key]),
      everywhere: () => this.take("all"),
    });
  }

  show() {
    const rows = [...this.page.store.state.segments].filter((row) => row.text !== row.machineText);
    this.list.show(rows);
    const { length } = rows;
    setPart(this, "summary", length ? this.page.words.count("details-differ", length) : "");
    setPart(this.closest("[data-section]"), "count", length ? this.page.words.number.format(length) : "");
    this.everywhere.disabled = !rows.some((row) => row.machineText);
  }

  fill(element, row) {
    fillSegment(element, row, this.page.store, this.page.words);
    element.querySelector("[data-do=take]").hidden = !row.machineText; // a person inserted it
    const seen = JSON.stringify([row.machineText, row.text]);
    if (element.seen === seen) return;
    element.seen = seen;
    drawDifferences(element.querySelector("[data-part=change]"), row.machineText, row.text);
  }

  take(segments) {
    this.page.act([{ kind: "Restore", segments }]);
    this.show();
    if (this.everywhere.disabled && document.activeElement === document.body) this.list.none.focus();
  }
}

customElements.define("machine-text", MachineText);
