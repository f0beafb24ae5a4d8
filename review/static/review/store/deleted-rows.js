/** Segments that somebody deleted while steps of this page are about them, as they were last. */

export class DeletedRows {
  constructor() {
    this.rows = new Map(); // key → { mine, below }: with this page's steps, and without
  }

  /** Take note before rows go: `shown` are they as this page shows them, `below` without the steps on their way. */
  note(shown, below) {
    for (const [key, mine] of shown) if (below.has(key)) this.rows.set(key, { mine, below: below.get(key) });
  }

  /** What this page made of a row; of one from before a reload it knows at least what was typed. */
  mine(key, entries) {
    const typed = entries.flatMap(({ step }) => step.edits).findLast((edit) => edit.segment === key && "text" in edit);
    return this.rows.get(key)?.mine ?? (typed ? { key, text: typed.text } : null);
  }

  /** The edit that makes a row again with its key, at its place; at the end where that is not known. */
  insertOf(key, { segments, speakers }) {
    const last = segments.at(segments.size - 1);
    const end = last?.end ?? 0;
    const { start, end: until, text, speaker, ...row } = this.rows.get(key)?.below ?? { start: end, end, text: "", speaker: null };
    const after = row.rank ? segments.at(segments.placeFor(row) - 1) : last;
    const isThere = speakers.get(speaker)?.removed === false;
    const fields = { start, end: until, text, speaker: isThere ? speaker : null };
    return { kind: "Insert", after: after?.key ?? null, newKey: key, ...fields };
  }
}
