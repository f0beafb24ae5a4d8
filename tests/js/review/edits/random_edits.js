/** Edits by chance, most of which make sense for the state they are made for. */

import { lengthOf } from "../../../../review/static/review/edits/tokens.js";
import { uuid } from "../../support.js";

const WORDS = ["the", "mill", "Ledger", "ledger,", "aunt", "naïve", "😀", "水", "車小屋", "don't", "62", "—", "ไทย"];

export function randomText(chance, most = 8) {
  const gaps = [" ", " ", " ", "", "\n", "  ", "\u3000"];
  return Array.from({ length: chance.below(most) }, () => chance.of(WORDS) + chance.of(gaps)).join("");
}

/** The text with a word or two put in, taken out or replaced. */
function retyped(chance, text) {
  const parts = text.split(" ");
  const at = chance.below(parts.length);
  parts.splice(at, chance.below(3), ...randomText(chance, 3).split(" "));
  return parts.join(" ");
}

export class RandomEdits {
  constructor(chance, firstKey = 1000) {
    this.chance = chance;
    this.count = firstKey;
  }

  newKey() {
    this.count += 1;
    return uuid(this.count);
  }

  /** Return one edit without its id. */
  next(state) {
    const { chance } = this;
    const row = state.segments.at(chance.below(state.segments.size));
    const speaker = chance.of([...state.speakers.keys()]);
    if (!row || chance.below(8) === 0) return this.ofWhole(state, speaker);
    return { segment: row.key, ...this.ofSegment(state, row, speaker) };
  }

  ofSegment(state, row, speaker) {
    const { chance } = this;
    const at = () => chance.below(lengthOf(row.text) + 1);
    const seconds = () => chance.next() * state.transcript.duration;
    const [from, to] = [at(), at()].sort((one, other) => one - other);
    const [start, end] = chance.maybe() ? [row.start + 1, row.end + 1] : [seconds(), seconds()].sort((a, b) => a - b);
    return chance.of([
      { kind: "SetText", text: chance.maybe() ? retyped(chance, row.text) : randomText(chance) },
      { kind: "SetText", text: retyped(chance, row.text) },
      { kind: "SetTimes", start, end },
      { kind: "SetSpeaker", speaker: chance.maybe() ? speaker : null, scope: chance.of(["one", "run", "everywhere"]) },
      { kind: "Split", at: at(), newKey: this.newKey() },
      { kind: "SplitThreeWay", from, to, newKeys: [this.newKey(), this.newKey()], ...(chance.maybe() && { speaker }) },
      { kind: "Merge", with: chance.of(["previous", "next"]) },
      { kind: "Delete" },
      { kind: "Highlight", on: chance.maybe() },
      { kind: "Check", on: chance.maybe() },
      { kind: "DismissFlag", flag: "low_confidence" },
    ]);
  }

  ofWhole(state, speaker) {
    const { chance } = this;
    const after = state.segments.at(chance.below(state.segments.size + 1))?.key ?? null;
    const start = Math.floor(chance.next() * 20);
    return chance.of([
      { kind: "Insert", after, newKey: this.newKey(), start, end: start + 2, text: randomText(chance), speaker },
      { kind: "AddSpeaker", newKey: this.newKey(), name: "Jonas" },
      { kind: "RenameSpeaker", speaker, name: "Anna" },
      { kind: "RecolourSpeaker", speaker, colour: 1 + chance.below(9) },
      { kind: "SetHotkey", speaker, hotkey: chance.maybe() ? 1 + chance.below(9) : null },
      { kind: "MergeSpeakers", from: speaker, into: chance.of([...state.speakers.keys()]) },
      { kind: "SetStatus", status: chance.of(["new", "in_review", "second_look", "done"]) },
      { kind: "SetReviewer", reviewer: chance.maybe() ? "Ida" : null },
      { kind: "Restore", segments: "all" },
    ]);
  }
}
