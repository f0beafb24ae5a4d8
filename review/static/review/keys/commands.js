/** What each command of the keyboard and of the buttons does. The names are those of keymap.js. */

import { caretIn, placeCaret } from "../view/caret.js";
import { isDoubtful } from "../edits/patches.js";
import { newId } from "../store/new-id.js";

/** Return the commands of a page by name. */
export function commandsOf(page) {
  const { list, player } = page;
  const { store } = page.copy;
  const rows = () => store.state.segments;
  const isThere = (key) => key !== null && rows().has(key); // somebody else may have deleted it
  const currentKey = () => [list.editing, list.current].find(isThere) ?? rows().at(0)?.key ?? null;
  const currentRow = () => rows().get(currentKey());

  /** Go to a segment; whoever was typing types on there. */
  function goTo(key, { plays = false, at = 0 } = {}) {
    if (!key) return;
    const wasEditing = list.editing !== null;
    list.makeCurrent(key);
    list.bringIntoView(key);
    if (wasEditing) caretAt(key, at);
    if (plays) player.playFrom(rows().get(key).start);
  }

  function caretAt(key, at) {
    const said = list.edit(key);
    if (said) placeCaret(said, at);
  }

  /** Go where a list points: the text is shown, has the focus, and is what Play would play. */
  function visit(key, { seeks = true } = {}) {
    if (!isThere(key)) return;
    if (seeks) page.play({ seconds: rows().get(key).start, key, plays: false });
    else list.makeCurrent(key);
    list.saidOf(key)?.focus({ preventScroll: true });
    list.bringIntoView(key);
  }

  function neighbour(step) {
    return rows().at(rows().indexOf(currentKey()) + step)?.key;
  }

  function doubtful(step) {
    let index = rows().indexOf(currentKey());
    for (let looked = 0; looked < rows().size; looked += 1) {
      index = (index + step + rows().size) % rows().size;
      if (isDoubtful(rows().at(index))) return rows().at(index).key;
    }
    return null;
  }

  function give(digit, scope) {
    const speaker = [...store.state.speakers.values()].find((each) => each.hotkey === digit && !each.removed);
    if (speaker) giveTo(speaker.key, scope);
  }

  function giveTo(key, scope = "one") {
    if (currentKey()) page.act([{ kind: "SetSpeaker", segment: currentKey(), speaker: key, scope }]);
  }

  function remove() {
    const key = currentKey();
    const next = neighbour(1) ?? neighbour(-1);
    if (key && page.act([{ kind: "Delete", segment: key }])) goTo(next);
  }

  function split() {
    const key = list.editing;
    const place = key && caretIn(list.saidOf(key));
    if (!place) return;
    const isSelection = place.from !== place.to;
    const edit = isSelection
      ? { kind: "SplitThreeWay", segment: key, from: place.from, to: place.to, newKeys: [newId(), newId()] }
      : { kind: "Split", segment: key, at: place.from, newKey: newId() };
    if (page.act([edit])) caretAt(isSelection ? key : edit.newKey, 0);
  }

  /** A browser asked for one would put an element there, which is no part of the text. */
  function newLine() {
    const key = list.editing;
    const said = key && list.saidOf(key);
    const place = said && caretIn(said);
    if (!place) return;
    const characters = [...said.textContent];
    said.textContent = [...characters.slice(0, place.from), "\n", ...characters.slice(place.to)].join("");
    placeCaret(said, place.from + 1);
    page.type({ key, text: said.textContent });
  }

  function mergeUp() {
    const key = list.editing;
    const previous = key && rows().previous(key);
    if (!previous) return;
    const behind = [...rows().get(key).text].length; // with or without a space at the seam, as the script has it
    if (!page.act([{ kind: "Merge", segment: key, with: "previous" }])) return;
    caretAt(previous.key, [...rows().get(previous.key).text].length - behind);
  }

  function toggle(kind, field) {
    const row = currentRow();
    if (row) page.act([{ kind, segment: row.key, on: !row[field] }]);
  }

  function fine() {
    const row = currentRow();
    const flags = row?.flags.filter((flag) => !flag.dismissed) ?? [];
    if (flags.length) page.act(flags.map(({ kind }) => ({ kind: "DismissFlag", segment: row.key, flag: kind })));
    goTo(doubtful(1));
  }

  function done() {
    const row = currentRow();
    if (row && !row.checked) page.act([{ kind: "Check", segment: row.key, on: true }]);
    goTo(neighbour(1));
  }

  function help() {
    const part = page.part("keys");
    part.open = !part.open;
    if (part.open) part.scrollIntoView({ block: "nearest" });
  }

  return {
    toggle: () => player.toggle(),
    "hold-to-play": () => player.play(),
    "let-go": () => player.pause(),
    skip: ({ seconds }) => player.skip(seconds),
    speed: ({ step }) => player.changeSpeed(step),
    "go-segment": ({ step }) => goTo(neighbour(step)),
    "play-segment": ({ step }) => goTo(neighbour(step), { plays: true }),
    "go-doubtful": ({ step }) => goTo(doubtful(step)),
    speaker: ({ digit, scope }) => give(digit, scope),
    edit: () => caretAt(currentKey(), Number.MAX_SAFE_INTEGER),
    split,
    "new-line": newLine,
    "merge-up": mergeUp,
    undo: () => page.keep(() => page.copy.undo()),
    redo: () => page.keep(() => page.copy.redo()),
    fine,
    highlight: () => toggle("Highlight", "highlighted"),
    delete: () => remove(),
    "segment-done": done,
    "file-done": () => page.queue.goOn({ isDone: true }),
    "next-file": () => page.queue.goOn(),
    details: ({ code }) => page.details.toggle({ byKey: Boolean(code) }),
    visit: ({ key, seeks }) => visit(key, { seeks }),
    help,
    find: () => page.search.open(),
    "find-step": ({ step }) => page.search.go(step),
    "give-to": ({ key }) => giveTo(key),
  };
}
