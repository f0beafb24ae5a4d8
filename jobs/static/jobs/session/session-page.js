/** The session page: it asks for the state and hands each part to the element that shows it. */

import { getJson } from "../../bulktranscribe/http.js";
import { Words } from "../../bulktranscribe/words.js";
import { FileFilters } from "./file-filters.js";
import "./deleted-list.js";
import "../jobs/done-notification.js";
import "../jobs/job-form.js";
import "../jobs/job-list.js";
import { setText } from "../../bulktranscribe/keyed-list.js";
import { isActive, nextPause } from "../polling.js";
import { summaryOf, totalsOf } from "../status-text.js";
import "../uploads/upload-zone.js";

class SessionPage extends HTMLElement {
  connectedCallback() {
    this.words = Words.from(document.getElementById("words"));
    this.zone = this.querySelector("upload-zone");
    this.form = this.querySelector("job-form");
    this.list = this.querySelector("job-list");
    this.deleted = this.querySelector("deleted-list");
    for (const part of [this.zone, this.form, this.list, this.deleted]) part.start(this.words);
    this.filters = new FileFilters(this, this.words, () => this.askAnew());
    this.etag = "";
    this.failures = 0;
    this.isAsking = false;
    this.isOvertaken = false;
    this.show(JSON.parse(document.getElementById("state").textContent));
    this.addEventListener("uploaded", (event) => this.addUploads(event.detail));
    this.addEventListener("changed", () => this.ask());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.plan() : this.ask()));
    addEventListener("pageshow", (event) => event.persisted && this.ask()); // back from another page
    for (const happening of ["online", "offline"]) addEventListener(happening, () => this.ask());
    this.plan();
  }

  show(state) {
    this.state = state;
    setText(this.field("notice"), state.notice);
    this.form.show(state.uploads, state.uploadCounts);
    this.list.show(state.jobs, state.currency);
    this.filters.show(state.list, state.totals);
    this.deleted.show(state.deleted);
    this.showTotals(state);
    setText(this.field("summary"), summaryOf(state.totals, this.words));
    this.querySelector("done-notification").show(state, this.words);
  }

  showTotals({ totals, currency }) {
    const section = this.field("totals");
    for (const [part, text] of Object.entries(totalsOf(totals, currency, this.words))) {
      const place = section.querySelector(`[data-count="${part}"]`);
      setText(place, text);
      place.hidden = !text;
    }
    const bar = this.field("totals-bar");
    bar.value = totals.percent;
    section.hidden = !totals.files;
  }

  /** Show what has just been uploaded without waiting for the next answer. */
  addUploads(uploads) {
    const known = new Set(this.state.uploads.map((upload) => upload.id));
    const added = uploads.filter((upload) => !known.has(upload.id));
    this.state.uploads.push(...added);
    for (const kind of ["new", "good"]) this.state.uploadCounts[kind] += added.length;
    this.isOvertaken = true;
    this.form.show(this.state.uploads, this.state.uploadCounts);
  }

  /** Ask for other files than those that are shown. */
  askAnew() {
    this.etag = "";
    return this.ask();
  }

  /** Ask now. One question at a time; an answer that something has overtaken is dropped and asked for again. */
  async ask() {
    clearTimeout(this.timer);
    this.isOvertaken = true;
    if (this.isAsking) return;
    this.isAsking = true;
    while (this.isOvertaken) {
      this.isOvertaken = false;
      await this.askOnce();
    }
    this.isAsking = false;
    this.plan();
  }

  async askOnce() {
    try {
      const { body, etag } = await getJson(this.dataset.stateUrl + this.filters.query, this.etag);
      this.failures = 0;
      this.say("");
      if (this.isOvertaken) return;
      this.etag = etag;
      if (body) this.show(body);
    } catch (problem) {
      this.etag = "";
      this.failures += 1;
      this.explain(problem);
    }
  }

  explain(problem) {
    if (problem.isSignedOut) this.say(this.words.say("signed-out"));
    else if (problem.status === 404) this.say(this.words.say("gone"));
    else if (problem.status !== undefined) this.say(this.words.say("connection-lost"));
    else throw problem;
  }

  plan() {
    clearTimeout(this.timer);
    const pause = nextPause({ active: isActive(this.state), hidden: document.hidden, failures: this.failures });
    this.timer = setTimeout(() => this.ask(), pause);
  }

  say(text) {
    setText(this.field("connection"), text);
  }

  field(name) {
    return this.querySelector(`[data-field="${name}"]`);
  }
}

customElements.define("session-page", SessionPage);
