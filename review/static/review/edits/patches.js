/** Patches: what an edit changes, with what was before, so that each has its inverse. Pure but for applyPatch.
 *
 * A state is `{ segments: OrderedSegments, speakers: Map, transcript: {…} }`; a patch is
 * `{ segments: [{ key, before, after }], speakers: [same], transcript: { before, after } | null }`. Both sides
 * hold the changed fields only, or the whole row where it is made (`before` null) or deleted (`after` null).
 */

/** An edit that makes no sense here. `code` is for programs, `message` for people. */
export class InvalidEdit extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The row without what only the server says about it. */
function contentOf({ version: _version, ...row }) {
  return row;
}

export const made = (row) => ({ key: row.key, before: null, after: contentOf(row) });
export const deleted = (row) => ({ key: row.key, before: row, after: null }); // taken back it is what it was

/** Return the change of a row to these fields, or null where all are as before. */
export function changed(row, fields) {
  const difference = differenceOf(row, fields);
  return difference && { key: row.key, ...difference };
}

/** Return the change that makes the one row the other; either may be missing. Null where nothing changes. */
export function changeBetween(was, is) {
  if (was && is) return changed(was, contentOf(is));
  if (was) return deleted(was);
  return is ? made(is) : null;
}

export function differenceOf(row, fields) {
  const names = Object.keys(fields).filter((name) => !isSame(row[name], fields[name]));
  if (!names.length) return null;
  const pick = (source) => Object.fromEntries(names.map((name) => [name, source[name]]));
  return { before: pick(row), after: pick(fields) };
}

/** Equal as JSON is equal. */
export function isSame(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isSame(one[name], other[name]));
}

/** Return the patch that takes this one back. */
export function inverse({ segments, speakers, transcript }) {
  const swapped = ({ before, after, ...rest }) => ({ ...rest, before: after, after: before });
  return {
    segments: segments.map(swapped).reverse(),
    speakers: speakers.map(swapped).reverse(),
    transcript: transcript && swapped(transcript),
  };
}

/** Change a state by a patch: rows are replaced, so who holds an old one keeps it as it was. */
export function applyPatch(state, { segments, speakers, transcript }) {
  for (const { key, after } of segments) putRow(state.segments, key, after, (row) => state.segments.put(row));
  for (const { key, after } of speakers) putRow(state.speakers, key, after, (row) => state.speakers.set(key, row));
  if (transcript) state.transcript = { ...state.transcript, ...transcript.after };
}

function putRow(rows, key, after, put) {
  if (after !== null) return put({ ...rows.get(key), ...after });
  return rows.remove ? rows.remove(key) : rows.delete(key);
}

/** A place a person should look at: flagged, not yet dismissed, not yet checked. */
export function isDoubtful(row) {
  return !row.checked && row.flags.some((flag) => !flag.dismissed);
}

/** By how much a patch changes the number of doubtful places; `segments` are the rows before it. */
export function doubtfulChange(segments, changes) {
  return changes.reduce((sum, { key, before, after }) => {
    const row = segments.get(key);
    const was = before !== null && isDoubtful(row);
    const is = after !== null && isDoubtful({ ...row, ...after });
    return sum + Number(is) - Number(was);
  }, 0);
}
