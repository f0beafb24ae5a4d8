/** Edits of speakers. Pure: each function returns the changes of rows. */

import { changed, InvalidEdit, made } from "./patches.js";

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9]; // of colours and of hotkeys

export const KINDS = {
  AddSpeaker: addSpeaker,
  RenameSpeaker: renameSpeaker,
  RecolourSpeaker: (state, { speaker, colour }) => ({ speakers: [changed(speakerOf(state, speaker), { colour })] }),
  SetHotkey: setHotkey,
  MergeSpeakers: mergeSpeakers,
};

/** Return the speaker with this key; throw InvalidEdit where there is none. */
export function speakerOf(state, key) {
  const speaker = state.speakers.get(key);
  if (!speaker || speaker.removed) throw new InvalidEdit("UNKNOWN_SPEAKER", "There is no such speaker.");
  return speaker;
}

function addSpeaker(state, { newKey, name }) {
  if (state.speakers.has(newKey)) throw new InvalidEdit("KEY_TAKEN", "This key is taken already.");
  if (!name) throw nameless();
  const taken = new Set([...state.speakers.values()].map((speaker) => speaker.hotkey));
  const row = {
    key: newKey,
    label: "",
    name,
    colour: (state.speakers.size % DIGITS.length) + 1,
    hotkey: DIGITS.find((digit) => !taken.has(digit)) ?? null,
    removed: false,
  };
  return { speakers: [made(row)] };
}

/** Without a name a speaker has the label from diarization, where there is one. */
function renameSpeaker(state, { speaker, name }) {
  const row = speakerOf(state, speaker);
  if (!name && !row.label) throw nameless();
  return { speakers: [changed(row, { name })] };
}

function nameless() {
  return new InvalidEdit("INVALID_NAME", "Give the speaker a name.");
}

/** A digit belongs to one speaker: whoever had it loses it. */
function setHotkey(state, { speaker, hotkey }) {
  const row = speakerOf(state, speaker);
  const holders = [...state.speakers.values()].filter((other) => hotkey !== null && other.hotkey === hotkey);
  const losers = holders.filter((other) => other.key !== speaker).map((other) => changed(other, { hotkey: null }));
  return { speakers: [...losers, changed(row, { hotkey })] };
}

function mergeSpeakers(state, { from, into }) {
  const [gone] = [speakerOf(state, from), speakerOf(state, into)];
  if (from === into) throw new InvalidEdit("SAME_SPEAKER", "Choose another speaker to merge with.");
  const theirs = [...state.segments].filter((segment) => segment.speaker === from);
  return {
    segments: theirs.map((segment) => changed(segment, { speaker: into })),
    speakers: [changed(gone, { removed: true, hotkey: null })],
  };
}
