/** Who speaks: names to write, digits to press, how much of the recording each has.
 *
 * It says "asked" `{ edits }` for what a person changes here, and "speaker" `{ key }` where one is chosen.
 */

import { showKeyed } from "../../bulktranscribe/keyed-list.js";
import { nameOf } from "./labels.js";
import { sharesOf } from "./speaker-shares.js";

const SHARES_MS = 1_000;

class SpeakerList extends HTMLElement {
  start(store, words, newId) {
    Object.assign(this, { store, words, newId });
    this.list = this.querySelector("ul");
    this.template = this.querySelector("template");
    this.list.addEventListener("change", (event) => this.hear(event.target));
    this.list.addEventListener("click", (event) => this.choose(event.target));
    this.querySelector("form").addEventListener("submit", (event) => this.add(event));
    this.show();
  }

  show() {
    const speakers = this.present();
    const shares = sharesOf(this.store.state.segments);
    showKeyed(this.list, speakers.map((speaker) => ({ ...speaker, id: speaker.key })), this.template, (row, speaker) =>
      this.fill(row, speaker, speakers, shares.get(speaker.key) ?? 0),
    );
  }

  /** Show the shares anew soon: they are summed over all segments, which is too much for every letter typed. */
  plan() {
    this.alarm ??= setTimeout(() => {
      this.alarm = null;
      this.show();
    }, SHARES_MS);
  }

  /** The speakers that are not merged away, in the order of their digits. */
  present() {
    const all = [...this.store.state.speakers.values()].filter((speaker) => !speaker.removed);
    return all.sort((one, other) => (one.hotkey ?? 99) - (other.hotkey ?? 99));
  }

  fill(row, speaker, speakers, share) {
    const [digit, name, part, merge] = ["digit", "name", "share", "merge"].map((field) => row.querySelector(`[data-field=${field}]`));
    row.dataset.colour = speaker.colour;
    digit.textContent = speaker.hotkey ?? "–";
    digit.ariaLabel = this.words.say("give-to", { name: nameOf(speaker) });
    if (document.activeElement !== name) name.value = speaker.name;
    name.placeholder = speaker.label;
    name.ariaLabel = this.words.say("name-of", { name: nameOf(speaker) });
    part.textContent = this.words.say("percent", { percent: Math.round(share * 100) });
    merge.ariaLabel = this.words.say("merge-with", { name: nameOf(speaker) });
    fillOptions(merge, speakers.filter((other) => other.key !== speaker.key));
    merge.hidden = speakers.length < 2;
  }

  hear(field) {
    const key = field.closest("[data-id]").dataset.id;
    if (field.dataset.field === "name") this.ask([{ kind: "RenameSpeaker", speaker: key, name: field.value.trim() }]);
    if (field.dataset.field === "merge" && field.value) {
      const into = field.value;
      field.value = "";
      this.ask([{ kind: "MergeSpeakers", from: key, into }]);
    }
  }

  choose(target) {
    const button = target.closest("[data-field=digit]");
    if (button) this.dispatchEvent(new CustomEvent("speaker", { bubbles: true, detail: { key: button.closest("[data-id]").dataset.id } }));
  }

  add(event) {
    event.preventDefault();
    const field = event.target.elements.name;
    const name = field.value.trim();
    if (!name) return field.focus();
    field.value = "";
    return this.ask([{ kind: "AddSpeaker", newKey: this.newId(), name }]);
  }

  ask(edits) {
    this.dispatchEvent(new CustomEvent("asked", { bubbles: true, detail: { edits } }));
    this.show();
  }
}

function fillOptions(select, speakers) {
  const wanted = speakers.map((speaker) => `${speaker.key} ${nameOf(speaker)}`).join("\n");
  if (select.dataset.shown === wanted) return;
  select.dataset.shown = wanted;
  const options = speakers.map((speaker) => new Option(nameOf(speaker), speaker.key));
  select.replaceChildren(select.options[0], ...options);
}

customElements.define("speaker-list", SpeakerList);
