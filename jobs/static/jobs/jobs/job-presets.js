/** Options of the job form under names: chosen again, kept, forgotten. */

import { postJson } from "../../bulktranscribe/http.js";
import { setText } from "../../bulktranscribe/keyed-list.js";

const NOT_OPTIONS = ["csrfmiddlewaretoken", "uploads", "all_new", "files_of"];

class JobPresets extends HTMLElement {
  start(words, form, changed) {
    this.words = words;
    this.form = form;
    this.changed = changed;
    this.presets = JSON.parse(this.querySelector("script").textContent);
    this.select = this.part("preset");
    this.hidden = false;
    this.show("");
    this.select.addEventListener("change", () => this.choose());
    this.button("keep").addEventListener("click", () => this.keep());
    this.button("forget").addEventListener("click", () => this.forget());
    this.part("name").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the form would start a job
      this.keep();
    });
  }

  show(chosen) {
    this.select.replaceChildren(this.select.options[0], ...this.presets.map(({ id, name }) => new Option(name, id)));
    this.select.value = chosen;
    this.select.closest(".field").hidden = !this.presets.length;
    this.button("forget").hidden = !chosen;
  }

  choose() {
    const preset = this.presets.find(({ id }) => id === this.select.value);
    this.button("forget").hidden = !preset;
    if (!preset) return;
    for (const [name, value] of Object.entries(preset.options)) this.set(this.form.elements[name], value);
    this.part("name").value = preset.name;
    this.changed();
  }

  set(field, value) {
    if (!field) return; // "Run on GPU" is not asked for in every mode
    if (field.type === "checkbox") field.checked = Boolean(value);
    else field.value = value ?? "";
  }

  async keep() {
    const name = this.part("name").value.trim();
    if (!name) return this.part("name").focus();
    await this.tell(async () => {
      const { preset } = await postJson(this.dataset.url, { name, options: this.options() });
      this.presets = [...this.presets.filter(({ id }) => id !== preset.id), preset].sort((one, other) => one.name.localeCompare(other.name));
      this.show(preset.id);
      return this.words.say("preset-kept", { name });
    });
  }

  async forget() {
    const id = this.select.value;
    await this.tell(async () => {
      await postJson(`${this.dataset.url}/${id}`, {}, "DELETE");
      this.presets = this.presets.filter((preset) => preset.id !== id);
      this.show("");
      this.part("name").focus();
      return this.words.say("preset-forgotten");
    });
  }

  async tell(change) {
    try {
      setText(this.part("said"), await change());
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      setText(this.part("said"), problem.message || this.words.say("not-done"));
    }
  }

  /** The options as they stand in the form. */
  options() {
    const fields = [...this.form.elements].filter(({ name, type }) => name && type !== "submit" && !NOT_OPTIONS.includes(name));
    return Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
  }

  part(name) {
    return this.querySelector(`[data-field="${name}"]`);
  }

  button(name) {
    return this.querySelector(`[data-do="${name}"]`);
  }
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.value === "") return field.type === "number" ? null : "";
  return field.type === "number" ? Number(field.value) : field.value;
}

customElements.define("job-presets", JobPresets);
