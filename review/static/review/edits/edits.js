/** The vocabulary of edits: `apply(state, edit)` says as a patch what an edit changes.
 *
 * Pure but for applyAll; review/edits/operations.py gives the same patches, both are held to tests/golden. Undo and Redo are
 * resolved by who knows what was done: the server, and for the time being the store.
 */

import * as segmentEdits from "./segment-edits.js";
import * as speakerEdits from "./speaker-edits.js";
import { validated } from "./edit-validation.js";
import { applyPatch, differenceOf, doubtfulChange, inverse, InvalidEdit } from "./patches.js";

export { applyPatch, inverse, InvalidEdit };

export const KINDS = {
  ...segmentEdits.KINDS,
  ...speakerEdits.KINDS,
  SetStatus: (_state, { status }) => ({ transcript: { reviewStatus: status } }),
  SetReviewer: (_state, { reviewer }) => ({ transcript: { reviewer } }),
};

/** Return the patch of one edit; throw InvalidEdit where it makes no sense. */
export function apply(state, edit) {
  const valid = validated(edit);
  if (!Object.hasOwn(KINDS, valid.kind)) throw new InvalidEdit("UNKNOWN_KIND", "This kind of edit is for the server.");
  const { segments = [], speakers = [], transcript = {} } = KINDS[valid.kind](state, valid);
  return {
    segments: segments.filter(Boolean),
    speakers: speakers.filter(Boolean),
    transcript: differenceOf(state.transcript, transcript),
  };
}

/** Return the patch with what follows from it: the number of doubtful places, and a review begun by `person`. */
export function withTotals(state, patch, person = null) {
  const { segments, speakers, transcript } = patch;
  if (!segments.length && !speakers.length && !transcript) return patch;
  const doubtful = state.transcript.doubtful + doubtfulChange(state.segments, segments);
  const { reviewStatus, reviewer } = state.transcript;
  const isFirst = person !== null && reviewStatus === "new";
  const begun = isFirst ? { reviewStatus: "in_review", reviewer: reviewer || person } : {};
  const fields = { doubtful, ...begun, ...transcript?.after };
  return { segments, speakers, transcript: differenceOf(state.transcript, fields) };
}

/** Apply all edits to the state or none, for `person`. Return their patches. */
export function applyAll(state, edits, person = null) {
  const patches = [];
  try {
    for (const edit of edits) {
      const patch = withTotals(state, apply(state, edit), person);
      applyPatch(state, patch);
      patches.push(patch);
    }
  } catch (problem) {
    takeBack(state, patches);
    throw problem;
  }
  return patches;
}

export function takeBack(state, patches) {
  for (const patch of [...patches].reverse()) applyPatch(state, inverse(patch));
}
