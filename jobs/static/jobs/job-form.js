/** The form that starts a job: which files, with which options. Without JavaScript it is a plain form. */

import { postJson } from "../bulktranscribe/http.js";
import { setText, showKeyed } from "./keyed.js";

const byName = new Intl.Collator(document.documentElement.lang, { numeric: true }); // "2.wav" before "10.wav"

class JobForm extends HTMLElement {
  start(words) {
    this.words = words;
    this.form = this.querySelector("form");
    this.lists = { new: this.querySelector("[data-list=new]"), used: this.querySelector("[data-list=used]") };
    this.all = this.querySelector("[data-do=all]");
    this.button = this.querySelector("[data-field=start]");
    this.all.addEventListener("change", () => this.chooseAll(this.all.checked));
    this.form.addEventListener("change", () => this.showChoice());
    this.form.addEventListener("submit", (event) => this.send(event));
  }

  show(uploads) {
    uploads = [...uploads].sort((one, other) => byName.compare(one.name, other.name));
    const fresh = uploads.filter((upload) => upload.isNew);
    const used = uploads.filter((upload) => !upload.isNew);
    const hadNew = this.lists.new.children.length > 0;
    this.showList("new", fresh);
    this.showList("used", used);
    this.hidden = !uploads.length;
    this.part("new-files").hidden = !fresh.length;
    this.part("all").hidden = fresh.length < 2;
    this.part("used-files").hidden = !used.length;
    if (fresh.length && !hadNew) this.open(true);
    if (!fresh.length && hadNew) this.open(false);
    this.showChoice();
  }

  showList(kind, uploads) {
    const template = this.querySelector(`template[data-row=${kind}]`); // a new file is chosen at first, a used one is not
    showKeyed(this.lists[kind], uploads, template, (row, upload) => {
      setText(row.querySelector("[data-field=name]"), upload.name);
      setText(row.querySelector("[data-field=size]"), this.words.size(upload.sizeBytes));
    });
  }

  open(isOpen) {
    this.part("panel").open = isOpen;
    this.part("used-files").open = !isOpen;
  }

  showChoice() {
    const n = this.chosen().length;
    const boxes = [...this.lists.new.querySelectorAll("input")];
    this.all.checked = boxes.every((box) => box.checked);
    this.all.indeterminate = !this.all.checked && boxes.some((box) => box.checked);
    setText(this.button, n ? this.words.count("start", n) : this.words.say("start-none"));
    if (n) this.refuse("");
    const speakers = this.form.elements.speakers.value;
    for (const field of this.querySelectorAll("[data-shown-for]")) {
      field.hidden = field.dataset.shownFor !== speakers;
    }
  }

  chooseAll(checked) {
    for (const box of this.lists.new.querySelectorAll("input")) box.checked = checked;
  }

  chosen() {
    return [...this.form.querySelectorAll("input[name=uploads]:checked")];
  }

  async send(event) {
    event.preventDefault();
    if (this.button.getAttribute("aria-busy") === "true") return;
    if (!this.chosen().length) return this.refuse(this.words.say("choose"));
    this.button.setAttribute("aria-busy", "true");
    try {
      await postJson(this.dataset.url, this.order());
      this.refuse("");
      for (const box of this.chosen()) box.checked = false;
      this.endAgain();
      this.showChoice();
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      this.refuse(problem.message || this.words.say("not-done"), problem.field);
    } finally {
      this.button.removeAttribute("aria-busy");
    }
  }

  /** What was run again is under way: a reload does not offer it once more. */
  endAgain() {
    this.part("again")?.remove();
    history.replaceState(history.state, "", location.pathname);
  }

  /** The job as the API takes it; a count is sent only where its field is shown. */
  order() {
    const { model, language, speakers, use_remote: remote } = this.form.elements;
    const count = (name) => {
      const input = this.form.elements[name];
      return input.closest("[hidden]") || input.value === "" ? null : Number(input.value);
    };
    return {
      uploadIds: this.chosen().map((box) => box.value),
      model: model.value,
      language: language.value || null,
      speakers: speakers.value || "auto",
      numSpeakers: count("num_speakers"),
      minSpeakers: count("min_speakers"),
      maxSpeakers: count("max_speakers"),
      useRemote: remote?.checked ?? false,
    };
  }

  refuse(message, field = "") {
    setText(this.part("error"), message);
    const wrong = this.form.elements[field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
    for (const input of this.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    if (wrong instanceof HTMLElement) {
      wrong.setAttribute("aria-invalid", "true");
      wrong.focus();
    }
  }

  part(name) {
    return this.querySelector(`[data-field="${name}"]`);
  }
}

customElements.define("job-form", JobForm);
