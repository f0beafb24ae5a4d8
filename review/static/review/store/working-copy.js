/** A person's copy of a transcript: what is done here shows at once, is kept, and goes to the server.
 *
 * `show(changed)` hears which rows look different, `tell(event)` of everything else: `{ kind: "state", state }`,
 * `{ kind: "clash", clashes }`, `{ kind: "refused", edits, problem }`, `{ kind: "behind" }` (fetch the changes).
 */

import { Outbox } from "./outbox.js";
import { Store } from "./store.js";
import { claimTab } from "./tab-lock.js";

export class WorkingCopy {
  /** Open a transcript as the wire has it, with what an earlier visit left. The rest is as Outbox wants it. */
  static async open(transcript, { storage, locks, post, timer, newId, person, show, tell }) {
    const { client, steps } = await claimTab(storage, locks, newId);
    const copy = new WorkingCopy();
    copy.store = new Store(transcript, { client, person, newId });
    copy.outbox = new Outbox({ storage, locks, post, timer, hear: (event) => copy.hear(event) });
    copy.show = show;
    copy.tell = tell;
    copy.store.takeIn(steps);
    copy.outbox.takeIn(steps);
    return copy;
  }

  /** Apply edits at once; throws InvalidEdit. Resolves when they are stored in this browser. */
  act(edits, options) {
    return this.send(this.store.act(edits, options));
  }

  undo() {
    return this.send(this.store.undo());
  }

  redo() {
    return this.send(this.store.redo());
  }

  /** Have the server do a step of its own: `ask(client)` resolves to its answer. Undo takes it back as any other. */
  async have(kind, ask) {
    const before = this.store.snapshot();
    const answer = await ask(this.store.client);
    this.show(this.store.takeOwn(kind, before, answer));
    if (this.store.isBehind) this.tell({ kind: "behind" });
  }

  /** Settle a clash: "mine" or "theirs". */
  decide(id, choice) {
    const { changed, replaced } = this.store.decide(id, choice);
    this.show(changed);
    return this.outbox.settle(replaced);
  }

  /** What others did, as the server answers to "changes since". */
  takeChanges(answer) {
    this.show(this.store.takeChanges(answer));
  }

  send({ step, replaces, changed }) {
    this.show(changed);
    return step ? this.outbox.add(step, { replaces }) : Promise.resolve();
  }

  hear({ kind, id, answer, state }) {
    if (kind === "state") this.tell({ kind, state });
    if (kind === "sending") this.store.markSent(id);
    if (kind === "acknowledged") this.acknowledged(id, answer);
    if (kind === "clash") {
      this.show(this.store.takeClash(id, answer));
      this.tell({ kind, clashes: this.store.clashes });
    }
    if (kind === "refused") this.refused(id, answer);
  }

  acknowledged(id, answer) {
    this.show(this.store.acknowledge(id, answer));
    if (this.store.isBehind) this.tell({ kind: "behind" });
  }

  /** Nothing a person wrote goes without a word: the page shows what could not be saved. */
  refused(id, problem) {
    const { edits } = this.store.entryOf(id).step;
    const { changed, dropped } = this.store.refuse(id);
    this.show(changed);
    this.outbox.settle(dropped.map((each) => ({ id: each, step: null })));
    this.tell({ kind: "refused", edits, problem });
  }
}
