/** One file of a job: where it stands, and everything that happened to it, live. */

import { getJson } from "../bulktranscribe/http.js";
import { clock, Words } from "../bulktranscribe/words.js";
import { fieldsOf, setHidden, setText, showKeyed } from "../bulktranscribe/keyed-list.js";
import { isActiveInput, nextPause } from "./polling.js";
import { detailOf } from "./status-text.js";

class FilePage extends HTMLElement {
  connectedCallback() {
    this.words = Words.from(document.getElementById("words"));
    this.field = fieldsOf(this.querySelector("section[data-id]"));
    this.events = this.querySelector("[data-list=events]");
    this.template = this.querySelector("template[data-row=event]");
    this.partial = this.querySelector("[data-list=partial]");
    this.partialTemplate = this.querySelector("template[data-row=partial]");
    this.connection = this.querySelector("[data-field=connection]");
    this.failures = 0;
    this.etag = "";
    this.show(JSON.parse(document.getElementById("state").textContent));
    document.addEventListener("visibilitychange", () => !document.hidden && this.ask());
    this.plan();
  }

  show({ input, events }) {
    this.input = input;
    setText(this.field("status"), input.statusText);
    setText(this.field("sentence"), input.error?.sentence);
    setText(this.field("hint"), input.error?.hint);
    setText(this.field("detail"), detailOf(input, this.words));
    setText(this.field("length"), input.audioDuration === null ? "–" : clock(input.audioDuration));
    setText(this.field("worker"), input.worker || "–");
    setText(this.field("try"), `${input.attempt} / ${Math.max(input.attempt, input.attempts)}`);
    showMoment(this.field("contact"), input.lastContactAt);
    this.field("percent").value = input.percent;
    this.field("percent").hidden = !isActiveInput(input);
    if (input.transcriptUrl) this.field("transcript").setAttribute("href", input.transcriptUrl);
    setHidden(this.field("transcript"), !input.transcriptUrl);
    for (const verb of ["canRetry", "canCancel"]) setHidden(this.field(verb), !input[verb]);
    setHidden(this.field("partial"), !input.partial.length);
    showKeyed(this.partial, input.partial, this.partialTemplate, showPart);
    showKeyed(this.events, events, this.template, (row, event) => this.showEvent(row, event));
  }

  showEvent(row, event) {
    const field = fieldsOf(row);
    row.dataset.code = event.code;
    showMoment(field("at"), event.at);
    for (const part of ["text", "sentence", "actor"]) setText(field(part), event[part]);
    setText(field("times"), event.times > 1 ? this.words.say("times", { n: event.times }) : "");
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      const { body, etag } = await getJson(this.dataset.stateUrl, this.etag);
      this.failures = 0;
      this.etag = etag;
      setText(this.connection, "");
      if (body) this.show(body);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      this.failures += 1;
      setText(this.connection, this.words.say(problem.isSignedOut ? "signed-out" : "connection-lost"));
    }
    this.plan();
  }

  plan() {
    clearTimeout(this.timer);
    const pause = nextPause({ active: isActiveInput(this.input), hidden: document.hidden, failures: this.failures });
    this.timer = setTimeout(() => this.ask(), pause);
  }
}

/** A link to a document that had come before the file failed. */
function showPart(link, part) {
  link.setAttribute("href", part.url);
  setText(link, part.label);
}

/** Date and time to the second, in the reader's time zone. */
function showMoment(element, iso) {
  if (element.dataset.shown === (iso ?? "")) return;
  element.dataset.shown = iso ?? "";
  element.dateTime = iso ?? "";
  const style = { dateStyle: "medium", timeStyle: "medium" };
  element.textContent = iso ? new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date(iso)) : "–";
}

customElements.define("file-page", FilePage);
