/** Sends what a person did, in order, and loses nothing: a step is stored in this browser before it counts as kept.
 *
 * What it needs is given to it: `storage` (step-storage.js), `post(body)`, which resolves to the answer or rejects with
 * `{ status, body }`, `locks` (tab-lock.js), `timer` ({ now, set, clear }: a clock that nobody sets), and `hear`, which is told of everything:
 * `{ kind: "sending" | "acknowledged" | "clash" | "refused", id, answer }` and `{ kind: "state", state }`.
 * Two tabs have a queue each; of one person and transcript only one sends at a time.
 */

import { keysOf } from "../edits/edit-validation.js";

export const WAIT_BEFORE_SENDING = 400; // ms: typing on is one step; with the time to store it below half a second
const STORING_PAUSE = 50; // ms until it is looked again whether a step is stored
const FIRST_PAUSE = 1000; // ms, then twice as long each time
const LONGEST_PAUSE = 30_000; // ms: an hour offline ends within half a minute of the network's return
const CLASH = 409;
const SIGNED_OUT = [401, 403];
const NOT_FOUND = 404; // deleted, or not this person's any more
const HISTORY = ["Undo", "Redo"]; // there is no text of theirs to choose: what others changed since stays
const REFUSED = [400, 413, 422]; // the same step would be refused again, whoever sends it

export class Outbox {
  constructor({ storage, post, locks, timer, hear }) {
    Object.assign(this, { storage, post, locks, timer, hear });
    this.queue = []; // { step, isStored, clash, isSending, since }
    this.failures = 0;
    this.problem = null; // why the last sending failed, until one succeeds
    this.storageProblem = null;
    this.alarm = null;
    this.round = null; // the sending that is under way
    this.shown = "";
  }

  /** `{ name, count, isKept }`: name is saved, saving, offline, clash, signed-out or no-access; `isKept` whether this
   * browser holds all of it, so that the page may be closed. */
  get state() {
    return { name: this.stateName, count: this.queue.length, isKept: this.queue.every((item) => item.isStored) };
  }

  get stateName() {
    if (this.queue.some((item) => item.clash)) return "clash";
    if (!this.queue.length) return "saved";
    if (SIGNED_OUT.includes(this.problem?.status)) return "signed-out";
    if (this.problem?.status === NOT_FOUND) return "no-access";
    return this.problem ? "offline" : "saving";
  }

  // What the page does -----------------------------------------------------------------------------

  /** Keep a step and send it soon. `replaces` is the id of an unsent one that it takes in. */
  async add(step, { replaces = null } = {}) {
    const place = this.queue.findIndex((item) => item.step.id === replaces && !item.isSending);
    const former = place < 0 ? null : this.queue[place];
    const item = { step, isStored: false, clash: null, isSending: false, since: former?.since ?? this.timer.now() };
    if (former) this.queue[place] = item;
    else this.queue.push(item);
    this.say();
    await this.store(item, former ? former.step.id : null);
    if (!this.problem) this.plan(this.waitOf(item)); // else the alarm for trying again is set
  }

  /** Take in the steps of an earlier visit, which are stored already. */
  takeIn(steps) {
    this.queue.push(...steps.map((step) => ({ step, isStored: true, clash: null, isSending: false, since: -Infinity })));
    this.say();
    this.plan(0);
  }

  /** Put what a decision made of steps in their place; null is a step that is not wanted any more. */
  async settle(replaced) {
    const wanted = new Map(replaced.map(({ id, step }) => [id, step]));
    const named = this.queue.filter((item) => wanted.has(item.step.id));
    const fresh = new Map(named.map((item) => [item, renewed(item, wanted.get(item.step.id))]));
    this.queue = this.queue.map((item) => (fresh.has(item) ? fresh.get(item) : item)).filter(Boolean);
    for (const [former, item] of fresh) {
      if (item) await this.store(item, former.step.id);
      else await this.forget(former.step.id);
    }
    this.say();
    this.plan(0);
  }

  /** Try at once: the network is back, somebody looks at the page again, or has signed in again. */
  wake() {
    this.failures = 0;
    if (this.queue.length) this.plan(0);
  }

  /** The page is going away: hand over what is next, without waiting for anything. The rest is stored. */
  flush() {
    const item = this.next();
    if (item && !this.round) this.run(async () => ((await this.send(item)) ? 0 : this.pause));
  }

  // Sending ----------------------------------------------------------------------------------------

  plan(wait) {
    if (this.round || wait === null) return;
    this.timer.clear(this.alarm);
    this.alarm = this.timer.set(() => this.run(() => this.sendAll()), wait);
  }

  /** One round at a time; it says in how many ms the next one is due, null for none. */
  async run(round) {
    if (this.round) return;
    this.timer.clear(this.alarm);
    let wait = FIRST_PAUSE; // where drawing an answer fails, saving goes on
    try {
      this.round = round();
      wait = await this.round;
    } finally {
      this.round = null;
      this.plan(wait);
    }
  }

  /** Send until nothing is left that can be sent. */
  async sendAll() {
    for (let item = this.next(); item; item = this.next()) {
      const wait = this.waitOf(item);
      if (wait) return wait;
      if (!(await this.locks.alone(() => this.send(item)))) return this.pause;
    }
    return null;
  }

  get pause() {
    return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, this.failures - 1));
  }

  waitOf(item) {
    const wait = Math.max(0, item.since + WAIT_BEFORE_SENDING - this.timer.now());
    return wait || (item.isStored || this.storageProblem ? 0 : STORING_PAUSE);
  }

  /** The first step that nothing holds back: neither a clash in its rows nor one that an Undo would meet. */
  next() {
    const held = new Set();
    for (const item of this.queue) {
      const keys = item.step.edits.map(keysOf);
      const isHeld = held.size > 0 && keys.some((some) => some === null || some.some((key) => held.has(key)));
      if (!item.clash && !isHeld) return item;
      if (keys.includes(null)) return null; // what follows an Undo that waits has to wait as well
      for (const key of [...keys.flat(), ...rowsOf(item.clash)]) held.add(key);
    }
    return null;
  }

  /** Return whether to go on with the next one. */
  async send(item) {
    if (!this.queue.includes(item)) return true; // typed on, or settled, while another tab was sending
    item.isSending = true;
    this.hear({ kind: "sending", id: item.step.id });
    const { client, baseVersion, edits } = item.step;
    try {
      await this.acknowledged(item, await this.post({ client, baseVersion, edits }));
      return true;
    } catch (problem) {
      if (typeof problem.status !== "number") throw problem; // a mistake in here is no lost connection
      return this.failed(item, problem);
    }
  }

  async acknowledged(item, answer) {
    this.failures = 0;
    this.problem = null;
    await this.drop(item);
    this.hear({ kind: "acknowledged", id: item.step.id, answer });
    this.say();
  }

  async failed(item, problem) {
    item.isSending = false;
    const isMet = problem.status === CLASH && Boolean(problem.body);
    const isClash = isMet && !item.step.edits.some(({ kind }) => HISTORY.includes(kind));
    const isAnswered = isMet || REFUSED.includes(problem.status);
    this.problem = isAnswered ? null : problem;
    this.failures = isAnswered ? 0 : this.failures + 1;
    if (isClash) {
      item.clash = problem.body;
      this.hear({ kind: "clash", id: item.step.id, answer: problem.body });
    } else if (isAnswered) {
      await this.drop(item);
      this.hear({ kind: "refused", id: item.step.id, answer: problem.body });
    }
    this.say();
    return isAnswered;
  }

  // Storage ----------------------------------------------------------------------------------------

  async store(item, formerId) {
    try {
      await this.storage.put(item.step, formerId);
      item.isStored = true;
      this.storageProblem = null;
    } catch (problem) {
      this.storageProblem = problem; // a full disk, or a private window: it is sent all the same
    }
    this.say();
  }

  async drop(item) {
    this.queue = this.queue.filter((other) => other !== item);
    await this.forget(item.step.id);
  }

  async forget(id) {
    try {
      await this.storage.remove(id);
    } catch (problem) {
      this.storageProblem = problem; // the next visit sends it once more, which changes nothing
    }
  }

  say() {
    const state = JSON.stringify(this.state);
    if (state === this.shown) return;
    this.shown = state;
    this.hear({ kind: "state", state: this.state });
  }
}

function rowsOf(clash) {
  return [...(clash?.segments ?? []), ...(clash?.speakers ?? [])].map((row) => row.key).concat(clash?.removed ?? []);
}

/** The same place in the queue with another step; the clash is settled. */
function renewed(item, step) {
  return step && { ...item, step, clash: null, isStored: false };
}
