/** The state of one transcript in the page: what the server has acknowledged, and the steps on their way on top of it.
 *
 * A step is what is undone at once and sent as one batch: `{ id, client, baseVersion, edits }`; its id is its first
 * edit's. Every method that changes something returns, or has as `changed`, `{ segments, speakers, transcript }`: the
 * keys of rows that look different now, so that only these are drawn again. Rows are never changed, only replaced.
 * Only what touches the rows of an answer is taken back and applied again: the length of the transcript costs nothing.
 */

import { InvalidEdit } from "../edits/edits.js";
import { Entry, UndoStack } from "./undo-stack.js";
import { DeletedRows } from "./deleted-rows.js";
import { keysOf } from "../edits/edit-validation.js";
import { changeBetween, differenceOf, isSame } from "../edits/patches.js";
import { OrderedSegments } from "./ordered-segments.js";

const MAX_EDITS = 200; // a batch; the server takes no more

export class Store {
  /** `transcript` is as the wire has it; `newId` makes ids for edits. */
  constructor({ segments, speakers, version, ...transcript }, { client, person = null, newId }) {
    Object.assign(this, { client, person, newId, version });
    this.state = {
      segments: new OrderedSegments(segments, (key, former) => this.note("segments", key, former)),
      speakers: new WatchedMap(speakers, (key, former) => this.note("speakers", key, former)),
      transcript,
    };
    this.pending = []; // entries that the server has not acknowledged, oldest first
    this.undoStack = new UndoStack();
    this.deletedRows = new DeletedRows();
    this.doubtful = transcript.doubtful; // as the server counts, without what is pending
    this.transcriptVersion = version;
    this.isBehind = false; // somebody else's changes came before an answer: ask for the changes since `version`
    this.touched = null;
  }

  // What a person does -----------------------------------------------------------------------------

  /** Apply edits at once. Return `{ step, replaces, changed }`; throw InvalidEdit, and nothing has changed.
   *
   * Typing on in one segment is one step until it is sent: `replaces` is the id of the step that it takes in.
   * What changes nothing is no step: `step` is null. `baseVersion` is of the texts that the person had before them.
   */
  act(edits, { canCoalesce = true, baseVersion = this.version } = {}) {
    if (edits.length > MAX_EDITS) throw new InvalidEdit("TOO_LARGE", `A step has at most ${MAX_EDITS} edits.`);
    const named = edits.map((edit) => ({ id: this.newId(), ...edit }));
    const step = { id: named[0].id, client: this.client, baseVersion, edits: named };
    const last = this.pending.at(-1);
    const former = canCoalesce && last && isTypedOn(last, step) ? last : null;
    if (former) step.baseVersion = former.step.baseVersion;
    const entry = new Entry(step);
    const changed = this.watch(() => (former ? this.replaceLast(former, entry) : this.push(entry)));
    const isNothing = !former && !entry.isOfHistory && !entry.hasEffect;
    return { step: isNothing ? null : step, replaces: former?.step.id ?? null, changed };
  }

  undo() {
    return this.act([{ kind: "Undo" }], { canCoalesce: false });
  }

  redo() {
    return this.act([{ kind: "Redo" }], { canCoalesce: false });
  }

  /** Take in steps that were kept when the page was left, in their order. */
  takeIn(steps) {
    return this.watch(() => {
      for (const step of steps) {
        const entry = new Entry(step);
        entry.isSent = true; // perhaps it was: nothing may be typed on in it
        this.undoStack.add(entry);
        this.tryAgain(entry);
        this.pending.push(entry);
      }
    });
  }

  /** From now on this step is as it is. */
  markSent(id) {
    const entry = this.entryOf(id);
    if (entry) entry.isSent = true;
  }

  // What the server says ---------------------------------------------------------------------------

  /** The server has applied a step. */
  acknowledge(id, answer) {
    const entry = this.entryOf(id);
    if (answer.version === this.version + 1) this.version = answer.version;
    else if (answer.version > this.version) this.isBehind = true;
    return this.watch(() => this.rebase(answer, entry ? [entry] : []));
  }

  /** What others did: everything after `this.version`. */
  takeChanges(answer) {
    this.version = Math.max(this.version, answer.version);
    this.isBehind = false;
    return this.watch(() => this.rebase(answer, []));
  }

  /** All rows as they are, for `takeOwn`. Rows are only ever replaced, so none is copied. */
  snapshot() {
    const { segments, speakers, transcript } = this.state;
    return { segments: new Map(segments.byKey), speakers: new Map(speakers), transcript };
  }

  /** The server has done a step of its own for this person, who may undo it: what changed since `before`. */
  takeOwn(kind, before, answer) {
    const changed = this.acknowledge(null, answer);
    const keys = [...keysIn(answer)];
    const changesOf = (rows) => keys.map((key) => changeBetween(before[rows].get(key), this.state[rows].get(key))).filter(Boolean);
    const transcript = differenceOf(before.transcript, this.state.transcript);
    this.undoStack.add(Entry.ofServer(kind, { segments: changesOf("segments"), speakers: changesOf("speakers"), transcript }));
    return changed;
  }

  /** Somebody else changed the same rows first: both are kept until `decide`. */
  takeClash(id, answer) {
    const entry = this.entryOf(id);
    if (entry) entry.clash = answer;
    return this.watch(() => this.rebase({ ...answer, transcript: undefined }, []));
  }

  /** The server will never apply this step. Return `{ changed, dropped }`, the ids that need not be sent any more. */
  refuse(id) {
    const gone = this.withDependents([this.entryOf(id)].filter(Boolean));
    const changed = this.watch(() => this.rebase({}, gone));
    for (const entry of [...gone].reverse()) this.undoStack.forget(entry);
    return { changed, dropped: gone.map((entry) => entry.step.id) };
  }

  // Clashes ----------------------------------------------------------------------------------------

  /** Return `{ id, rows: [{ key, mine, theirs }] }` for each step that clashes; null is a row that is gone. */
  get clashes() {
    return this.pending.filter((entry) => entry.clash).map(({ step, clash }) => ({
      id: step.id,
      rows: [...keysIn(clash)].map((key) => ({
        key,
        mine: this.state.segments.get(key) ?? this.state.speakers.get(key) ?? this.deletedRows.mine(key, this.pending),
        theirs: [...(clash.segments ?? []), ...(clash.speakers ?? [])].find((row) => row.key === key) ?? null,
      })),
    }));
  }

  /** Settle a clash. "mine": the step is sent again knowing theirs, and makes rows again that they deleted.
   * "theirs": edits of these rows are dropped.
   *
   * Return `{ changed, replaced: [{ id, step }] }`; where `step` is null nothing is left of it.
   */
  decide(id, choice) {
    const entry = this.entryOf(id);
    if (!entry?.clash) return { changed: nothingChanged(), replaced: [] };
    const keys = keysIn(entry.clash);
    const { version } = entry.clash;
    const later = this.pending.slice(this.pending.indexOf(entry));
    const touching = later.filter((each) => each === entry || each.keys.some((key) => keys.has(key)));
    return choice === "mine" ? this.keepMine(entry, touching, version) : this.keepTheirs(entry, touching, keys);
  }

  keepMine(entry, touching, version) {
    const former = touching.map(({ step }) => step.id);
    const back = entry.isOfHistory ? [] : this.insertsFor(entry.clash.removed ?? []);
    entry.clash = null;
    for (const each of touching) each.step = { ...each.step, baseVersion: Math.max(each.step.baseVersion, version) };
    if (back.length) entry.step = { ...entry.step, id: back[0].id, edits: [...back, ...entry.step.edits] };
    const changed = back.length ? this.watch(() => this.rebase({ affected: touching }, [])) : nothingChanged();
    return { changed, replaced: touching.map(({ step }, index) => ({ id: former[index], step })) };
  }

  insertsFor(keys) {
    const gone = keys.filter((key) => !this.state.segments.has(key));
    return gone.map((key) => ({ id: this.newId(), ...this.deletedRows.insertOf(key, this.state) }));
  }

  keepTheirs(clashing, touching, keys) {
    const former = new Map(touching.map((entry) => [entry, entry.step.id]));
    const parted = new Map(touching.map((entry) => [entry, editsBeside(keys, entry)]));
    // The server may name rows that nothing here is about; what clashed must not come back as it was.
    if (parted.get(clashing).length === clashing.step.edits.length) parted.set(clashing, []);
    const left = (entry) => parted.get(entry) ?? entry.step.edits;
    clashing.clash = null;
    const gone = this.withDependents([...former.keys()].filter((entry) => !left(entry).length));
    for (const entry of gone) former.set(entry, entry.step.id);
    const changed = this.watch(() => {
      const affected = [...former.keys()].sort((one, other) => this.pending.indexOf(one) - this.pending.indexOf(other));
      this.rebase({ affected }, gone, () => affected.forEach((entry) => withEdits(entry, left(entry))));
    });
    for (const entry of [...gone].reverse()) this.undoStack.forget(entry);
    const replaced = [...former].map(([entry, id]) => ({ id, step: gone.includes(entry) ? null : entry.step }));
    return { changed, replaced };
  }

  // How it is done ---------------------------------------------------------------------------------

  entryOf(id) {
    return this.pending.find((entry) => entry.step.id === id);
  }

  push(entry) {
    if (entry.isOfHistory) this.undoStack.add(entry);
    entry.do(this.state, this.person);
    if (!entry.isOfHistory && !entry.hasEffect) return;
    if (!entry.isOfHistory) this.undoStack.add(entry);
    this.pending.push(entry);
  }

  replaceLast(former, entry) {
    former.takeBack(this.state);
    try {
      entry.do(this.state, this.person);
    } catch (problem) {
      former.do(this.state, this.person);
      throw problem;
    }
    this.undoStack.replace(former, entry);
    this.pending[this.pending.length - 1] = entry;
  }

  /** Put rows of the server below the pending steps that touch them; `gone` are steps that are pending no more. */
  rebase(answer, gone, between = () => {}) {
    const entries = this.entriesOn(answer, gone);
    const before = new Map(entries.map((entry) => [entry, new Set(entry.touched())]));
    const { segments } = this.state;
    const shown = (answer.removed ?? []).filter((key) => segments.has(key)).map((key) => [key, segments.get(key)]);
    this.takeBack(entries);
    if (entries.length > gone.length) this.deletedRows.note(shown, segments);
    if (gone.length) this.pending = this.pending.filter((entry) => !gone.includes(entry));
    between();
    this.install(answer);
    const again = entries.filter((entry) => !gone.includes(entry));
    for (const entry of again) this.tryAgain(entry);
    const hasStrayed = again.some((entry) => entry.touched().some((key) => !before.get(entry).has(key)));
    if (hasStrayed) this.replayAll(again);
    const doubt = this.pending.reduce((sum, entry) => sum + entry.doubt, 0);
    this.state.transcript = { ...this.state.transcript, doubtful: this.doubtful + doubt };
  }

  /** A step touches other rows than before, perhaps of steps behind it that lie below it now: restore the order. */
  replayAll(lastApplied) {
    this.takeBack(lastApplied);
    this.takeBack(this.pending.filter((entry) => !lastApplied.includes(entry)));
    for (const entry of this.pending) this.tryAgain(entry);
  }

  takeBack(entries) {
    for (const entry of [...entries].reverse()) entry.takeBack(this.state);
  }

  /** The pending entries that change rows of the answer, or rows that such an entry changes; oldest first. */
  entriesOn({ segments = [], removed = [], speakers = [], transcript, affected = [] }, gone) {
    const keys = new Set([...segments, ...speakers].map((row) => row.key).concat(removed));
    if (transcript) keys.add("transcript");
    return this.pending.filter((entry) => {
      const isNamed = !entry.isApplied || gone.includes(entry) || affected.includes(entry);
      const isOn = isNamed || entry.keys.some((key) => keys.has(key));
      if (isOn) for (const key of entry.keys) keys.add(key);
      return isOn;
    });
  }

  install({ segments = [], removed = [], speakers = [], transcript, version }) {
    const { segments: rows, speakers: people } = this.state;
    for (const row of segments) if (isNewer(row, rows.get(row.key))) rows.put(row);
    for (const row of speakers) if (isNewer(row, people.get(row.key))) people.set(row.key, row);
    for (const key of removed) {
      rows.remove(key);
      if (people.has(key)) people.delete(key); // a speaker whose making was undone
    }
    if (!transcript || version < this.transcriptVersion) return;
    this.transcriptVersion = version;
    this.doubtful = transcript.doubtful ?? this.doubtful;
    this.state.transcript = { ...this.state.transcript, ...transcript };
  }

  /** Others may have taken away what a step is about; then the server decides. */
  tryAgain(entry) {
    try {
      entry.do(this.state, this.person);
    } catch (problem) {
      if (!(problem instanceof InvalidEdit)) throw problem;
    }
  }

  /** With each entry the Undo or Redo of it: they would take back something else. */
  withDependents(entries) {
    const gone = new Set(entries);
    for (const entry of this.pending) if (entry.target && gone.has(entry.target)) gone.add(entry);
    return this.pending.filter((entry) => gone.has(entry));
  }

  note(kind, key, former) {
    if (this.touched && !this.touched[kind].has(key)) this.touched[kind].set(key, former);
  }

  /** Run something that changes the state, and say what looks different then. */
  watch(change) {
    const before = this.state.transcript;
    this.touched = { segments: new Map(), speakers: new Map() };
    try {
      change();
      const different = (kind) =>
        [...this.touched[kind]].filter(([key, row]) => !looksSame(row, this.state[kind].get(key))).map(([key]) => key);
      return {
        segments: different("segments"),
        speakers: different("speakers"),
        transcript: !isSame(before, this.state.transcript),
      };
    } finally {
      this.touched = null;
    }
  }
}

class WatchedMap extends Map {
  constructor(rows, note) {
    super(rows.map((row) => [row.key, row]));
    this.note = note;
  }

  set(key, row) {
    this.note?.(key, this.get(key)); // Map's own constructor calls this before there is anybody to hear
    return super.set(key, row);
  }

  delete(key) {
    this.note(key, this.get(key));
    return super.delete(key);
  }
}

const nothingChanged = () => ({ segments: [], speakers: [], transcript: false });

function isTypedOn(last, { edits }) {
  const isTyping = (list) => list.length === 1 && list[0].kind === "SetText";
  const isSame = isTyping(edits) && isTyping(last.step.edits) && edits[0].segment === last.step.edits[0].segment;
  return isSame && !last.isSent && !last.clash;
}

function keysIn({ segments = [], removed = [], speakers = [] }) {
  return new Set([...[...segments, ...speakers].map((row) => row.key), ...removed]);
}

/** The edits of a step that neither name nor change rows with these keys. */
function editsBeside(keys, { step, patches, isOfHistory }) {
  const isAbout = (list) => list.some((key) => keys.has(key));
  const changes = (number) => [...(patches?.[number]?.segments ?? []), ...(patches?.[number]?.speakers ?? [])];
  return step.edits.filter(
    (edit, number) => isOfHistory || !isAbout([...(keysOf(edit) ?? []), ...changes(number).map(({ key }) => key)]),
  );
}

function withEdits(entry, edits) {
  if (edits.length && edits.length < entry.step.edits.length) entry.step = { ...entry.step, id: edits[0].id, edits };
}

/** An answer that was overtaken by a later one brings rows that are old already. */
function isNewer(row, known) {
  return !known || known.version === undefined || row.version === undefined || row.version >= known.version;
}

function looksSame(one, other) {
  return isSame(one && { ...one, version: 0 }, other && { ...other, version: 0 });
}
