/** The jobs of a session and their files, live. Its buttons are those of a plain form; here they stay on the page. */

import { postJson } from "../../bulktranscribe/http.js";
import { clock } from "../../bulktranscribe/words.js";
import { fieldsOf, setHidden, setText, showKeyed } from "../../bulktranscribe/keyed-list.js";
import { detailOf, outlookOf } from "../status-text.js";

const fields = new WeakMap();

class JobList extends HTMLElement {
  start(words) {
    this.words = words;
    this.form = this.querySelector("form");
    this.rows = Object.fromEntries(
      [...this.querySelectorAll("template")].map((template) => [template.dataset.row, template]),
    );
    this.languages = new Map(
      [...document.querySelectorAll("select[name=language] option")].map((option) => [option.value, option.text]),
    );
    this.form.addEventListener("submit", (event) => this.act(event));
  }

  show(jobs, currency) {
    this.currency = currency;
    showKeyed(this.form, jobs, this.rows.job, (element, job) => this.showJob(element, job));
  }

  showJob(element, job) {
    const field = partsOf(element);
    setText(field("number"), job.number);
    setText(field("model"), job.model);
    const language = job.language ? (this.languages.get(job.language) ?? job.language) : this.words.say("language-detected");
    setText(field("language"), language);
    field("remote").hidden = job.runsOn !== "remote";
    showMoment(field("createdAt"), job.createdAt);
    setText(field("status"), job.statusText);
    field("status").dataset.status = job.status;
    setText(field("outlook"), outlookOf(job, this.currency, this.words));
    field("percent").value = job.percent;
    showVerbs(element, job);
    const list = element.querySelector("[data-list=inputs]");
    showKeyed(list, job.inputs, this.rows.input, (row, input) => this.showInput(row, input));
  }

  showInput(row, input) {
    const field = partsOf(row);
    row.dataset.status = input.status;
    setText(field("name"), input.name);
    setText(field("length"), input.audioDuration === null ? "" : clock(input.audioDuration));
    setText(field("status"), input.statusText);
    setText(field("detail"), detailOf(input, this.words));
    for (const [name, text] of [["review", input.review?.text], ["reviewer", input.review?.reviewer]]) {
      setText(field(name), text);
      field(name).hidden = !text;
    }
    field("percent").value = input.percent;
    if (input.transcriptUrl) field("transcript").setAttribute("href", input.transcriptUrl);
    setHidden(field("transcript"), !input.transcriptUrl);
    showVerbs(row, input);
    showProblem(field, input);
  }

  async act(event) {
    const button = event.submitter;
    if (!button?.dataset.api) return;
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const place = partsOf(button.closest(".job"))("refusal");
    try {
      await postJson(button.dataset.api, {}, button.dataset.method);
      setText(place, "");
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (problem.status !== 409) setText(place, problem.message || this.words.say("not-done"));
    } finally {
      button.removeAttribute("aria-busy");
    }
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }
}

function partsOf(element) {
  if (!fields.has(element)) fields.set(element, fieldsOf(element));
  return fields.get(element);
}

function showVerbs(element, { canCancel, canRetry }) {
  const allowed = { canCancel, canRetry };
  for (const button of element.querySelectorAll("[data-verb]")) {
    if (button.closest("[data-id]") === element) setHidden(button, !allowed[button.dataset.verb]);
  }
}

function showProblem(field, { error, attempt, worker, remote }) {
  setHidden(field("problem"), !error);
  if (!error) return;
  for (const part of ["sentence", "hint", "code", "message"]) setText(field(part), error[part]);
  setText(field("attempt"), attempt);
  setText(field("worker"), worker || "–");
  const trouble = remote?.lastError;
  field("trouble").hidden = !trouble || trouble.message === error.message;
  if (trouble) setText(field("lastError"), `${trouble.code}: ${trouble.message}`);
}

/** The time alone today, date and time before; the server has no way to know the reader's time zone. */
function showMoment(element, iso) {
  if (element.dataset.shown === iso) return;
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  const style = isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  element.dateTime = iso;
  element.dataset.shown = iso;
  element.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(at);
}

customElements.define("job-list", JobList);
