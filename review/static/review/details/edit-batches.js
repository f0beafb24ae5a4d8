/** The history as a person reads it: what was done in one go is told as one. Pure. */

/** Edits of one kind in one batch are told as one. */
export function batchesOf(edits) {
  const batches = [];
  for (const { seq, version, kind, who, what, at, undone, segments } of edits) {
    const last = batches.at(-1);
    if (last?.version === version && last.kind === kind) for (const key of segments) last.all.add(key);
    else batches.push({ key: seq, version, kind, who, what, at, undone, all: new Set(segments) });
  }
  return batches.map(({ all, ...batch }) => ({ ...batch, keys: [...all] }));
}
