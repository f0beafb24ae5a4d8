/** What this page has done and undone, so that Undo and Redo show at once what the server will answer. */

import { applyAll, applyPatch, inverse, takeBack } from "../edits/edits.js";
import { keysOf } from "../edits/edit-validation.js";
import { changed, deleted, differenceOf, doubtfulChange, made } from "../edits/patches.js";

/** A step on its way, and what it changes here. */
export class Entry {
  constructor(step) {
    this.step = step;
    this.patches = null; // null: it makes no sense here now; the server decides
    this.isApplied = false;
    this.doubt = 0; // by how much the doubtful places change
    this.target = null; // of an Undo or Redo: the entry it takes back or does again
    this.known = null; // `keys`, once somebody asked
    this.isSent = false;
    this.clash = null;
  }

  /** A step that the server took for this person: it is done already. */
  static ofServer(kind, patch) {
    const entry = new Entry({ edits: [{ kind }] });
    entry.patches = [withoutDoubtful(patch)];
    entry.isApplied = entry.isSent = true;
    return entry;
  }

  get kind() {
    return this.step.edits[0].kind;
  }

  get isOfHistory() {
    return this.kind === "Undo" || this.kind === "Redo";
  }

  /** Change the state by this step, for `person`. Throw InvalidEdit, with all as before, where it makes no sense. */
  do(state, person) {
    const doubtful = state.transcript.doubtful;
    this.patches = this.known = null;
    const patches = this.isOfHistory ? again(state, this) : applyAll(state, this.step.edits, person);
    this.doubt = state.transcript.doubtful - doubtful;
    this.patches = patches.map(withoutDoubtful);
    this.isApplied = true;
  }

  takeBack(state) {
    if (!this.isApplied) return;
    takeBack(state, this.patches);
    this.isApplied = false; // the patches stay: an Undo needs them
    state.transcript = { ...state.transcript, doubtful: state.transcript.doubtful - this.doubt };
    this.doubt = 0;
  }

  /** The keys of the rows that it changes or names. An hour offline makes thousands of steps, asked at each answer. */
  get keys() {
    this.known ??= [...this.touched(), ...this.step.edits.flatMap((edit) => keysOf(edit) ?? [])];
    return this.known;
  }

  get hasEffect() {
    return this.touched().length > 0;
  }

  /** The keys of the rows that it changes; "transcript" stands for the transcript itself. */
  touched() {
    return (this.patches ?? []).flatMap(({ segments, speakers, transcript }) => [
      ...[...segments, ...speakers].map(({ key }) => key),
      ...(transcript ? ["transcript"] : []),
    ]);
  }
}

/** The two stacks of a person's steps. */
export class UndoStack {
  constructor() {
    this.done = [];
    this.undone = [];
  }

  /** Remember an entry, and say what it is about where it is an Undo or a Redo. */
  add(entry) {
    if (!entry.isOfHistory) {
      this.done.push(entry);
      this.undone = [];
      return;
    }
    const [from, to] = entry.kind === "Undo" ? [this.done, this.undone] : [this.undone, this.done];
    while (from.length && !from.at(-1).hasEffect) from.pop(); // the server passes over these too
    entry.target = from.pop() ?? null;
    if (entry.target) to.push(entry.target);
  }

  /** Put a coalesced step in the place of the one it replaces. */
  replace(former, entry) {
    this.done[this.done.lastIndexOf(former)] = entry;
  }

  /** Forget an entry that will never be: what it undid is done again. */
  forget(entry) {
    if (!entry.target) {
      this.done = this.done.filter((other) => other !== entry);
      this.undone = this.undone.filter((other) => other !== entry);
      return;
    }
    const [from, to] = entry.kind === "Undo" ? [this.undone, this.done] : [this.done, this.undone];
    if (from.includes(entry.target)) to.push(...from.splice(from.indexOf(entry.target), 1));
  }
}

/** The number of doubtful places is kept as a sum: patches go back one by one, in any order. */
function withoutDoubtful({ segments, speakers, transcript }) {
  if (!transcript) return { segments, speakers, transcript };
  const rest = ({ doubtful: _doubtful, ...fields }) => fields;
  const [before, after] = [rest(transcript.before), rest(transcript.after)];
  return { segments, speakers, transcript: Object.keys(after).length ? { before, after } : null };
}

/** Undo or redo the entry's target in a state that others may have changed; return the patches. */
function again(state, { kind, target }) {
  if (!target?.patches) return [];
  const wanted = kind === "Undo" ? [...target.patches].reverse().map(inverse) : target.patches;
  return wanted.map((patch) => {
    const fresh = onto(state, patch);
    fresh.transcript = withDoubt(state, fresh);
    applyPatch(state, fresh);
    return fresh;
  });
}

function withDoubt(state, { segments, transcript }) {
  const doubtful = state.transcript.doubtful + doubtfulChange(state.segments, segments);
  return differenceOf(state.transcript, { ...transcript?.after, doubtful });
}

/** The same change for the rows as they are now; what has no sense any more is left out. */
function onto(state, { segments, speakers, transcript }) {
  const fresh = (rows) => (change) => {
    const row = rows.get(change.key);
    if (change.after === null) return row ? deleted(row) : null;
    if (row) return changed(row, change.after);
    return change.before === null ? made(change.after) : null;
  };
  return {
    segments: segments.map(fresh(state.segments)).filter(Boolean),
    speakers: speakers.map(fresh(state.speakers)).filter(Boolean),
    transcript,
  };
}
