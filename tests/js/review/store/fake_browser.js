/** A browser as the outbox sees it: a clock that the test moves, a disk that outlives tabs, locks, a bad network. */

import { WorkingCopy } from "../../../../review/static/review/store/working-copy.js";
import { FakeServer } from "./fake_server.js";
import { transcript } from "../../support.js";

/** Let everything happen that waits for nothing but its turn. */
export function settled() {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

export class FakeTimer {
  constructor() {
    this.time = 1_000_000;
    this.alarms = new Map();
    this.last = 0;
    this.now = () => this.time;
  }

  set(work, wait) {
    this.alarms.set((this.last += 1), { work, at: this.time + wait });
    return this.last;
  }

  clear(alarm) {
    this.alarms.delete(alarm);
  }

  /** Move the clock on; what is due happens at its time. */
  async pass(milliseconds) {
    const end = this.time + milliseconds;
    await settled();
    for (let next = this.due(end); next; next = this.due(end)) {
      const [alarm, { work, at }] = next;
      this.alarms.delete(alarm);
      this.time = Math.max(this.time, at);
      work();
      await settled();
    }
    this.time = end;
  }

  due(end) {
    const ripe = [...this.alarms].filter(([, { at }]) => at <= end);
    return ripe.sort(([, one], [, other]) => one.at - other.at)[0];
  }
}

/** What step-storage.js does, without IndexedDB. */
export class Disk {
  constructor() {
    this.steps = [];
    this.isFull = false;
    this.isSlow = null; // a promise that writing waits for
  }

  async put(step, formerId = null) {
    await this.isSlow;
    if (this.isFull) throw new Error("QuotaExceededError");
    const copy = structuredClone(step);
    const place = this.steps.findIndex((each) => each.id === (formerId ?? step.id));
    if (place < 0) this.steps.push(copy);
    else this.steps[place] = copy;
  }

  async remove(id) {
    this.steps = this.steps.filter((step) => step.id !== id);
  }

  async all() {
    return structuredClone(this.steps);
  }
}

/** Locks that are let go when a tab is gone. */
export class Doors {
  constructor() {
    this.claimed = new Map();
    this.line = Promise.resolve();
    this.inside = 0;
    this.most = 0; // at once
  }

  ofTab(tab) {
    return {
      claim: async (client) => {
        const isFree = !this.claimed.has(client);
        if (isFree) this.claimed.set(client, tab);
        return isFree;
      },
      alone: (work) => {
        const done = this.line.then(() => (tab.isGone ? new Promise(() => {}) : this.enter(work)));
        this.line = Promise.race([done, tab.gone]).catch(() => {});
        return done;
      },
    };
  }

  async enter(work) {
    this.inside += 1;
    this.most = Math.max(this.most, this.inside);
    try {
      return await work();
    } finally {
      this.inside -= 1;
    }
  }

  leave(tab) {
    for (const [client, holder] of this.claimed) if (holder === tab) this.claimed.delete(client);
  }
}

/** One computer: tabs of one person on one transcript, and the way to the server. */
export class FakeBrowser {
  constructor(texts, { server = new FakeServer(transcript(texts)), timer = new FakeTimer(), name = "browser" } = {}) {
    Object.assign(this, { server, timer, name });
    this.disk = new Disk();
    this.doors = new Doors();
    this.posts = [];
    this.network = async (answer) => answer(); // a test may put something worse here
    this.ids = 0;
  }

  /** Open the transcript in a new tab. */
  async open() {
    const tab = { isGone: false, told: [], shown: [] };
    tab.gone = new Promise((resolve) => (tab.close = resolve));
    tab.copy = await WorkingCopy.open(this.server.transcript, {
      storage: this.disk,
      locks: this.doors.ofTab(tab),
      timer: this.timer,
      post: (body) => this.post(tab, body),
      newId: () => `${this.name}-${(this.ids += 1)}`,
      person: null,
      show: (changed) => tab.shown.push(changed),
      tell: (event) => tab.told.push(event),
    });
    tab.state = () => tab.copy.outbox.state;
    return tab;
  }

  /** The tab is gone, without a word. */
  crash(tab) {
    tab.isGone = true;
    tab.close();
    this.doors.leave(tab);
  }

  async post(tab, body) {
    if (tab.isGone) return new Promise(() => {});
    const sent = structuredClone(body);
    const answer = () => {
      this.posts.push(sent);
      const { status, body: content } = this.server.post(sent);
      if (status === 200) return structuredClone(content);
      throw { status, body: structuredClone(content) };
    };
    const result = await this.network(answer);
    return tab.isGone ? new Promise(() => {}) : result;
  }
}

export const offline = async () => {
  throw { status: 0, body: null };
};

/** The server works, its answers are lost. */
export const deaf = async (answer) => {
  answer();
  throw { status: 0, body: null };
};
