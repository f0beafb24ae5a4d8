/** The review page: it loads the state, and brings together text, speakers, player, keyboard and outbox. */

import { getJson, postJson } from "../bulktranscribe/http.js";
import { Words } from "../bulktranscribe/words.js";
import { commandsOf } from "./keys/commands.js";
import "./details/details-panel.js";
import { InvalidEdit } from "./edits/edits.js";
import { ServerRendered } from "./view/server-rendered.js";
import "./keys/key-settings.js";
import { hearKeys } from "./keys/keyboard.js";
import { storable } from "./edits/edit-validation.js";
import { nameOf } from "./view/labels.js";
import "./view/segment-list.js";
import "./queue/review-queue.js";
import "./view/speaker-list.js";
import { newId } from "./store/new-id.js";
import { openWorkingCopy } from "./store/open-working-copy.js";
import "./view/text-size.js";
import "./player/transcript-player.js";
import "./search/transcript-search.js";
import "./player/wave-form.js";

const CHANGES_MS = 4_000;

class TranscriptPage extends HTMLElement {
  async connectedCallback() {
    this.words = Words.from(document.getElementById("words"));
    this.player = this.querySelector("transcript-player");
    this.list = this.querySelector("segment-list");
    this.speakers = this.querySelector("speaker-list");
    this.search = this.querySelector("transcript-search");
    this.wave = this.querySelector("wave-form");
    this.details = this.querySelector("details-panel");
    this.queue = this.querySelector("review-queue");
    this.back = this.player.querySelector("[data-do=back]");
    this.player.start();
    this.serverRendered = new ServerRendered(this.list, (seconds) => this.player.playFrom(seconds));
    this.listen();
    await this.load().catch((problem) => this.explain(problem));
  }

  async load() {
    const { person, url } = this.dataset;
    const { body } = await getJson(url);
    const show = (changed) => this.store && this.show(changed);
    const tell = (event) => this.hear(event);
    this.copy = await openWorkingCopy(body, { person, url: `${url}/edits`, show, tell });
    this.takeFirst(this.serverRendered.end());
    this.store = this.copy.store;
    this.list.start(this.store, this.words);
    this.speakers.start(this.store, this.words, newId);
    this.search.start(this.list, this.store, this.words);
    this.commands = commandsOf(this);
    hearKeys(this);
    this.details.start(this);
    this.queue.start(this);
    this.querySelector("key-settings").start(this.words, this.commands);
    this.speakers.hidden = this.part("verbs").hidden = this.part("keys").hidden = false;
    this.showTranscript();
    this.showSaving(this.copy.outbox.state);
    this.recall();
    this.watchOthers();
    this.wave.start(this.store, this.player.audio, Number(this.player.dataset.duration));
  }

  /** What was written before the state came, into texts as the page had brought them. */
  takeFirst(edits) {
    const baseVersion = Number(this.dataset.version);
    for (const edit of edits) this.keep(() => this.copy.act([edit], { baseVersion }));
  }

  listen() {
    this.addEventListener("moved", () => this.showSpoken());
    this.addEventListener("chosen", ({ detail }) => this.play(detail));
    this.addEventListener("typed", ({ detail }) => this.type(detail));
    this.addEventListener("asked", ({ detail }) => this.act(detail.edits));
    this.addEventListener("speaker", ({ detail }) => this.commands["give-to"](detail));
    this.addEventListener("click", ({ target }) => this.press(target));
    for (const happening of ["wheel", "touchmove"]) addEventListener(happening, () => this.yieldTo(), { passive: true });
    this.addEventListener("looked", () => this.yieldTo());
    this.back.addEventListener("click", () => this.comeBack());
    this.player.follow.addEventListener("change", () => this.comeBack());
    this.querySelector("[name=merged]").addEventListener("change", () => this.keepHabits());
    this.querySelector("[name=threshold]").addEventListener("input", () => this.keepHabits());
    this.querySelector("[name=status]").addEventListener("change", ({ target }) => this.act([{ kind: "SetStatus", status: target.value }]));
    addEventListener("beforeunload", (event) => this.isUnkept && event.preventDefault());
  }

  get isUnkept() {
    return this.copy ? !this.copy.outbox.state.isKept : this.serverRendered.texts.size > 0;
  }

  press(target) {
    const button = target.closest("[data-command]");
    if (button) this.commands[button.dataset.command]({ step: Number(button.dataset.step) });
    const choice = target.closest("[data-decide]")?.dataset.decide;
    if (choice) this.decide(choice);
  }

  // What a person changes --------------------------------------------------------------------------

  /** Apply edits, show them and send them; return whether they made sense. */
  act(edits) {
    return this.keep(() => this.copy.act(edits));
  }

  keep(change) {
    try {
      change();
      return true;
    } catch (problem) {
      if (!(problem instanceof InvalidEdit)) throw problem;
      this.player.tell(problem.message);
      return false;
    }
  }

  type({ key, text }) {
    this.player.pauseForTyping();
    const row = this.store.state.segments.get(key);
    if (row?.text !== storable(text)) this.act([{ kind: "SetText", segment: key, text: storable(text) }]);
  }

  // What is shown ----------------------------------------------------------------------------------

  show({ segments, speakers, transcript }) {
    if (segments.length) this.list.update(segments);
    if (segments.length) this.search.update(segments);
    if (speakers.length) this.list.refresh();
    if (speakers.length) this.speakers.show();
    else if (segments.length) this.speakers.plan();
    if (segments.length || speakers.length) this.wave.plan();
    if (transcript) this.showTranscript();
    if (segments.length) this.part("empty").hidden = this.store.state.segments.size > 0;
    this.dispatchEvent(new CustomEvent("changed"));
  }

  showTranscript() {
    const { doubtful, reviewStatus } = this.store.state.transcript;
    this.part("doubtful").textContent = doubtful ? `· ${this.words.count("doubtful", doubtful)}` : "";
    this.querySelector("[name=status]").value = reviewStatus;
  }

  showSaving({ name, count, isKept }) {
    const key = name === "offline" && !isKept ? "unkept" : name;
    this.part("saving").textContent = this.words.say(`state-${key}`, { n: count });
    this.part("saving").dataset.state = key;
    this.dispatchEvent(new CustomEvent("saving"));
  }

  showSpoken() {
    const entered = this.store && this.list.speak(this.player.time, { isPlaying: this.player.isPlaying });
    if (entered && this.player.isPlaying && this.player.follow.checked && this.back.hidden && !this.list.editing) {
      this.list.bringIntoView(entered.dataset.key);
    }
  }

  // What the server says ---------------------------------------------------------------------------

  hear({ kind, state, problem }) {
    if (kind === "state") this.showSaving(state);
    if (kind === "behind") this.askOthers();
    if (kind === "refused") this.player.tell(problem?.error?.message ?? this.words.say("refused"));
    this.showClash();
  }

  showClash() {
    const [clash] = this.store?.clashes ?? [];
    this.part("clash").hidden = !clash;
    if (!clash) return;
    this.part("clash").dataset.id = clash.id;
    const { mine = null, theirs = null } = clash.rows[0] ?? {};
    const textOf = (row) => row?.text ?? (row ? nameOf(row) : this.words.say("gone"));
    this.part("mine").textContent = textOf(mine);
    this.part("theirs").textContent = textOf(theirs);
  }

  decide(choice) {
    this.copy.decide(this.part("clash").dataset.id, choice);
    this.showClash();
  }

  /** Other people's edits, and who else is here; a tab that nobody looks at asks no more. */
  watchOthers() {
    setTimeout(async () => {
      try {
        if (!document.hidden) await this.askOthers();
      } finally {
        this.watchOthers(); // whatever an answer was
      }
    }, CHANGES_MS);
  }

  async askOthers() {
    try {
      const { url } = this.dataset;
      await postJson(`${url}/presence`, { client: this.store.client, segment: this.list.current });
      const { body } = await getJson(`${url}/changes?since=${this.store.version}`);
      this.takeChanges(body);
      this.showPeople(body.people ?? []);
    } catch (problem) {
      if (problem.status === undefined) throw problem; // what cannot be sent is told by the outbox
    }
  }

  takeChanges(body) {
    const writing = this.list.editing;
    this.copy.takeChanges(body);
    if (writing && !this.store.state.segments.has(writing)) this.player.tell(this.words.say("taken"));
  }

  showPeople(people) {
    const others = [...new Set(people.map(({ name }) => name))].filter((name) => name !== this.dataset.person);
    this.part("people").textContent = others.length ? `· ${this.words.say("others", { names: others.join(", ") })}` : "";
  }

  explain(problem) {
    if (problem.status === undefined) throw problem;
    this.part("saving").textContent = this.words.say(problem.isSignedOut ? "state-signed-out" : "not-loaded");
  }

  // Listening --------------------------------------------------------------------------------------

  play({ seconds, key, plays }) {
    this.list.makeCurrent(key);
    this.back.hidden = true;
    if (plays) this.player.playFrom(seconds);
    else this.player.goTo(seconds);
  }

  /** Somebody scrolls while it plays: leave the page to them and offer a way back. */
  yieldTo() {
    if (this.player.isPlaying && this.player.follow.checked && this.list.current) this.back.hidden = false;
  }

  comeBack() {
    this.back.hidden = true;
    if (this.player.follow.checked && this.list.current) this.list.bringIntoView(this.list.current);
  }

  // Habits: kept in this browser, for every transcript ----------------------------------------------

  recall() {
    this.querySelector("[name=merged]").checked = localStorage.getItem("review.merged") === "yes";
    this.querySelector("[name=threshold]").value = localStorage.getItem("review.threshold") ?? "0.5";
    this.keepHabits();
  }

  keepHabits() {
    const merged = this.querySelector("[name=merged]").checked;
    const threshold = Number(this.querySelector("[name=threshold]").value);
    localStorage.setItem("review.merged", merged ? "yes" : "no");
    localStorage.setItem("review.threshold", threshold);
    this.list.classList.toggle("is-merged", merged);
    if (this.list.highlights && this.list.highlights.threshold !== threshold) {
      this.list.highlights.threshold = threshold;
      this.list.refresh();
    }
  }

  part(name) {
    return this.querySelector(`[data-field="${name}"]`);
  }
}

customElements.define("transcript-page", TranscriptPage);
