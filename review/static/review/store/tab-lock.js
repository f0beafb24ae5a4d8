/** Tabs that have one transcript open: which kept steps are whose, and who sends now. */

const ANSWER_WITHIN = 300; // ms

/** Find out who this tab is. A tab has an id, `client`; the server takes edits of one client as made in one go.
 *
 * What a tab left behind when it was closed, reloaded or crashed goes to the next one, and so does its id. Return
 * `{ client, steps }`; steps of tabs that are open are theirs.
 */
export async function claimTab(storage, locks, newId) {
  const kept = await storage.all();
  const own = new Set();
  for (const client of new Set(kept.map((step) => step.client))) if (await locks.claim(client)) own.add(client);
  const client = [...own].at(-1) ?? newId();
  if (!own.size) await locks.claim(client);
  return { client, steps: kept.filter((step) => own.has(step.client)) };
}

/** Locks among the tabs of `place`, by the browser's own where it has them: on https and on localhost. */
export function tabLocksOf(place, { locks = navigator.locks, channel } = {}) {
  if (locks) return new WebLocks(place, locks);
  return new ChannelLocks(channel ?? new BroadcastChannel(`review:${place}`));
}

/** A claim is held until the tab is gone, however it goes. */
class WebLocks {
  constructor(place, locks) {
    this.name = (what) => `review:${place}:${what}`;
    this.locks = locks;
  }

  claim(client) {
    return new Promise((resolve) => {
      this.locks.request(this.name(client), { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise(() => {});
      });
    });
  }

  alone(work) {
    return this.locks.request(this.name("sending"), work);
  }
}

/** Without locks the tabs are asked, and who answers is there. Two may send at once then: the server knows a batch
 * that it has had, and tells apart what clashes. */
class ChannelLocks {
  constructor(channel) {
    this.channel = channel;
    this.own = new Set();
    this.asked = new Map();
    channel.onmessage = ({ data }) => this.listen(data);
  }

  listen({ ask, here }) {
    if (this.own.has(ask)) this.channel.postMessage({ here: ask });
    this.asked.get(here)?.(false);
  }

  async claim(client) {
    const isFree = await new Promise((resolve) => {
      this.asked.set(client, resolve);
      this.channel.postMessage({ ask: client });
      setTimeout(() => resolve(true), ANSWER_WITHIN);
    });
    this.asked.delete(client);
    if (isFree) this.own.add(client);
    return isFree;
  }

  alone(work) {
    return work();
  }
}
