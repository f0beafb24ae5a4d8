/** Which tab has which steps, with the browser's locks and without. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { claimTab, tabLocksOf } from "../../../../review/static/review/store/tab-lock.js";

/** The browser's locks: a name is held until its holder's tab is gone. */
class FakeLocks {
  constructor() {
    this.held = new Map(); // name → what to do when it is free
  }

  request(name, ...more) {
    const [options, work] = more.length === 2 ? more : [{}, more[0]];
    if (!this.held.has(name)) return this.run(name, work);
    if (options.ifAvailable) return Promise.resolve(work(null));
    return new Promise((resolve) => this.held.get(name).push(() => resolve(this.run(name, work))));
  }

  async run(name, work) {
    this.held.set(name, []);
    const result = await work({ name });
    const [next, ...rest] = this.held.get(name);
    this.held.delete(name);
    if (next) next();
    for (const each of rest) this.held.get(name).push(each);
    return result;
  }
}

/** Tabs that hear each other, but not themselves. */
function channels(count) {
  const all = Array.from({ length: count }, () => ({ onmessage: null }));
  for (const own of all) {
    own.postMessage = (data) => queueMicrotask(() => all.filter((other) => other !== own).forEach((other) => other.onmessage?.({ data })));
  }
  return all;
}

const storageOf = (...clients) => ({ all: async () => clients.map((client, number) => ({ id: `step-${number}`, client })) });
const newId = () => "new";

test("the first tab with nothing left behind is a new one", async () => {
  const locks = tabLocksOf("place", { locks: new FakeLocks() });
  assert.deepEqual(await claimTab(storageOf(), locks, newId), { client: "new", steps: [] });
});

test("what a tab left behind goes to the next one, and so does its id", async () => {
  const { client, steps } = await claimTab(storageOf("gone", "gone"), tabLocksOf("place", { locks: new FakeLocks() }), newId);
  assert.deepEqual([client, steps.map(({ id }) => id)], ["gone", ["step-0", "step-1"]]);
});

test("of several that are gone all steps are taken, in their order, under the last one's id", async () => {
  const { client, steps } = await claimTab(storageOf("one", "two", "one"), tabLocksOf("place", { locks: new FakeLocks() }), newId);
  assert.deepEqual([client, steps.length], ["two", 3]);
});

test("steps of tabs that are open stay theirs", async () => {
  const locks = new FakeLocks();
  const [first, second] = [tabLocksOf("place", { locks }), tabLocksOf("place", { locks })];
  assert.equal((await claimTab(storageOf("one"), first, newId)).client, "one");
  const { client, steps } = await claimTab(storageOf("one", "two"), second, newId);
  assert.deepEqual([client, steps.map((step) => step.client)], ["two", ["two"]]);
  assert.deepEqual((await claimTab(storageOf("one", "two"), tabLocksOf("place", { locks }), newId)).client, "new");
});

test("a new tab holds its own id, so that nobody takes over its steps", async () => {
  const locks = new FakeLocks();
  await claimTab(storageOf(), tabLocksOf("place", { locks }), newId);
  assert.equal(await tabLocksOf("place", { locks }).claim("new"), false);
  assert.equal(await tabLocksOf("elsewhere", { locks }).claim("new"), true, "another transcript, or another person");
});

test("with locks one tab sends at a time", async () => {
  const locks = new FakeLocks();
  const [first, second] = [tabLocksOf("place", { locks }), tabLocksOf("place", { locks })];
  const seen = [];
  const sending = (name) => async () => {
    seen.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(`${name} ends`);
    return name;
  };
  const done = await Promise.all([first.alone(sending("first")), second.alone(sending("second"))]);
  assert.deepEqual(seen, ["first begins", "first ends", "second begins", "second ends"]);
  assert.deepEqual(done, ["first", "second"]);
});

test("without locks the tabs are asked: who answers is there, who does not is gone", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [one, two] = channels(2).map((channel) => tabLocksOf("place", { locks: null, channel }));
  const claimed = async (locks, client) => {
    const answer = locks.claim(client);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    mock.timers.tick(300);
    return answer;
  };
  assert.equal(await claimed(one, "a"), true);
  assert.equal(await claimed(two, "a"), false);
  assert.equal(await claimed(two, "b"), true);
  assert.equal(await claimed(one, "b"), false);
  assert.equal(await one.alone(async () => "sent"), "sent");
  mock.timers.reset();
});
