/** What several tests need: a small transcript, keys, chance that a seed repeats. */

import { OrderedSegments } from "../../review/static/review/store/ordered-segments.js";
import { spread } from "../../review/static/review/edits/fractional-index.js";

/** A key from a number. */
export function uuid(number) {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** Numbers of chance that are the same for the same seed (mulberry32). */
export class Chance {
  constructor(seed) {
    this.seed = seed >>> 0;
  }

  next() {
    this.seed = (this.seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit) {
    return Math.floor(this.next() * limit);
  }

  of(choices) {
    return choices[this.below(choices.length)];
  }

  maybe() {
    return this.next() < 0.5;
  }
}

/** The words of a text, spoken evenly from `start` on, half a second each. */
export function wordsOf(text, start = 0) {
  return text
    .split(" ")
    .filter(Boolean)
    .map((word, index) => [word, start + index * 0.5, start + index * 0.5 + 0.4, 0.9, 0, index ? " " : ""]);
}

export function segment(number, text, fields = {}) {
  const start = number * 10;
  return {
    key: uuid(number),
    rank: String.fromCharCode(98 + number),
    start,
    end: start + 8,
    text,
    words: wordsOf(text, start),
    speaker: uuid(100 + (number % 2)),
    flags: [],
    highlighted: false,
    checked: false,
    machineText: text,
    version: 1,
    ...fields,
  };
}

export function speaker(number, fields = {}) {
  const key = uuid(100 + number);
  const label = `SPEAKER_0${number}`;
  return { key, label, name: "", colour: number + 1, hotkey: number + 1, removed: false, version: 1, ...fields };
}

/** The transcript as the wire has it, with one segment for each text. */
export function transcript(texts, fields = {}) {
  return {
    id: uuid(900),
    name: "Mill.wav",
    language: "en",
    duration: texts.length * 10 + 10,
    version: 1,
    reviewStatus: "in_review",
    reviewer: "Ida",
    doubtful: 0,
    speakers: [speaker(0), speaker(1)],
    segments: texts.map((text, number) => segment(number, text)),
    ...fields,
  };
}

/** A transcript of so many short segments. */
export function longTranscript(count) {
  const ranks = spread(count);
  const row = (number) => segment(number, `Segment ${number} of a long day`, { rank: ranks[number] });
  return { ...transcript([]), duration: count * 10 + 10, segments: Array.from({ length: count }, (_, n) => row(n)) };
}

/** The state of a transcript as edits see it. */
export function stateOf({ segments, speakers, version: _version, ...rest }) {
  return {
    segments: new OrderedSegments(segments),
    speakers: new Map(speakers.map((row) => [row.key, row])),
    transcript: rest,
  };
}

/** The state as plain values, to compare; rows made here have no version yet, so it does not count. */
export function plain(state) {
  const bare = ({ version: _version, ...row }) => row;
  return structuredClone({
    segments: [...state.segments].map(bare),
    speakers: [...state.speakers.values()].map(bare).sort((one, other) => (one.key < other.key ? -1 : 1)),
    transcript: state.transcript,
  });
}
