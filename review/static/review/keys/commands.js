/** What each command of the keyboard and of the buttons does. The names are those of keymap.js. */

import { caretIn, placeCaret } from "../view/caret.js";
import { isDoubtful } from "../edits/patches.js";
import { newId } from "../store/new-id.js";

/** Return the commands of a page by name. */
export function commandsOf(page) {
  const actions = new Actions(page);
  return { ...playing(actions), ...moving(actions), ...editing(actions), ...panels(page) };
}

function playing({ page: { player } }) {
  return {
    toggle: () => player.toggle(),
    "hold-to-play": () => player.play(),
    "let-go": () => player.pause(),
    skip: ({ seconds }) => player.skip(seconds),
    speed: ({ step }) => player.changeSpeed(step),
  };
}

function moving(actions) {
  return {
    "go-segment": ({ step }) => actions.goTo(actions.neighbour(step)),
    "play-segment": ({ step }) => actions.goTo(actions.neighbour(step), { plays: true }),
    "go-doubtful": ({ step }) => actions.goTo(actions.doubtful(step)),
    visit: ({ key, seeks }) => actions.visit(key, { seeks }),
    edit: () => actions.putCaret(actions.currentKey, Number.MAX_SAFE_INTEGER),
  };
}

function editing(actions) {
  const { page } = actions;
  return {
    split: () => actions.split(),
    "new-line": () => actions.newLine(),
    "merge-up": () => actions.mergeUp(),
    undo: () => page.keep(() => page.copy.undo()),
    redo: () => page.keep(() => page.copy.redo()),
    speaker: ({ digit, scope }) => actions.assign(digit, scope),
    "give-to": ({ key }) => actions.assignTo(key),
    fine: () => actions.dismissFlags(),
    highlight: () => actions.toggle("Highlight", "highlighted"),
    delete: () => actions.remove(),
    "segment-done": () => actions.check(),
  };
}

function panels(page) {
  return {
    "file-done": () => page.queue.goOn({ isDone: true }),
    "next-file": () => page.queue.goOn(),
    details: ({ code }) => page.details.toggle({ byKey: Boolean(code) }),
    help: () => showHelp(page.part("keys")),
    find: () => page.search.open(),
    "find-step": ({ step }) => page.search.go(step),
  };
}

function showHelp(part) {
  part.open = !part.open;
  if (part.open) part.scrollIntoView({ block: "nearest" });
}

/** What is done to the current segment, or from it on. */
class Actions {
  constructor(page) {
    this.page = page;
    this.list = page.list;
    this.store = page.copy.store;
  }

  get segments() {
    return this.store.state.segments;
  }

  get currentKey() {
    const isThere = (key) => this.isThere(key);
    return [this.list.editing, this.list.current].find(isThere) ?? this.segments.at(0)?.key ?? null;
  }

  get current() {
    return this.segments.get(this.currentKey);
  }

  /** Somebody else may have deleted it. */
  isThere(key) {
    return key !== null && this.segments.has(key);
  }

  // Moving -----------------------------------------------------------------------------------------

  neighbour(step) {
    return this.segments.at(this.segments.indexOf(this.currentKey) + step)?.key;
  }

  doubtful(step) {
    const { segments } = this;
    let index = segments.indexOf(this.currentKey);
    for (let looked = 0; looked < segments.size; looked += 1) {
      index = (index + step + segments.size) % segments.size;
      if (isDoubtful(segments.at(index))) return segments.at(index).key;
    }
    return null;
  }

  /** Go to a segment; whoever was typing types on there. */
  goTo(key, { plays = false } = {}) {
    if (!key) return;
    const wasEditing = this.list.editing !== null;
    this.list.makeCurrent(key);
    this.list.bringIntoView(key);
    if (wasEditing) this.putCaret(key, 0);
    if (plays) this.page.player.playFrom(this.segments.get(key).start);
  }

  /** Go where a list points: the text is shown, has the focus, and is what Play would play. */
  visit(key, { seeks = true } = {}) {
    if (!this.isThere(key)) return;
    if (seeks) this.page.play({ seconds: this.segments.get(key).start, key, plays: false });
    else this.list.makeCurrent(key);
    this.list.saidOf(key)?.focus({ preventScroll: true });
    this.list.bringIntoView(key);
  }

  putCaret(key, at) {
    const said = this.list.edit(key);
    if (said) placeCaret(said, at);
  }

  // Editing the text -------------------------------------------------------------------------------

  split() {
    const key = this.list.editing;
    const place = key && caretIn(this.list.saidOf(key));
    if (!place) return;
    const isSelection = place.from !== place.to;
    const edit = isSelection
      ? { kind: "SplitThreeWay", segment: key, from: place.from, to: place.to, newKeys: [newId(), newId()] }
      : { kind: "Split", segment: key, at: place.from, newKey: newId() };
    if (this.page.act([edit])) this.putCaret(isSelection ? key : edit.newKey, 0);
  }

  /** A browser asked for one would put an element there, which is no part of the text. */
  newLine() {
    const key = this.list.editing;
    const said = key && this.list.saidOf(key);
    const place = said && caretIn(said);
    if (!place) return;
    const characters = [...said.textContent];
    said.textContent = [...characters.slice(0, place.from), "\n", ...characters.slice(place.to)].join("");
    placeCaret(said, place.from + 1);
    this.page.type({ key, text: said.textContent });
  }

  mergeUp() {
    const key = this.list.editing;
    const previous = key && this.segments.previous(key);
    if (!previous) return;
    const behind = [...this.segments.get(key).text].length; // with or without a space at the seam, as the script has it
    if (!this.page.act([{ kind: "Merge", segment: key, with: "previous" }])) return;
    this.putCaret(previous.key, [...this.segments.get(previous.key).text].length - behind);
  }

  remove() {
    const key = this.currentKey;
    const next = this.neighbour(1) ?? this.neighbour(-1);
    if (key && this.page.act([{ kind: "Delete", segment: key }])) this.goTo(next);
  }

  // Speakers and marks -----------------------------------------------------------------------------

  /** Assign the segment to the speaker with this digit. */
  assign(digit, scope) {
    const speaker = [...this.store.state.speakers.values()].find((each) => each.hotkey === digit && !each.removed);
    if (speaker) this.assignTo(speaker.key, scope);
  }

  assignTo(speaker, scope = "one") {
    if (this.currentKey) this.page.act([{ kind: "SetSpeaker", segment: this.currentKey, speaker, scope }]);
  }

  toggle(kind, field) {
    const { current } = this;
    if (current) this.page.act([{ kind, segment: current.key, on: !current[field] }]);
  }

  dismissFlags() {
    const { current } = this;
    const flags = current?.flags.filter((flag) => !flag.dismissed) ?? [];
    if (flags.length) this.page.act(flags.map(({ kind }) => ({ kind: "DismissFlag", segment: current.key, flag: kind })));
    this.goTo(this.doubtful(1));
  }

  check() {
    const { current } = this;
    if (current && !current.checked) this.page.act([{ kind: "Check", segment: current.key, on: true }]);
    this.goTo(this.neighbour(1));
  }
}
