/** The server's side of the edits of one transcript, in memory, as docs of the API say it. */

import { applyAll, applyPatch, inverse, InvalidEdit, takeBack } from "../../../../review/static/review/edits/edits.js";
import { keysOf } from "../../../../review/static/review/edits/edit-validation.js";
import { isSame } from "../../../../review/static/review/edits/patches.js";
import { stateOf } from "../../support.js";

class Outdated extends Error {
  constructor(keys) {
    super("the rows have changed meanwhile");
    this.keys = keys;
  }
}

function isOutdated(rows) {
  return ({ key, before }) => {
    const row = rows.get(key);
    if (!row || !before) return Boolean(row) !== Boolean(before);
    return Object.entries(before).some(([name, value]) => name !== "version" && !isSame(row[name], value));
  };
}

export class FakeServer {
  constructor(wire) {
    this.wire = wire;
    this.state = stateOf(wire);
    this.version = wire.version;
    this.log = []; // { version, client, keys } for each batch
    this.answers = new Map(); // by the first edit's id
    this.stacks = new Map(); // client → { done, undone }
  }

  /** The transcript as a page gets it. */
  get transcript() {
    const { id, name, language, duration } = this.wire;
    const { segments, speakers, transcript } = this.state;
    const rows = { segments: [...segments], speakers: [...speakers.values()] };
    return structuredClone({ id, name, language, duration, ...transcript, ...rows, version: this.version });
  }

  /** Return `{ status, body }` for a batch. */
  post({ client, baseVersion, edits }) {
    const known = this.answers.get(edits[0].id);
    if (known) return { status: 200, body: known };
    const keys = new Set(edits.flatMap((edit) => keysOf(edit) ?? []));
    const others = this.log.filter((batch) => batch.version > baseVersion && batch.client !== client);
    const clashing = new Set(others.flatMap((batch) => [...batch.keys].filter((key) => keys.has(key))));
    if (clashing.size) return { status: 409, body: this.answer(clashing) };
    try {
      const patches = this.apply(client, edits);
      const body = this.commit(client, patches);
      this.answers.set(edits[0].id, body);
      return { status: 200, body };
    } catch (problem) {
      if (problem instanceof Outdated) return { status: 409, body: this.answer(new Set(problem.keys)) };
      if (!(problem instanceof InvalidEdit)) throw problem;
      return { status: 422, body: { error: { code: problem.code, message: problem.message } } };
    }
  }

  changes(since) {
    const keys = new Set(this.log.filter((batch) => batch.version > since).flatMap((batch) => [...batch.keys]));
    return this.answer(keys);
  }

  apply(client, edits) {
    const stack = this.stacks.get(client) ?? { done: [], undone: [] };
    this.stacks.set(client, stack);
    const [{ kind }] = edits;
    if (kind !== "Undo" && kind !== "Redo") {
      const patches = applyAll(this.state, edits);
      if (patches.some((patch) => patch.segments.length || patch.speakers.length || patch.transcript)) {
        stack.done.push(patches);
        stack.undone = [];
      }
      return patches;
    }
    const [from, to] = kind === "Undo" ? [stack.done, stack.undone] : [stack.undone, stack.done];
    const target = from.at(-1);
    if (!target) throw new InvalidEdit("NOTHING_TO_UNDO", "There is nothing to undo.");
    const patches = kind === "Undo" ? [...target].reverse().map(inverse) : target;
    this.applyIfFresh(patches);
    to.push(from.pop());
    return patches;
  }

  /** What others changed since is not undone over their heads. */
  applyIfFresh(patches) {
    const done = [];
    for (const patch of patches) {
      const outdated = ["segments", "speakers"].flatMap((kind) => patch[kind].filter(isOutdated(this.state[kind])));
      if (outdated.length) {
        takeBack(this.state, done);
        throw new Outdated(outdated.map(({ key }) => key));
      }
      applyPatch(this.state, patch);
      done.push(patch);
    }
  }

  commit(client, patches) {
    this.version += 1;
    const keys = new Set(patches.flatMap((patch) => [...patch.segments, ...patch.speakers].map(({ key }) => key)));
    for (const key of keys) this.stamp(key);
    this.log.push({ version: this.version, client, keys });
    return this.answer(keys);
  }

  stamp(key) {
    const { segments, speakers } = this.state;
    if (segments.has(key)) segments.put({ ...segments.get(key), version: this.version });
    if (speakers.has(key)) speakers.set(key, { ...speakers.get(key), version: this.version });
  }

  answer(keys) {
    const { segments, speakers, transcript } = this.state;
    const all = [...keys];
    return structuredClone({
      version: this.version,
      segments: all.map((key) => segments.get(key)).filter(Boolean),
      removed: all.filter((key) => !segments.has(key) && !speakers.has(key)),
      speakers: all.map((key) => speakers.get(key)).filter(Boolean),
      transcript: {
        reviewStatus: transcript.reviewStatus,
        reviewer: transcript.reviewer,
        doubtful: transcript.doubtful,
      },
    });
  }
}
