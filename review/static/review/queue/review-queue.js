/** The review queue: the files of the session as work, who reviews this one, and the way to the next.
 *
 * The server says what there is, in which order, and which file is next. The present file's row is that of this page:
 * it changes with every edit, the others when the server is asked again.
 */

import { getJson } from "../../bulktranscribe/http.js";
import { setHidden, setText, showKeyed } from "../../bulktranscribe/keyed-list.js";
import { isSame } from "../edits/patches.js";
import { secondsLeft, totalsOf, withPresent } from "./queue-totals.js";

const REFRESH_MS = 30_000;
const LEFT_MS = 1_000;
const NARROW = "(max-width: 52rem)"; // as in transcript.css

class ReviewQueue extends HTMLElement {
  connectedCallback() {
    this.files = null; // until the server was asked
    this.next = null;
    this.etag = "";
    this.isGoing = false;
    if (matchMedia(NARROW).matches) this.querySelector("details").open = false; // the text comes first
  }

  start(page) {
    Object.assign(this, { page, words: page.words, store: page.store, person: page.dataset.person });
    [this.filter, this.reviewer] = ["queue-status", "reviewer"].map((name) => this.querySelector(`[name=${name}]`));
    this.labels = new Map([...this.filter.options].map(({ value, text }) => [value, text]));
    this.filter.addEventListener("change", () => this.showList());
    this.reviewer.addEventListener("change", () => this.choose(this.reviewer.value || null));
    this.part("mine").addEventListener("click", () => this.take());
    this.part("next").addEventListener("click", (event) => this.follow(event));
    page.addEventListener("changed", () => this.hear());
    document.addEventListener("visibilitychange", () => document.hidden || this.ask());
    this.filter.hidden = this.part("reviewing").hidden = this.part("done").hidden = false;
    this.measure();
    this.ask();
    setInterval(() => document.hidden || this.ask(), REFRESH_MS);
  }

  // What the server says ---------------------------------------------------------------------------

  /** Ask, where nothing depends on the answer: what cannot be asked now is asked again later. */
  async ask() {
    await this.refresh().catch((problem) => {
      if (problem.status === undefined) throw problem;
    });
  }

  async refresh() {
    const { body, etag } = await getJson(this.dataset.url, this.etag);
    this.etag = etag;
    if (!body) return;
    const isFirst = !this.files;
    this.files = withPresent(body.files, this.dataset.present, this.own);
    this.next = body.next;
    this.part("all")?.remove();
    this.showList();
    if (isFirst) this.bringPresentIntoView();
  }

  /** In the list alone: the page stays where it is. */
  bringPresentIntoView() {
    const row = this.presentRow;
    if (row) this.querySelector("nav").scrollTop = row.offsetTop - row.offsetHeight;
  }

  // The present file, as this page knows it --------------------------------------------------------

  /** Something was changed here, perhaps a letter typed: what is left is summed later. */
  hear() {
    this.alarm ??= setTimeout(() => this.measure(), LEFT_MS);
    this.showPresent();
  }

  /** Sum over all segments what is left of this file. */
  measure() {
    this.alarm = null;
    this.left = secondsLeft(this.store.state.segments);
    this.showPresent();
  }

  get own() {
    const { doubtful, reviewStatus, reviewer } = this.store.state.transcript;
    return { doubtful, reviewStatus, reviewer, secondsLeft: this.left, statusText: this.labels.get(reviewStatus) };
  }

  /** This costs nothing where nothing is different. */
  showPresent() {
    const { own } = this;
    if (isSame(own, this.shown)) return;
    this.shown = own;
    this.showReviewer();
    if (!this.files) return;
    this.files = withPresent(this.files, this.dataset.present, own);
    const present = this.files.find((file) => file.id === this.dataset.present);
    const row = this.presentRow;
    if (row && present) this.showRow(row, present);
    this.showTotals();
  }

  get presentRow() {
    return this.querySelector(`.queue-row[data-id="${this.dataset.present}"]`);
  }

  choose(reviewer) {
    this.page.act([{ kind: "SetReviewer", reviewer }]);
  }

  /** The button goes away with its use: the keyboard is where the choice can be changed. */
  take() {
    this.reviewer.focus();
    this.choose(this.person);
  }

  showReviewer() {
    const { reviewer } = this.store.state.transcript;
    this.part("mine").hidden = reviewer === this.person;
    const others = (this.files ?? []).map((file) => file.reviewer).filter((name) => name && name !== this.person);
    if (reviewer && reviewer !== this.person) others.push(reviewer);
    const names = [...new Set(others)].sort();
    const options = [[this.person, this.words.say("queue-me", { name: this.person })], ...names.map((name) => [name, name])];
    const wanted = JSON.stringify(options);
    if (this.reviewer.dataset.shown !== wanted) {
      this.reviewer.dataset.shown = wanted;
      this.reviewer.replaceChildren(this.reviewer.options[0], ...options.map(([value, text]) => new Option(text, value)));
    }
    this.reviewer.value = reviewer ?? "";
  }

  // What is shown ----------------------------------------------------------------------------------

  showList() {
    if (!this.files) return;
    const held = document.activeElement; // a row that is moved would lose the focus
    const wanted = this.files.filter((file) => !this.filter.value || file.reviewStatus === this.filter.value);
    const list = this.querySelector("[data-list=queue]");
    showKeyed(list, wanted, this.querySelector("template"), (row, file) => this.showRow(row, file));
    if (held !== document.activeElement && list.contains(held)) held.focus({ preventScroll: true });
    this.part("none").hidden = wanted.length > 0;
    this.showTotals();
    this.showReviewer();
  }

  showRow(row, file) {
    const link = row.firstElementChild;
    const part = (name) => link.querySelector(`[data-part="${name}"]`);
    if (file.id === this.dataset.present) link.ariaCurrent = "page";
    setText(part("name"), file.name);
    setText(part("status"), file.statusText);
    showPart(part("doubtful"), file.doubtful && this.words.say("queue-doubtful", { n: file.doubtful }));
    showPart(part("left"), file.secondsLeft && this.words.say("queue-left", { time: this.words.duration(file.secondsLeft) }));
    showPart(part("older"), file.isOlder && this.words.say("queue-older", { model: file.model }));
    showPart(part("reviewer"), file.reviewer);
  }

  showTotals() {
    const { files, done, doubtful, seconds, statuses } = totalsOf(this.files);
    const parts = [this.words.say("queue-totals", { done, files })];
    if (doubtful) parts.push(this.words.count("doubtful", doubtful));
    if (seconds) parts.push(this.words.say("queue-left", { time: this.words.duration(seconds) }));
    setText(this.part("totals"), parts.join(" · "));
    for (const option of this.filter.options) {
      const n = option.value ? (statuses.get(option.value) ?? 0) : this.files.length;
      setText(option, this.words.say("queue-filter", { status: this.labels.get(option.value), n }));
    }
    const next = this.files.find((file) => file.id === this.next);
    if (next) this.part("next").href = next.url;
    setHidden(this.part("next"), !next);
  }

  // On to the next ---------------------------------------------------------------------------------

  follow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // into another tab
    event.preventDefault();
    this.goOn();
  }

  /** Go to the next file once all of this one is saved; with `isDone` this one is done first. */
  async goOn({ isDone = false } = {}) {
    if (this.isGoing) return;
    this.isGoing = true;
    try {
      if (isDone) this.page.act([{ kind: "SetStatus", status: "done" }]);
      if (this.page.copy.outbox.state.name !== "saved") this.tell("queue-saving");
      this.tell(await this.leave(isDone));
    } finally {
      this.isGoing = false;
    }
  }

  /** Leave for the next file, or return the key of the sentence that says why not. */
  async leave(isDone) {
    const { name, isKept } = await this.settled();
    if (name !== "saved") return name === "offline" && isKept ? "queue-offline" : "queue-unsaved";
    if (isDone && this.store.state.transcript.reviewStatus !== "done") return ""; // refused: the page says so
    try {
      await this.refresh(); // somebody may have taken that file meanwhile
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      return problem.isSignedOut ? "queue-signed-out" : "queue-offline";
    }
    const next = this.files.find((file) => file.id === this.next);
    const { files, done } = totalsOf(this.files);
    if (!next) return files === done ? "queue-all-done" : "queue-no-other";
    location.assign(next.url);
    return "";
  }

  /** Wait until the server has it all, or cannot have it now; resolve to the outbox's state. */
  settled() {
    const { page } = this;
    return new Promise((resolve) => {
      const look = () => {
        const { state } = page.copy.outbox;
        if (state.name === "saving") return;
        page.removeEventListener("saving", look);
        resolve(state);
      };
      page.addEventListener("saving", look);
      look();
    });
  }

  tell(key) {
    const place = this.part("told");
    setText(place, key && this.words.say(key));
    if (key) place.scrollIntoView({ block: "nearest" });
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]:not(.queue-row *)`);
  }
}

function showPart(element, text) {
  setText(element, text || "");
  setHidden(element, !text);
}

customElements.define("review-queue", ReviewQueue);
