/** The form that starts a job: which files, with which options. Without JavaScript it is a plain form. */

import { postJson } from "../../bulktranscribe/http.js";
import "./job-presets.js";
import { setText, showKeyed } from "../../bulktranscribe/keyed-list.js";

const byName = new Intl.Collator(document.documentElement.lang, { numeric: true }); // "2.wav" before "10.wav"

class JobForm extends HTMLElement {
  start(words) {
    this.words = words;
    this.form = this.querySelector("form");
    this.lists = { new: this.querySelector("[data-list=new]"), used: this.querySelector("[data-list=used]") };
    this.all = this.querySelector("[data-do=all]");
    this.allNew = this.form.elements.all_new;
    this.button = this.querySelector("[data-field=start]");
    this.querySelector("job-presets").start(words, this.form, () => this.showChoice());
    this.all.addEventListener("change", () => this.chooseAll(this.all.checked));
    this.form.addEventListener("change", () => this.showChoice());
    this.form.addEventListener("submit", (event) => this.send(event));
    this.lists.new.addEventListener("click", (event) => this.deleteFile(event.target.closest("[data-do=delete]")));
  }

  show(uploads, counts) {
    this.counts = counts;
    uploads = [...uploads].sort((one, other) => byName.compare(one.name, other.name));
    const fresh = uploads.filter((upload) => upload.isNew);
    const used = uploads.filter((upload) => !upload.isNew);
    const hadNew = this.lists.new.children.length > 0;
    this.showList("new", fresh);
    this.showList("used", used);
    this.hidden = !uploads.length;
    this.part("new-files").hidden = !fresh.length;
    this.showAllNew(counts.new > fresh.length);
    this.part("all").hidden = fresh.length < 2 || this.allNew.checked;
    this.part("used-files").hidden = !used.length;
    if (fresh.length && !hadNew) this.open(true);
    if (!fresh.length && hadNew) this.open(false);
    this.showChoice();
  }

  showList(kind, uploads) {
    const template = this.querySelector(`template[data-row=${kind}]`); // a new file is chosen at first, a used one is not
    showKeyed(this.lists[kind], uploads, template, (row, upload) => {
      setText(row.querySelector("[data-field=name]"), upload.name);
      setText(row.querySelector("[data-field=folder]"), upload.folder && `${upload.folder}/`);
      setText(row.querySelector("[data-field=size]"), this.words.size(upload.sizeBytes));
      showTrouble(row, upload.sound?.text ?? "");
      showDelete(row.querySelector("[data-do=delete]"), upload.name);
    });
  }

  /** More new files than are listed: they are taken all together, or by the list. */
  showAllNew(areMore) {
    const place = this.part("all-new");
    if (place.hidden === areMore) this.allNew.checked = areMore;
    place.hidden = !areMore;
    setText(this.part("all-new-text"), this.words.say("all-new", { n: this.counts.good }));
  }

  open(isOpen) {
    this.part("panel").open = isOpen;
    this.part("used-files").open = !isOpen;
  }

  showChoice() {
    const n = this.count();
    this.lists.new.hidden = this.allNew.checked;
    this.part("all").hidden = this.lists.new.children.length < 2 || this.allNew.checked;
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
    const boxes = [...this.form.querySelectorAll("input[name=uploads]:checked")];
    return this.allNew.checked ? boxes.filter((box) => !this.lists.new.contains(box)) : boxes;
  }

  /** How many files are chosen; of the job that is run again, those that are not also chosen one by one. */
  count() {
    const all = this.allNew.checked ? this.counts.good : 0;
    const again = this.filesOf();
    return this.chosen().length + all + (again ? Number(again.dataset.count) : 0);
  }

  filesOf() {
    const box = this.form.elements.files_of;
    return box?.checked ? box : null;
  }

  /** Out of sight at once; the list of what was deleted brings it back. */
  async deleteFile(button) {
    if (!button || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const next = button.closest("li").nextElementSibling?.querySelector("[data-do=delete]") ?? this.button;
    try {
      await postJson(button.dataset.api, {}, "DELETE");
      this.refuse("");
      if (button.contains(document.activeElement)) next.focus({ preventScroll: true });
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (problem.status !== 404) this.refuse(problem.message || this.words.say("not-done"));
    } finally {
      button.removeAttribute("aria-busy");
    }
    this.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  }

  async send(event) {
    event.preventDefault();
    if (this.button.getAttribute("aria-busy") === "true") return;
    if (!this.count()) return this.refuse(this.words.say("choose"));
    this.button.setAttribute("aria-busy", "true");
    try {
      await postJson(this.dataset.url, this.order());
      this.refuse("");
      for (const box of this.chosen()) box.checked = false;
      this.allNew.checked = false;
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
    const { model, language, speakers, use_remote: remote, task, hotwords, vad_enabled: vad } = this.form.elements;
    const count = (name) => {
      const input = this.form.elements[name];
      return input.closest("[hidden]") || input.value === "" ? null : Number(input.value);
    };
    return {
      uploadIds: this.chosen().map((box) => box.value),
      allNew: this.allNew.checked,
      filesOf: this.filesOf()?.value ?? null,
      model: model.value,
      language: language.value || null,
      speakers: speakers.value || "auto",
      numSpeakers: count("num_speakers"),
      minSpeakers: count("min_speakers"),
      maxSpeakers: count("max_speakers"),
      useRemote: remote?.checked ?? false,
      task: task.value,
      hotwords: hotwords.value,
      initialPrompt: this.form.elements.initial_prompt.value,
      vadEnabled: vad.checked,
      hallucinationSensitivity: Number(this.form.elements.hallucination_sensitivity.value),
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

/** Say what is wrong with a recording; one with trouble is not chosen unless somebody chooses it. */
function showDelete(button, name) {
  if (!button || !button.hidden) return;
  button.hidden = false;
  button.setAttribute("aria-label", `${button.textContent.trim()}: ${name}`);
}

function showTrouble(row, text) {
  const place = row.querySelector("[data-field=trouble]");
  if (place.textContent === text) return;
  setText(place, text);
  if (text) row.querySelector("input").checked = false;
}

customElements.define("job-form", JobForm);
