/** A section of the details: versions of the transcript that people named, compared with now and brought back. */

import { getJson, postJson } from "../../bulktranscribe/http.js";
import { aspectsOf, comparisonOf } from "./version-comparison.js";
import { dateFormat } from "./details-history.js";
import { writeTime } from "./segment-times.js";
import { fillSegment, hearItems, PagedList, setPart } from "./paged-list.js";
import { nameOf } from "../view/labels.js";
import { newId } from "../store/new-id.js";
import { drawDifferences } from "./word-diff.js";

const PATIENCE_MS = 8_000; // until what was written is saved

class TranscriptVersions extends HTMLElement {
  start(page) {
    this.page = page;
    this.url = `${page.dataset.url}/revisions`;
    this.date = dateFormat();
    this.versions = null; // null: not asked for yet
    this.compared = null; // { version, state }
    this.list = new PagedList(this.querySelector("[data-part=versions]"), page.words, (element, one) => this.fill(element, one));
    this.differences = new PagedList(this.querySelector("[data-part=comparison]"), page.words, (element, pair) => this.fillPair(element, pair));
    this.querySelector("form").addEventListener("submit", (event) => this.submit(event));
    this.closest("details").addEventListener("toggle", () => (this.versions = null)); // others name versions too
    hearItems(this, {
      compare: (key) => this.work(() => this.compare(this.find(key))),
      restore: (key) => this.work(() => this.restore(this.find(key))),
      done: () => this.leave(),
      visit: (key) => page.commands.visit({ key }),
    });
  }

  show() {
    const isAway = !navigator.onLine || ["offline", "signed-out"].includes(this.page.copy.outbox.state.name);
    this.querySelector("[data-part=away]").hidden = !isAway;
    for (const button of this.querySelectorAll("[data-needs=server]")) button.disabled = isAway;
    if (!isAway && this.versions === null) this.load().catch((problem) => this.tell(problem));
    if (this.compared) this.showComparison();
  }

  find(key) {
    return this.versions.find(({ id }) => String(id) === key);
  }

  // What goes to the server ----------------------------------------------------------------------------

  /** One thing at a time; what went wrong is said here. */
  async work(doing) {
    if (this.isWorking) return;
    this.isWorking = true;
    this.say(this.page.words.say("versions-working"));
    try {
      await doing();
    } catch (problem) {
      this.tell(problem);
    } finally {
      this.isWorking = false;
    }
  }

  tell(problem) {
    if (problem.status === undefined) throw problem;
    const { words } = this.page;
    if (problem.isSignedOut) this.say(words.say("versions-signed-out"));
    else this.say(problem.message || words.say(problem.status === 409 ? "versions-clash" : "versions-no-answer"));
  }

  say(sentence) {
    setPart(this, "told", sentence);
  }

  async load() {
    this.versions = []; // asked for
    this.versions = (await getJson(this.url)).body.revisions;
    this.list.show(this.versions.map((one) => ({ ...one, key: one.id })));
  }

  submit(event) {
    event.preventDefault();
    const field = event.target.elements.version;
    const name = field.value.trim();
    setPart(this, "nameless", name ? "" : this.page.words.say("versions-nameless"));
    field.ariaInvalid = String(!name);
    if (!name) return field.focus();
    return this.work(() => this.name(name, field));
  }

  async name(name, field) {
    if (!(await this.isAllSaved())) return this.say(this.page.words.say("versions-unsaved"));
    await postJson(this.url, { name });
    field.value = "";
    await this.load();
    return this.say(this.page.words.say("versions-kept", { name }));
  }

  async compare(version) {
    const { body } = await getJson(`${this.url}/${version.id}`);
    this.compared = { version, state: body.state };
    this.showComparison();
    this.part("comparison").hidden = false;
    this.say("");
    this.querySelector("[data-part=compared]").focus();
  }

  /** The server does it as one step of this person; what is not sent yet would come after it. */
  async restore({ id, name }) {
    if (!(await this.isAllSaved())) return this.say(this.page.words.say("versions-unsaved"));
    await this.page.copy.have("RestoreRevision", (client) => postJson(`${this.url}/${id}/restore`, { id: newId(), client }));
    return this.say(this.page.words.say("versions-back", { name }));
  }

  /** Resolve to whether the server has all that was done here. */
  isAllSaved() {
    const { page } = this;
    const { outbox } = page.copy;
    const isSaved = () => outbox.state.name === "saved";
    outbox.wake();
    return new Promise((resolve) => {
      const end = (answer) => {
        clearTimeout(alarm);
        page.removeEventListener("saving", look);
        resolve(answer);
      };
      const look = () => isSaved() && end(true);
      const alarm = setTimeout(() => end(false), PATIENCE_MS);
      page.addEventListener("saving", look);
      look();
    });
  }

  // Drawing --------------------------------------------------------------------------------------------

  fill(element, { name, who, at }) {
    setPart(element, "name", name);
    setPart(element, "who", who);
    element.querySelector("time").dateTime = at;
    setPart(element, "when", this.date.format(new Date(at)));
  }

  showComparison() {
    const { words, store } = this.page;
    const { version, state } = this.compared;
    const { segments, speakers, transcript } = comparisonOf(state, store.state);
    setPart(this, "compared", words.say("versions-compared", { name: version.name }));
    const lines = [...speakers.map((pair) => this.sayOfSpeaker(pair)), ...(transcript ? [this.sayOfStatus(transcript)] : [])];
    this.part("speakers").replaceChildren(...lines.map((line) => inItem(line)));
    this.differences.show(segments);
    this.part("comparison").querySelector("[data-part=none]").hidden = segments.length + lines.length > 0;
  }

  fillPair(element, pair) {
    const { was, is } = pair;
    const { words, store } = this.page;
    fillSegment(element, is ?? was, store, words);
    element.querySelector("[data-do=visit]").disabled = !is;
    const seen = JSON.stringify([was?.text, is?.text]);
    if (element.seen !== seen) drawDifferences(element.querySelector("[data-part=change]"), was?.text ?? "", is?.text ?? "");
    element.seen = seen;
    setPart(element, "why", this.sayOfPair(pair).join(" · "));
  }

  sayOfPair({ was, is }) {
    const { words } = this.page;
    if (!was) return [words.say("versions-new")];
    if (!is) return [words.say("versions-gone")];
    const span = ({ start, end }) => `${writeTime(start)}–${writeTime(end)}`;
    const sentences = {
      text: () => [],
      times: () => [words.say("versions-times", { was: span(was), is: span(is) })],
      speaker: () => [words.say("versions-speaker", { was: this.speakerThen(was.speaker), is: this.speakerNow(is.speaker) })],
      marks: () => [words.say("versions-marks")],
    };
    return aspectsOf({ was, is }).flatMap((aspect) => sentences[aspect]());
  }

  sayOfSpeaker({ was, is }) {
    const [then, now] = [was, is].map((row) => (row && !row.removed ? nameOf(row) : null));
    const key = then === null ? "versions-speaker-new" : now === null ? "versions-speaker-gone" : "versions-speaker-named";
    return this.page.words.say(key, { was: then, is: now });
  }

  sayOfStatus({ was, is }) {
    const { options } = this.page.querySelector("[name=status]");
    const said = ({ reviewStatus }) => [...options].find(({ value }) => value === reviewStatus)?.textContent ?? reviewStatus;
    return this.page.words.say("versions-status", { was: said(was), is: said(is) });
  }

  speakerThen(key) {
    const row = this.compared.state.speakers.find((each) => each.key === key);
    return row ? nameOf(row) : this.page.words.say("nobody");
  }

  speakerNow(key) {
    const row = this.page.store.state.speakers.get(key);
    return row ? nameOf(row) : this.page.words.say("nobody");
  }

  leave() {
    const { id } = this.compared.version;
    this.compared = null;
    this.part("comparison").hidden = true;
    this.querySelector(`[data-id="${id}"] [data-do=compare]`)?.focus();
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }
}

function inItem(line) {
  const item = document.createElement("li");
  item.textContent = line;
  return item;
}

customElements.define("transcript-versions", TranscriptVersions);
