/** A section of the details: who did what and when, the newest first; a press goes to the segment. */

import { getJson } from "../../bulktranscribe/http.js";
import { batchesOf } from "./edit-batches.js";
import { fillSegment, hearItems, PagedList, setPart } from "./paged-list.js";

const PAGE = 50; // edits in one answer
const MOST_PAGES = 10; // read at once to come up with what others did; what is older is asked for again
const PAUSE_MS = 1_000;

class EditHistory extends HTMLElement {
  start(page) {
    this.page = page;
    this.edits = [];
    this.known = null; // the version that they are of
    this.asked = Promise.resolve(); // one question at a time
    this.date = dateFormat();
    this.list = new PagedList(this, page.words, (element, batch) => this.fill(element, batch));
    this.list.limit = Infinity; // it comes in pages
    this.older = this.querySelector("[data-do=older]");
    hearItems(this, { visit: (_key, button) => page.commands.visit({ key: button.dataset.key }), older: () => this.readOlder() });
  }

  show() {
    if (this.known === this.page.store.version) this.draw();
    else this.refresh();
  }

  // Reading ------------------------------------------------------------------------------------------

  async refresh() {
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    const { version } = this.page.store;
    const isRead = await this.ask(() => this.readNewest());
    this.isRefreshing = false;
    if (isRead) this.known = version;
    if (isRead && this.page.store.version !== version) setTimeout(() => this.show(), PAUSE_MS);
  }

  readOlder() {
    return this.ask(async () => {
      this.edits.push(...(await this.read(this.edits.at(-1).seq)));
    });
  }

  ask(reading) {
    this.asked = this.asked.then(() => this.tryTo(reading));
    return this.asked;
  }

  /** Return whether it was read; where it was not, say why. */
  async tryTo(reading) {
    try {
      await reading();
      setPart(this, "trouble", "");
      this.draw();
      return true;
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      setPart(this, "trouble", this.page.words.say("details-unread"));
      return false;
    }
  }

  /** Read back to what is known; where something was undone, all that is shown, for it may be any of it. */
  async readNewest() {
    const [newest, oldest] = [this.edits[0]?.seq ?? Infinity, this.edits.at(-1)?.seq ?? Infinity];
    const fresh = [];
    let [until, isReached] = [newest, false];
    for (let pages = 0; !isReached && pages < MOST_PAGES; pages += 1) {
      const some = await this.read(fresh.at(-1)?.seq);
      fresh.push(...some);
      if (some.some(({ seq, kind }) => seq > newest && ["Undo", "Redo"].includes(kind))) until = oldest;
      isReached = some.length < PAGE || fresh.at(-1).seq <= until;
    }
    const last = fresh.at(-1)?.seq ?? 0;
    this.edits = [...fresh, ...(isReached ? this.edits.filter(({ seq }) => seq < last) : [])];
  }

  async read(before) {
    const { body } = await getJson(`${this.page.dataset.url}/history${before === undefined ? "" : `?before=${before}`}`);
    return body.edits;
  }

  // Drawing --------------------------------------------------------------------------------------------

  draw() {
    this.list.show(batchesOf(this.edits));
    this.older.hidden = (this.edits.at(-1)?.seq ?? 1) <= 1;
  }

  fill(element, { who, what, at, undone, keys }) {
    const { words, store } = this.page;
    const times = keys.length > 1 ? ` (${words.count("details-segments", keys.length)})` : "";
    setPart(element, "deed", words.say("details-deed", { who, what }) + times);
    element.querySelector("time").dateTime = at;
    setPart(element, "when", this.date.format(new Date(at)));
    element.querySelector("[data-part=undone]").hidden = !undone;
    element.classList.toggle("is-undone", undone);
    const row = keys.map((key) => store.state.segments.get(key)).find(Boolean);
    const button = element.querySelector("[data-do=visit]");
    button.hidden = !row;
    button.dataset.key = row?.key ?? "";
    if (row) fillSegment(button, row, store, words);
  }
}

export function dateFormat() {
  return new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "medium", timeStyle: "short" });
}

customElements.define("edit-history", EditHistory);
